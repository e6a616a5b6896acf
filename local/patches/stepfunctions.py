"""Step Functions: the trace of an execution.

Sources: Step Functions Developer Guide, "AWS X-Ray and Step Functions"; API Reference, "StartExecution": the HTTP
header, or else `traceHeader` of the request. A state machine with tracing sends a segment of its own for a sampled
execution, or decides by the sampling rules where the caller did not; one without passes the header through: assumed.
Its origin and its subsegments of AWS calls are those of a real trace in awslabs/aws-iatk,
internal/pkg/xray/testdata/trace01.json; the subsegments of states, between the two, are left out here.
"""

import time
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from ministack.core.responses import get_region
from ministack.services import stepfunctions

from local.propagation import request_context
from local.propagation.header import TraceHeader, new_entity_id, new_trace_id
from local.xray.sampling.rules import Request
from local.xray.state import XRay

Fields = dict[str, Any]


@dataclass(kw_only=True)
class _Execution:
    """A sampled execution under way; `header` is the caller's."""

    header: TraceHeader
    segment_id: str = field(default_factory=new_entity_id)
    start: float = field(default_factory=time.time)
    calls: list[Fields] = field(default_factory=list)


_execution: ContextVar[_Execution | None] = ContextVar("execution", default=None)


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
        execution = _begin(xray, machine)
        header = execution.header.render() if execution else request_context.inbound.get()
        with request_context.using(_execution, execution), request_context.using(request_context.inbound, header):
            run(execution_arn)
        if execution:
            failed = stepfunctions._executions[execution_arn]["status"] != "SUCCEEDED"
            xray.traces.put(_segment(execution, machine, execution_arn, failed=failed))

    stepfunctions._run_execution = run_execution


def _install_tasks() -> None:
    invoke = stepfunctions._invoke_resource

    def invoke_resource(resource: str, task_input: Any) -> Any:
        execution = _execution.get()
        if execution is None:
            return invoke(resource, task_input)
        subsegment_id, start, failed = new_entity_id(), time.time(), True
        header = replace(execution.header, parent=subsegment_id).render()
        try:
            with request_context.using(request_context.inbound, header):
                result = invoke(resource, task_input)
            failed = False
        finally:
            execution.calls.append(_call(subsegment_id, start, resource, task_input, failed=failed))
        return result

    stepfunctions._invoke_resource = invoke_resource


def _begin(xray: XRay, machine: Fields) -> _Execution | None:
    if not (machine.get("tracingConfiguration") or {}).get("enabled"):
        return None
    came = TraceHeader.parse(request_context.inbound.get())
    if came and came.sampled in ("0", "1"):
        return _Execution(header=came) if came.sampled == "1" else None
    arn = str(machine.get("stateMachineArn", ""))
    request = Request(
        service_name=str(machine.get("name", "")),
        service_type="AWS::StepFunctions::StateMachine",
        host="",
        http_method="",
        url_path="",
        resource_arn=arn,
    )
    if not xray.rules.decide(request).sampled:
        return None
    header = came or TraceHeader(root=new_trace_id())
    return _Execution(header=replace(header, sampled="1"))


def _segment(execution: _Execution, machine: Fields, execution_arn: str, *, failed: bool) -> Fields:
    header = execution.header
    return {
        "id": execution.segment_id,
        "name": str(machine.get("name", "")),
        "trace_id": header.root,
        **({"parent_id": header.parent} if header.parent else {}),
        "start_time": execution.start,
        "end_time": time.time(),
        "origin": "AWS::StepFunctions::StateMachine",
        "resource_arn": str(machine.get("stateMachineArn", "")),
        "aws": {"execution_arn": execution_arn, "account_id": execution_arn.split(":")[4]},
        **({"fault": True} if failed else {}),
        "subsegments": execution.calls,
    }


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
