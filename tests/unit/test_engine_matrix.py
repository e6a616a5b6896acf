"""Kinds of headers × ways of running × invocations × engines: what is recorded, on the wire, and in the logs."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from opentelemetry.trace import SpanKind
from trace_bridge import log_fields

from tests.support.lambda_events import ACTIVE, OWN_PARENT, OWN_TRACE, PASS_THROUGH, SENDER, UNSAMPLED, event, record
from tests.support.lambda_process import Process
from tests.support.otel_spans import Spans, id_of, parent_id_of, trace_id_of
from tests.support.runners import RUNNERS
from tests.support.trace_headers import HEADERS, ROOT

# kind → Lambda's own header, and whether a daemon is there
INVOCATIONS: dict[str, tuple[str | None, bool]] = {
    "Active": (ACTIVE, True),
    "Active unsampled": (UNSAMPLED, True),
    "PassThrough": (PASS_THROUGH, True),
    "no header": (None, True),
    "no daemon": (ACTIVE, False),
}
ENGINES: dict[str, dict[str, Any]] = {
    "X-Ray": {"engine": "xray"},
    "OpenTelemetry": {"engine": "otel"},
    "OpenTelemetry, linked": {"engine": "otel", "otel_relation": "link"},
}


def _combinations() -> Iterator[tuple[str, str, str]]:
    for runner in RUNNERS:
        for invocation in INVOCATIONS if runner != "poll" else ("no header",):
            # Whether there is a daemon is no affair of OpenTelemetry's.
            engines = ENGINES if invocation in ("Active", "PassThrough") or runner == "poll" else ("X-Ray",)
            for engine in engines:
                yield runner, invocation, engine


class Work(NamedTuple):
    """A message as it was recorded, and the AWS call it made."""

    trace: str
    id: str
    parent: str | None
    linked: str | None
    call: str


@pytest.mark.parametrize(("runner", "invocation", "engine"), list(_combinations()))
@pytest.mark.parametrize("kind", HEADERS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning:aws_lambda_powertools")
def test_matrix(process: Process, spans: Spans, kind: str, runner: str, invocation: str, engine: str) -> None:
    sent, recorded, wire = HEADERS[kind]
    own, has_daemon = INVOCATIONS[invocation]
    if not has_daemon:
        process.monkeypatch.delenv("AWS_XRAY_DAEMON_ADDRESS")
        process.new_emitter()
    process.invoked(own)
    process.set(**ENGINES[engine])
    client, logged = process.client("dynamodb"), list[dict[str, str]]()

    def work() -> None:
        logged.append(log_fields())
        client.delete_item(TableName="orders", Key={"id": {"S": "1"}})

    answer = RUNNERS[runner](process, work, event(record(trace=sent), record(2)))
    assert answer == {"batchItemFailures": []}

    found = _documents(process) if engine == "X-Ray" else _spans(spans)
    assert len(found) == recorded
    call = ""
    if recorded:
        (message,) = found
        in_lambdas_trace = engine == "OpenTelemetry, linked" and invocation == "Active"
        if engine == "OpenTelemetry, linked":
            assert (message.trace == OWN_TRACE) == in_lambdas_trace
            assert (message.parent, message.linked) == (OWN_PARENT if in_lambdas_trace else None, ROOT)
        else:
            assert (message.trace, message.linked) == (ROOT, None)
            assert message.parent == (None if kind == "sampled without parent" else SENDER)
        call = message.call
        wire = wire.replace("{root}", message.trace)
        (fields,) = (fields for fields in logged if fields["message_id"] == "message-1")
        assert (fields["xray_trace_id"], fields["segment_id"]) == (message.trace, message.id)
        assert fields.get("message_trace_id") == message.linked
    if invocation == "Active" and engine == "X-Ray":
        assert [d for d in process.daemon.documents() if d["trace_id"] == ROOT] == _of_message(process)
    lineage = ";Lineage=061379e8:0" if own else ""
    headers = process.services.headers("DynamoDB_20120810.DeleteItem")
    assert len(headers) == 2
    if wire == "-":
        assert all(sent is None or ROOT not in sent for sent in headers)
    else:
        assert wire.format(root=ROOT, id=call) + lineage in headers


def _of_message(process: Process) -> list[dict[str, Any]]:
    return [document for document in process.documents() if document["trace_id"] == ROOT]


def _documents(process: Process) -> list[Work]:
    found = []
    for segment in _of_message(process):
        assert segment["name"] == "worker"
        assert segment["origin"] in ("AWS::Lambda::Function", "AWS::ECS::Container")
        assert segment["annotations"] == {"message_id": "message-1", "attempt": 1, "queue_ms": 250}
        (call,) = segment["subsegments"]
        assert (call["aws"]["operation"], call["aws"]["table_name"]) == ("DeleteItem", "orders")
        found.append(Work(segment["trace_id"], segment["id"], segment.get("parent_id"), None, call["id"]))
    return found


def _spans(spans: Spans) -> list[Work]:
    found = []
    for span in (span for span in spans.all() if span.kind is SpanKind.CONSUMER):
        attributes = span.attributes or {}
        assert span.name in ("process orders", "process orders.fifo", "process")
        assert (attributes["messaging.message.id"], attributes["trace_bridge.attempt"]) == ("message-1", 1)
        (call,) = (call for call in spans.all() if parent_id_of(call) == id_of(span))
        assert call.attributes is not None
        assert (call.name, call.attributes["aws.table_name"]) == ("dynamodb.DeleteItem", "orders")
        parent = parent_id_of(span)
        # What stands for a parent where the header names none.
        parent = None if parent == trace_id_of(span)[-16:] else parent
        linked = [f"{link.context.trace_id:032x}" for link in span.links]
        linked_traces = [f"1-{trace[:8]}-{trace[8:]}" for trace in linked]
        found.append(
            Work(trace_id_of(span), id_of(span), parent, linked_traces[0] if linked_traces else None, id_of(call))
        )
    return found
