import json
import re

from tests.support.account import Account
from tests.support.local_aws.tracing import PARENT, ROOT, SAMPLED, fields, receive


def test_a_traced_stage_decides_and_the_trace_is_connected(aws: Account, stack: dict[str, str]) -> None:
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


def test_a_callers_decision_stands(aws: Account, stack: dict[str, str]) -> None:
    root = "1-5759e988-bd862e3fe1be46a994270000"
    _, seen, _ = aws.post(f"{stack['ApiId']}/traced/", x_amzn_trace_id=f"Root={root};Parent={PARENT};Sampled=0")
    assert fields(seen["env"])["Root"] == root
    assert fields(seen["env"])["Sampled"] == "0"
    assert aws.documents(root) == []


def test_an_untraced_stage_passes_the_header_on(aws: Account, stack: dict[str, str]) -> None:
    root = "1-5759e988-bd862e3fe1be46a994270001"
    _, seen, _ = aws.post(f"{stack['ApiId']}/plain/", x_amzn_trace_id=f"Root={root};Parent={PARENT};Sampled=1")
    assert fields(seen["env"])["Root"] == root
    documents = aws.documents(root)
    assert "AWS::ApiGateway::Stage" not in {document.get("origin") for document in documents}
    assert PARENT in {document.get("parent_id") for document in documents}


def test_pass_through_gets_root_and_lineage_only(aws: Account, stack: dict[str, str]) -> None:
    answer = aws.client("lambda", header=SAMPLED).invoke(FunctionName=stack["PassThrough"], Payload=b"{}")
    seen = json.loads(answer["Payload"].read())
    assert fields(seen["env"]).keys() == {"Root", "Lineage"}
    assert fields(seen["env"])["Root"] == ROOT
    assert seen["group"] == f"/aws/lambda/{stack['PassThrough']}"


def test_an_unsampled_message_leaves_its_consumer_untraced(aws: Account, stack: dict[str, str]) -> None:
    sqs = aws.client("sqs", header=f"Root={ROOT};Parent={PARENT};Sampled=0")
    sqs.send_message(QueueUrl=stack["ConsumedUrl"], MessageBody="x")
    message = receive(sqs, stack["ResultsUrl"])
    sqs.delete_message(QueueUrl=stack["ResultsUrl"], ReceiptHandle=message["ReceiptHandle"])
    assert fields(json.loads(message["Body"])["env"])["Sampled"] == "0"
