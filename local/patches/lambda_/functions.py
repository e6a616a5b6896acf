"""Lambda: what a function finds in its environment, and the segments Lambda sends for it.

Sources: Lambda Developer Guide, "Visualize Lambda function invocations using AWS X-Ray", "Defined runtime
environment variables" and "Using Lambda with Amazon SQS"; X-Ray Developer Guide, "Tracing event-driven
applications".
"""

import threading
import time
from contextvars import ContextVar
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local.patches.iam.roles import may
from local.patches.lambda_ import log_format
from local.patches.lambda_.invocation import Invocation, InvocationPlanner
from local.patches.lambda_.vpc import SilentAddress, endpoint_variables
from local.propagation import request_context
from local.xray.daemon import Daemon
from local.xray.daemon_proxy import May
from local.xray.state import XRay

Fields = dict[str, Any]

# How long after a sampled invocation its datagrams may still be on their way through the loopback interface.
_DATAGRAM_GRACE_SECONDS = 3.0

_invocation: ContextVar[Invocation | None] = ContextVar("invocation", default=None)
_records: ContextVar[list[Fields] | None] = ContextVar("records", default=None)


class _SampledInvocations:
    """Says for each function whether a sampled invocation is under way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, int] = {}
        self._ended: dict[str, float] = {}

    def begin(self, function_arn: str) -> None:
        with self._lock:
            self._running[function_arn] = self._running.get(function_arn, 0) + 1

    def end(self, function_arn: str) -> None:
        with self._lock:
            self._ended[function_arn] = time.monotonic()
            self._running[function_arn] -= 1

    def any(self, function_arn: str) -> bool:
        with self._lock:
            just_ended = time.monotonic() - self._ended.get(function_arn, float("-inf")) < _DATAGRAM_GRACE_SECONDS
            return self._running.get(function_arn, 0) > 0 or just_ended


def install(xray: XRay, daemon: Daemon) -> None:
    """Gives functions their environment and header, and sends their segments."""
    sampled = _SampledInvocations()
    _install_invocation(xray, sampled)
    _install_environment(daemon, sampled)
    _install_layer_order()


def _install_invocation(xray: XRay, sampled: _SampledInvocations) -> None:
    dispatch, run_batch = lambda_svc._execute_function_dispatch, lambda_svc._run_sqs_batch
    planner = InvocationPlanner(xray)

    def dispatch_traced(func: Fields, config: Fields, event: Any, request_id: str, started: float) -> Any:
        plan = planner.plan(config, request_id=request_id, header=request_context.inbound.get(), records=_records.get())
        if plan.sampled:
            sampled.begin(plan.function_arn)
        try:
            with request_context.using(_invocation, plan), request_context.using(_records, None):
                result = dispatch(func, config, event, request_id, started)
        finally:
            if plan.sampled:
                sampled.end(plan.function_arn)
        failed = isinstance(result, dict) and bool(result.get("error"))
        planner.finish(plan, config, failure=result.get("body") if failed else None)
        return result

    def run_sqs_batch(mapping: Fields, func: Fields, event: Fields, *args: Any) -> Any:
        # The poller belongs to no request: whatever header its thread was started under is not this batch's.
        with request_context.using(request_context.inbound, None), request_context.using(_records, event["Records"]):
            return run_batch(mapping, func, event, *args)

    def header_for_invocation(config: Fields, inbound: str | None = None) -> str | None:  # noqa: ARG001
        plan = _invocation.get()
        return plan.header if plan else None

    lambda_svc._execute_function_dispatch = dispatch_traced
    lambda_svc._run_sqs_batch = run_sqs_batch
    lambda_svc._xray_trace_id_for_invocation = header_for_invocation


def _install_environment(daemon: Daemon, sampled: _SampledInvocations) -> None:
    spawn = lambda_runtime.Worker._spawn
    silent = SilentAddress()

    def spawn_with_environment(worker: Any) -> None:
        config, started = worker.config, time.time()
        environment = config.get("Environment") or {}
        own = environment.get("Variables") or {}
        variables = {**endpoint_variables(config, silent), **own, **_variables(config, daemon, sampled)}
        worker.config = {**config, "Environment": {**environment, "Variables": variables}}
        try:
            spawn(worker)
        finally:
            worker.config = config
        plan = _invocation.get()
        if plan:
            plan.initialization = (started, time.time())

    lambda_runtime.Worker._spawn = spawn_with_environment


def _variables(config: Fields, daemon: Daemon, sampled: _SampledInvocations) -> dict[str, str]:
    arn = str(config.get("FunctionArn", ""))
    logging = config.get("LoggingConfig") or {}
    return {
        "AWS_XRAY_DAEMON_ADDRESS": daemon.address(arn, _gate(arn, str(config.get("Role", "")), sampled)),
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_LAMBDA_LOG_GROUP_NAME": str(logging.get("LogGroup") or f"/aws/lambda/{config.get('FunctionName', '')}"),
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{config.get('Runtime', '')}",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "_HANDLER": str(config.get("Handler", "")),
        **log_format.variables(logging),
    }


def _gate(function_arn: str, role_arn: str, sampled: _SampledInvocations) -> May:
    def refusal(action: str) -> str | None:
        # "Lambda runs the daemon automatically any time a function is invoked for a sampled request."
        if not sampled.any(function_arn):
            return "no sampled invocation of the function is under way"
        return None if may(role_arn, action) else f"role {role_arn} is not allowed {action}"

    return refusal


def _install_layer_order() -> None:
    # Lambda Developer Guide, "Search path for Python": the function's code comes before its layers.
    script: str = lambda_runtime._PYTHON_WORKER_SCRIPT
    for line in LAYER_LINES:
        script = script.replace(line, line.replace("insert(0", "insert(1"))
    lambda_runtime._PYTHON_WORKER_SCRIPT = script


LAYER_LINES = ("sys.path.insert(0, _py)", "sys.path.insert(0, _ld)")
"""The lines of MiniStack's worker that put layers first."""
