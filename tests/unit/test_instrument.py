"""AWS calls: what is recorded of them, below which parent, and what goes out on the wire."""

import socket
from collections.abc import Iterator

import pytest
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.context import Context as SdkContext
from aws_xray_sdk.core.exceptions.exceptions import SegmentNotFoundException
from aws_xray_sdk.core.lambda_launcher import LambdaContext as LambdaSdkContext
from botocore.exceptions import ClientError
from trace_bridge import continue_trace, instrument, trace_batch

from tests.support import bridge
from tests.support.lambda_events import (
    ACTIVE,
    OWN_PARENT,
    OWN_TRACE,
    PASS_THROUGH,
    UNSAMPLED,
    LambdaContext,
    header,
    record,
    trace_id,
)
from tests.support.lambda_process import Process
from tests.support.waiting import wait_for

ROOT = trace_id(4)
DELETE = "DynamoDB_20120810.DeleteItem"


def _delete(process: Process) -> None:
    process.client("dynamodb").delete_item(TableName="orders", Key={"id": {"S": "1"}})


def test_outside_of_messages_a_call_is_below_lambdas_own_segment(process: Process) -> None:
    process.invoked(ACTIVE)
    _delete(process)
    (call,) = process.documents()
    assert (call["type"], call["trace_id"], call["parent_id"]) == ("subsegment", OWN_TRACE, OWN_PARENT)
    assert (call["name"], call["namespace"], call["aws"]["table_name"]) == ("dynamodb", "aws", "orders")
    assert process.services.headers(DELETE) == [f"Root={OWN_TRACE};Parent={call['id']};Sampled=1;Lineage=061379e8:0"]


def test_a_call_whose_parameters_are_given_by_name_is_made_and_recorded(process: Process) -> None:
    parameters = {"TableName": "orders", "Key": {"id": {"S": "1"}}}
    with continue_trace(record(trace=header(ROOT)), LambdaContext()):
        # As a library that wraps this method may pass the call on.
        process.client("dynamodb")._make_api_call(operation_name="DeleteItem", api_params=parameters)
    (message,) = process.documents()
    assert message["subsegments"][0]["aws"]["operation"] == "DeleteItem"


def test_a_call_is_made_where_what_records_it_cannot_be_imported(process: Process) -> None:
    with process.monkeypatch.context() as later:
        instrument()
        bridge.fail_to_import(later, "_aws_calls")
        _delete(process)
    assert process.services.headers(DELETE) == [PASS_THROUGH]


def test_a_failed_call_outside_of_messages_is_recorded_with_its_error(process: Process) -> None:
    process.invoked(ACTIVE)
    process.services.answer = lambda _path, _body: (400, {"__type": "ResourceNotFoundException", "message": "no"})
    with pytest.raises(ClientError):
        _delete(process)
    (call,) = process.documents()
    assert call["error"]
    assert call["cause"]["exceptions"][0]["type"] == "ResourceNotFoundException"


@pytest.mark.parametrize("own", [UNSAMPLED, PASS_THROUGH, None])
def test_where_lambda_records_nothing_a_call_outside_of_messages_is_left_alone(
    process: Process, own: str | None
) -> None:
    process.invoked(own)
    _delete(process)
    assert process.documents() == []


@pytest.fixture
def in_lambda(process: Process) -> Iterator[Process]:
    """The X-Ray SDK as it is in Lambda, with a subsegment of a handler open."""
    process.invoked(ACTIVE)
    process.trace_of_the_sdk = OWN_TRACE
    xray_recorder.emitter.set_daemon_address(process.daemon.address)
    process.monkeypatch.setattr(xray_recorder, "_context", LambdaSdkContext())
    xray_recorder.configure(streaming_threshold=0)
    instrument()
    yield process
    xray_recorder.clear_trace_entities()


def test_outside_of_messages_a_call_is_below_what_the_sdk_has_open(in_lambda: Process) -> None:
    with xray_recorder.in_subsegment("handler"):
        _delete(in_lambda)
    documents = {document["name"]: document for document in in_lambda.daemon.documents()}
    nested = documents["handler"].get("subsegments") or [documents["dynamodb"]]
    assert nested[0]["aws"]["table_name"] == "orders"
    assert in_lambda.services.headers(DELETE) == [
        f"Root={OWN_TRACE};Parent={nested[0]['id']};Sampled=1;Lineage=061379e8:0"
    ]


def test_what_the_handler_keeps_outside_of_messages_is_the_sdks_own(in_lambda: Process) -> None:
    before = xray_recorder.get_trace_entity()
    assert before.trace_id == OWN_TRACE
    xray_recorder.set_trace_entity(before)
    with xray_recorder.in_subsegment("kept") as kept:
        assert xray_recorder.current_subsegment() is kept
    xray_recorder.end_segment()
    xray_recorder.begin_segment("refused")
    xray_recorder.clear_trace_entities()
    assert xray_recorder.get_trace_entity().trace_id == OWN_TRACE


