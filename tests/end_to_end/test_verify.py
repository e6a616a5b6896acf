"""`traced-pipeline verify` on deployments broken on purpose: the cause is named for each."""

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.end_to_end.copies import Copies, Ran, Resources, command, find, remove
from tests.support.end_to_end.deployed import Deployed

# Seconds: what never comes is waited for so long, and what comes does so by then on a busy machine too.
_TIMEOUT = "45"
_AT_ONCE = 8
_NO_BRIDGE = "def handler(event, context):\n    return {'batchItemFailures': []}\n"
_NO_IMPORT = "import no_such_module\n"
_RAISES = "def handler(event, context):\n    raise ValueError('no customer 4711')\n"


def _whole(resources: Resources) -> None:
    """Nothing is altered."""


def _stage_off(resources: Resources) -> None:
    find(resources, "AWS::ApiGateway::Stage")["TracingEnabled"] = False


def _ingest_passes_through(resources: Resources) -> None:
    find(resources, "AWS::Lambda::Function", "Ingest")["TracingConfig"] = {"Mode": "PassThrough"}


def _ingest_raises(resources: Resources) -> None:
    find(resources, "AWS::Lambda::Function", "Ingest").update(Code={"ZipFile": _RAISES}, Handler="index.handler")


def _ingest_raises_unrecorded(resources: Resources) -> None:
    _ingest_raises(resources)
    _ingest_passes_through(resources)


def _topic_passes_through(resources: Resources) -> None:
    del find(resources, "AWS::SNS::Topic")["TracingConfig"]


def _no_subscription(resources: Resources) -> None:
    remove(resources, "AWS::SNS::Subscription")


def _filtered(resources: Resources) -> None:
    find(resources, "AWS::SNS::Subscription")["FilterPolicy"] = {"kind": ["returns"]}


def _no_queue_policy(resources: Resources) -> None:
    remove(resources, "AWS::SQS::QueuePolicy", "WorkerQueuePolicy")


def _mapping_disabled(resources: Resources) -> None:
    find(resources, "AWS::Lambda::EventSourceMapping")["Enabled"] = False


def _bridge_off(resources: Resources) -> None:
    find(resources, "AWS::Lambda::Function", "Worker")["Environment"]["Variables"]["TRACE_BRIDGE_ENABLED"] = "false"


def _inline(code: str) -> Callable[[Resources], None]:
    def alter(resources: Resources) -> None:
        worker = find(resources, "AWS::Lambda::Function", "Worker")
        worker |= {"Code": {"ZipFile": code}, "Handler": "index.handler"}
        del worker["Layers"]

    return alter


def _broken_import(resources: Resources) -> None:
    worker = find(resources, "AWS::Lambda::Function", "Worker")
    worker |= {"Code": {"ZipFile": _NO_IMPORT}, "Handler": "index.handler"}


def _no_xray_permission(resources: Resources) -> None:
    role = find(resources, "AWS::IAM::Role", "WorkerFunction")
    role["Policies"] = [policy for policy in role["Policies"] if policy["PolicyName"] != "XRay"]


def _no_table_permission(resources: Resources) -> None:
    statements = find(resources, "AWS::IAM::Policy", "WorkerFunction")["PolicyDocument"]["Statement"]
    statements[:] = [one for one in statements if "dynamodb" not in json.dumps(one["Action"])]
    assert statements


def _calls_not_recorded(resources: Resources) -> None:
    find(resources, "AWS::Lambda::Function", "Worker")["Environment"]["Variables"]["TRACE_BRIDGE_INSTRUMENT"] = "off"


