"""Whatever one client sends as a segment document, every other trace is read as before."""

import copy
import datetime as dt
import itertools
import json
import socket
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from harness.local_aws import LocalAws
from tests.support.account import Account
from tests.support.waiting import wait_for

NOW = float(int(time.time()))
WINDOW: dict[str, Any] = {
    "StartTime": dt.datetime.fromtimestamp(NOW - 3600, dt.UTC),
    "EndTime": dt.datetime.fromtimestamp(NOW + 3600, dt.UTC),
}
GROUP = "undisturbed"
_numbers = itertools.count(1)


def trace_id(series: int, number: int) -> str:
    return f"1-{int(NOW):08x}-{series:012x}{number:012x}"


def span(number: int, name: str, **more: Any) -> dict[str, Any]:
    return {"id": f"{number:016x}", "name": name, "start_time": NOW, "end_time": NOW + 1, **more}


def segment(trace: str, **more: Any) -> dict[str, Any]:
    """A segment with something in every field that is read."""
    call = span(2, "SQS", namespace="aws", aws={"queue_url": "https://sqs/1/q", "resource_names": ["https://sqs/1/q"]})
    failed = span(
        3,
        "pay.example.com",
        namespace="remote",
        fault=True,
        http={"request": {"method": "GET", "url": "https://pay/"}, "response": {"status": 500}},
        cause={"exceptions": [{"id": f"{9:016x}", "type": "Gone", "message": "away", "stack": [{"path": "a.py"}]}]},
    )
    link = {
        "trace_id": GOOD[0],
        "id": f"{1:016x}",
        "attributes": {
            "aws.xray.reserved.reference_type": "child",
            "aws.xray.reserved.received_event_end_time": NOW,
        },
    }
    return {
        **span(1, "odd", trace_id=trace, origin="AWS::ECS::Container", user="ann", resource_arn="arn:aws:x:::r"),
        "http": {
            "request": {"method": "GET", "url": "https://shop/", "client_ip": "10.0.0.1", "user_agent": "curl/8"},
            "response": {"status": 500, "content_length": 1},
        },
        "aws": {"account_id": "1", "ec2": {"instance_id": "i-1", "availability_zone": "us-east-1a"}, "xray": {}},
        "annotations": {"text": "a", "number": 1.5, "truth": True},
        "metadata": {"default": {"deep": [{"deeper": 1}]}},
        "links": [link],
        "fault": True,
        "subsegments": [call, {**failed, "subsegments": [span(4, "inner")]}],
        **more,
    }


GOOD = [trace_id(1, number) for number in (1, 2)]

texts = st.text(max_size=12) | st.sampled_from(["\ud800", "0" * 16, GOOD[0], "subsegment", "aws", "remote", "AWS::SNS"])
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**300, max_value=10**310)
    | st.floats()
    | st.sampled_from([NOW, -NOW, 1e-300, 1e300, 253402300800])
    | texts
)
keys = texts | st.sampled_from(
    [*segment(""), "parent_id", "type", "inferred", "in_progress", "exceptions", "namespace"]
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)


