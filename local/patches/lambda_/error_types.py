"""Lambda: the type of an error that no code of the function caught is the exception's class.

Source: Lambda Developer Guide, "Lambda function handler in Python" and "Using Lambda runtime exceptions": the runtime
answers `errorType` and `errorMessage`. MiniStack answers one type for all of a Python handler's errors, and keeps the
class in the traceback that its worker prints.
"""

import re
from contextvars import ContextVar
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local.propagation import request_context

Fields = dict[str, Any]

TRACEBACK = "traceback"
"""The key of a failed invocation's result that has the traceback of a Python handler."""

_UNKNOWN = "Runtime.HandlerError"
_EXCEPTION = re.compile(r"(?P<name>[A-Za-z_][\w.]*)(?::|$)")

_tracebacks: ContextVar[list[str] | None] = ContextVar("tracebacks", default=None)


def install() -> None:
    """Names the exception's class in what a failed invocation answers."""
    invoke, execute = lambda_runtime.Worker.invoke, lambda_svc._execute_function_warm

    def invoke_and_keep(worker: Any, *args: Any, **kwargs: Any) -> Fields:
        result: Fields = invoke(worker, *args, **kwargs)
        kept = _tracebacks.get()
        if kept is not None and isinstance(result.get("trace"), str):
            kept.append(result["trace"])
        return result

    def execute_and_name(func: Fields, event: Any, request_id: str) -> Any:
        kept: list[str] = []
        with request_context.using(_tracebacks, kept):
            result = execute(func, event, request_id)
        body = result.get("body") if isinstance(result, dict) and result.get("error") else None
        if not kept or not isinstance(body, dict) or body.get("errorType") != _UNKNOWN:
            return result
        named = {**body, "errorType": exception_class(kept[-1]) or _UNKNOWN}
        return {**result, "body": named, TRACEBACK: kept[-1]}

    lambda_runtime.Worker.invoke = invoke_and_keep
    lambda_svc._execute_function_warm = execute_and_name


def exception_class(traceback: str) -> str | None:
    """Returns the class of the exception that a traceback ends with, without its module; `None` where it names none."""
    name = None
    indented = False
    for line in traceback.splitlines():
        match = _EXCEPTION.match(line)
        if match and indented:
            name = match["name"].rsplit(".", 1)[-1]
        indented = line.startswith(" ")
    return name
