"""HTTP calls: recorded once whatever the client, with the trace on the wire, and never changed."""

import asyncio
import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import Mock

import aiohttp
import httpx
import pytest
import requests
import urllib3
from trace_bridge import ConfigurationError, Message, capture, continue_trace, instrument, sqs_handler, trace_batch

from tests.support import bridge
from tests.support.lambda_events import (
    ACTIVE,
    OWN_PARENT,
    OWN_TRACE,
    PASS_THROUGH,
    UNSAMPLED,
    LambdaContext,
    event,
    header,
    record,
    trace_id,
)
from tests.support.lambda_process import Process
from tests.support.website import Website

ROOT = trace_id(13)
SAMPLED = record(trace=header(ROOT))
Get = Callable[..., Any]


def _requests(url: str, **headers: str) -> int:
    return requests.get(url, headers=headers, timeout=5).status_code


def _requests_prepared(url: str, **headers: str) -> int:
    with requests.Session() as session:
        return session.send(requests.Request("GET", url, headers=headers).prepare(), timeout=5).status_code


def _urllib3(url: str, **headers: str) -> int:
    with urllib3.PoolManager(headers=headers, retries=urllib3.Retry(3, connect=0, read=0)) as pools:
        return pools.request("GET", url, timeout=5).status


def _urllib3_pool(url: str, **headers: str) -> int:
    with urllib3.connection_from_url(url) as pool:
        path = "/" + url.split("/", 3)[3]
        return pool.urlopen("GET", path, None, headers, urllib3.Retry(3, connect=0, read=0), timeout=5).status


def _urllib(url: str, **headers: str) -> int:
    request = urllib.request.Request(url, headers=headers) if headers else url
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def _httpx(url: str, **headers: str) -> int:
    return httpx.get(url, headers=headers, timeout=5).status_code


def _httpx_http2(url: str, **headers: str) -> int:
    with httpx.Client(http2=True, headers=headers) as client:
        return client.get(url).status_code


def _httpx_async(url: str, **headers: str) -> int:
    async def get() -> int:
        async with httpx.AsyncClient() as client:
            return (await client.get(url, headers=headers)).status_code

    return asyncio.run(get())


def _aiohttp(url: str, **headers: str) -> int:
    async def get() -> int:
        async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as response:
            return response.status

    return asyncio.run(get())


CLIENTS: dict[str, Get] = {
    get.__name__.strip("_"): get
    for get in (
        _requests,
        _requests_prepared,
        _urllib3,
        _urllib3_pool,
        _urllib,
        _httpx,
        _httpx_http2,
        _httpx_async,
        _aiohttp,
    )
}
FOLLOWING = [name for name in CLIENTS if not name.startswith("httpx")]
"""Those that follow redirects by themselves."""


@pytest.fixture
def website(process: Process) -> Iterator[Website]:
    site = Website()
    instrument()
    yield site
    site.close()
    bridge.forget_ignored_hosts()


@pytest.fixture(params=CLIENTS)
def get(request: pytest.FixtureRequest) -> Get:
    return CLIENTS[request.param]


def _run(work: Callable[[], object]) -> None:
    with trace_batch(), continue_trace(SAMPLED, LambdaContext()):
        work()


def _calls(process: Process) -> list[dict[str, Any]]:
    (document,) = process.documents_of(ROOT)
    return list(document.get("subsegments", []))


def test_a_call_is_recorded_once_and_carries_its_trace(process: Process, website: Website, get: Get) -> None:
    _run(lambda: get(f"{website.url}/orders/1?token=secret"))
    (call,) = _calls(process)
    assert (call["name"], call["namespace"]) == ("127.0.0.1", "remote")
    assert call["http"] == {
        "request": {"method": "GET", "url": f"{website.url}/orders/1"},
        "response": {"status": 200, "content_length": 2},
    }
    assert not {"error", "fault", "throttle", "cause"} & set(call)
    assert website.trace_headers("/orders/1") == [f"Root={ROOT};Parent={call['id']};Sampled=1;Lineage=061379e8:0"]


@pytest.mark.parametrize(("status", "flags"), [(404, {"error"}), (429, {"error", "throttle"}), (503, {"fault"})])
def test_an_answer_is_marked_as_xray_marks_it(
    process: Process, website: Website, get: Get, status: int, flags: set[str]
) -> None:
    found: list[int] = []
    _run(lambda: found.append(get(f"{website.url}/status/{status}")))
    (call,) = _calls(process)
    assert found == [status]
    assert call["http"]["response"]["status"] == status
    assert {flag for flag in ("error", "fault", "throttle") if call.get(flag)} == flags


