"""Spans with anything in the places that conversions read: each is taken or refused, and none stops what reads them."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from local.xray import documents
from local.xray.otlp import blocks
from local.xray.otlp.decode import from_protobuf
from local.xray.otlp.records import Record
from local.xray.otlp.segment_records import records_of
from local.xray.span_intake import SpanIntake
from local.xray.span_log import SpanLog
from local.xray.store import TraceStore
from local.xray.transaction_search import TransactionSearch
from tests.support.local_aws.otlp import new_trace_id, request, span

READ = sorted(
    {
        *blocks.READ,
        *("aws.span.kind", "aws.local.service", "aws.remote.service", "rpc.system", "rpc.service", "aws.service"),
        *("db.name", "db.connection_string", "peer.service", "aws.dynamodb.table_names", "enduser.id"),
        *("aws.xray.annotations", "aws.xray.metadata.a", "exception.stacktrace", "http.status_text", ""),
        *("cloud.provider", "cloud.platform", "cloud.account.id", "service.name", "service.version"),
        *("aws.log.group.names", "telemetry.sdk.language", "aws.ecs.launchtype"),
    }
)
TEXTS = st.text(max_size=20) | st.sampled_from(
    [
        "LOCAL_ROOT",
        "aws-api",
        "aws",
        "aws_ecs",
        "python",
        "AWS::SNS",
        "http://[",
        "jdbc:mysql://[x",
        '{"a": 1}',
        "a" * 300,
    ]
)
SCALARS = (
    st.builds(AnyValue)
    | st.builds(AnyValue, string_value=TEXTS)
    | st.builds(AnyValue, bool_value=st.booleans())
    | st.builds(AnyValue, int_value=st.integers(-(2**63), 2**63 - 1))
    | st.builds(AnyValue, double_value=st.floats())
    | st.builds(AnyValue, bytes_value=st.binary(max_size=9))
)


def _array(values: list[AnyValue]) -> AnyValue:
    return AnyValue(array_value=ArrayValue(values=values))


def _object(values: dict[str, AnyValue]) -> AnyValue:
    return AnyValue(kvlist_value=KeyValueList(values=_pairs(values)))


def _pairs(values: dict[str, AnyValue]) -> list[KeyValue]:
    return [KeyValue(key=key, value=value) for key, value in values.items()]


VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(_array) | st.dictionaries(st.text(max_size=5), inner, max_size=3).map(_object)
    ),
    max_leaves=5,
)
ATTRIBUTES = st.dictionaries(st.sampled_from(READ) | st.text(max_size=9), VALUES, max_size=6).map(_pairs)
TIMES = st.integers(0, 2**64 - 1) | st.just(1)
EVENTS = st.lists(
    st.builds(
        Span.Event,
        name=st.sampled_from(["exception", "HTTP request failure", "x"]),
        time_unix_nano=TIMES,
        attributes=ATTRIBUTES,
    ),
    max_size=2,
)


@given(
    attributes=ATTRIBUTES,
    resource=ATTRIBUTES,
    events=EVENTS,
    fields=st.fixed_dictionaries(
        {
            "kind": st.integers(0, 6),
            "flags": st.sampled_from([0, 0x100, 0x300]),
            "name": TEXTS,
            "parent_span_id": st.sampled_from([b"", bytes(8), b"\1" * 8]),
        },
        optional={"start_time_unix_nano": TIMES, "end_time_unix_nano": TIMES},
    ),
)
def test_any_span_is_taken_or_refused(
    attributes: list[KeyValue], resource: list[KeyValue], events: list[Span.Event], fields: dict[str, Any]
) -> None:
    trace_id = new_trace_id()
    message = span(trace_id, events=events)
    for name, value in fields.items():
        setattr(message, name, value)
    message.attributes.extend(attributes)
    whole = request(message)
    whole.resource_spans[0].resource.attributes.extend(resource)
    written: list[Record] = []
    search, traces = TransactionSearch(lambda: True), TraceStore()
    search.send_to("CloudWatchLogs")
    log = SpanLog(written.extend, is_on=lambda: search.keeps_spans)
    (read,) = from_protobuf(whole.SerializeToString()).spans
    refused = SpanIntake(search=search, traces=traces, log=log).take([read])
    segments = traces.segments(f"1-{trace_id[:8]}-{trace_id[8:]}")
    assert bool(segments) == bool(written) == (not refused)
    json.dumps([segments, written], allow_nan=False)


@given(
    st.dictionaries(
        st.sampled_from(
            ["http", "aws", "cause", "annotations", "metadata", "service", "user", "subsegments", "namespace"]
        ),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
            max_leaves=6,
        ),
    )
)
def test_any_document_that_is_taken_becomes_records(fields: dict[str, Any]) -> None:
    trace_id = new_trace_id()
    known = {"name": "shop", "id": "a" * 16, "trace_id": f"1-{trace_id[:8]}-{trace_id[8:]}"}
    document = documents.parse(
        json.dumps({"start_time": 1.0 * int(trace_id[:8], 16), "end_time": 2e9, **fields, **known})
    )
    if not isinstance(document, documents.Rejection):
        json.dumps(list(records_of(document)), allow_nan=False)
