"""Functions with AWS's distribution of OpenTelemetry (ADOT): its real code, beside the bridge's engine `otel`.

Its packages are those of the wheel; a small script and a module of our own stand for the files of its Lambda layer. The
wheel's instrumentation of Lambda records a span for the batch too, which the layer's own does not.
"""

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from harness.cdk import Cdk
from harness.local_aws import ROOT, LocalAws
from tests.support.end_to_end.copies import command
from tests.support.end_to_end.deployed import Deployed, deployed
from tests.support.end_to_end.following import start
from tests.support.end_to_end.tap import Tap
from tests.support.local_aws.xray import spans_policy
from tests.support.waiting import wait_for

pytestmark = pytest.mark.peers
ROLES = ("ingest", "parent", "link", "otlp", "segments")
ORDER: dict[str, object] = {"id": "adot-1", "customer": "Ann", "amount": 12.5}
SERVER, CLIENT = Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT
PRODUCER, CONSUMER = Span.SPAN_KIND_PRODUCER, Span.SPAN_KIND_CONSUMER


@dataclass(frozen=True, kw_only=True)
class Adot:
    """The deployed pipeline, one request through it, and what its functions sent to their daemons."""

    pipeline: Deployed
    trace_id: str
    taps: Mapping[str, Tap]

    def span(self, role: str, kind: int, attribute: str) -> Span | None:
        """The only span of a function that is of a kind and has an attribute; None before it was sent."""
        spans = [
            span
            for span in self.taps[role].spans()
            if span.kind == kind and attribute in (pair.key for pair in span.attributes)
        ]
        assert len(spans) <= 1
        return spans[0] if spans else None

    def sent(self, role: str, kind: int, attribute: str) -> Span:
        """As `span`, once it was sent."""
        return wait_for(lambda: self.span(role, kind, attribute), what=f"a span of {role} with {attribute}")

    def message(self, role: str) -> Span:
        """The span of a worker's message, which is the bridge's."""
        return self.sent(role, CONSUMER, "messaging.message.id")

    def trace(self, trace_id: str, *arguments: str, tables: int = 1) -> dict[str, Any]:
        """What the command line makes of a trace, once the trace has come to so many tables."""

        def ended() -> dict[str, Any] | None:
            result: dict[str, Any] = command(self.pipeline, "trace", trace_id, "--json", *arguments).json()
            [trace] = (trace for trace in result["traces"] if trace["id"] == trace_id)
            return result if hops(trace).count("AWS::DynamoDB::Table") == tables else None

        return wait_for(ended, what=f"{tables} tables in trace {trace_id}")

    def request_trace(self) -> dict[str, Any]:
        """What the command line makes of the request's trace, without those that are linked with it."""
        return self.trace(self.trace_id, "--no-links", tables=3)


@pytest.fixture(scope="module")
def adot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adot]:
    """In an account of its own, whose traces go to Transaction Search."""
    assert (ROOT / ".venv-adot").exists(), "AWS's distribution of OpenTelemetry is not installed; run `make peers`"
    folder = tmp_path_factory.mktemp("adot")
    with ExitStack() as stack:
        taps = {role: stack.enter_context(Tap(folder / role)) for role in ROLES}
        aws = stack.enter_context(LocalAws(folder / "aws"))
        variables = {role: {"TAP_ADDRESS": tap.address, "TAP_FILE": str(tap.file)} for role, tap in taps.items()}
        Cdk(aws).bootstrap()
        Cdk(aws, validate=False).deploy(
            app="python3 -m tests.support.end_to_end.adot_app", context={"taps": json.dumps(variables)}, name="adot"
        )
        pipeline = deployed(aws, "Adot", assembly=aws.folder / "adot.out")
        pipeline.client("logs").put_resource_policy(policyName="spans", policyDocument=spans_policy())
        xray = pipeline.client("xray")
        xray.update_trace_segment_destination(Destination="CloudWatchLogs")
        wait_for(lambda: xray.get_trace_segment_destination()["Status"] == "ACTIVE")
        yield Adot(pipeline=pipeline, trace_id=start(pipeline, ORDER), taps=taps)


def xray_id(trace_id: bytes) -> str:
    digits = trace_id.hex()
    return f"1-{digits[:8]}-{digits[8:]}"


