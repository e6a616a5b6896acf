"""Reading OTLP: both encodings, and what a client may send that is none."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from local.xray.otlp import limits
from local.xray.otlp.decode import MalformedError, from_json, from_protobuf
from local.xray.otlp.records import record_of
from tests.support.local_aws.otlp import as_json, new_trace_id, pairs, request, span

TRACE_ID = new_trace_id()


def value(**held: Any) -> KeyValue:
    return KeyValue(key="key", value=AnyValue(**held))


def test_both_encodings_hold_the_same() -> None:
    message = span(
        TRACE_ID,
        parent_span_id=bytes.fromhex("00f067aa0ba902b7"),
        flags=0x301,
        attributes={"a": "b"},
        events=[Span.Event(name="exception", time_unix_nano=7, attributes=pairs({"c": "d"}))],
        links=[Span.Link(trace_id=bytes.fromhex(TRACE_ID), span_id=bytes(7) + b"\1")],
    )
    binary = from_protobuf(request(message).SerializeToString())
    (read,) = binary.spans
    assert from_json(json.dumps({**as_json(request(message)), "unknown": 1}).encode()) == binary
    assert (read.trace_id, read.parent_span_id, read.kind) == (TRACE_ID, "00f067aa0ba902b7", "SERVER")
    assert (read.attributes, read.resource, read.parent_is_remote) == ({"a": "b"}, {"service.name": "shop"}, True)
    assert [link.span_id for link in read.links] == ["0000000000000001"]


def test_a_record_has_the_fields_of_those_in_aws_spans() -> None:
    message = span(TRACE_ID, span_id="00f067aa0ba902b7", attributes={"a": "b"})
    (read,) = from_protobuf(request(message).SerializeToString()).spans
    start = message.start_time_unix_nano
    assert record_of(read) == {
        "resource": {"attributes": {"service.name": "shop"}},
        "scope": {"name": "", "version": ""},
        "traceId": TRACE_ID,
        "spanId": "00f067aa0ba902b7",
        "flags": 0,
        "name": "GET /orders",
        "kind": "SERVER",
        "startTimeUnixNano": start,
        "endTimeUnixNano": start + 100_000_000,
        "durationNano": 100_000_000,
        "attributes": {"a": "b"},
        "status": {"code": "UNSET"},
    }


@pytest.mark.parametrize(
    ("held", "read"),
    [
        ({"int_value": -(2**63)}, -(2**63)),
        ({"double_value": float("nan")}, "nan"),
        ({"double_value": float("-inf")}, "-inf"),
        ({"bytes_value": b"\xff\0"}, "/wA="),
        ({}, None),
    ],
)
def test_every_value_can_be_written_as_json(held: dict[str, Any], read: object) -> None:
    message = span(TRACE_ID)
    message.attributes.append(value(**held))
    (decoded,) = from_protobuf(request(message).SerializeToString()).spans
    assert decoded.attributes == {"key": read}
    json.dumps(record_of(decoded), allow_nan=False)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"trace_id": b""}, "trace_id '' is not 16 bytes"),
        ({"trace_id": bytes(16)}, "not all of them zero"),
        ({"trace_id": b"\1" * 15}, "is not 16 bytes"),
        ({"span_id": bytes(8)}, "span_id '0000000000000000' is not 8 bytes"),
        ({"span_id": b"\1" * 9}, "is not 8 bytes"),
        ({"parent_span_id": b"\1"}, "parent_span_id '01' is not 8 bytes"),
    ],
)
def test_a_span_with_a_wrong_id_costs_itself_alone(fields: dict[str, bytes], reason: str) -> None:
    broken, whole = span(TRACE_ID), span(TRACE_ID)
    for name, held in fields.items():
        setattr(broken, name, held)
    batch = from_protobuf(request(broken, whole).SerializeToString())
    assert [read.span_id for read in batch.spans] == [whole.span_id.hex()]
    assert len(batch.refused) == 1
    assert reason in batch.refused[0]


def test_a_link_with_a_wrong_id_costs_itself_alone() -> None:
    (read,) = from_protobuf(request(span(TRACE_ID, links=[Span.Link(trace_id=b"\1")])).SerializeToString()).spans
    assert read.links == ()


def test_numbers_that_name_no_kind_or_status_are_read_as_none() -> None:
    message = span(TRACE_ID, kind=77)
    message.status.code = 9  # type: ignore[assignment]
    (read,) = from_protobuf(request(message).SerializeToString()).spans
    assert (read.kind, read.status) == ("INTERNAL", "UNSET")


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"[]",
        b"7",
        b'{"resourceSpans": 7}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "xyz"}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "\\ud800"}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": -1}]}]}]}',
        b'{"resourceSpans": ' + b"[" * 100_000,
        b'{"resourceSpans": [{"resource": {"attributes": [{"key": "k", "value": '
        + b'{"arrayValue": {"values": [' * 500
        + b"{}"
        + b"]}}" * 500
        + b"}]}}]}",
    ],
)
def test_json_that_is_no_request_is_refused_with_a_reason(body: bytes) -> None:
    with pytest.raises(MalformedError, match="no ExportTraceServiceRequest in JSON"):
        from_json(body)


def test_values_nested_without_end_are_refused() -> None:
    deepest = AnyValue(string_value="x").SerializeToString()
    for _ in range(500):
        deepest = _field(5, _field(1, deepest))  # AnyValue.array_value, ArrayValue.values
    attribute = _field(1, b"deep") + _field(2, deepest)
    body = _field(1, _field(1, _field(1, attribute)))  # resource_spans, resource, attributes
    with pytest.raises(MalformedError, match="no ExportTraceServiceRequest"):
        from_protobuf(body)


def _field(number: int, content: bytes) -> bytes:
    """A field of bytes as protobuf writes it: its number and type, its length, its content."""
    length, written = len(content), bytearray()
    while length > 0x7F:
        written.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([number << 3 | 2, *written, length]) + content


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for read in (from_protobuf, from_json):
        try:
            read(body)
        except MalformedError as problem:
            assert str(problem)


@given(st.integers(min_value=0, max_value=200), st.integers(min_value=0, max_value=255))
def test_a_request_with_one_byte_changed_is_read_or_refused(place: int, byte: int) -> None:
    body = bytearray(request(span(TRACE_ID, attributes={"a": "b"})).SerializeToString())
    body[place % len(body)] = byte
    try:
        batch = from_protobuf(bytes(body))
    except MalformedError:
        return
    json.dumps([record_of(read) for read in batch.spans])


def test_the_endpoints_limits_refuse_the_call() -> None:
    def problem(*agos: float, count: int = 1) -> str | None:
        spans = [span(TRACE_ID, ago=ago) for ago in agos] * count
        return limits.call_problem(from_protobuf(request(*spans).SerializeToString()).spans, now=time.time())

    assert problem(0, -7100, 3600) is None
    assert "two hours in the future" in str(problem(-7300))
    assert "14 days in the past" in str(problem(14 * 86400 + 10))
    assert "24 hours apart" in str(problem(86500, 0))
    assert "10001 spans" in str(problem(0, count=10_001))
    (large,) = from_protobuf(request(span(TRACE_ID, attributes={"a": "b" * 205_000})).SerializeToString()).spans
    assert "the limit is 204800" in str(limits.span_problem(large))