@pytest.mark.parametrize("name", FOLLOWING)
def test_a_redirect_that_the_client_follows_is_part_of_the_call(process: Process, website: Website, name: str) -> None:
    _run(lambda: CLIENTS[name](f"{website.url}/to/orders"))
    (call,) = _calls(process)
    assert [asked.path for asked in website.asked] == ["/to/orders", "/orders"]
    assert call["http"]["request"]["url"] == f"{website.url}/to/orders"
    assert call["http"]["response"]["status"] == 200
    assert {str(asked.trace_header)[:100] for asked in website.asked} == {
        f"Root={ROOT};Parent={call['id']};Sampled=1;Lineage=061379e8:0"
    }


def test_each_request_of_httpx_is_a_call(process: Process, website: Website) -> None:
    _run(lambda: httpx.get(f"{website.url}/to/orders", follow_redirects=True))
    first, second = _calls(process)
    assert [call["http"]["response"]["status"] for call in (first, second)] == [302, 200]
    assert [str(asked.trace_header).split(";")[1] for asked in website.asked] == [
        f"Parent={first['id']}",
        f"Parent={second['id']}",
    ]


@pytest.mark.parametrize("name", CLIENTS)
def test_a_connection_that_fails_is_a_fault_and_the_callers_exception(
    process: Process, website: Website, name: str
) -> None:
    url = f"{website.url}/cut?token=secret"
    without = _raised_by(lambda: CLIENTS[name](url))
    raised: list[type[BaseException]] = []
    _run(lambda: raised.append(_raised_by(lambda: CLIENTS[name](url))))
    (call,) = _calls(process)
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
        _run(lambda: _requests(f"{website.url}/cut"))
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

    _run(work)
    by_urllib, by_aiohttp = _calls(process)
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

    _run(work)
    calls = _calls(process)
    assert len(calls) == 3
    assert all(call["fault"] for call in calls)


def test_a_streamed_answer_is_still_streamed(process: Process, website: Website) -> None:
    read: list[bytes] = []

    def work() -> None:
        with requests.get(f"{website.url}/streamed", stream=True, timeout=5) as response:
            chunks = response.iter_content(None)
            read.append(next(chunks))
            website.open.set()
            read.extend(chunks)
        with httpx.stream("GET", f"{website.url}/streamed") as streamed:
            read.append(b"".join(streamed.iter_bytes()))

    _run(work)
    assert read == [b"first", b"second", b"firstsecond"]
    assert [call["http"]["response"] for call in _calls(process)] == [{"status": 200}] * 2


@pytest.mark.parametrize("name", ["X-Amzn-Trace-Id", "x-amzn-trace-id"])
def test_a_trace_header_of_the_callers_own_stays(process: Process, website: Website, get: Get, name: str) -> None:
    _run(lambda: get(f"{website.url}/own", **{name: "Root=1-own"}))
    assert website.trace_headers("/own") == ["Root=1-own"]
    assert len(_calls(process)) == 1


@pytest.mark.parametrize("own", ["requests", "httpx", "urllib"])
def test_a_request_that_is_sent_twice_carries_each_calls_own_header(
    process: Process, website: Website, own: str
) -> None:
    url = f"{website.url}/again"

    def work() -> None:
        if own == "requests":
            prepared = requests.Request("GET", url).prepare()
            with requests.Session() as session:
                responses = [session.send(prepared, timeout=5) for _ in range(2)]
            assert "X-Amzn-Trace-Id" not in responses[0].request.headers
        elif own == "httpx":
            request = httpx.Request("GET", url)
            with httpx.Client() as client:
                assert [client.send(request).status_code for _ in range(2)] == [200, 200]
        else:
            asked = urllib.request.Request(url)
            for _ in range(2):
                urllib.request.urlopen(asked, timeout=5).close()

    _run(work)
    assert [str(sent).split(";")[1] for sent in website.trace_headers("/again")] == [
        f"Parent={call['id']}" for call in _calls(process)
    ]


@pytest.mark.parametrize(
    ("sent", "carried"),
    [
        (header(ROOT, sampled="0"), f"{header(ROOT, sampled='0')};Lineage=061379e8:0"),
        (f"Root={ROOT}", f"Root={ROOT};Lineage=061379e8:0"),
    ],
)
def test_a_message_that_is_not_recorded_goes_on_with_its_own_trace(
    process: Process, website: Website, get: Get, sent: str, carried: str
) -> None:
    with continue_trace(record(trace=sent), LambdaContext()):
        get(f"{website.url}/unsampled")
    assert website.trace_headers("/unsampled") == [carried]
    assert process.documents() == []


