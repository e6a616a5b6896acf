"""CloudWatch: what Lambda and API Gateway publish about each request.

MiniStack publishes Lambda's for the calls of Invoke alone, throttled ones twice, and none of API Gateway.

Sources: Lambda Developer Guide, "Types of metrics for Lambda functions"; API Gateway Developer Guide, "Amazon API
Gateway dimensions and metrics": names, units and dimensions.
"""

import time
from typing import Any

from ministack.services import lambda_svc

from local.patches.cloudwatch import datapoints

Fields = dict[str, Any]


def install() -> None:
    """Publishes Lambda's metrics for each invocation, whoever made it."""
    dispatch, acquire = lambda_svc._execute_function_dispatch, lambda_svc._acquire_execution_slot

    def dispatch_counted(func: Fields, config: Fields, *args: Any) -> Any:
        began = time.monotonic()
        result = dispatch(func, config, *args)
        failed = isinstance(result, dict) and bool(result.get("error"))
        _of_function(config, "Invocations", 1.0, "Count")
        _of_function(config, "Errors", float(failed), "Count")
        _of_function(config, "Duration", float(round((time.monotonic() - began) * 1000)), "Milliseconds")
        return result

    def acquire_counted(func: Fields, config: Fields) -> Any:
        slot, limit = acquire(func, config)
        _of_function(config, "Throttles", float(slot is None), "Count")
        return slot, limit

    lambda_svc._execute_function_dispatch = dispatch_counted
    lambda_svc._acquire_execution_slot = acquire_counted
    lambda_svc._emit_lambda_metrics = lambda *_args, **_kwargs: None


def publish_api_request(*, api: str, stage: str, status: int, seconds: float) -> None:
    """Publishes API Gateway's metrics for a request.

    Args:
        api: The REST API's name.
        stage: The stage's name.
        status: The status of the answer.
        seconds: How long the request took.
    """
    for dimensions in ({"ApiName": api}, {"ApiName": api, "Stage": stage}):
        for name, value, unit in (
            ("Count", 1.0, "Count"),
            ("4XXError", float(400 <= status < 500), "Count"),
            ("5XXError", float(status >= 500), "Count"),
            ("Latency", float(round(seconds * 1000)), "Milliseconds"),
        ):
            datapoints.add("AWS/ApiGateway", name, dimensions, value, unit)


def _of_function(config: Fields, name: str, value: float, unit: str) -> None:
    datapoints.add("AWS/Lambda", name, {"FunctionName": str(config.get("FunctionName"))}, value, unit)