def documents(trace: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The segments and subsegments of a trace, by their ids."""
    pending, entities = list(trace["documents"]), {}
    while pending:
        entity = pending.pop()
        entities[entity["id"]] = entity
        pending += entity.get("subsegments", [])
    return entities


def hops(trace: dict[str, Any]) -> list[str]:
    """The kinds of a trace's nodes; a segment of ADOT's spans is a service."""
    return [node.partition("/")[0] for node in trace["nodes"]]


def deliveries(adot: Adot) -> set[str]:
    """The subsegments by which the topic put the messages into the queues."""
    [trace] = adot.request_trace()["traces"]
    [topic] = (document for document in trace["documents"] if document.get("origin") == "AWS::SNS")
    return {delivery["id"] for delivery in topic["subsegments"]}


def test_the_sender_is_below_lambdas_own_segment_and_above_the_topic(adot: Adot) -> None:
    handled = adot.sent("ingest", SERVER, "faas.invocation_id")
    published = adot.sent("ingest", PRODUCER, "aws.sns.topic.arn")
    assert {xray_id(span.trace_id) for span in (handled, published)} == {adot.trace_id}
    assert published.parent_span_id == handled.span_id
    [trace] = adot.request_trace()["traces"]
    assert documents(trace)[handled.parent_span_id.hex()]["name"] == "Invocation"
    [topic] = (document for document in trace["documents"] if document.get("origin") == "AWS::SNS")
    assert topic["parent_id"] == published.span_id.hex()


def test_with_the_sender_as_parent_one_request_is_one_trace(adot: Adot) -> None:
    message, written = adot.message("parent"), adot.sent("parent", CLIENT, "aws.dynamodb.table_names")
    assert {xray_id(span.trace_id) for span in (message, written)} == {adot.trace_id}
    assert message.parent_span_id.hex() in deliveries(adot)
    assert written.parent_span_id == message.span_id
    assert len(message.links) == 0
    drawn = adot.request_trace()
    [trace] = drawn["traces"]
    assert (trace["connected"], trace["clusters"], trace["missing_parents"]) == (True, 1, [])
    # The ingest function is Lambda's segment and ADOT's. A worker is ADOT's alone, with what it consumes from, or one
    # segment of a function where the bridge writes it.
    assert Counter(hops(trace)) == {
        "AWS::ApiGateway::Stage": 1,
        "AWS::Lambda::Function": 2,
        "AWS::SNS": 1,
        "AWS::SQS::Queue": 4,
        "service": 3,
        "remote": 2,
        "AWS::DynamoDB::Table": 3,
    }
    assert len(drawn["clusters"]) == 1


def test_with_a_link_to_the_sender_the_message_is_in_a_trace_of_its_own(adot: Adot) -> None:
    message, written = adot.message("link"), adot.sent("link", CLIENT, "aws.dynamodb.table_names")
    own = xray_id(message.trace_id)
    assert own != adot.trace_id
    assert (written.trace_id, written.parent_span_id) == (message.trace_id, message.span_id)
    [link] = message.links
    assert xray_id(link.trace_id) == adot.trace_id
    assert link.span_id.hex() in deliveries(adot)
    linked = adot.trace(own)
    traces = {trace["id"]: trace for trace in linked["traces"]}
    assert {own, adot.trace_id} <= traces.keys()
    assert traces[own]["connected"]
    [of_message] = (entity for key, entity in documents(traces[own]).items() if key == message.span_id.hex())
    assert of_message["links"] == [{"trace_id": adot.trace_id, "id": link.span_id.hex()}]
    drawn = [pair for link in linked["links"] for pair in link["trace_ids"]]
    assert [own, adot.trace_id] in drawn
    assert [adot.trace_id, own] in drawn  # Lambda's own, from the queue to the function
    assert written.span_id.hex() not in documents(traces[adot.trace_id])


def records(adot: Adot) -> dict[str, dict[str, Any]]:
    """The spans of the request's trace as OpenTelemetry has them, by their ids."""
    adot.request_trace()
    xray, now = adot.pipeline.client("xray"), dt.datetime.now(dt.UTC)
    token = xray.start_trace_retrieval(
        TraceIds=[adot.trace_id], StartTime=now - dt.timedelta(hours=1), EndTime=now + dt.timedelta(minutes=1)
    )["RetrievalToken"]
    wait_for(lambda: xray.list_retrieved_traces(RetrievalToken=token)["RetrievalStatus"] == "COMPLETE")
    [trace] = xray.list_retrieved_traces(RetrievalToken=token, TraceFormat="OTEL")["Traces"]
    return {span["Id"]: json.loads(span["Document"]) for span in trace["Spans"]}


def test_spans_are_retrieved_as_opentelemetry_has_them(adot: Adot) -> None:
    message, kept = adot.message("parent"), records(adot)
    record = kept[message.span_id.hex()]
    assert (record["kind"], record["parentSpanId"]) == ("CONSUMER", message.parent_span_id.hex())
    assert record["attributes"]["messaging.system"] == "aws_sqs"
    assert record["resource"]["attributes"]["telemetry.auto.version"].endswith("-aws")
    assert kept[message.parent_span_id.hex()]["name"] == "SQS"


def test_by_the_otlp_endpoint_a_worker_that_lambda_does_not_record_is_in_the_requests_trace(adot: Adot) -> None:
    of_worker = [
        record for record in records(adot).values() if "Exporting" in record["resource"]["attributes"]["service.name"]
    ]
    message, written = sorted(of_worker, key=lambda record: str(record["kind"]), reverse=True)
    assert (message["kind"], written["kind"]) == ("CONSUMER", "CLIENT")
    assert message["parentSpanId"] in deliveries(adot)
    assert written["parentSpanId"] == message["spanId"]
    assert adot.taps["otlp"].datagrams == []


def test_by_the_bridges_exporter_such_a_worker_is_one_segment_of_the_function(adot: Adot) -> None:
    [trace] = adot.request_trace()["traces"]
    [segment] = (
        document
        for document in trace["documents"]
        if document.get("origin") == "AWS::Lambda::Function" and "Segmenting" in document["name"]
    )
    assert segment["parent_id"] in deliveries(adot)
    assert [called["name"] for called in segment["subsegments"]] == ["DynamoDB"]
    assert adot.taps["segments"].datagrams == []
