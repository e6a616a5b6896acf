"""What a step inside a message costs: a subsegment of the handler's own, and an HTTP call, beside the X-Ray SDK's.

Every figure is the smallest of many rounds in which all the contestants take turns, minus the same message without its
steps. Compare the ratios; microseconds belong to the machine.
"""

import argparse
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpcore
import httpx
import requests
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.context import Context as SdkContext
from aws_xray_sdk.core.models.segment import Segment
from aws_xray_sdk.ext.httpx.patch import SyncInstrumentedTransport
from aws_xray_sdk.ext.requests.patch import _inject_header, _xray_traced_requests
from trace_bridge import continue_trace, instrument, subsegment

from bench.goals import Goal, is_met, verdict
from tests.support import bridge

STEPS = 10
_URL = "http://stock.example.com/items/1?page=2"
_TRACE = "1-6b04d6c2-aaaaaaaaaaaaaaaaaaaaaaaa"
_SENDER = "53995c3f42cd8ad8"
_RECORD = {
    "messageId": "1",
    "body": "{}",
    "eventSource": "aws:sqs",
    "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:orders-queue",
    "attributes": {
        "AWSTraceHeader": f"Root={_TRACE};Parent={_SENDER};Sampled=1",
        "ApproximateReceiveCount": "1",
        "SentTimestamp": "1795000000000",
        "ApproximateFirstReceiveTimestamp": "1795000000250",
    },
}

Step = Callable[[], object]


class _Adapter(requests.adapters.HTTPAdapter):
    """Answers in the process."""

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Returns an answer."""
        response = requests.Response()
        response.status_code, response.url, response.request = 200, request.url or "", request
        response._content = b"{}"  # noqa: SLF001 - as read
        response.headers["Content-Length"] = "2"
        return response


class _SdkSession(requests.Session):
    """A session as the SDK's patch makes it."""

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Prepares a request with the SDK's header."""
        return _inject_header(super().prepare_request, self, (request,), {})


class _Pool:
    """A pool of connections that answers in the process."""

    def handle_request(self, _request: Any) -> httpcore.Response:
        """Returns an answer."""
        return httpcore.Response(200, headers=[(b"content-length", b"2")], content=b"{}")


def main() -> int:
    """Prints the table; 0 when every goal is met."""
    parser = argparse.ArgumentParser(prog="make bench", description=main.__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    os.environ.pop("AWS_LAMBDA_FUNCTION_NAME", None)  # outside Lambda a daemon is always there
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        bridge.emit_to_daemon(bridge.UdpEmitter(daemon.getsockname(), buffer_bytes=1 << 40))
        xray_recorder.configure(streaming_threshold=1000, context_missing="LOG_ERROR")
        xray_recorder.emitter.set_daemon_address("{}:{}".format(*daemon.getsockname()))
        instrument()
        figures = {name: _measure(*steps, rounds=options.rounds) for name, steps in _steps().items()}
    goals = [
        (f"{name} ÷ the SDK's", limit, round(figures[name]["bridge"] / figures[name]["sdk"], 2))
        for name, limit in (("subsegment", 0.3), ("requests", 0.5), ("httpx", 0.5))
    ]
    print(json.dumps({"figures": figures, "goals": goals}, indent=2) if options.json else _table(figures, goals))
    return 0 if all(is_met(goal) for goal in goals) else 1


def _steps() -> dict[str, tuple[Step, Step, Step]]:
    """Returns each step as it is without tracing, in the SDK, and in the bridge."""
    session, sdk_session = requests.Session(), _SdkSession()
    for made in (session, sdk_session):
        made.mount("http://", _Adapter())
        made.trust_env = False  # looking for proxies takes longer than all the rest
    transport = httpx.HTTPTransport()
    transport._pool = _Pool()  # type: ignore[assignment] # noqa: SLF001 - no connection is made
    client = httpx.Client(transport=transport, trust_env=False)
    sdk_client = httpx.Client(transport=SyncInstrumentedTransport(transport), trust_env=False)
    get = partial(session.request, "GET", _URL)
    sdk_get = partial(_xray_traced_requests, sdk_session.request, sdk_session, ("GET", _URL), {})
    return {
        "subsegment": (_nothing, _sdk_subsegment, _subsegment),
        "requests": (get, sdk_get, get),
        "httpx": (partial(client.get, _URL), partial(sdk_client.get, _URL), partial(client.get, _URL)),
    }


def _nothing() -> None:
    pass


def _subsegment() -> None:
    with subsegment("price"):
        pass


def _sdk_subsegment() -> None:
    with xray_recorder.in_subsegment("price"):
        pass


def _measure(plain: Step, by_sdk: Step, by_bridge: Step, *, rounds: int) -> dict[str, float]:
    """Returns the microseconds that tracing adds to a step, by the SDK and by the bridge."""
    settings, sdk_context = bridge.settings(), SdkContext()
    off = settings.changed(instrument=False)
    runs: dict[str, Callable[[], None]] = {
        "plain": partial(_repeat, plain),
        "sdk": partial(_in_sdk, sdk_context, by_sdk),
        "sdk message": partial(_in_sdk, sdk_context, None),
        "bridge": partial(_in_bridge, by_bridge),
        "bridge message": partial(_in_bridge, None),
    }
    least = dict.fromkeys(runs, float("inf"))
    for _ in range(rounds):
        for name, run in runs.items():
            with _context_of_sdk():
                bridge.use_settings(settings if name.startswith("bridge") else off)
                began = time.perf_counter()
                run()
                least[name] = min(least[name], time.perf_counter() - began)
    bridge.use_settings(settings)
    return {
        name: round((least[name] - least[f"{name} message"] - least["plain"]) / STEPS * 1e6, 2)
        for name in ("sdk", "bridge")
    }


@contextmanager
def _context_of_sdk() -> Any:
    before = xray_recorder.context
    try:
        yield
    finally:
        xray_recorder.context = before


def _repeat(step: Step) -> None:
    for _ in range(STEPS):
        step()


def _in_bridge(step: Step | None) -> None:
    with continue_trace(_RECORD):
        if step is not None:
            _repeat(step)


def _in_sdk(context: SdkContext, step: Step | None) -> None:
    xray_recorder.context = context
    segment = Segment("worker", traceid=_TRACE, parent_id=_SENDER, sampled=True)
    context.put_segment(segment)
    if step is not None:
        _repeat(step)
    segment.close()
    xray_recorder.emitter.send_entity(segment)
    context.clear_trace_entities()


def _table(figures: dict[str, dict[str, float]], goals: list[Goal]) -> str:
    lines = [f"{'added per step, µs':42}{'bridge':>10}{'SDK':>24}"]
    lines += [f"{name:42}{row['bridge']:>10.1f}{row['sdk']:>24.1f}" for name, row in figures.items()]
    lines.append("")
    lines += [verdict(goal) for goal in goals]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
