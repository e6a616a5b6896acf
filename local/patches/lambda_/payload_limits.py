"""Lambda and API Gateway: how large a request or an answer may be.

Sources: Lambda Developer Guide, "Lambda quotas": 6 MB each for request and response of a synchronous invocation, 1 MB
for an asynchronous one; Lambda API Reference, "Invoke", `RequestTooLargeException` (413) and `FunctionError`; API
Gateway Developer Guide, "Quotas for configuring and running a REST API": a payload of 10 MB; "Gateway response types":
REQUEST_TOO_LARGE is 413, "Request Too Long".

Assumed: a body that API Gateway takes and Lambda does not is answered as too large as well.
"""

import json
import re
from typing import Any

from ministack import app
from ministack.core.responses import error_response_json
from ministack.services import apigateway_v1, lambda_svc

Fields = dict[str, Any]

SYNCHRONOUS_BYTES = 6 * 1024 * 1024
"""Of the request and of the response."""

ASYNCHRONOUS_BYTES = 1024 * 1024
GATEWAY_BYTES = 10 * 1024 * 1024

_INVOCATION = re.compile(r"/2015-03-31/functions/.+/invocations/?")
# The number in Lambda's own message is 100 more than the quota.
_TOO_LARGE = "Response payload size exceeded maximum allowed payload size (6291556 bytes)."


def install() -> None:
    """Refuses what is too large."""
    _install_invoke()
    _install_answer()
    _install_gateway()


def _install_invoke() -> None:
    handle = app.SERVICE_HANDLERS["lambda"]

    async def handle_invocation(method: str, path: str, headers: Fields, body: bytes, query: Fields) -> Any:
        if method == "POST" and _INVOCATION.fullmatch(path):
            event = headers.get("x-amz-invocation-type") == "Event"
            most = ASYNCHRONOUS_BYTES if event else SYNCHRONOUS_BYTES
            if len(body) > most:
                action = "InvokeAsync" if event else "InvokeFunction"
                words = f"Request must be smaller than {most} bytes for the {action} operation"
                return error_response_json("RequestEntityTooLargeException", words, 413)
        return await handle(method, path, headers, body, query)

    app.SERVICE_HANDLERS["lambda"] = handle_invocation


def _install_answer() -> None:
    execute = lambda_svc._execute_function_warm

    def execute_within_limit(func: Fields, event: Any, request_id: str) -> Any:
        result = execute(func, event, request_id)
        if isinstance(result, dict) and not result.get("error") and _size(result.get("body")) > SYNCHRONOUS_BYTES:
            body = {"errorMessage": _TOO_LARGE, "errorType": "Function.ResponseSizeTooLarge"}
            return {**result, "body": body, "error": True}
        return result

    lambda_svc._execute_function_warm = execute_within_limit


def _install_gateway() -> None:
    execute = apigateway_v1._execute_in_scope
    call = apigateway_v1._call_lambda_raw

    async def execute_within_limit(
        request: Fields, api_id: str, stage: str, method: str, path: str, headers: Fields, body: bytes, *args: Any
    ) -> Any:
        known = apigateway_v1._stages_v1.get(api_id, {}).get(stage)
        if known and len(body or b"") > GATEWAY_BYTES:
            request["stage"] = known  # whose gateway responses apply
            return _too_large()
        try:
            return await execute(request, api_id, stage, method, path, headers, body, *args)
        except _EventTooLargeError:
            return _too_large()

    async def call_within_limit(function: str, event: Any, *args: Any, **kwargs: Any) -> Any:
        if _size(event) > SYNCHRONOUS_BYTES:
            raise _EventTooLargeError
        return await call(function, event, *args, **kwargs)

    apigateway_v1._execute_in_scope = execute_within_limit
    apigateway_v1._call_lambda_raw = call_within_limit


class _EventTooLargeError(Exception):
    """The event made of a request is more than Lambda takes."""


def _too_large() -> Any:
    return apigateway_v1._GatewayError("REQUEST_TOO_LARGE", "Request Too Long")


def _size(value: object) -> int:
    if isinstance(value, bytes):
        return len(value)
    try:
        return len(json.dumps(value).encode())
    except (TypeError, ValueError):
        return 0
