"""Zero code: a team's unchanged handler, run once for each message of a batch, in that message's trace.

Set the function's handler to `trace_bridge.auto.handler` and `TRACE_BRIDGE_HANDLER` to the team's own,
`module.function`.
"""

import importlib
import os
from collections.abc import Callable, Mapping
from inspect import isawaitable
from typing import Any

from ._batch import records_of, sqs_handler
from ._config import ConfigurationError
from ._instrument import instrument
from ._invocation import LambdaContext
from ._message import Message

__all__ = ["handler"]

_VARIABLE = "TRACE_BRIDGE_HANDLER"
_Handler = Callable[[Any, Any], Any]


class _ReportedError(Exception):
    """The team's handler returned its message as failed."""


def _load(path: str | None) -> _Handler:
    if not path:
        raise ConfigurationError(f"{_VARIABLE} is not set; expected the handler to run, as module.function")
    module_name, _, name = path.replace("/", ".").rpartition(".")
    if not module_name:
        raise ConfigurationError(f"{_VARIABLE} is {path!r}; expected module.function")
    module = importlib.import_module(module_name)
    found = getattr(module, name, None)
    if not callable(found):
        raise ConfigurationError(f"{_VARIABLE} is {path!r}, but module {module_name} has no function {name}")
    return found  # type: ignore[no-any-return] # just checked


_handler = _load(os.environ.get(_VARIABLE))
instrument()


def handler(event: Any, context: LambdaContext) -> Any:
    """Runs the team's handler once per message and gathers the messages it failed.

    A message fails when the handler raises, or returns `batchItemFailures` that are not empty. An event that is no
    batch of SQS messages is handed to the handler as it is.
    """
    try:
        records_of(event)
    except ValueError:
        return _run(event, context)

    def one(message: Message) -> None:
        answer = _run({"Records": [message.record]}, context)
        if isinstance(answer, Mapping) and answer.get("batchItemFailures"):
            raise _ReportedError(f"the handler returned it in batchItemFailures: {answer['batchItemFailures']}")

    return sqs_handler(one)(event, context)


def _run(event: Any, context: LambdaContext) -> Any:
    answer = _handler(event, context)
    if isawaitable(answer):
        import asyncio  # only coroutines need it

        async def finish() -> Any:
            return await answer

        return asyncio.run(finish())
    return answer
