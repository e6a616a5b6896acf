"""Step Functions: the trace of an execution.

Sources: Step Functions Developer Guide, "AWS X-Ray and Step Functions"; API Reference, "StartExecution": the HTTP
header, or else `traceHeader` of the request. A state machine with tracing sends a segment of its own for a sampled
execution, or decides by the sampling rules where the caller did not; one without passes the header through: assumed.
Its origin and its subsegments of AWS calls are those of a real trace in awslabs/aws-iatk,
internal/pkg/xray/testdata/trace01.json; the subsegments of states, between the two, are left out here.
"""

import time
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from ministack.core.responses import get_region
from ministack.services import stepfunctions

from local.patches import service_trace
from local.patches.service_trace import ServiceTrace
from local.propagation import request_context
from local.propagation.header import new_entity_id
from local.xray.sampling.rules import Request
from local.xray.state import XRay

Fields = dict[str, Any]

_trace: ContextVar[ServiceTrace | None] = ContextVar("trace", default=None)
"""The trace of the execution under way; `None` where the state machine sends no segment for it."""


def install(xray: XRay) -> None:
    """Traces executions, and carries the header to what their tasks call."""
    _install_start()
    _install_execution(xray)
    _install_tasks()


def _install_start() -> None:
    start = stepfunctions._start_execution

    def start_execution(data: Fields, *args: Any, **kwargs: Any) -> Any:
        header = request_context.inbound.get() or data.get("traceHeader")
        with request_context.using(request_context.inbound, header):
            return start(data, *args, **kwargs)

    stepfunctions._start_execution = start_execution


def _install_execution(xray: XRay) -> None:
    run = stepfunctions._run_execution

    def run_execution(execution_arn: str) -> None:
        record = stepfunctions._executions[execution_arn]
        machine = stepfunctions._state_machines.get(record["stateMachineArn"]) or {}
        trace = _begin(xray, machine)
        header = trace.header.render() if trace else request_context.inbound.get()
        sampled = trace if trace and trace.sampled else None
        with request_context.using(_trace, sampled), request_context.using(request_context.inbound, header):
            run(execution_arn)
        if sampled:
            failed = stepfunctions._executions[execution_arn]["status"] != "SUCCEEDED"
            aws = {"execution_arn": execution_arn, "account_id": execution_arn.split(":")[4]}
            xray.traces.put(sampled.segment(aws=aws, **({"fault": True} if failed else {})))

    stepfunctions._run_execution = run_execution


def _install_tasks() -> None:
    invoke = stepfunctions._invoke_resource

    def invoke_resource(resource: str, task_input: Any) -> Any:
        trace = _trace.get()
        if trace is None:
            return invoke(resource, task_input)
        subsegment_id, start, failed = new_entity_id(), time.time(), True
        header = replace(trace.header, parent=subsegment_id).render()
        try:
            with request_context.using(request_context.inbound, header):
                result = invoke(resource, task_input)
            failed = False
        finally:
            trace.calls.append(_call(subsegment_id, start, resource, task_input, failed=failed))
        return result

    stepfunctions._invoke_resource = invoke_resource


def _begin(xray: XRay, machine: Fields) -> ServiceTrace | None:
    if not (machine.get("tracingConfiguration") or {}).get("enabled"):
        return None
    request = Request(
        service_name=str(machine.get("name", "")),
        service_type="AWS::StepFunctions::StateMachine",
        host="",
        http_method="",
        url_path="",
        resource_arn=str(machine.get("stateMachineArn", "")),
    )
    return service_trace.begin(xray, request_context.inbound.get(), request)


# What a task of an optimized integration names its target by, and the field that X-Ray's documents have for it.
_TARGETS = (("TopicArn", "topic_arn"), ("QueueUrl", "queue_url"), ("FunctionName", "function_name"))
_NAMES = {"sns": "SNS", "sqs": "SQS", "lambda": "Lambda", "dynamodb": "DynamoDB", "events": "Events"}


def _call(subsegment_id: str, start: float, resource: str, task_input: Any, *, failed: bool) -> Fields:
    # arn:aws:states:::sns:publish, or the ARN of a function
    optimized = ":states:::" in resource
    service, _, operation = resource.split(":::", 1)[-1].partition(":") if optimized else ("lambda", "", "invoke")
    fields = task_input if isinstance(task_input, dict) and optimized else {}
    target = {name: str(fields[key]) for key, name in _TARGETS if fields.get(key)}
    if not optimized:
        target = {"function_name": resource.rsplit(":function:", 1)[-1]}
    return {
        "id": subsegment_id,
        "name": _NAMES.get(service, service),
        "namespace": "aws",
        "start_time": start,
        "end_time": time.time(),
        "aws": {"operation": operation[:1].upper() + operation[1:].partition(".")[0], "region": get_region(), **target},
        **({"fault": True} if failed else {}),
    }
