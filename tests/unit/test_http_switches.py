"""HTTP calls: which clients are met, and how recording is switched on and off."""

import subprocess
import sys
from typing import Any
from unittest.mock import Mock

import pytest
import requests
from trace_bridge import Message, instrument, sqs_handler

from tests.support.http_clients import CLIENTS, Get
from tests.support.lambda_events import LambdaContext, event
from tests.support.lambda_process import Process
from tests.support.sampled_message import SAMPLED, recorded_calls, run_in_message
from tests.support.website import Website


@pytest.mark.program
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


@pytest.mark.program
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
    return recorded_calls(process)


def test_switched_off_nothing_is_recorded_and_nothing_sent_along(process: Process, website: Website, get: Get) -> None:
    process.set(instrument=False)
    run_in_message(lambda: get(f"{website.url}/off"))
    assert recorded_calls(process) == []
    assert website.trace_headers("/off") == [None]


@pytest.mark.program
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
        CLIENTS["requests"](f"{website.url}/{message.message_id}")

    handler(event(SAMPLED), LambdaContext())
    assert len(recorded_calls(process)) == 1


def test_instrument_meets_a_client_that_a_test_has_replaced(process: Process) -> None:
    process.monkeypatch.setattr(requests.Session, "send", Mock(return_value="answer"))
    instrument()
    assert requests.Session().send("request") == "answer"  # type: ignore[arg-type, comparison-overlap]
