"""HTTP calls that fail: recorded as faults, with their exception, and without queries and credentials."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, NoReturn

import aiohttp
import httpx
import pytest
import requests
import urllib3
from botocore.exceptions import ParamValidationError
from trace_bridge import continue_trace

from tests.support import bridge
from tests.support.http_clients import CLIENTS
from tests.support.lambda_events import ACTIVE, LambdaContext
from tests.support.lambda_process import Process
from tests.support.otel_spans import Spans
from tests.support.sampled_message import ROOT, SAMPLED, recorded_calls, run_in_message
from tests.support.website import Website


@pytest.mark.parametrize("name", CLIENTS)
def test_a_connection_that_fails_is_a_fault_and_the_callers_exception(
    process: Process, website: Website, name: str
) -> None:
    url = f"{website.url}/cut?token=secret"
    without = _raised_by(lambda: CLIENTS[name](url))
    raised: list[type[BaseException]] = []
    run_in_message(lambda: raised.append(_raised_by(lambda: CLIENTS[name](url))))
    (call,) = recorded_calls(process)
    assert raised == [without]
    assert call["fault"]
    assert "response" not in call["http"]
    (described,) = call["cause"]["exceptions"]
    assert described["type"] == without.__name__
    assert "secret" not in str(call)


def _raised_by(work: Callable[[], object]) -> type[BaseException]:
    with pytest.raises(Exception) as raised:
        work()
    return raised.type


def test_an_exception_that_fails_the_message_is_described_once(process: Process, website: Website) -> None:
    with pytest.raises(requests.ConnectionError):
        run_in_message(lambda: CLIENTS["requests"](f"{website.url}/cut"))
    (document,) = process.documents_of(ROOT)
    assert document["cause"] == document["subsegments"][0]["cause"]["exceptions"][0]["id"]


def test_the_exceptions_that_stand_for_an_answer_are_recorded_as_answers(process: Process, website: Website) -> None:
    async def strict() -> None:
        async with aiohttp.ClientSession(raise_for_status=True) as session, session.get(f"{website.url}/status/404"):
            pass

    def work() -> None:
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(f"{website.url}/status/503", timeout=5)
        raised.value.close()
        with pytest.raises(aiohttp.ClientResponseError):
            asyncio.run(strict())

    run_in_message(work)
    by_urllib, by_aiohttp = recorded_calls(process)
    assert (by_urllib["http"]["response"]["status"], by_urllib["fault"]) == (503, True)
    assert (by_aiohttp["http"]["response"]["status"], by_aiohttp["error"]) == (404, True)
    assert "fault" not in by_aiohttp
    assert by_urllib["cause"]["exceptions"][0]["remote"]


def test_a_timeout_is_recorded_and_stays_a_timeout(process: Process, website: Website) -> None:
    async def late() -> None:
        async with aiohttp.ClientSession() as session:
            await asyncio.wait_for(session.get(f"{website.url}/silent"), 0.1)

    def work() -> None:
        with pytest.raises(requests.Timeout):
            requests.get(f"{website.url}/silent", timeout=0.1)
        with pytest.raises(httpx.TimeoutException):
            httpx.get(f"{website.url}/silent", timeout=0.1)
        with pytest.raises(TimeoutError):
            asyncio.run(late())

    run_in_message(work)
    calls = recorded_calls(process)
    assert len(calls) == 3
    assert all(call["fault"] for call in calls)


def test_credentials_are_never_recorded_and_a_query_only_if_asked_for(process: Process, website: Website) -> None:
    process.set(http_query=True)
    url = f"http://user:password@127.0.0.1:{website.port}/orders?page=2#top"
    run_in_message(lambda: CLIENTS["requests"](url))
    (call,) = recorded_calls(process)
    assert call["http"]["request"]["url"] == f"{website.url}/orders?page=2"


def _get_by_aiohttp(url: str, **arguments: Any) -> None:
    async def get() -> None:
        async with aiohttp.ClientSession(raise_for_status=True) as session, session.get(url, **arguments):
            pass

    asyncio.run(get())


@pytest.mark.parametrize(
    "call",
    [
        lambda url: requests.get(f"{url}/status/404?token=SECRET", timeout=5).raise_for_status(),
        lambda url: httpx.get(f"{url}/status/404?token=SECRET").raise_for_status(),
        lambda url: _get_by_aiohttp(f"{url}/status/404", params={"token": "SECRET"}),
        lambda url: urllib3.PoolManager().request("GET", f"{url}/cut?token=a SECRET", retries=1),
        lambda url: requests.get(f"{url}/to/cut?token=SECRET", timeout=5),
        lambda url: requests.get(f"{url.replace('//', '//user:SECRET@')}/cut", timeout=5),
        lambda url: _raise(ValueError(f"cannot read postgres://user:SECRET@host/db, {url}/cut?a&token=SECRET")),
    ],
)
def test_an_exceptions_text_is_recorded_without_queries_and_credentials(
    process: Process, website: Website, call: Callable[[str], None]
) -> None:
    with pytest.raises(Exception), continue_trace(SAMPLED, LambdaContext()):  # noqa: B017 - each client's own
        call(website.url)
    written = json.dumps(process.documents())
    assert '"exceptions"' in written
    assert "SECRET" not in written


def _raise(error: Exception) -> None:
    raise error


def test_a_query_is_kept_in_an_exceptions_text_if_asked_for(process: Process, website: Website) -> None:
    process.set(http_query=True)
    with pytest.raises(requests.HTTPError), continue_trace(SAMPLED, LambdaContext()):
        requests.get(f"{website.url}/status/404?page=2", timeout=5).raise_for_status()
    assert "/status/404?page=2" in process.documents()[0]["cause"]["exceptions"][0]["message"]


def test_what_cannot_be_described_costs_the_record_alone(process: Process, website: Website) -> None:
    class OddError(Exception):
        def __getattr__(self, name: str) -> object:
            raise KeyError(name)

    class Refusing(requests.Session):
        def get_adapter(self, url: str) -> Any:
            raise OddError

    def work() -> None:
        with pytest.raises(OddError):
            Refusing().get(website.url, timeout=5)
        with pytest.raises((requests.exceptions.RequestException, ValueError)):
            requests.get("http://[bad", timeout=5)
        with pytest.raises(AttributeError):
            requests.Session().send(None)  # type: ignore[arg-type]
        with pytest.raises(httpx.UnsupportedProtocol):
            httpx.get("ftp://127.0.0.1/")
        with pytest.raises(ValueError, match="unknown url type"):
            urllib.request.urlopen("nothing", timeout=5)
        with urllib.request.urlopen("data:,text", timeout=5) as data:
            assert data.read() == b"text"

    run_in_message(work)
    (call,) = recorded_calls(process)
    assert call["cause"]["exceptions"][0]["type"] == "OddError"


def _broken(*_: object, **__: object) -> NoReturn:
    raise LookupError("broken")


@pytest.mark.parametrize("place", ["invocation", "span"])
def test_a_record_that_cannot_be_sent_changes_no_call(
    process: Process, website: Website, spans: Spans, place: str
) -> None:
    client = process.client("dynamodb")

    def work() -> None:
        assert requests.get(website.url, timeout=5).status_code == 200
        assert client.list_tables()["ResponseMetadata"]["HTTPStatusCode"] == 200
        with pytest.raises(requests.ConnectionError):
            requests.get("http://127.0.0.1:1/", timeout=5)
        with pytest.raises(ParamValidationError):
            client.list_tables(Limit="none")

    with process.monkeypatch.context() as broken:
        if place == "invocation":
            process.set(engine="xray")
            process.invoked(ACTIVE)
            bridge.break_emitter(broken, _broken)
            work()
        else:
            for method in ("set_attributes", "record_exception", "end"):
                broken.setattr(f"opentelemetry.sdk.trace.Span.{method}", _broken)
            run_in_message(work)
    assert process.documents() == []