def places(value: object, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything in a document."""
    inner: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, held in inner:
        yield (*at, key)
        yield from places(held, (*at, key))


PLACES = sorted(places(segment("")), key=str)


def is_in(holder: object, key: str | int) -> bool:
    """Whether something stands there; what was spoiled before may be of another kind than the path goes through."""
    match holder:
        case dict():
            return key in holder
        case list():
            return isinstance(key, int) and key < len(holder)
    return False


@st.composite
def spoiled(draw: st.DrawFn) -> Any:
    """A document that is right but for one to three places."""
    document: Any = segment(trace_id(2, next(_numbers)))
    for *way, last in draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=3)):
        holder = document
        for key in way:
            holder = holder[key] if is_in(holder, key) else None
        if is_in(holder, last):
            holder[last] = draw(anything)
        if isinstance(holder, dict) and draw(st.booleans()):
            holder[draw(keys)] = draw(anything)
    return document


@st.composite
def independent(draw: st.DrawFn) -> Any:
    """A subsegment by itself, whose parent may be itself, its own child or nobody."""
    parent = f"{draw(st.integers(min_value=1, max_value=6)):016x}"
    return segment(trace_id(3, draw(st.integers(1, 3))), type="subsegment", parent_id=parent)


class Reads:
    """Everything an SDK can read of the two traces."""

    def __init__(self, aws: Account) -> None:
        self._xray = aws.client("xray")

    def all(self) -> dict[str, Any]:
        xray = self._xray
        found: dict[str, Any] = {
            "traces": sorted(xray.batch_get_traces(TraceIds=GOOD)["Traces"], key=lambda trace: str(trace["Id"])),
            "trace graph": xray.get_trace_graph(TraceIds=GOOD)["Services"],
            "service graph": xray.get_service_graph(**WINDOW, GroupName=GROUP)["Services"],
            "group": self._summaries(FilterExpression=f'group.name = "{GROUP}"'),
        }
        for kind in ("TraceId", "Event", "Service"):
            found[kind] = self._summaries(TimeRangeType=kind)
        found["filtered"] = self._summaries(FilterExpression='service("shop") { responsetime > 0.5 } AND !ok')
        # Odd traces that are taken in are on the whole map as well, which has to be drawn all the same.
        assert xray.get_service_graph(**WINDOW)["Services"]
        return found

    def _summaries(self, **options: Any) -> list[Any]:
        pages = self._xray.get_paginator("get_trace_summaries").paginate(**WINDOW, **options)
        every = [summary for page in pages for summary in page["TraceSummaries"]]
        return sorted((found for found in every if found["Id"] in GOOD), key=lambda found: str(found["Id"]))


class Senders:
    """The two ways of a document to X-Ray."""

    def __init__(self, aws: Account) -> None:
        self._xray = aws.client("xray")
        host, port = aws.facts.daemon_address.split(":")
        self._address = host, int(port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._aws = aws

    def send(self, documents: Sequence[object]) -> None:
        texts = [json.dumps(document) for document in documents]
        self._xray.put_trace_segments(TraceSegmentDocuments=texts)
        marker = trace_id(4, next(_numbers))
        for sent in (*texts, json.dumps(span(1, "marker", trace_id=marker))):
            self._socket.sendto(f'{{"format": "json", "version": 1}}\n{sent}'.encode(), self._address)
        # Datagrams are read one after the other: with the last all have been dealt with.
        wait_for(lambda: self._aws.documents(marker))

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """A local AWS of its own: what is taken in here may be of any time, and would be on everybody's map."""
    with LocalAws(tmp_path_factory.mktemp("odd-documents")) as local_aws:
        yield Account(facts=local_aws.facts)


@pytest.fixture(scope="module")
def senders(aws: Account) -> Iterator[Senders]:
    found = Senders(aws)
    yield found
    found.close()


@pytest.fixture(scope="module")
def before(aws: Account) -> dict[str, Any]:
    """The reads before anything odd was sent."""
    documents = [
        segment(GOOD[0], name="shop", annotations={GROUP: "yes"}, links=[]),
        segment(GOOD[1], name="shop", annotations={GROUP: "yes"}, links=[], start_time=NOW + 2, end_time=NOW + 4),
    ]
    xray = aws.client("xray")
    refused = xray.put_trace_segments(TraceSegmentDocuments=[json.dumps(document) for document in documents])
    assert refused["UnprocessedTraceSegments"] == []
    xray.create_group(GroupName=GROUP, FilterExpression=f'annotation.{GROUP} = "yes"')
    read = Reads(aws).all()
    assert all(len(read[kind]) == 2 for kind in ("traces", "group", "TraceId", "Event", "Service", "filtered"))
    return read


@settings(
    max_examples=25,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),  # what was taken in stays: a smaller example would not fail by itself
    suppress_health_check=[HealthCheck.too_slow],
)
@given(documents=st.lists(spoiled() | spoiled() | spoiled() | independent() | anything, min_size=4, max_size=12))
def test_no_document_changes_what_is_read_of_other_traces(
    aws: Account, senders: Senders, before: dict[str, Any], documents: list[object]
) -> None:
    senders.send(documents)
    now = Reads(aws).all()
    for what, read in before.items():
        assert now[what] == read, what


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"subsegments": [span(2, "call", start_time=None)]}, "InvalidStartTime", "subsegments[0].start_time None"),
        ({"subsegments": [span(2, "a", subsegments=["x"])]}, "ParseError", "subsegments[0].subsegments[0] is a string"),
        ({"subsegments": {"a": 1}}, "ParseError", "subsegments is an object, an array is expected"),
        ({"subsegments": [{"name": "a", "start_time": 1, "end_time": 2}]}, "InvalidId", "subsegments[0].id None"),
        ({"aws": "S3"}, "ParseError", "aws is a string, an object is expected"),
        ({"links": ["x"]}, "ParseError", "links[0] is a string, an object is expected"),
        ({"http": {"response": {"status": "500"}}}, "ParseError", "http.response.status is a string, an integer"),
        ({"fault": "yes"}, "ParseError", "fault is a string, a boolean is expected"),
        ({"cause": {"exceptions": [1]}}, "ParseError", "cause.exceptions[0] is a number, an object is expected"),
        ({"annotations": ["a"]}, "ParseError", "annotations is an array, an object is expected"),
        ({"start_time": 1e300, "end_time": 1e300}, "InvalidStartTime", "start_time 1e+300"),
        ({"end_time": float("nan")}, "ParseError", "NaN is not a number in JSON"),
        ({"metadata": {"big": 10**310}}, "ParseError", "beyond the range of a number"),
    ],
)
def test_a_field_of_another_kind_is_refused_with_its_place(
    aws: Account, change: dict[str, Any], code: str, words: str
) -> None:
    document = json.dumps({**segment(trace_id(5, 1)), **change})
    (refused,) = aws.client("xray").put_trace_segments(TraceSegmentDocuments=[document])["UnprocessedTraceSegments"]
    assert refused["ErrorCode"] == code
    assert words in refused["Message"]


