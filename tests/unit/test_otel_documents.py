"""Spans of OpenTelemetry as segment documents: the collector's cases, and the two rules of our own."""

from typing import Any

import pytest
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode

from tests.support import bridge
from tests.support.collector_block_cases import AWS, CAUSES, HTTP, SQL
from tests.support.collector_cases import ORIGINS, RESOURCE, SEGMENTS, Case
from tests.support.documents import span_of, value_at
from tests.support.otel_spans import PARENT, SPAN, TRACE, TRACE_ID, context, ended_span
from tests.support.segment_validator import validate

CASES = [*SEGMENTS, *ORIGINS, *HTTP, *AWS, *SQL, *CAUSES]
HERE, ELSEWHERE = context(PARENT), context(PARENT, remote=True)
PARENT_ID, SPAN_ID = f"{PARENT:016x}", f"{SPAN:016x}"
_DURING = "\nDuring handling of the above exception, another exception occurred:\n"
_BECAUSE = "\nThe above exception was the direct cause of the following exception:\n"
_EARLIER = """Traceback (most recent call last):
  File "bar.py", line 10, in greet_many
    greet(person)
  File "foo.py", line 5, in greet
    print(greeting + ', ' + who_to_greet(someone))
          ~~~~~~~~~^~~~~~
ValueError: bad value
"""
_LATER = """
Traceback (most recent call last):
  File "main.py", line 14, in <module>
    greet_many(['Chad', 'Dan', 1])
  File "greetings.py", line 12, in greet_many
    print('hi, ' + person)
TypeError: must be str, not int"""
_STACK = [
    {"path": "greetings.py", "line": 12, "label": "greet_many"},
    {"path": "main.py", "line": 14, "label": "<module>"},
]
_EARLIER_STACK = [
    {"path": "foo.py", "line": 5, "label": "greet"},
    {"path": "bar.py", "line": 10, "label": "greet_many"},
]


def _documents(*, annotations: Any = (), **span: Any) -> list[dict[str, Any]]:
    return bridge.documents_of(ended_span(**span), annotations=annotations)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_span_becomes_what_the_collector_makes_of_it(case: Case) -> None:
    (document,) = _documents(
        annotations=case.annotations,
        **span_of(case),
    )
    assert {place: value_at(document, place) for place in case.expected} == case.expected
    assert (document["id"], document["trace_id"]) == (SPAN_ID, TRACE_ID)
    assert (document["start_time"], document["end_time"]) == (1_795_000_000.25, 1_795_000_000.465)


@pytest.mark.parametrize("separator", [_DURING, _BECAUSE])
def test_an_exceptions_stack_and_those_before_it_are_read(separator: str) -> None:
    raised, earlier = _exceptions(_EARLIER + separator + _LATER)
    assert (raised["type"], raised["message"], raised["stack"]) == ("TypeError", "must be str, not int", _STACK)
    assert (earlier["type"], earlier["message"], earlier["stack"]) == ("ValueError", "bad value", _EARLIER_STACK)
    assert raised["cause"] == earlier["id"]
    assert "cause" not in earlier


@pytest.mark.parametrize(
    ("earlier", "described"),
    [
        (
            _EARLIER.replace("bad value", "bad value\nwith more on\nnew lines"),
            ("ValueError", "bad value\nwith more on\nnew lines"),
        ),
        (_EARLIER.replace("ValueError: bad value", "KeyError"), ("KeyError", "")),
        ("Traceback (most recent call last):\nValueError: bad value\n", None),
        (_EARLIER.replace("ValueError: bad", "ValueError bad"), None),
        ("", None),
    ],
)
def test_an_earlier_exception_is_described_as_far_as_can_be(earlier: str, described: tuple[str, str] | None) -> None:
    raised, *others = _exceptions(earlier + _DURING + _LATER)
    assert raised["stack"] == _STACK
    assert [(entry["type"], entry["message"]) for entry in others] == ([] if described is None else [described])


def test_malformed_lines_of_a_stack_cost_only_themselves() -> None:
    (raised,) = _exceptions(
        """Traceback (most recent call last):
  File "main.py", line 14 in <module>
    greet_many(['Chad', 'Dan', 1])
  File "main.py", lin 14, in <module>
    greet_many(['Chad', 'Dan', 1])
  File "main.py", line 14, fin <module>
    greet_many(['Chad', 'Dan', 1])
  File "greetings.py", line 12, in greet_many
    print('hi, ' + person)
TypeError: must be str, not int"""
    )
    assert raised["stack"] == [
        {"path": "greetings.py", "line": 12, "label": "greet_many"},
        {"path": "main.py", "line": 14, "label": ""},
        {"path": "main.py", "line": 0, "label": "<module>"},
    ]