def _with_a_closed_vpc(resources: Resources) -> None:
    vpc = {"Ref": "Vpc"}
    resources["Vpc"] = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}
    resources["Subnet"] = {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": vpc, "CidrBlock": "10.0.0.0/24"}}
    resources["Group"] = {"Type": "AWS::EC2::SecurityGroup", "Properties": {"VpcId": vpc, "GroupDescription": "none"}}


# The alteration, the hop the trace breaks at, its status, and the check that names the cause.
BROKEN: dict[str, tuple[Callable[[Resources], None], str, str, str]] = {
    "StageOff": (_stage_off, "stage", "missing", "stage-tracing-off"),
    "IngestPassThrough": (_ingest_passes_through, "topic", "missing", "ingest-not-active"),
    "IngestRaises": (_ingest_raises, "function", "failed", "function-fails"),
    "TopicPassThrough": (_topic_passes_through, "queue", "missing", "topic-not-active"),
    "NoSubscription": (_no_subscription, "queue", "missing", "subscription-missing"),
    "Filtered": (_filtered, "queue", "missing", "subscription-filters"),
    "NoQueuePolicy": (_no_queue_policy, "queue", "failed", "queue-policy"),
    "MappingDisabled": (_mapping_disabled, "function", "missing", "event-source-disabled"),
    "BridgeOff": (_bridge_off, "function", "missing", "bridge-off"),
    "NoBridge": (_inline(_NO_BRIDGE), "function", "missing", "bridge-missing"),
    "BrokenImport": (_broken_import, "function", "missing", "function-fails"),
    "NoXRayPermission": (_no_xray_permission, "function", "missing", "xray-permission-missing"),
    "NoTablePermission": (_no_table_permission, "function", "failed", "function-fails"),
    "CallsNotRecorded": (_calls_not_recorded, "table", "missing", "calls-not-recorded"),
}


@pytest.fixture(scope="module")
def verdicts(bridged: Deployed, copies: Copies) -> dict[str, Ran]:
    """What `verify` said of each deployment."""

    def verify(name: str) -> Ran:
        return command(bridged, "verify", name, "--timeout", _TIMEOUT, "--json")

    alterations = {name: alter for name, (alter, *_) in BROKEN.items()}
    alterations |= {"Whole": _whole, "Unrecorded": _ingest_raises_unrecorded}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda item: copies.deploy(*item), alterations.items()))
        return dict(zip(alterations, pool.map(verify, alterations), strict=True))


def _first_break(verdict: dict[str, Any]) -> dict[str, Any]:
    return next(hop for hop in verdict["hops"] if hop["status"] != "connected")


def test_a_whole_pipeline_is_connected_hop_by_hop(verdicts: dict[str, Ran]) -> None:
    ran = verdicts["Whole"]
    verdict = ran.json()
    assert ran.status == 0, ran
    assert verdict["connected"] is True
    assert [hop["kind"] for hop in verdict["hops"]] == ["stage", "function", "topic", "queue", "function", "table"]
    assert {hop["status"] for hop in verdict["hops"]} == {"connected"}
    assert verdict["remarks"] == []
    assert verdict["unread"] == []


@pytest.mark.parametrize("name", BROKEN)
def test_the_cause_is_named_where_the_trace_breaks(verdicts: dict[str, Ran], name: str) -> None:
    _, kind, status, check = BROKEN[name]
    ran = verdicts[name]
    verdict = ran.json()
    assert ran.status == 1, ran
    assert verdict["connected"] is False
    broken = _first_break(verdict)
    assert (broken["kind"], broken["status"]) == (kind, status), verdict
    assert [cause["check"] for cause in broken["causes"]] == [check], verdict
    named = {cause["check"] for hop in verdict["hops"] for cause in hop["causes"]}
    assert named == {check}, "nothing else is blamed"
    assert verdict["remarks"] == []


def test_a_failing_worker_is_reported_with_what_and_what_comes_of_it(verdicts: dict[str, Ran]) -> None:
    [cause] = _first_break(verdicts["NoTablePermission"].json())["causes"]
    assert "AccessDenied" in cause["text"]
    assert "dead-letter queue OrdersWorkerDeadLetterQueue after 5 attempts" in cause["text"]
    [cause] = _first_break(verdicts["BrokenImport"].json())["causes"]
    assert "no_such_module" in cause["text"]


def test_of_a_failing_ingest_function_the_exception_is_reported_not_what_the_api_makes_of_it(
    verdicts: dict[str, Ran],
) -> None:
    verdict = verdicts["IngestRaises"].json()
    assert verdict["status"] == 502
    assert verdict["hops"][0]["status"] == "connected", "the stage is in the trace, and only passes the failure on"
    [cause] = _first_break(verdict)["causes"]
    assert "ValueError: no customer 4711" in cause["text"]
    assert [hop["causes"] for hop in verdict["hops"][2:]] == [[]] * 4


def test_a_failing_ingest_function_that_is_not_recorded_is_reported_by_its_log(verdicts: dict[str, Ran]) -> None:
    broken = _first_break(verdicts["Unrecorded"].json())
    # X-Ray infers the function from the stage's call.
    assert (broken["kind"], broken["status"]) == ("function", "failed")
    assert [cause["check"] for cause in broken["causes"]] == ["ingest-not-active", "function-fails"]
    assert "ValueError: no customer 4711" in broken["causes"][1]["text"]


def test_the_rest_of_a_trace_without_its_stage_is_there(verdicts: dict[str, Ran]) -> None:
    hops = verdicts["StageOff"].json()["hops"]
    assert [hop["status"] for hop in hops] == ["missing", *["connected"] * 5]