def test_what_the_sdk_does_without_a_segment_is_as_configured(process: Process) -> None:
    plain = SdkContext()
    process.monkeypatch.setattr(xray_recorder, "_context", plain)
    instrument()
    xray_recorder.configure(context_missing="RUNTIME_ERROR")
    assert plain.context_missing == xray_recorder.context.context_missing == "RUNTIME_ERROR"
    with pytest.raises(SegmentNotFoundException):
        xray_recorder.context.handle_context_missing()


def test_a_web_middleware_of_the_sdk_in_lambda_is_warned_of(process: Process, caplog: pytest.LogCaptureFixture) -> None:
    import sys
    from types import ModuleType

    process.monkeypatch.setitem(sys.modules, "aws_xray_sdk.ext.flask.middleware", ModuleType("middleware"))
    process.monkeypatch.setattr(xray_recorder, "_context", LambdaSdkContext())
    bridge.join_sdk()
    assert "the X-Ray SDK's middleware for flask is loaded beside trace_bridge" in caplog.text


@pytest.mark.parametrize(
    ("status", "flags"),
    [(200, set()), (404, {"error"}), (429, {"error", "throttle"}), (503, {"fault"})],
)
def test_an_answer_is_marked_as_xray_marks_it(process: Process, status: int, flags: set[str]) -> None:
    process.services.answer = lambda path, _body: (200 if path == "/TraceSegments" else status, {"__type": "Some"})
    with trace_batch(), continue_trace(record(trace=header(ROOT)), LambdaContext()):
        try:
            _delete(process)
        except ClientError:
            assert status >= 400
    (document,) = process.documents_of(ROOT)
    (call,) = document["subsegments"]
    assert call["http"]["response"]["status"] == status
    assert {flag for flag in ("error", "fault", "throttle") if call.get(flag)} == flags
    assert call["aws"]["request_id"] == "11111111-2222-4333-8444-555555555555"


def test_what_matters_of_parameters_and_answers_is_recorded(process: Process) -> None:
    process.services.answer = lambda _path, _body: (
        200,
        {"Successful": [{"Id": "1"}], "Failed": [], "Responses": {}, "UnprocessedKeys": {}},
    )
    url = "https://sqs.us-east-1.amazonaws.com/123456789012/next"
    with trace_batch(), continue_trace(record(trace=header(ROOT)), LambdaContext()):
        process.client("sqs").send_message_batch(QueueUrl=url, Entries=[{"Id": "1", "MessageBody": "{}"}] * 2)
        process.client("dynamodb").batch_get_item(RequestItems={"a": {"Keys": [{"id": {"S": "1"}}]}})
    (document,) = process.documents_of(ROOT)
    sending, getting = document["subsegments"]
    assert sending["aws"]["queue_url"] == url
    assert sending["aws"]["message_count"] == 2
    assert getting["aws"]["table_names"] == ["a"]


def test_a_call_still_under_way_is_closed_with_its_message(process: Process) -> None:
    import threading

    bridge.wait_for_uploads(process.monkeypatch, seconds=0.5)
    process.services.hanging.clear()
    with trace_batch(), continue_trace(record(trace=header(ROOT)), LambdaContext()):
        from contextvars import copy_context

        thread = threading.Thread(target=copy_context().run, args=[_delete, process])
        thread.start()
        while not process.services.headers(DELETE):
            thread.join(0.01)
    process.services.hanging.set()
    thread.join()
    (document,) = wait_for(lambda: process.documents_of(ROOT), what="the upload that was not waited for")
    (call,) = document["subsegments"]
    assert call["end_time"] <= document["end_time"]


def test_instrumenting_can_be_switched_off(process: Process) -> None:
    process.set(instrument=False)
    instrument()
    with continue_trace(record(trace=header(ROOT)), LambdaContext()):
        _delete(process)
    (document,) = process.documents_of(ROOT)
    assert "subsegments" not in document


def test_a_daemon_on_ipv6_is_reached() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("::1", 0))
        daemon.settimeout(10)
        emitter = bridge.UdpEmitter(("::1", daemon.getsockname()[1]))
        assert emitter.send("{}")
        assert daemon.recv(100).endswith(b"\n{}")
        emitter.close()


def test_what_the_system_refuses_is_counted_as_lost(process: Process) -> None:
    from trace_bridge import counters

    process.set(emitter="udp")
    bridge.close_socket()
    with continue_trace(record(trace=header(ROOT)), LambdaContext()):
        pass
    process.monkeypatch.delenv("AWS_XRAY_DAEMON_ADDRESS")
    process.new_emitter()
    with continue_trace(record(trace=header(ROOT)), LambdaContext()):
        pass
    assert (counters().failed, counters().sent_udp) == (2, 0)