def test_the_stack_of_another_language_is_left_alone() -> None:
    (raised,) = _exceptions(_EARLIER, language="ruby")
    assert (raised["message"], "stack" in raised) == ("must be str, not int", False)


def test_exceptions_of_a_call_are_remote() -> None:
    event = ("exception", {"exception.type": "EmptyError"})
    for kind, remote in ((SpanKind.CLIENT, True), (SpanKind.PRODUCER, True), (SpanKind.INTERNAL, False)):
        (document,) = _documents(kind=kind, parent=HERE, events=(event, event))
        assert [entry["remote"] for entry in document["cause"]["exceptions"]] == [remote, remote]


def test_links_are_kept_with_what_they_tell() -> None:
    other = SpanContext(TRACE + 1, SPAN + 1, is_remote=True)
    described: dict[str, Any] = {
        "text": "x",
        "yes": True,
        "number": 112233,
        "pi": 3.1415,
        "words": ["a", "b"],
        "flags": [True, False],
    }
    (document,) = _documents(links=(Link(other), Link(context(), described)), parent=HERE)
    assert document["links"] == [
        {"trace_id": "1-6b04d6c2-aaaaaaaaaaaaaaaaaaaaaaab", "id": f"{SPAN + 1:016x}"},
        {"trace_id": TRACE_ID, "id": SPAN_ID, "attributes": described},
    ]
    assert "links" not in _documents(parent=HERE)[0]


@pytest.mark.parametrize("kind", [SpanKind.CONSUMER, SpanKind.SERVER, SpanKind.INTERNAL])
@pytest.mark.parametrize("parent", [None, ELSEWHERE])
def test_a_span_with_no_parent_in_the_process_is_a_segment_of_the_function(
    monkeypatch: pytest.MonkeyPatch, kind: SpanKind, parent: SpanContext | None
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "worker")
    (document,) = _documents(name="process orders", kind=kind, parent=parent, links=(Link(HERE),))
    assert (document["name"], document["origin"]) == ("worker", "AWS::Lambda::Function")
    assert document.get("parent_id") == (PARENT_ID if parent else None)
    assert "type" not in document
    assert "namespace" not in document
    assert len(document["links"]) == 1


@pytest.mark.parametrize("kind", [SpanKind.CLIENT, SpanKind.PRODUCER])
def test_a_call_outside_of_any_span_goes_below_lambdas_own_segment(
    monkeypatch: pytest.MonkeyPatch, kind: SpanKind
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "worker")
    (document,) = _documents(
        kind=kind, parent=ELSEWHERE, attributes={"rpc.system": "aws-api", "rpc.service": "SNS", "rpc.method": "Publish"}
    )
    validate(document)
    assert (document["name"], document["namespace"]) == ("SNS", "aws")
    assert (document["type"], document["parent_id"]) == ("subsegment", PARENT_ID)
    assert "origin" not in document


@pytest.mark.parametrize("kind", [SpanKind.CLIENT, SpanKind.PRODUCER])
def test_a_call_without_a_parent_gets_a_segment_of_the_function_above(
    monkeypatch: pytest.MonkeyPatch, kind: SpanKind
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "worker")
    call, service = _documents(
        annotations=["aws.remote.service", "own"],
        kind=kind,
        links=(Link(HERE),),
        resource={"service.name": "unknown_service", "telemetry.sdk.name": "opentelemetry"},
        attributes={
            "http.method": "POST",
            "aws.operation": "UpdateItem",
            "aws.account_id": "123456789012",
            "aws.region": "eu-west-1",
            "aws.request_id": "r",
            "aws.queue_url": "https://q",
            "aws.table_name": "t",
            "aws.remote.service": "myRemoteService",
            "own": 1,
        },
    )
    assert (call["type"], call["id"], call["parent_id"], call["name"]) == (
        "subsegment",
        SPAN_ID,
        service["id"],
        "myRemoteService",
    )
    assert (call["namespace"], call["http"]["request"]["method"], len(call["links"])) == ("remote", "POST", 1)
    assert call["annotations"] == {"aws_remote_service": "myRemoteService", "own": 1}
    assert service["annotations"] == {"own": 1}
    assert (service["name"], service["origin"]) == ("worker", "AWS::Lambda::Function")
    assert service["aws"] == {"xray": {"sdk": "opentelemetry", "auto_instrumentation": False}}
    assert service["metadata"]["default"].keys() == {
        "otel.resource.service.name",
        "otel.resource.telemetry.sdk.name",
    }
    assert not {"type", "namespace", "http", "links", "parent_id"} & service.keys()
    assert (call["start_time"], call["end_time"]) == (service["start_time"], service["end_time"])


