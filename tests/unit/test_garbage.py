"""What a batch leaves behind is freed as it ends: a collection of garbage would cost some later message its time."""

import gc
from collections import Counter

import pytest
from trace_bridge import Message, sqs_handler

from tests.support.lambda_events import LambdaContext, event, header, record, trace_id
from tests.support.lambda_process import Process
from tests.support.otel_spans import Spans

BATCH = event(*(record(n, trace=header(trace_id(n), sampled=str(n % 2))) for n in (1, 2, 3)), record(4))


@sqs_handler
def handler(_message: Message) -> None:
    pass


@pytest.mark.parametrize("engine", ["xray", "otel"])
def test_a_batch_is_freed_without_a_collection_of_garbage(process: Process, spans: Spans, engine: str) -> None:
    process.set(engine=engine, emitter="udp")  # threads that upload keep their connections
    handler(BATCH, LambdaContext())
    gc.collect()
    gc.disable()
    try:
        before = _of_the_bridge()
        for _ in range(3):
            handler(BATCH, LambdaContext())
        assert not _of_the_bridge() - before
    finally:
        gc.enable()
    assert bool(spans.all()) == (engine == "otel")


def _of_the_bridge() -> Counter[str]:
    return Counter(
        type(each).__name__ for each in gc.get_objects() if type(each).__module__.startswith("trace_bridge.")
    )