def test_what_is_null_or_nobody_knows_is_taken(aws: Account) -> None:
    document = segment(trace_id(5, 2), user=None, aws=None, subsegments=None, new={"a": None}, inferred=True)
    put = aws.client("xray").put_trace_segments(TraceSegmentDocuments=[json.dumps(document)])
    assert put["UnprocessedTraceSegments"] == []
    (found,) = aws.documents(trace_id(5, 2))
    assert {"user", "aws", "subsegments", "inferred"} & found.keys() == set()
    assert found["new"] == {"a": None}


def test_subsegments_that_name_each_other_as_parents_are_read(aws: Account) -> None:
    trace = trace_id(5, 3)
    ring = [
        span(number, f"step {number}", trace_id=trace, type="subsegment", parent_id=f"{number % 3 + 1:016x}")
        for number in (1, 2, 3)
    ]
    texts_of = [json.dumps(document) for document in ring]
    aws.client("xray").put_trace_segments(TraceSegmentDocuments=texts_of)
    (found,) = aws.documents(trace)
    names = []
    while True:
        names.append(found["name"])
        if "subsegments" not in found:
            break
        (found,) = found["subsegments"]
    assert names == ["step 1", "step 3", "step 2"]


def test_a_chain_of_a_thousand_subsegments_is_read(aws: Account) -> None:
    """Each is sent by itself; together they are deeper than JSON can be written."""
    trace, xray = trace_id(5, 4), aws.client("xray")
    links = {number: f"{number - 1:016x}" for number in range(2, 1001)}
    chain = [
        span(1, "root", trace_id=trace),
        *(span(number, "s", trace_id=trace, type="subsegment", parent_id=parent) for number, parent in links.items()),
    ]
    for begin in range(0, 1000, 50):
        xray.put_trace_segments(TraceSegmentDocuments=[json.dumps(found) for found in chain[begin : begin + 50]])
    count = 0
    pending = aws.documents(trace)
    while pending:
        found = pending.pop()
        count += 1
        pending.extend(found.get("subsegments", []))
    assert count == 1000


def test_a_document_from_long_ago_is_refused_as_aws_refuses_it(aws: Account) -> None:
    old = copy.deepcopy(segment("1-581cf771-a006649127e371903a2de979"))
    for found in (old, *old["subsegments"]):
        found["start_time"], found["end_time"] = 1478293361.271, 1478293361.449
    # A W3C trace id begins with digits that are no date.
    w3c = segment("1-4efaaf4d-1e8720b39541901950019ee5")
    xray = aws.client("xray")
    answer = xray.put_trace_segments(TraceSegmentDocuments=[json.dumps(old), json.dumps(w3c)])
    (refused,) = answer["UnprocessedTraceSegments"]
    assert (refused["Id"], refused["ErrorCode"]) == (old["id"], "InvalidTraceId")
    assert refused["Message"].startswith("Invalid segment. ErrorCode: InvalidTraceId")
    assert aws.documents(old["trace_id"]) == []
    assert len(aws.documents(w3c["trace_id"])) > 0


@pytest.mark.parametrize("body", [{"TraceSegmentDocuments": [1]}, {"TraceSegmentDocuments": "x"}, {}, []])
def test_a_request_that_does_not_fit_is_refused(aws: Account, body: object) -> None:
    client = aws.client("xray")
    client.meta.events.register("before-call", lambda params, **_: params.update(body=json.dumps(body)))
    with pytest.raises(ClientError, match="InvalidRequestException"):
        client.put_trace_segments(TraceSegmentDocuments=["{}"])
