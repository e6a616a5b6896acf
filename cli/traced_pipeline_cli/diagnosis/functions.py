"""Checks of functions: whether they run, record, and may send what they recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..bridge_environment import EMITTER, ENABLED, INSTRUMENT, OFF_WORDS, XRAY_SDK_ENABLED
from ..deployment.model import Deployment, Function
from ..text import readable_name
from .checks import Check
from .finding import Finding


def concurrency(deployment: Deployment) -> Iterator[Finding]:
    """A function with nothing reserved for it is never invoked: https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html."""
    for function in deployment.functions:
        if function.concurrency == 0:
            yield Finding(
                check=Check.FUNCTION_STOPPED,
                kind="function",
                name=function.name,
                text=f"The reserved concurrency of the function {readable_name(function.name)} is 0: Lambda throttles "
                "every invocation.",
                fix=f"aws lambda delete-function-concurrency --function-name {function.name}",
            )


def bridge(deployment: Deployment) -> Iterator[Finding]:
    """A worker without the bridge, or with it switched off."""
    for function in _workers(deployment):
        name, variables = readable_name(function.name), function.environment
        switch = next((key for key in (ENABLED, XRAY_SDK_ENABLED) if _off(variables, key)), None)
        if switch is not None:
            yield Finding(
                check=Check.BRIDGE_OFF,
                kind="function",
                name=function.name,
                text=f"The bridge is switched off on the function {name} by {switch}={variables[switch]}.",
                fix=f"Take the variable {switch} away.",
            )
        elif function.bridged is False:
            yield Finding(
                check=Check.BRIDGE_MISSING,
                kind="function",
                name=function.name,
                text=f"The function {name} has no layer with the bridge; unless its own code brings trace_bridge "
                "along, nothing carries the trace across the queue.",
                fix="Add the layer (QueueWorker does so by itself), and handle messages with sqs_handler or "
                "continue_trace, or set the handler to trace_bridge.auto.handler.",
            )
        if variables.get(EMITTER, "").strip().lower() == "udp" and not function.active:
            yield Finding(
                check=Check.BRIDGE_EMITTER,
                kind="function",
                name=function.name,
                text=f"The bridge of the function {name} may send by UDP only ({EMITTER}=udp), but Lambda "
                "runs its daemon for sampled invocations only, and the function's tracing is PassThrough.",
                fix=f"Take {EMITTER} away, or set the function's tracing to Active.",
            )


def permissions(deployment: Deployment) -> Iterator[Finding]:
    """A role that may not send segments: https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html."""
    for function in deployment.functions:
        if function.may_send is False:
            yield Finding(
                check=Check.XRAY_PERMISSION_MISSING,
                kind="function",
                name=function.name,
                text=f"The role of the function {readable_name(function.name)} is not allowed xray:PutTraceSegments, "
                "so that what it records is refused.",
                fix="Allow the role xray:PutTraceSegments and xray:PutTelemetryRecords on *.",
            )


def networks(deployment: Deployment) -> Iterator[Finding]:
    """A function in a VPC from where X-Ray is not reached: https://docs.aws.amazon.com/xray/latest/devguide/xray-security-vpc-endpoint.html."""
    for function in deployment.functions:
        network = function.network
        if network is not None and network.endpoint is False and network.way_out is False:
            yield Finding(
                check=Check.VPC_WITHOUT_XRAY,
                kind="function",
                name=function.name,
                text=f"The function {readable_name(function.name)} is in the VPC {network.vpc}, which has neither an "
                "endpoint for X-Ray nor a way out (NAT gateway) from each of its subnets: its segments are lost.",
                fix="Add the interface endpoint com.amazonaws.<region>.xray to the VPC, or a NAT gateway.",
            )


def instrumentation(deployment: Deployment) -> Iterator[Finding]:
    """AWS calls that nobody records."""
    for function in _workers(deployment):
        if _off(function.environment, INSTRUMENT):
            for table in (table for table in deployment.tables if table in function.environment.values()):
                yield Finding(
                    check=Check.CALLS_NOT_RECORDED,
                    kind="function",
                    name=function.name,
                    text=f"{INSTRUMENT} is off on the function {readable_name(function.name)}: its AWS "
                    f"calls are not recorded, so that X-Ray cannot infer the table {readable_name(table)}.",
                    fix=f"Take the variable {INSTRUMENT} away.",
                )


def _workers(deployment: Deployment) -> list[Function]:
    arns = dict.fromkeys(source.function for source in deployment.event_sources)
    return [function for arn in arns if (function := deployment.function(arn)) is not None]


def _off(variables: Mapping[str, str], key: str) -> bool:
    return variables.get(key, "").strip().lower() in OFF_WORDS
