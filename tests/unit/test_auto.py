"""Zero code: a team's unchanged handler behind `trace_bridge.auto.handler`."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from trace_bridge import BatchFailedError, ConfigurationError

from tests.support.lambda_events import LambdaContext, event, header, record, trace_id
from tests.support.lambda_process import Process

SEVERAL = event(*(record(number, trace=header(trace_id(number))) for number in (1, 2, 3)))

Load = Callable[..., ModuleType]


@pytest.fixture
def load(process: Process, tmp_path: Path) -> Iterator[Load]:
    """Writes a team's module and imports `trace_bridge.auto` for it."""
    process.monkeypatch.syspath_prepend(str(tmp_path))

    def loaded(code: str, handler: str | None = "team.orders.handler") -> ModuleType:
        (tmp_path / "team").mkdir(exist_ok=True)
        (tmp_path / "team" / "orders.py").write_text(code, encoding="utf-8")
        if handler is None:
            process.monkeypatch.delenv("TRACE_BRIDGE_HANDLER", raising=False)
        else:
            process.monkeypatch.setenv("TRACE_BRIDGE_HANDLER", handler)
        sys.modules.pop("trace_bridge.auto", None)  # another test's runner may have left it
        return importlib.import_module("trace_bridge.auto")

    yield loaded
    for name in ("trace_bridge.auto", "team.orders", "team"):
        sys.modules.pop(name, None)


def _failed(answer: Any) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_the_handler_gets_one_record_at_a_time_in_its_own_trace(process: Process, load: Load) -> None:
    auto = load(
        """
from aws_xray_sdk.core import xray_recorder
seen = []
def handler(event, context):
    (record,) = event["Records"]
    seen.append((record["messageId"], xray_recorder.current_segment().trace_id, context.aws_request_id))
"""
    )
    assert _failed(auto.handler(SEVERAL, LambdaContext())) == []
    seen = sys.modules["team.orders"].seen
    assert [(message, trace) for message, trace, _ in seen] == [(f"message-{n}", trace_id(n)) for n in (1, 2, 3)]
    assert {request for _, _, request in seen} == {LambdaContext().aws_request_id}
    assert [document["trace_id"] for document in process.documents()] == [trace_id(n) for n in (1, 2, 3)]


def test_exceptions_and_returned_failures_are_gathered(process: Process, load: Load) -> None:
    auto = load(
        """
def handler(event, context):
    message_id = event["Records"][0]["messageId"]
    if message_id == "message-1":
        raise KeyError("one")
    if message_id == "message-2":
        return {"batchItemFailures": [{"itemIdentifier": message_id}]}
    return {"batchItemFailures": []}
"""
    )
    assert _failed(auto.handler(SEVERAL, LambdaContext())) == ["message-1", "message-2"]
    faults = [document.get("fault", False) for document in process.documents()]
    assert faults == [True, True, False]


def test_an_async_handler_runs_to_its_end(process: Process, load: Load) -> None:
    auto = load(
        """
import asyncio
done = []
async def handler(event, context):
    await asyncio.sleep(0)
    done.append(event["Records"][0]["messageId"])
""",
        "team/orders.handler",
    )
    assert _failed(auto.handler(SEVERAL, LambdaContext())) == []
    assert sys.modules["team.orders"].done == ["message-1", "message-2", "message-3"]


OTHERS: list[Any] = [
    {"source": "aws.events"},
    {"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": {"Message": "{}"}}]},
    {"Records": [{"cf": {"request": {"uri": "/"}}}]},
    {"Records": [{"eventSource": "aws:s3"}]},
    {"Records": [{"eventSource": "aws:dynamodb"}, record(1)]},
    {"Records": ["text"]},
    {"Records": []},
    {"Records": "text"},
    ["text"],
    None,
]


@pytest.mark.parametrize("other", OTHERS, ids=str)
def test_other_events_are_handed_on_as_they_are(process: Process, load: Load, other: Any) -> None:
    auto = load("def handler(event, context):\n    return {'saw': event}\n")
    answer = auto.handler(other, LambdaContext())
    assert answer == {"saw": other}
    assert answer["saw"] is other
    assert process.documents() == []


@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize("other", OTHERS, ids=str)
def test_what_fails_on_another_event_fails_the_invocation(process: Process, load: Load, other: Any, kind: str) -> None:
    auto = load(f"{kind} handler(event, context):\n    raise RuntimeError('the database is down')\n")
    with pytest.raises(RuntimeError, match="the database is down"):
        auto.handler(other, LambdaContext())


def test_a_batch_in_which_all_fail_fails_the_invocation(process: Process, load: Load) -> None:
    auto = load("def handler(event, context):\n    raise RuntimeError('the database is down')\n")
    with pytest.raises(BatchFailedError, match="all 3 messages of the batch failed: message-1") as raised:
        auto.handler(SEVERAL, LambdaContext())
    assert isinstance(raised.value.__cause__, RuntimeError)
    assert len(process.documents()) == 3


def test_that_can_be_turned_off(process: Process, load: Load) -> None:
    process.set(raise_if_all_failed=False)
    auto = load("def handler(event, context):\n    raise RuntimeError('the database is down')\n")
    assert len(_failed(auto.handler(SEVERAL, LambdaContext()))) == 3


def test_a_handler_may_take_its_record_apart(process: Process, load: Load) -> None:
    auto = load(
        """
def handler(event, context):
    record = event["Records"].pop()
    if record.pop("messageId") == "message-2":
        raise ValueError
    record.clear()
"""
    )
    assert _failed(auto.handler(SEVERAL, LambdaContext())) == ["message-2"]
    recorded = [document["annotations"]["message_id"] for document in process.documents()]
    assert recorded == ["message-1", "message-2", "message-3"]


def test_what_nobody_would_run_is_a_failure(process: Process, load: Load) -> None:
    auto = load("def handler(event, context):\n    yield 1\n")
    with pytest.raises(BatchFailedError) as raised:
        auto.handler(SEVERAL, LambdaContext())
    assert "returned a generator" in str(raised.value.__cause__)


@pytest.mark.parametrize("workers", [1, 3])
def test_a_module_level_lock_works_in_every_invocation(process: Process, load: Load, workers: int) -> None:
    process.set(max_workers=workers)
    auto = load(
        """
import asyncio
lock = asyncio.Lock()
async def handler(event, context):
    async with lock:
        await asyncio.sleep(0.001)
"""
    )
    for _ in range(3):
        assert _failed(auto.handler(SEVERAL, LambdaContext())) == []


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        (None, "TRACE_BRIDGE_HANDLER is not set; expected the handler to run, as module.function"),
        ("handler", "is 'handler'; expected module.function"),
        ("team.orders.missing", "module team.orders has no function missing"),
        ("team.ordres.handler", "TRACE_BRIDGE_HANDLER is 'team.ordres.handler', but there is no module team.ordres"),
        ("taem.orders.handler", "but there is no module taem; expected module.function"),
        ("team..orders.handler", "is 'team..orders.handler'; expected module.function"),
    ],
)
def test_a_wrong_handler_is_refused_at_import(process: Process, load: Load, handler: str | None, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        load("def handler(event, context): ...\n", handler)


def test_an_error_of_the_teams_module_is_its_own(process: Process, load: Load) -> None:
    with pytest.raises(ZeroDivisionError):
        load("1 / 0\n")
    with pytest.raises(ModuleNotFoundError, match="No module named 'absent'"):
        load("import absent\n")
