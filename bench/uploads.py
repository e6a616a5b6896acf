"""Uploads by `PutTraceSegments`: what a PassThrough worker's batch costs, and ten thousand documents beside a daemon.

X-Ray and the daemon are processes of their own, so that only the worker's processor time counts.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import botocore.session
from trace_bridge import counters

from bench.contestants import bridged
from bench.events import PASS_THROUGH, SAMPLED, Context, batch, set_invocation
from tests.support import bridge

_X_RAY = """
import asyncio, json, sys
pause, taken = float(sys.argv[1]), 0
async def answer(reader, writer):
    global taken
    while True:
        try:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
        except asyncio.IncompleteReadError:
            return writer.close()
        length = next(line for line in head.lower().split(b"\\r\\n") if line.startswith(b"content-length:"))
        body = json.loads(await reader.readexactly(int(length.partition(b":")[2])))
        taken += sum('"continued_messages"' not in text for text in body.get("TraceSegmentDocuments", ()))
        if pause:
            await asyncio.sleep(pause)
        payload = b'{"UnprocessedTraceSegments":[]}' if "TraceSegmentDocuments" in body else b'{"taken":%d}' % taken
        writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: %d\\r\\n"
                     b"x-amzn-RequestId: 11111111-2222-4333-8444-555555555555\\r\\n\\r\\n%s" % (len(payload), payload))
async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""
_DAEMON = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
documents = 0
first = s.recv(65536)
time.sleep(float(sys.argv[1]))
while first != b"end":
    documents += b'"continued_messages"' not in first
    first = s.recv(65536)
print(documents, flush=True)
"""


@contextmanager
def _server(code: str, argument: float) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    with subprocess.Popen([sys.executable, "-c", code, str(argument)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        try:
            yield int(process.stdout.readline()), process
        finally:
            process.kill()


@contextmanager
def x_ray() -> Iterator[str]:
    """Runs an X-Ray that takes every document; gives its URL."""
    with _server(_X_RAY, 0) as (port, _):
        yield f"http://127.0.0.1:{port}"


def pass_through(rounds: int) -> dict[str, float]:
    """Returns the processor time of a batch of ten messages, in microseconds.

    Returns:
        `bridge`: the whole batch, uploads included; `boto3`: `put_trace_segments` with the same ten documents alone.
    """
    event, context = batch(10, sampled=True), Context()
    with _server(_X_RAY, 0) as (port, _):
        os.environ["AWS_ENDPOINT_URL_XRAY"] = f"http://127.0.0.1:{port}"
        set_invocation(PASS_THROUGH)
        bridge.forget_emitter()
        handle = bridged(lambda: None)
        client = botocore.session.get_session().create_client("xray")
        documents = _documents(lambda: handle(event, context))
        contestants: dict[str, Callable[[], object]] = {
            "bridge": lambda: handle(event, Context()),
            "boto3": lambda: client.put_trace_segments(TraceSegmentDocuments=documents),
        }
        least = dict.fromkeys(contestants, float("inf"))
        for _ in range(rounds):
            for name, call in contestants.items():
                call()  # what the other one has displaced from the caches
                began = time.process_time()
                for _ in range(3):
                    call()
                least[name] = min(least[name], (time.process_time() - began) / 3 * 1e6)
        bridge.close_emitter()
        bridge.forget_emitter()
        client.close()
    return {name: round(value, 1) for name, value in least.items()}


def _documents(run: Callable[[], object]) -> list[str]:
    """Returns the documents that a handler uploads."""
    documents: list[str] = []

    class Client:
        def put_trace_segments(self, *, TraceSegmentDocuments: list[str]) -> dict[str, Any]:  # noqa: N803
            documents.extend(TraceSegmentDocuments)
            return {}

        def close(self) -> None: ...

    bridge.emit_to_api(bridge.ApiEmitter(Client))
    run()
    bridge.forget_emitter()
    return documents


def stalled(messages: int = 10_000) -> dict[str, float]:
    """Runs a batch beside a daemon that stalls 200 ms and an X-Ray that answers in 40 ms.

    Returns:
        How many documents arrived, and the seconds that the batch took.
    """
    event = batch(messages, sampled=True)
    with _server(_X_RAY, 0.04) as (port, _), _server(_DAEMON, 0.2) as (daemon, reader):
        os.environ.update(
            AWS_ENDPOINT_URL_XRAY=f"http://127.0.0.1:{port}", AWS_XRAY_DAEMON_ADDRESS=f"127.0.0.1:{daemon}"
        )
        set_invocation(SAMPLED)
        bridge.forget_emitter()
        before = counters().lost
        handle = bridged(lambda: None)
        began = time.perf_counter()
        handle(event, Context())
        seconds = time.perf_counter() - began
        lost = counters().lost - before
        bridge.close_emitter()
        bridge.forget_emitter()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"end", ("127.0.0.1", daemon))
        assert reader.stdout is not None  # noqa: S101 - as above
        by_daemon = int(reader.stdout.readline())
        by_api = _taken(port)
    return {"arrived": by_daemon + by_api, "counted as lost": lost, "seconds": round(seconds, 2)}


def _taken(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", "/", body=b"{}")
    taken: int = json.loads(connection.getresponse().read())["taken"]
    connection.close()
    return taken
