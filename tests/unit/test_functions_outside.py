"""`subsegment` and `capture` outside of messages, where nothing is recorded, and across a fork."""

import os
import subprocess
import sys

import pytest
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.lambda_launcher import LambdaContext as LambdaSdkContext
from trace_bridge import instrument, subsegment

from tests.support.child_process import in_a_child
from tests.support.lambda_events import ACTIVE, OWN_PARENT, OWN_TRACE, PASS_THROUGH, UNSAMPLED, trace_id
from tests.support.lambda_process import Process
from tests.support.sampled_message import ROOT, run_in_message
from tests.support.segment_validator import entities

LIST = "DynamoDB_20120810.ListTables"


def test_of_the_invocation_itself_each_is_a_document_of_lambdas_own_trace(process: Process) -> None:
    process.invoked(ACTIVE)
    client = process.client("dynamodb")
    with subsegment("outer") as outer:
        outer.put_annotation("order", 7)
        with subsegment("inner"):
            client.list_tables()
    client.list_tables()
    call, inner, outer_, after = process.documents()
    assert [document["type"] for document in (call, inner, outer_, after)] == ["subsegment"] * 4
    assert {document["trace_id"] for document in (call, inner, outer_, after)} == {OWN_TRACE}
    assert (inner["name"], outer_["name"], outer_["annotations"]) == ("inner", "outer", {"order": 7})
    assert (call["parent_id"], inner["parent_id"]) == (inner["id"], outer_["id"])
    assert outer_["parent_id"] == after["parent_id"] == OWN_PARENT
    assert process.services.headers(LIST) == [
        f"Root={OWN_TRACE};Parent={call['id']};Sampled=1;Lineage=061379e8:0",
        f"Root={OWN_TRACE};Parent={after['id']};Sampled=1;Lineage=061379e8:0",
    ]


def test_an_exception_of_the_invocation_itself_is_described(process: Process) -> None:
    process.invoked(ACTIVE)
    with pytest.raises(ValueError), subsegment("outer"):
        raise ValueError
    (document,) = process.documents()
    assert document["cause"]["exceptions"][0]["type"] == "ValueError"


def test_each_invocation_has_its_own_parent(process: Process) -> None:
    process.invoked(ACTIVE)
    kept = subsegment("kept")
    kept.__enter__()
    process.senders.add("2" * 16)
    other = trace_id(77)
    process.monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={other};Parent={'2' * 16};Sampled=1")
    with subsegment("next"):
        pass
    kept.__exit__(None, None, None)
    next_, kept_ = process.documents()
    assert (next_["trace_id"], next_["parent_id"]) == (other, "2" * 16)
    assert (kept_["trace_id"], kept_["parent_id"]) == (OWN_TRACE, OWN_PARENT)


@pytest.mark.parametrize("own", [UNSAMPLED, PASS_THROUGH, "no header", None])
def test_where_lambda_records_nothing_neither_does_a_subsegment(process: Process, own: str | None) -> None:
    process.invoked(own)
    with subsegment("unseen") as unseen:
        unseen.put_annotation("a", 1)
        _tables = process.client("dynamodb").list_tables()
    assert process.documents() == []


@pytest.mark.program
@pytest.mark.parametrize("variables", [{}, {"AWS_XRAY_SDK_ENABLED": "false", "_X_AMZN_TRACE_ID": ACTIVE}])
def test_a_process_without_a_trace_records_nothing_and_imports_nothing_for_it(variables: dict[str, str]) -> None:
    program = """
import sys
from trace_bridge import capture, subsegment
@capture
def work(): return 1
with subsegment("a") as a:
    a.put_annotation("b", work())
print([name for name in ("aws_xray_sdk", "botocore", "asyncio") if name in sys.modules])
"""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "_X_AMZN"))}
    ran = subprocess.run([sys.executable, "-c", program], env=environment | variables, capture_output=True, text=True)
    assert (ran.stdout.strip(), ran.stderr) == ("[]", "")


def test_below_what_the_sdk_has_open_outside_of_messages_the_sdk_records(process: Process) -> None:
    process.invoked(ACTIVE)
    process.trace_of_the_sdk = OWN_TRACE
    xray_recorder.emitter.set_daemon_address(process.daemon.address)
    process.monkeypatch.setattr(xray_recorder, "_context", LambdaSdkContext())
    xray_recorder.configure(streaming_threshold=0)
    instrument()
    error = RuntimeError()
    try:
        with pytest.raises(RuntimeError), xray_recorder.in_subsegment("theirs"), subsegment("ours") as ours:
            ours.put_annotation("a", 1).put_metadata("b", 2)
            ours.add_exception("no exception")  # type: ignore[arg-type]
            process.client("dynamodb").list_tables()
            raise error
    finally:
        xray_recorder.clear_trace_entities()
    found = {entity["name"]: entity for document in process.daemon.documents() for entity in entities(document)}
    ours_ = found["ours"]
    assert (ours_["annotations"], ours_["metadata"]) == ({"a": 1}, {"default": {"b": 2}})
    assert ours_["parent_id"] == found["theirs"]["id"]
    assert found["dynamodb"]["parent_id"] == ours_["id"]
    assert ours_["fault"]


def _begins_one_and_leaves(outer: subsegment) -> None:
    with subsegment("of the child"):
        pass
    outer.__exit__(None, None, None)


def test_a_forked_process_sends_what_it_began_and_leaves_alone_what_its_parent_began(process: Process) -> None:
    def work() -> None:
        outer = subsegment("of the parent")
        outer.__enter__()
        assert in_a_child(lambda: _begins_one_and_leaves(outer)) == "null"
        outer.__exit__(None, None, None)

    run_in_message(work)
    documents = {document["name"]: document for document in process.documents_of(ROOT)}
    assert set(documents) == {"worker", "of the child"}
    (own,) = documents["worker"]["subsegments"]
    assert documents["of the child"]["parent_id"] == own["id"]


def test_what_the_invocation_began_before_a_fork_is_sent_once(process: Process) -> None:
    process.invoked(ACTIVE)
    outer = subsegment("of the parent")
    outer.__enter__()
    assert in_a_child(lambda: outer.__exit__(None, None, None)) == "null"
    outer.__exit__(None, None, None)
    assert [document["name"] for document in process.documents()] == ["of the parent"]
