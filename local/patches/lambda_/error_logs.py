"""Lambda: the line about an error that no code of the function caught, which MiniStack leaves out of the log.

Source: Lambda Developer Guide, "Log and monitor Python Lambda functions", and "Lambda runtime API": what a function
fails with is logged as `[ERROR] <type>: <message>`.
"""

from typing import Any

from ministack.services import lambda_svc

Fields = dict[str, Any]


def install() -> None:
    """Adds the error of a failed invocation to what it logged."""
    execute = lambda_svc._execute_function_warm

    def execute_and_log(func: Fields, event: Any, request_id: str) -> Any:
        result = execute(func, event, request_id)
        body = result.get("body") if isinstance(result, dict) and result.get("error") else None
        if not isinstance(body, dict) or "errorType" not in body:
            return result
        line = f"[ERROR] {body['errorType']}: {body.get('errorMessage', '')}"
        return {**result, "log": "\n".join(text for text in (result.get("log"), line) if text)}

    lambda_svc._execute_function_warm = execute_and_log