def test_a_call_by_the_newest_conventions_is_named_by_its_host() -> None:
    (document,) = _documents(
        name="GET",
        kind=SpanKind.CLIENT,
        parent=HERE,
        attributes={
            "http.request.method": "GET",
            "server.address": "api.example.com",
            "url.full": "https://api.example.com/a",
        },
    )
    assert (document["name"], document["namespace"]) == ("api.example.com", "remote")


@pytest.mark.parametrize(
    ("variables", "resource", "name"),
    [
        ({"AWS_LAMBDA_FUNCTION_NAME": "worker"}, {"service.name": "shop"}, "worker"),
        ({"AWS_XRAY_TRACING_NAME": "tracing"}, {"service.name": "shop"}, "tracing"),
        ({}, {"service.name": "shop"}, "shop"),
    ],
)
def test_a_segment_is_named_as_the_bridges_own_would_be_before_the_service(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], resource: dict[str, str], name: str
) -> None:
    for variable in ("AWS_LAMBDA_FUNCTION_NAME", "AWS_XRAY_TRACING_NAME"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    assert _documents(kind=SpanKind.CONSUMER, resource=resource)[0]["name"] == name


def test_a_resource_without_attributes_is_a_segments_all_the_same() -> None:
    (document,) = _documents(kind=SpanKind.SERVER, attributes={"enduser.id": "me", "db.system": "mysql"})
    assert (document["user"], document["metadata"]) == ("me", {"default": {"db.system": "mysql"}})


def test_what_is_longer_than_xrays_schema_allows_is_cut() -> None:
    long = "x" * 300
    attributes = {
        "http.request.method": long,
        "url.full": f"https://a.example/{long}",
        "user_agent.original": long,
        "http.client_ip": long,
        "enduser.id": long,
    }
    (document,) = _documents(kind=SpanKind.SERVER, attributes=attributes)
    validate(document, origin=False)
    assert {field: len(value) for field, value in document["http"]["request"].items() if value is not True} == {
        "method": 250,
        "url": 250,
        "user_agent": 250,
        "client_ip": 250,
    }
    assert len(document["user"]) == 250


@pytest.mark.parametrize("listed", [3, True, 1.5, "order.id", (1, 2)])
def test_a_list_of_annotations_that_is_none_costs_no_document(listed: Any) -> None:
    (document,) = _documents(parent=HERE, attributes={"aws.xray.annotations": listed, "order.id": "o-1"})
    assert "annotations" not in document
    assert document["metadata"]["default"] == {"order.id": "o-1"}


def test_documents_of_whole_spans_are_what_xray_takes() -> None:
    resource = {key: value for key, value in RESOURCE.items() if not key.startswith("cloud.")}
    attributes = {
        "http.method": "GET",
        "http.url": "https://a.example",
        "db.system": "mysql",
        "enduser.id": "me",
        "x": 1.5,
    }
    failing: dict[str, Any] = {"status": StatusCode.ERROR, "message": "no"}
    for kind in SpanKind:
        for parent in (None, HERE, ELSEWHERE):
            for document in _documents(kind=kind, parent=parent, attributes=attributes, resource=resource, **failing):
                validate(document, origin=False)


def _exceptions(trace: str, *, language: str = "python") -> list[dict[str, Any]]:
    attributes = {
        "exception.type": "TypeError",
        "exception.message": "must be str, not int",
        "exception.stacktrace": trace,
    }
    (document,) = _documents(
        parent=HERE, events=(("exception", attributes),), resource={"telemetry.sdk.language": language}
    )
    entries: list[dict[str, Any]] = document["cause"]["exceptions"]
    return entries
