"""What the local X-Ray shows of deployments with one thing wrong; each deployed with CloudFormation."""

import secrets
from typing import Any

import pytest

from tests.support.account import Account
from tests.support.local_aws import variants
from tests.support.local_aws.functions import invoke
from tests.support.local_aws.tracing import fields, receive
from tests.support.local_aws.xray import topic_policy
from tests.support.waiting import wait_for

CALLER = "53995c3f42cd8ad8"
FUNCTION = {"AWS::Lambda", "AWS::Lambda::Function"}


def deploy(aws: Account, **wrong: Any) -> dict[str, str]:
    name = f"broken-{secrets.token_hex(4)}"
    return aws.deploy(name, variants.pipeline(name, **wrong))


def send(aws: Account, outputs: dict[str, str]) -> tuple[dict[str, str], Any]:
    """Send one request whose caller has decided for tracing; the ingest function's header and what it saw."""
    root = f"1-5759e988-{secrets.token_hex(12)}"
    header = f"Root={root};Parent={CALLER};Sampled=1"
    status, seen, _ = aws.post(f"{outputs['ApiId']}/traced/", x_amzn_trace_id=header)
    assert status == 200
    return fields(seen["env"]), seen


def consumed(aws: Account, outputs: dict[str, str]) -> dict[str, str]:
    """The header the worker ran with."""
    import json

    message = receive(aws.client("sqs"), outputs["ResultsUrl"])
    return fields(json.loads(message["Body"])["env"])


def origins(aws: Account, trace_id: str) -> set[str]:
    return {found["origin"] for found in aws.documents(trace_id) if "origin" in found and not found.get("inferred")}


def test_a_whole_pipeline_without_the_bridge_ends_at_the_queue(aws: Account, policies: Any) -> None:
    policies.put_resource_policy(PolicyName="topics", PolicyDocument=topic_policy())
    outputs = deploy(aws)
    env, _ = send(aws, outputs)
    worker = consumed(aws, outputs)
    assert origins(aws, env["Root"]) == {"AWS::ApiGateway::Stage", "AWS::SNS", *FUNCTION}
    assert (worker["Root"] != env["Root"], worker["Sampled"]) == (True, "1")
    # The worker has a trace of its own, which is linked to the producer's and hangs on nothing.
    wait_for(lambda: origins(aws, worker["Root"]) == FUNCTION)
    service = next(found for found in aws.documents(worker["Root"]) if found.get("origin") == "AWS::Lambda")
    assert [link["trace_id"] for link in service["links"]] == [env["Root"]]
    assert "parent_id" not in service


def test_a_stage_without_tracing_is_missing_and_its_function_decides(aws: Account) -> None:
    outputs = deploy(aws, stage_tracing=False)
    env, _ = send(aws, outputs)
    assert origins(aws, env["Root"]) == FUNCTION
    service = next(found for found in aws.documents(env["Root"]) if found.get("origin") == "AWS::Lambda")
    assert service["parent_id"] == CALLER
    _, seen, _ = aws.post(f"{outputs['ApiId']}/traced/")
    assert "AWS::ApiGateway::Stage" not in origins(aws, fields(seen["env"])["Root"])


@pytest.mark.parametrize(
    ("admitted", "tracing"), [(False, "Active"), (True, "PassThrough")], ids=["without a policy", "PassThrough"]
)
def test_a_silent_topic_is_missing_and_its_messages_come_from_the_publisher(
    aws: Account, policies: Any, admitted: bool, tracing: str
) -> None:
    if admitted:
        policies.put_resource_policy(PolicyName="topics", PolicyDocument=topic_policy())
    outputs = deploy(aws, topic_tracing=tracing)
    env, _ = send(aws, outputs)
    worker = consumed(aws, outputs)
    assert "AWS::SNS" not in origins(aws, env["Root"])
    wait_for(lambda: origins(aws, worker["Root"]) == FUNCTION)
    service = next(found for found in aws.documents(worker["Root"]) if found.get("origin") == "AWS::Lambda")
    assert service["links"][0]["id"] == env["Parent"]


@pytest.mark.parametrize("mode", ["PassThrough", None])
def test_an_untraced_worker_without_the_bridge_is_nowhere(aws: Account, mode: str | None) -> None:
    outputs = deploy(aws, worker=mode)
    env, _ = send(aws, outputs)
    worker = consumed(aws, outputs)
    assert worker.keys() == {"Root", "Lineage"}
    assert aws.documents(worker["Root"]) == []
    consumer = outputs["ConsumerName"]
    assert consumer not in {found["name"] for found in aws.documents(env["Root"])}