def test_outside_of_messages_a_call_has_lambdas_own_segment_as_parent(
    process: Process, website: Website, get: Get
) -> None:
    process.invoked(ACTIVE)
    capture("step")(get)(f"{website.url}/ingest")
    get(f"{website.url}/ingest")
    first, step, second = process.documents()
    assert [first["trace_id"], step["trace_id"], second["trace_id"]] == [OWN_TRACE] * 3
    assert (first["parent_id"], step["parent_id"], second["parent_id"]) == (step["id"], OWN_PARENT, OWN_PARENT)
    assert [first["type"], second["type"]] == ["subsegment"] * 2
    assert website.trace_headers("/ingest") == [
        f"Root={OWN_TRACE};Parent={call['id']};Sampled=1;Lineage=061379e8:0" for call in (first, second)
    ]


@pytest.mark.parametrize("own", [UNSAMPLED, PASS_THROUGH, None])
def test_where_lambda_records_nothing_a_call_passes_its_header_on(
    process: Process, website: Website, own: str | None
) -> None:
    process.invoked(own)
    _requests(f"{website.url}/outside")
    assert website.trace_headers("/outside") == [own]
    assert process.documents() == []


def test_clients_of_tasks_and_threads_stay_in_their_message(process: Process, website: Website) -> None:
    async def both() -> None:
        async with httpx.AsyncClient() as client, aiohttp.ClientSession() as session:

            async def other() -> None:
                async with session.get(f"{website.url}/aiohttp"):
                    pass

            await asyncio.gather(client.get(f"{website.url}/httpx"), other(), asyncio.to_thread(_requests, website.url))

    _run(lambda: asyncio.run(both()))
    assert sorted(call["http"]["request"]["url"] for call in _calls(process)) == [
        f"{website.url}/",
        f"{website.url}/aiohttp",
        f"{website.url}/httpx",
    ]


def test_a_plain_thread_belongs_to_no_message(process: Process, website: Website) -> None:
    with ThreadPoolExecutor(1) as pool:
        _run(lambda: pool.submit(_requests, website.url).result())
    assert _calls(process) == []


def test_clients_made_before_are_recorded_too(process: Process, website: Website) -> None:
    program = """
import asyncio, json, os, sys
import aiohttp, httpx, requests, urllib3
session, client, pools = requests.Session(), httpx.Client(), urllib3.PoolManager()
async def later():
    async with aiohttp.ClientSession() as made:
        import trace_bridge
        trace_bridge.instrument()
        with trace_bridge.continue_trace(json.loads(os.environ["RECORD"])):
            async with made.get(os.environ["URL"]): pass
            for get in (session.get, client.get): get(os.environ["URL"])
            pools.request("GET", os.environ["URL"])
asyncio.run(later())
"""
    assert len(_recorded_by(process, website, program)) == 4


def test_clients_loaded_later_are_recorded_and_none_is_loaded_by_the_bridge(process: Process, website: Website) -> None:
    program = """
import json, os, sys
import trace_bridge
trace_bridge.instrument()
with trace_bridge.continue_trace(json.loads(os.environ["RECORD"])):
    loaded = {"requests", "httpx", "aiohttp"} & set(sys.modules)
    assert not loaded, loaded
    import asyncio, aiohttp, httpx, requests, urllib.request
    for get in (requests.get, httpx.get, urllib.request.urlopen): get(os.environ["URL"])
    async def last():
        async with aiohttp.ClientSession() as session, session.get(os.environ["URL"]): pass
    asyncio.run(last())
"""
    assert len(_recorded_by(process, website, program)) == 4


def _recorded_by(process: Process, website: Website, program: str, **variables: str) -> list[dict[str, Any]]:
    """Runs a program; the calls it recorded in the message that it continued."""
    import json
    import os

    environment = {**os.environ, "URL": website.url, "RECORD": json.dumps(SAMPLED), **variables}
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return _calls(process)


def test_aws_calls_are_never_recorded_a_second_time(process: Process, website: Website) -> None:
    client = process.client("dynamodb")
    _run(lambda: (client.list_tables(), _requests(website.url)))
    assert [call["namespace"] for call in _calls(process)] == ["aws", "remote"]


