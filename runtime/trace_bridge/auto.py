"""Zero code: a team's unchanged handler, run once for each message of a batch, in that message's trace.

Set the function's handler to `trace_bridge.auto.handler` and `TRACE_BRIDGE_HANDLER` to the team's own,
`module.function`.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

from ._batch import BatchOptions
from ._config import ConfigurationError
from ._environment import HANDLER
from ._events import is_sqs_batch
from ._failures import ReportedFailureError, reported_failures
from ._instrument import instrument
from ._logs import trace_logs
from ._message import Message
from ._results import is_async, is_awaitable
from ._running import run_batch

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._invocation import LambdaContext

    _Handler = Callable[[Any, Any], Any]

__all__ = ["handler"]


def _load(path: str | None) -> _Handler:
    if not path:
        raise ConfigurationError(f"{HANDLER} is not set; expected the handler to run, as module.function")
    module_name, _, name = path.replace("/", ".").rpartition(".")
    if not module_name or not all(module_name.split(".")):
        raise ConfigurationError(f"{HANDLER} is {path!r}; expected module.function")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise  # what the team's module itself imports is missing
        raise ConfigurationError(
            f"{HANDLER} is {path!r}, but there is no module {error.name}; expected module.function, with the "
            "module in the function's code or its layers"
        ) from error
    function = getattr(module, name, None)
    if not callable(function):
        raise ConfigurationError(f"{HANDLER} is {path!r}, but module {module_name} has no function {name}")
    return function  # type: ignore[no-any-return] # just checked


def _check_answer(answer: object) -> None:
    reported = reported_failures(answer)
    if reported:
        raise ReportedFailureError(reported)


_handler = _load(os.environ.get(HANDLER))
_options = BatchOptions()
instrument()
trace_logs()


def handler(event: Any, context: LambdaContext) -> Any:
    """Runs the team's handler once per message and gathers the messages it failed.

    A message fails when the handler raises, or returns `batchItemFailures` that are not empty. An event that is no
    batch of SQS messages goes to the handler as it is, and its result and exceptions to Lambda.

    Raises:
        BatchFailedError: At least one message failed and none succeeded, as for `sqs_handler`.
    """
    if not is_sqs_batch(event):
        answer = _handler(event, context)
        return _awaited(answer) if is_awaitable(answer) else answer

    def handle_one(message: Message) -> Any:
        # A copy, so that a handler that changes its record changes nothing that is recorded of the message.
        return _handler({"Records": [dict(message.record)]}, context)

    async def handle_one_async(message: Message) -> Any:
        return await handle_one(message)

    handle = handle_one_async if is_async(_handler) else handle_one
    return run_batch(handle, event, context, options=_options, check=_check_answer)


def _awaited(answer: Any) -> Any:
    from ._loop import run  # asyncio takes its time to import, and only coroutines need it

    return run(answer)