def test_a_queue_without_a_policy_is_a_fault_of_the_topic(aws: Account, policies: Any) -> None:
    policies.put_resource_policy(PolicyName="topics", PolicyDocument=topic_policy())
    outputs = deploy(aws, queue_policy=False)
    env, _ = send(aws, outputs)
    topic = next(found for found in aws.documents(env["Root"]) if found.get("origin") == "AWS::SNS")
    assert topic["fault"] is True
    assert [(part["name"], part["fault"]) for part in topic["subsegments"]] == [("SQS", True)]
    attributes = aws.client("sqs").get_queue_attributes(
        QueueUrl=outputs["QueueUrl"], AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert attributes["Attributes"]["ApproximateNumberOfMessages"] == "0"


@pytest.mark.parametrize(("rate", "sampled"), [(0.0, "0"), (1.0, "1")])
def test_a_deployed_sampling_rule_decides(aws: Account, rate: float, sampled: str) -> None:
    outputs = deploy(aws, rate=rate)
    _, seen, _ = aws.post(f"{outputs['ApiId']}/traced/")
    env = fields(seen["env"])
    assert env["Sampled"] == sampled
    assert ("AWS::ApiGateway::Stage" in origins(aws, env["Root"])) is (sampled == "1")


def test_a_sixth_stack_with_a_resource_policy_fails(aws: Account, policies: Any) -> None:
    stacks = aws.client("cloudformation")
    for number in range(5):
        aws.deploy(f"policy-{number}", variants.resource_policy(f"policy-{number}"))
    with pytest.raises(
        RuntimeError,
        match=r'Resource handler returned message: "Exceeded the maximum number of resource policies for a target '
        r"Amazon Web Services account.*Service: XRay, Status Code: 400.*HandlerErrorCode: ServiceLimitExceeded",
    ):
        aws.deploy("policy-5", variants.resource_policy("policy-5"))
    # A stack that writes over a policy of the same name needs no room of its own.
    aws.deploy("policy-again", variants.resource_policy("policy-0"))
    stacks.delete_stack(StackName="policy-1")
    wait_for(lambda: len(policies.list_resource_policies()["ResourcePolicies"]) == 4)
    aws.deploy("policy-6", variants.resource_policy("policy-6"))


def test_too_large_a_policy_fails_its_stack(aws: Account, policies: Any) -> None:
    template = variants.resource_policy("large")
    template["Resources"]["Policy"]["Properties"]["PolicyDocument"] = topic_policy(topic="x" * 5120)
    with pytest.raises(RuntimeError, match=r"Exceeded the maximum size for a resource policy.*InvalidRequest"):
        aws.deploy("policy-large", template)


@pytest.mark.parametrize(
    ("network", "reached"),
    [
        ({}, {"xray": False, "sqs": False, "dynamodb": False}),
        ({"internet_gateway": True}, {"xray": False, "sqs": False, "dynamodb": False}),
        ({"endpoints": ("xray",)}, {"xray": True, "sqs": False, "dynamodb": False}),
        ({"endpoints": ("sqs", "dynamodb")}, {"xray": False, "sqs": True, "dynamodb": True}),
    ],
    ids=["isolated", "internet gateway", "endpoint of X-Ray", "every endpoint but X-Ray's"],
)
def test_a_function_in_a_vpc_reaches_what_it_has_a_way_to(
    aws: Account, network: dict[str, Any], reached: dict[str, bool]
) -> None:
    outputs = aws.deploy(f"vpc-{secrets.token_hex(4)}", variants.in_a_vpc(**network))
    assert invoke(aws, outputs["Function"]) == reached


def test_a_nat_gateway_is_a_way_out(aws: Account) -> None:
    outputs = aws.deploy("vpc-nat", variants.in_a_vpc())
    ec2 = aws.client("ec2")
    subnet = ec2.describe_route_tables(RouteTableIds=[outputs["Table"]])["RouteTables"][0]["Associations"][0][
        "SubnetId"
    ]
    nat = ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private")["NatGateway"]["NatGatewayId"]
    ec2.create_route(RouteTableId=outputs["Table"], DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    assert invoke(aws, outputs["Function"]) == {"xray": True, "sqs": True, "dynamodb": True}