def test_a_vpc_without_a_way_to_xray_is_the_cause(bridged: Deployed, copies: Copies) -> None:
    stack = "InVpc"
    copies.deploy(stack, _with_a_closed_vpc)
    listed = bridged.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
    ids = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in listed}
    worker = next(name for key, name in ids.items() if key.startswith("OrdersWorkerFunction1"))
    ec2, functions = bridged.client("ec2"), bridged.client("lambda")
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [ids["Vpc"]]}])["RouteTables"]
    ec2.create_vpc_endpoint(
        VpcId=ids["Vpc"],
        ServiceName="com.amazonaws.us-east-1.dynamodb",
        VpcEndpointType="Gateway",
        RouteTableIds=[table["RouteTableId"] for table in tables],
    )
    vpc = {"SubnetIds": [ids["Subnet"]], "SecurityGroupIds": [ids["Group"]]}
    functions.update_function_configuration(FunctionName=worker, VpcConfig=vpc)
    verdict = command(bridged, "verify", stack, "--timeout", _TIMEOUT, "--json").json()
    broken = _first_break(verdict)
    assert (broken["kind"], broken["status"]) == ("function", "missing")
    assert [cause["check"] for cause in broken["causes"]] == ["vpc-without-xray"]
    assert verdict["unread"] == []

    ec2.create_vpc_endpoint(VpcId=ids["Vpc"], ServiceName="com.amazonaws.us-east-1.xray", VpcEndpointType="Interface")
    functions.update_function_configuration(FunctionName=worker, VpcConfig=vpc)
    mended = command(bridged, "verify", stack, "--timeout", _TIMEOUT, "--json")
    assert mended.status == 0, mended


def test_it_is_printed_for_a_person_too(bridged: Deployed) -> None:
    ran = command(bridged, "verify", bridged.pipeline.stack)
    assert ran.status == 0, ran
    assert "✓ Table     OrdersTable" in ran.out
    assert ran.out.rstrip().endswith("Connected from the API to the table.")


def test_what_the_account_has_is_read_by_the_apis_that_exist(bridged: Deployed) -> None:
    ran = command(bridged, "verify", bridged.pipeline.stack, "--account")
    assert ran.status == 0, ran
    words = dict(
        re.findall(r"^  (\w+) +(create|existing) ", ran.out.partition("The account, in the words of")[2], re.MULTILINE)
    )
    assert words == {
        "sns_permission": "existing",  # by the stack's own policy
        "api_logging_role": "existing",
        "transaction_search": "create",
        "application_signals": "create",
        "sampling_rule": "create",  # the stack's rule is for its stage alone
    }


def test_a_body_the_api_refuses(bridged: Deployed) -> None:
    ran = command(bridged, "verify", bridged.pipeline.stack, "--body", '{"customer": "Ann"}')
    assert ran.status == 1
    assert "[request-refused]" in ran.out
    assert "amount" in ran.out


def test_what_may_not_be_looked_at_is_said_and_the_rest_goes_on(bridged: Deployed) -> None:
    iam = bridged.client("iam")
    iam.create_user(UserName="onlooker")
    allowed = ["cloudformation:*", "apigateway:GET", "execute-api:Invoke", "xray:BatchGetTraces", "sns:*", "sqs:Get*"]
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": allowed, "Resource": "*"}]}
    iam.put_user_policy(UserName="onlooker", PolicyName="look", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName="onlooker")["AccessKey"]
    environment = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    ran = command(bridged, "verify", bridged.pipeline.stack, "--json", environment=environment)
    verdict = ran.json()
    reasons = " ".join(unread["reason"] for unread in verdict["unread"])
    assert "these credentials need the permission lambda:GetFunctionConfiguration" in reasons
    assert "these credentials need the permission xray:ListResourcePolicies" in reasons
    assert verdict["hops"][0]["status"] == "connected"
    assert {hop["status"] for hop in verdict["hops"]} <= {"connected", "unread"}, "no hop is said to be where it breaks"
    assert [cause for hop in verdict["hops"] for cause in hop["causes"]] == []
    document["Statement"][0]["Action"] = [one for one in allowed if not one.startswith("xray:")]  # type: ignore[index]
    iam.put_user_policy(UserName="onlooker", PolicyName="look", PolicyDocument=json.dumps(document))
    ran = command(bridged, "verify", bridged.pipeline.stack, environment=environment)
    assert ran.status == 4
    assert "these credentials need the permission xray:BatchGetTraces" in ran.err
