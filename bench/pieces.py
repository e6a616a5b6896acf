"""What a message costs piece by piece: each step of its way through the bridge, alone and in a tight loop."""

import json
import timeit
from collections.abc import Callable

from bench.contestants import bridged
from bench.events import Context, batch
from tests.support import bridge

_NUMBER, _REPEAT = 200, 200


def measure(address: tuple[str, int]) -> dict[str, float]:
    """Returns the least microseconds of each step; the whole is more, as its steps displace each other from the caches.

    Args:
        address: Where the daemon listens.
    """
    [record], [unsampled] = batch(1, sampled=True)["Records"], batch(1, sampled=False)["Records"]
    context, body = Context(), record["body"]
    bridge.emit_to_daemon(bridge.UdpEmitter(address, buffer_bytes=1 << 40))
    tracer = bridge.Tracer(context, None)
    header = record["attributes"]["AWSTraceHeader"]
    udp = bridge.UdpEmitter(address, buffer_bytes=1 << 40)
    document = json.dumps({"id": "53995c3f42cd8ad8", "padding": "x" * 700})

    def traced(message: dict[str, object]) -> Callable[[], None]:
        def run() -> None:
            segment = tracer.begin(message)
            tracer.end(segment, None)

        return run

    for_none, for_one = bridged(lambda: None), bridged(lambda: None)
    empty, single = {"Records": []}, {"Records": [unsampled]}
    steps: dict[str, Callable[[], object]] = {
        "the body parsed, bare": lambda: json.loads(body),
        "Message(record).json()": lambda: bridge.Message(record).json(),
        "the header read": lambda: bridge.canonical_header(header),
        "a message begun and ended, unsampled": traced(unsampled),
        "a message begun and ended, sampled": traced(record),
        "a document passed to the system": lambda: udp.send(document),
        "a batch without messages": lambda: for_none(empty, context),
        "a batch of one unsampled message": lambda: for_one(single, context),
    }
    costs = {name: _least(step) for name, step in steps.items()}
    bridge.forget_invocation()
    udp.close()
    return costs


def _least(step: Callable[[], object]) -> float:
    return round(min(timeit.repeat(step, number=_NUMBER, repeat=_REPEAT)) / _NUMBER * 1e6, 2)
