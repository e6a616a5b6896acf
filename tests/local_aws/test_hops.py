import json
import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.conftest import LocalAws, eventually

ROOT = "1-5759e988-bd862e3fe1be46a994272793"
PARENT = "53995c3f42cd8ad8"
SAMPLED = f"Root={ROOT};Parent={PARENT};Sampled=1"


def fields(header: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in header.split(";"))


def receive(sqs: Any, url: str, **options: Any) -> Any:
    def once() -> Any:
        answer = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["AWSTraceHeader"], **options)
        return (answer.get("Messages") or [None])[0]

    return eventually(once)


def test_a_traced_stage_decides_and_the_trace_is_connected(aws: LocalAws, stack: dict[str, str]) -> None:
    status, seen, headers = aws.post(f"{stack['ApiId']}/traced/")
    env = fields(seen["env"])
    assert status == 200
    assert seen["came"] == f"Root={env['Root']}"
    assert env["Sampled"] == "1"
    assert re.fullmatch(r"[0-9a-f]{8}:\d+", env["Lineage"])
    assert env["Root"] in headers["X-Amzn-Trace-Id"]
    found = {document.get("origin"): document for document in aws.documents(env["Root"])}
    stage, service, function = (found[f"AWS::{kind}"] for kind in ("ApiGateway::Stage", "Lambda", "Lambda::Function"))
    assert stage["name"] == "Hops/traced"
    assert stage["aws"]["xray"] == {"sampling_rule_name": "everything"}
    assert stage["http"]["response"]["status"] == 200
    assert service["parent_id"] == stage["subsegments"][0]["id"]
    assert function["parent_id"] == service["id"]
    parts = {part["name"]: part["id"] for part in function["subsegments"]}
    assert parts["Invocation"] == env["Parent"]
    assert {"Invocation", "Overhead"} <= parts.keys()


def test_a_callers_decision_stands(aws: LocalAws, stack: dict[str, str]) -> None:
    root = "1-5759e988-bd862e3fe1be46a994270000"
    _, seen, _ = aws.post(f"{stack['ApiId']}/traced/", x_amzn_trace_id=f"Root={root};Parent={PARENT};Sampled=0")
    assert fields(seen["env"])["Root"] == root
    assert fields(seen["env"])["Sampled"] == "0"
    assert aws.documents(root) == []


def test_an_untraced_stage_passes_the_header_on(aws: LocalAws, stack: dict[str, str]) -> None:
    root = "1-5759e988-bd862e3fe1be46a994270001"
    _, seen, _ = aws.post(f"{stack['ApiId']}/plain/", x_amzn_trace_id=f"Root={root};Parent={PARENT};Sampled=1")
    assert fields(seen["env"])["Root"] == root
    documents = aws.documents(root)
    assert "AWS::ApiGateway::Stage" not in {document.get("origin") for document in documents}
    assert PARENT in {document.get("parent_id") for document in documents}


def test_pass_through_gets_root_and_lineage_only(aws: LocalAws, stack: dict[str, str]) -> None:
    answer = aws.client("lambda", header=SAMPLED).invoke(FunctionName=stack["PassThrough"], Payload=b"{}")
    seen = json.loads(answer["Payload"].read())
    assert fields(seen["env"]).keys() == {"Root", "Lineage"}
    assert fields(seen["env"])["Root"] == ROOT
    assert seen["group"] == f"/aws/lambda/{stack['PassThrough']}"


def test_a_message_keeps_its_header_until_the_dead_letter_queue(aws: LocalAws, stack: dict[str, str]) -> None:
    sqs = aws.client("sqs", header=SAMPLED)
    sqs.send_message(QueueUrl=stack["PoorUrl"], MessageBody="x")
    for _ in range(2):
        message = receive(sqs, stack["PoorUrl"], VisibilityTimeout=0)
        assert message["Attributes"]["AWSTraceHeader"] == SAMPLED
    sqs.receive_message(QueueUrl=stack["PoorUrl"])
    assert receive(sqs, stack["DeadUrl"])["Attributes"]["AWSTraceHeader"] == SAMPLED


def test_the_system_attribute_wins_over_the_http_header(aws: LocalAws, stack: dict[str, str]) -> None:
    sqs = aws.client("sqs", header=SAMPLED)
    own = f"Root={ROOT};Sampled=0"
    entries = [
        {
            "Id": "own",
            "MessageBody": "own",
            "MessageSystemAttributes": {"AWSTraceHeader": {"DataType": "String", "StringValue": own}},
        },
        {"Id": "shared", "MessageBody": "shared"},
    ]
    sqs.send_message_batch(QueueUrl=stack["ResultsUrl"], Entries=entries)
    for expected in (own, SAMPLED):
        message = receive(sqs, stack["ResultsUrl"])
        sqs.delete_message(QueueUrl=stack["ResultsUrl"], ReceiptHandle=message["ReceiptHandle"])
        assert message["Attributes"]["AWSTraceHeader"] == expected


@pytest.mark.parametrize("header", ["Root=dummy;Parent=53995c3f42cd8ad8;Sampled=0", "Sampled=1", "nonsense"])
def test_sqs_refuses_a_malformed_header(aws: LocalAws, stack: dict[str, str], header: str) -> None:
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        aws.client("sqs", header=header).send_message(QueueUrl=stack["ResultsUrl"], MessageBody="x")


def test_a_queues_consumer_starts_a_trace_of_its_own_and_links_it(aws: LocalAws, stack: dict[str, str]) -> None:
    _, seen, _ = aws.post(f"{stack['ApiId']}/traced/")
    producer = fields(seen["env"])
    header = f"Root={producer['Root']};Parent={producer['Parent']};Sampled=1"
    sqs = aws.client("sqs", header=header)
    sqs.send_message(QueueUrl=stack["ConsumedUrl"], MessageBody="x")
    message = receive(sqs, stack["ResultsUrl"])
    sqs.delete_message(QueueUrl=stack["ResultsUrl"], ReceiptHandle=message["ReceiptHandle"])
    consumer = fields(json.loads(message["Body"])["env"])
    assert consumer["Root"] != producer["Root"]
    assert consumer["Sampled"] == "1"
    service = eventually(
        lambda: next((d for d in aws.documents(consumer["Root"]) if d.get("origin") == "AWS::Lambda"), None)
    )
    link = service["links"][0]
    assert (link["trace_id"], link["id"]) == (producer["Root"], producer["Parent"])
    assert link["attributes"]["aws.xray.reserved.reference_type"] == "parent"
    function = next(d for d in aws.documents(producer["Root"]) if d.get("origin") == "AWS::Lambda::Function")
    invocation = next(part for part in function["subsegments"] if part["name"] == "Invocation")
    assert invocation["links"][0]["trace_id"] == consumer["Root"]
    assert invocation["links"][0]["attributes"]["aws.xray.reserved.reference_type"] == "child"


def test_an_unsampled_message_leaves_its_consumer_untraced(aws: LocalAws, stack: dict[str, str]) -> None:
    sqs = aws.client("sqs", header=f"Root={ROOT};Parent={PARENT};Sampled=0")
    sqs.send_message(QueueUrl=stack["ConsumedUrl"], MessageBody="x")
    message = receive(sqs, stack["ResultsUrl"])
    sqs.delete_message(QueueUrl=stack["ResultsUrl"], ReceiptHandle=message["ReceiptHandle"])
    assert fields(json.loads(message["Body"])["env"])["Sampled"] == "0"
