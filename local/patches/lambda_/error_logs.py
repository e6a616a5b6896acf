"""Lambda: the line about an error that no code of the function caught, which MiniStack leaves out of the log.

Source: Lambda Developer Guide, "Log and monitor Python Lambda functions", and "Lambda runtime API": what a function
fails with is logged as `[ERROR] <type>: <message>`, or as a JSON object with `errorType` and `errorMessage`.
"""

import json
import time
from typing import Any

from ministack.services import lambda_svc

from local.patches.lambda_.error_types import TRACEBACK

Fields = dict[str, Any]


def install() -> None:
    """Adds the error of a failed invocation to what it logged."""
    execute = lambda_svc._execute_function_warm

    def execute_and_log(func: Fields, event: Any, request_id: str) -> Any:
        result = execute(func, event, request_id)
        body = result.get("body") if isinstance(result, dict) and result.get("error") else None
        if not isinstance(body, dict) or "errorType" not in body:
            return result
        return {**result, "log": _log_of(result, body, request_id, func.get("config") or func)}

    lambda_svc._execute_function_warm = execute_and_log


def _log_of(result: Fields, body: Fields, request_id: str, config: Fields) -> str:
    """Returns what the invocation logged, and its error."""
    log, traceback = str(result.get("log") or ""), str(result.get(TRACEBACK) or "")
    kind, message = body["errorType"], body.get("errorMessage", "")
    if (config.get("LoggingConfig") or {}).get("LogFormat") != "JSON":
        line = f"[ERROR] {kind}: {message}"
    else:
        # In JSON the traceback is a field of the line, and no lines of its own.
        log = log.removesuffix(traceback).rstrip("\n")
        fields = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "level": "ERROR",
            "errorMessage": message,
            "errorType": kind,
            "requestId": request_id,
            "stackTrace": [frame for frame in traceback.splitlines() if frame.startswith(" ")],
        }
        line = json.dumps(fields)
    return "\n".join(text for text in (log, line) if text)
