"""The trace header of an AWS call: the caller's own stays, one that a library wrote gives way to the bridge's."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
from trace_bridge import continue_trace

from tests.support.lambda_events import ACTIVE, PASS_THROUGH, UNSAMPLED, LambdaContext, header, record, trace_id
from tests.support.lambda_process import Process
from tests.support.otel_spans import Spans

ROOT = trace_id(31)
CALLERS = f"Root={trace_id(32)};Parent=00000000000000aa;Sampled=1"
NAME = "X-Amzn-Trace-Id"
LIST_TABLES = "DynamoDB_20120810.ListTables"
LINEAGE = ";Lineage=061379e8:0"


def _before_call(params: dict[str, Any], **_: object) -> None:
    params["headers"][NAME] = CALLERS


def _set_on_request(request: Any, **_: object) -> None:
    request.headers[NAME] = CALLERS  # beside the one that botocore has put there


def _replace_on_request(request: Any, **_: object) -> None:
    del request.headers[NAME]
    request.headers[NAME] = CALLERS.encode()


WAYS: dict[str, tuple[str, Callable[..., None]]] = {
    "before-call": ("before-call", _before_call),
    "added to the request": ("request-created", _set_on_request),
    "put on the request": ("before-sign", _replace_on_request),
}


@pytest.fixture(params=["xray", "otel"])
def recorded(request: pytest.FixtureRequest, process: Process, spans: Spans) -> Callable[[], int]:
    """Returns how many calls each engine has recorded."""
    process.set(engine=request.param)
    if request.param == "otel":
        return lambda: sum(span.name == "dynamodb.ListTables" for span in spans.all())
    return lambda: sum(len(document.get("subsegments", ())) for document in process.documents_of(ROOT))


@pytest.mark.parametrize("own", [PASS_THROUGH, ACTIVE, None], ids=["PassThrough", "Active", "none"])
@pytest.mark.parametrize("way", WAYS)
def test_a_trace_header_that_the_caller_sets_on_an_aws_call_stays(
    process: Process, recorded: Callable[[], int], way: str, own: str | None
) -> None:
    process.invoked(own)
    client = process.own_client("dynamodb")
    client.meta.events.register(*WAYS[way])
    with continue_trace(record(trace=header(ROOT)), LambdaContext()):
        client.list_tables()
        client.list_tables()
    assert process.services.headers(LIST_TABLES) == [CALLERS, CALLERS]
    assert recorded() == 2


@pytest.mark.parametrize("sampled", ["0", "?"])
def test_it_stays_in_a_message_that_is_not_recorded(process: Process, sampled: str) -> None:
    client = process.own_client("dynamodb")
    client.meta.events.register(*WAYS["before-call"])
    with continue_trace(record(trace=header(ROOT, sampled=sampled)), LambdaContext()):
        client.list_tables()
    assert process.services.headers(LIST_TABLES) == [CALLERS]


def test_it_stays_outside_of_messages(process: Process) -> None:
    process.invoked(ACTIVE)
    client = process.own_client("dynamodb")
    client.meta.events.register(*WAYS["before-call"])
    client.list_tables()
    assert process.services.headers(LIST_TABLES) == [CALLERS]


@pytest.mark.parametrize(
    "own",
    [PASS_THROUGH, ACTIVE, UNSAMPLED, f"{PASS_THROUGH};Note=ä b", None],
    ids=["PassThrough", "Active", "unsampled", "to be quoted", "none"],
)
@pytest.mark.usefixtures("recorded")
def test_what_botocore_writes_from_the_environment_is_replaced(process: Process, own: str | None) -> None:
    client = process.client("dynamodb")
    for header_of_lambda in (own, ACTIVE):
        process.invoked(header_of_lambda)
        with continue_trace(record(trace=header(ROOT)), LambdaContext()):
            client.list_tables()
    for sent in process.services.headers(LIST_TABLES):
        assert sent is not None
        assert sent.startswith(f"Root={ROOT};Parent=")


@pytest.fixture
def instrumented(spans: Spans) -> Iterator[None]:
    """OpenTelemetry's own instrumentation of botocore, switched on after the bridge's."""
    instrumentor = BotocoreInstrumentor()  # type: ignore[no-untyped-call] # its constructor has no annotations
    instrumentor.instrument(tracer_provider=spans.provider)
    yield
    instrumentor.uninstrument()


@pytest.fixture
def outside_lambda(process: Process) -> None:
    """A container, where botocore writes no header."""
    process.monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME")
    process.has_origin = False
    process.invoked(None)


@pytest.mark.usefixtures("instrumented", "outside_lambda", "recorded")
@pytest.mark.parametrize("sampled", ["1", "0"])
def test_what_opentelemetrys_instrumentation_writes_is_replaced(process: Process, sampled: str) -> None:
    client = process.client("dynamodb")
    with continue_trace(record(trace=header(ROOT, sampled=sampled)), LambdaContext()):
        client.list_tables()
    (sent,) = process.services.headers(LIST_TABLES)
    assert sent is not None
    assert sent.startswith(f"Root={ROOT};Parent=")


@pytest.mark.usefixtures("instrumented", "outside_lambda", "recorded")
def test_beside_that_instrumentation_the_callers_header_stays(process: Process) -> None:
    client = process.own_client("dynamodb")
    client.meta.events.register(*WAYS["before-call"])
    with continue_trace(record(trace=header(ROOT)), LambdaContext()):
        client.list_tables()
    assert process.services.headers(LIST_TABLES) == [CALLERS]