def test_hosts_can_be_left_alone(process: Process, website: Website, get: Get) -> None:
    instrument(ignore_hosts=["127.0.0.1", "*.internal.example"])
    _run(lambda: get(f"{website.url}/health"))
    assert _calls(process) == []
    assert website.trace_headers("/health") == [None]


def test_hosts_to_leave_alone_are_a_setting(process: Process, website: Website) -> None:
    process.set(ignore_hosts=("127.0.0.1",))
    _run(lambda: _requests(website.url))
    assert _calls(process) == []


@pytest.mark.parametrize("variable", ["AWS_LAMBDA_RUNTIME_API", "AWS_XRAY_DAEMON_ADDRESS"])
def test_the_ends_of_lambda_and_of_the_daemon_are_left_alone(
    process: Process, website: Website, get: Get, variable: str
) -> None:
    process.monkeypatch.setenv(variable, f"127.0.0.1:{website.port}")
    bridge.forget_ignored_hosts()
    _run(lambda: get(f"{website.url}/2020-01-01/extension/register"))
    assert _calls(process) == []
    assert website.trace_headers("/2020-01-01/extension/register") == [None]


@pytest.mark.parametrize(
    ("host", "ignored"),
    [
        ("169.254.169.254", True),
        ("169.254.170.2", True),
        ("fd00:ec2::254", True),
        ("example.com", True),
        ("api.example.com", False),
        ("a.b.example.org", True),
        ("example.org", False),
        ("localhost", False),
    ],
)
def test_which_hosts_are_left_alone(process: Process, website: Website, host: str, ignored: bool) -> None:
    instrument(ignore_hosts=("Example.com ", "*.example.org"))
    assert bridge.is_ignored_host(host) is ignored


@pytest.mark.parametrize("host", ["https://example.com", "example.com:80", "a/b", "", "*.*.com", 3])
def test_what_is_no_host_is_refused(process: Process, host: Any) -> None:
    with pytest.raises(ConfigurationError, match="expected a host"):
        instrument(ignore_hosts=[host])
    with pytest.raises(ConfigurationError, match="expected a list of hosts"):
        instrument(ignore_hosts="example.com")


def test_a_setting_that_is_no_host_turns_recording_off(caplog: pytest.LogCaptureFixture) -> None:
    settings = bridge.Settings.from_environment({"TRACE_BRIDGE_IGNORE_HOSTS": "a.example, https://b.example"})
    assert not settings.instrument
    assert "TRACE_BRIDGE_IGNORE_HOSTS names 'https://b.example'" in caplog.text
    assert bridge.Settings.from_environment({"TRACE_BRIDGE_IGNORE_HOSTS": "a.example, *.B.example"}).ignore_hosts == (
        "a.example",
        "*.b.example",
    )


def test_credentials_are_never_recorded_and_a_query_only_if_asked_for(process: Process, website: Website) -> None:
    process.set(http_query=True)
    url = f"http://user:password@127.0.0.1:{website.port}/orders?page=2#top"
    _run(lambda: _requests(url))
    (call,) = _calls(process)
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


def test_switched_off_nothing_is_recorded_and_nothing_sent_along(process: Process, website: Website, get: Get) -> None:
    process.set(instrument=False)
    _run(lambda: get(f"{website.url}/off"))
    assert _calls(process) == []
    assert website.trace_headers("/off") == [None]


def test_switched_off_no_client_is_touched(process: Process, website: Website) -> None:
    program = """
import json, os, requests, httpx
before = requests.Session.send, httpx.HTTPTransport.handle_request
import trace_bridge
@trace_bridge.sqs_handler
def handler(message): pass
with trace_bridge.continue_trace(json.loads(os.environ["RECORD"])):
    requests.get(os.environ["URL"])
assert before == (requests.Session.send, httpx.HTTPTransport.handle_request)
"""
    assert _recorded_by(process, website, program, TRACE_BRIDGE_INSTRUMENT="false") == []


def test_the_handlers_decorator_switches_it_on(process: Process, website: Website) -> None:
    @sqs_handler
    def handler(message: Message) -> None:
        _requests(f"{website.url}/{message.message_id}")

    handler(event(SAMPLED), LambdaContext())
    assert len(_calls(process)) == 1


def test_instrument_meets_a_client_that_a_test_has_replaced(process: Process) -> None:
    process.monkeypatch.setattr(requests.Session, "send", Mock(return_value="answer"))
    instrument()
    assert requests.Session().send("request") == "answer"  # type: ignore[arg-type, comparison-overlap]


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

    _run(work)
    (call,) = _calls(process)
    assert call["cause"]["exceptions"][0]["type"] == "OddError"
