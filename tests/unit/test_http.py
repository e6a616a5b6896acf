"""HTTP calls: recorded once whatever the client, with the trace on the wire, and never changed."""

import asyncio
import gc
import tracemalloc
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import aiohttp
import httpx
import pytest
import requests
import urllib3
from trace_bridge import capture, continue_trace

from tests.support.http_clients import CLIENTS, FOLLOWING, Get
from tests.support.lambda_events import (
    ACTIVE,
    OWN_PARENT,
    OWN_TRACE,
    PASS_THROUGH,
    UNSAMPLED,
    LambdaContext,
    header,
    record,
)
from tests.support.lambda_process import Process
from tests.support.sampled_message import ROOT, recorded_calls, run_in_message
from tests.support.website import Website


def test_a_call_is_recorded_once_and_carries_its_trace(process: Process, website: Website, get: Get) -> None:
    run_in_message(lambda: get(f"{website.url}/orders/1?token=secret"))
    (call,) = recorded_calls(process)
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
    run_in_message(lambda: found.append(get(f"{website.url}/status/{status}")))
    (call,) = recorded_calls(process)
    assert found == [status]
    assert call["http"]["response"]["status"] == status
    assert {flag for flag in ("error", "fault", "throttle") if call.get(flag)} == flags


@pytest.mark.parametrize("name", FOLLOWING)
def test_a_redirect_that_the_client_follows_is_part_of_the_call(process: Process, website: Website, name: str) -> None:
    run_in_message(lambda: CLIENTS[name](f"{website.url}/to/orders"))
    (call,) = recorded_calls(process)
    assert [asked.path for asked in website.asked] == ["/to/orders", "/orders"]
    assert call["http"]["request"]["url"] == f"{website.url}/to/orders"
    assert call["http"]["response"]["status"] == 200
    assert {str(asked.trace_header)[:100] for asked in website.asked} == {
        f"Root={ROOT};Parent={call['id']};Sampled=1;Lineage=061379e8:0"
    }


def test_each_request_of_httpx_is_a_call(process: Process, website: Website) -> None:
    run_in_message(lambda: httpx.get(f"{website.url}/to/orders", follow_redirects=True))
    first, second = recorded_calls(process)
    assert [call["http"]["response"]["status"] for call in (first, second)] == [302, 200]
    assert [str(asked.trace_header).split(";")[1] for asked in website.asked] == [
        f"Parent={first['id']}",
        f"Parent={second['id']}",
    ]


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

    run_in_message(work)
    assert read == [b"first", b"second", b"firstsecond"]
    assert [call["http"]["response"] for call in recorded_calls(process)] == [{"status": 200}] * 2


@pytest.mark.parametrize("name", ["X-Amzn-Trace-Id", "x-amzn-trace-id"])
def test_a_trace_header_of_the_callers_own_stays(process: Process, website: Website, get: Get, name: str) -> None:
    run_in_message(lambda: get(f"{website.url}/own", **{name: "Root=1-own"}))
    assert website.trace_headers("/own") == ["Root=1-own"]
    assert len(recorded_calls(process)) == 1


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

    run_in_message(work)
    assert [str(sent).split(";")[1] for sent in website.trace_headers("/again")] == [
        f"Parent={call['id']}" for call in recorded_calls(process)
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
    CLIENTS["requests"](f"{website.url}/outside")
    assert website.trace_headers("/outside") == [own]
    assert process.documents() == []


def test_clients_of_tasks_and_threads_stay_in_their_message(process: Process, website: Website) -> None:
    async def both() -> None:
        async with httpx.AsyncClient() as client, aiohttp.ClientSession() as session:

            async def other() -> None:
                async with session.get(f"{website.url}/aiohttp"):
                    pass

            await asyncio.gather(
                client.get(f"{website.url}/httpx"), other(), asyncio.to_thread(CLIENTS["requests"], website.url)
            )

    run_in_message(lambda: asyncio.run(both()))
    assert sorted(call["http"]["request"]["url"] for call in recorded_calls(process)) == [
        f"{website.url}/",
        f"{website.url}/aiohttp",
        f"{website.url}/httpx",
    ]


def test_a_plain_thread_belongs_to_no_message(process: Process, website: Website) -> None:
    with ThreadPoolExecutor(1) as pool:
        run_in_message(lambda: pool.submit(CLIENTS["requests"], website.url).result())
    assert recorded_calls(process) == []


def test_aws_calls_are_never_recorded_a_second_time(process: Process, website: Website) -> None:
    client = process.client("dynamodb")
    run_in_message(lambda: (client.list_tables(), CLIENTS["requests"](website.url)))
    assert [call["namespace"] for call in recorded_calls(process)] == ["aws", "remote"]


def test_a_url_of_any_length_is_recorded_and_not_kept(process: Process) -> None:
    def work() -> None:
        for number in range(20):
            with pytest.raises(urllib3.exceptions.HTTPError):
                pool.request("GET", f"http://user:pass@127.0.0.1:1/{number}/{'x' * 1_000_000}", retries=False)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 10_000_000

    pool = urllib3.PoolManager()
    tracemalloc.start()
    try:
        run_in_message(work)
    finally:
        tracemalloc.stop()
    urls = [call["http"]["request"]["url"] for call in recorded_calls(process)]
    assert urls == [f"http://127.0.0.1:1/{number}/{'x' * 250}"[:250] for number in range(20)]
