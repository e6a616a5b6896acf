import datetime as dt

import pytest

from harness.local_aws import LocalAws
from tests.support.account import Account
from tests.support.local_aws.functions import archive, invoke
from tests.support.local_aws.tracing import fields
from tests.support.waiting import wait_for

READER = """
import shared

def handler(event, context):
    return shared.OWNER
"""


def names(aws: Account, trace_id: str) -> set[str]:
    documents = aws.documents(trace_id)
    parts = [part for document in documents for part in document.get("subsegments", [])]
    return {entity["name"] for entity in (*documents, *parts, *(s for p in parts for s in p.get("subsegments", [])))}


def test_a_sampled_functions_datagram_lands_under_its_invocation(aws: Account, stack: dict[str, str]) -> None:
    root = "1-5759e988-bd862e3fe1be46a994271001"
    invoke(aws, stack["Ingest"], header=f"Root={root};Parent=53995c3f42cd8ad8;Sampled=1")
    wait_for(lambda: "by datagram" in names(aws, root))
    function = next(found for found in aws.documents(root) if found.get("origin") == "AWS::Lambda::Function")
    invocation = next(part for part in function["subsegments"] if part["name"] == "Invocation")
    assert "by datagram" in {part["name"] for part in invocation["subsegments"]}


@pytest.mark.parametrize(
    ("function", "reason"), [("PassThrough", "no sampled invocation"), ("NotAllowed", "not allowed")]
)
def test_the_daemon_drops_what_aws_would_not_send(
    aws: Account, local_aws: LocalAws, stack: dict[str, str], function: str, reason: str
) -> None:
    root = "1-5759e988-bd862e3fe1be46a994271002"
    seen = invoke(aws, stack[function], header=f"Root={root};Parent=53995c3f42cd8ad8;Sampled=1")
    assert fields(seen["env"])["Root"] == root
    wait_for(lambda: stack[function] in dropped(local_aws, reason))
    assert "by datagram" not in names(aws, root)


def dropped(local_aws: LocalAws, reason: str) -> str:
    return "".join(line for line in local_aws.log.read_text().splitlines() if "dropped" in line and reason in line)


def test_the_functions_own_code_comes_before_its_layer(aws: Account, stack: dict[str, str]) -> None:
    functions = aws.client("lambda")
    layer = functions.publish_layer_version(
        LayerName="shared", Content={"ZipFile": archive(python__shared="OWNER = 'layer'")}
    )["LayerVersionArn"]
    role = functions.get_function_configuration(FunctionName=stack["Ingest"])["Role"]
    for name, own, owner in (("own", {"shared": "OWNER = 'function'"}, "function"), ("borrowed", {}, "layer")):
        functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=role,
            Handler="index.handler",
            Code={"ZipFile": archive(index=READER, **own)},
            Layers=[layer],
        )
        assert invoke(aws, name) == owner


def test_a_function_that_raises_is_an_error_and_no_fault(aws: Account, stack: dict[str, str]) -> None:
    """As in a published summary of such a trace: HttpStatus 200, HasError true, HasFault false."""
    functions, root = aws.client("lambda"), "1-5759e988-bd862e3fe1be46a994271003"
    functions.create_function(
        FunctionName="raises",
        Runtime="python3.13",
        Role=functions.get_function_configuration(FunctionName=stack["Ingest"])["Role"],
        Handler="index.handler",
        Code={"ZipFile": archive(index='def handler(event, context):\n    raise ValueError("no id")\n')},
        TracingConfig={"Mode": "Active"},
    )
    assert invoke(aws, "raises", header=f"Root={root};Parent=53995c3f42cd8ad8;Sampled=1")["errorMessage"] == "no id"
    found = {document["origin"]: document for document in aws.documents(root)}
    function = found["AWS::Lambda::Function"]
    invocation = next(part for part in function["subsegments"] if part["name"] == "Invocation")
    for entity in (found["AWS::Lambda"], function, invocation):
        assert entity["error"] is True
        assert "fault" not in entity
    assert [cause["message"] for cause in invocation["cause"]["exceptions"]] == ["no id"]
    (service, *_others) = aws.client("xray").get_trace_graph(TraceIds=[root])["Services"]
    (summary,) = (
        summary
        for page in aws.client("xray")
        .get_paginator("get_trace_summaries")
        .paginate(StartTime=service["StartTime"], EndTime=service["StartTime"] + dt.timedelta(seconds=60))
        for summary in page["TraceSummaries"]
        if summary["Id"] == root
    )
    assert (summary["HasError"], summary["HasFault"], summary["Http"]["HttpStatus"]) == (True, False, 200)
