"""AWS calls made through botocore: recorded on the message under way, with its trace on the wire."""

import os
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Protocol

from . import _state
from ._bridge import join_sdk
from ._emitter import get_emitter, prepare_emitter
from ._header import TraceHeader, format_header
from ._invocation import Invocation, current_invocation
from ._json import encode
from ._scope import Scope, current_scope
from ._subsegment import AwsSubsegment, load_descriptions

_NOT_RECORDED = frozenset({"GetSamplingRules", "GetSamplingTargets", "PutTraceSegments", "PutTelemetryRecords"})
_MARK = "_trace_bridge"
_TRACE_HEADER = "X-Amzn-Trace-Id"

_outgoing: ContextVar[str | None] = ContextVar("trace_bridge_outgoing", default=None)

_Call = Callable[[Any, str, dict[str, Any]], dict[str, Any]]


class _Request(Protocol):
    headers: Any


def instrument() -> None:
    """Records every AWS call of botocore and boto3, also of clients made before, and puts the trace on it.

    Inside a message a call belongs to the message's trace; outside of one, to the trace of the Lambda invocation.
    `sqs_handler` and `trace_bridge.auto` call it; an ingest handler calls it itself, once, at import.
    Calling it again changes nothing. Beside a `patch()` of the X-Ray SDK, the SDK records the calls and this does not.
    Off by `TRACE_BRIDGE_INSTRUMENT=false` or `AWS_XRAY_SDK_ENABLED=false`.
    """
    if not _state.settings.instrument:
        return
    from botocore.client import BaseClient
    from botocore.endpoint import Endpoint

    join_sdk()
    load_descriptions()
    prepare_emitter()
    clients: Any = BaseClient
    endpoints: Any = Endpoint
    if not hasattr(clients, _MARK):
        setattr(clients, _MARK, True)
        clients._make_api_call = _recording(clients._make_api_call)  # noqa: SLF001 - the one way every call takes
        endpoints.prepare_request = _carrying(endpoints.prepare_request)


def _recording(make_api_call: _Call) -> _Call:
    def _make_api_call(self: Any, operation_name: str, api_params: dict[str, Any]) -> dict[str, Any]:
        if _left_alone(self, operation_name):
            return make_api_call(self, operation_name, api_params)
        scope = current_scope()
        if scope is not None:
            return _call_in_message(scope, make_api_call, self, operation_name, api_params)
        return _call_outside(make_api_call, self, operation_name, api_params)

    return _make_api_call


def _left_alone(client: Any, operation: str) -> bool:
    import botocore.client

    if not _state.settings.instrument or hasattr(botocore.client, "_xray_enabled"):
        return True
    return operation in _NOT_RECORDED and client.meta.service_model.endpoint_prefix == "xray"


def _call_in_message(
    scope: Scope,
    make_api_call: _Call,
    client: Any,
    operation: str,
    parameters: dict[str, Any],
) -> dict[str, Any]:
    message = scope.message
    if message.recording != "recorded":
        return _with_header(message.header_text(), make_api_call, client, operation, parameters)
    subsegment = _begin(message.invocation, client, operation)
    siblings: list[Any] = (scope.opened[-1] if scope.opened else message).subsegments
    siblings.append(subsegment)
    try:
        return _recorded(subsegment, message.header_text(subsegment.id), make_api_call, client, operation, parameters)
    except BaseException as error:
        message.call_failed(error, subsegment.failed(error, parameters))
        raise


def _call_outside(
    make_api_call: _Call,
    client: Any,
    operation: str,
    parameters: dict[str, Any],
) -> dict[str, Any]:
    """A call outside of messages belongs to the invocation: to what the SDK has open, or to Lambda's own segment."""
    recorder = _sdk_recorder()
    if recorder is not None and _has_open_segment(recorder):
        from aws_xray_sdk.ext.boto_utils import aws_meta_processor

        answer: dict[str, Any] = recorder.record_subsegment(
            make_api_call,
            client,
            (client, operation, parameters),
            {},
            name=client.meta.service_model.endpoint_prefix,
            namespace="aws",
            meta_processor=_shifted(aws_meta_processor),
        )
        return answer
    header = TraceHeader.parse(os.environ.get("_X_AMZN_TRACE_ID"))
    if header is None or header.parent is None or not header.sampled:
        return make_api_call(client, operation, parameters)
    invocation = current_invocation(None)
    subsegment = _begin(invocation, client, operation)
    outgoing = format_header(header.root, subsegment.id, True, header.lineage)
    try:
        return _recorded(subsegment, outgoing, make_api_call, client, operation, parameters)
    except BaseException as error:
        subsegment.failed(error, parameters)
        raise
    finally:
        document = {
            "type": "subsegment",
            "trace_id": header.root,
            "parent_id": header.parent,
            **subsegment.to_dict(),
        }
        get_emitter().emit_text(encode(document), invocation)


def _begin(invocation: Invocation, client: Any, operation: str) -> AwsSubsegment:
    meta = client.meta
    return AwsSubsegment(
        invocation.new_id(), meta.service_model.endpoint_prefix, time.time(), operation, meta.region_name
    )


def _recorded(
    subsegment: AwsSubsegment,
    outgoing: str | None,
    make_api_call: _Call,
    client: Any,
    operation: str,
    parameters: dict[str, Any],
) -> dict[str, Any]:
    try:
        answer = _with_header(outgoing, make_api_call, client, operation, parameters)
    finally:
        subsegment.close(time.time())
    subsegment.answered(parameters, answer)
    return answer


def _with_header(
    outgoing: str | None,
    make_api_call: _Call,
    client: Any,
    operation: str,
    parameters: dict[str, Any],
) -> dict[str, Any]:
    before = _outgoing.get()
    _outgoing.set(outgoing)
    try:
        return make_api_call(client, operation, parameters)
    finally:
        _outgoing.set(before)


def _carrying(prepare_request: Callable[[Any, _Request], Any]) -> Callable[[Any, _Request], Any]:
    def _prepare_request(self: Any, request: _Request) -> Any:
        header = _outgoing.get()
        if header is not None:
            del request.headers[_TRACE_HEADER]
            request.headers[_TRACE_HEADER] = header
        elif _sdk_recorder() is not None and current_scope() is None:
            _carry_sdk_header(request)
        return prepare_request(self, request)

    return _prepare_request


def _carry_sdk_header(request: _Request) -> None:
    """Puts the trace of the subsegment that the SDK opened for this call on the request."""
    import botocore.client
    from aws_xray_sdk.ext.util import inject_trace_header

    recorder = _sdk_recorder()
    if hasattr(botocore.client, "_xray_enabled") or not _has_open_segment(recorder):
        return
    subsegment = recorder.current_subsegment()
    if subsegment is not None:
        del request.headers[_TRACE_HEADER]
        inject_trace_header(request.headers, subsegment)


def _sdk_recorder() -> Any:
    import sys

    return getattr(sys.modules.get("aws_xray_sdk.core"), "xray_recorder", None)


def _has_open_segment(recorder: Any) -> bool:
    """Whether asking the SDK for its open segment is safe: outside Lambda it complains when there is none."""
    from aws_xray_sdk.core.lambda_launcher import LambdaContext

    context = getattr(recorder.context, "inner", recorder.context)
    if isinstance(context, LambdaContext):
        return True
    return bool(getattr(getattr(context, "_local", None), "entities", None))


def _shifted(processor: Callable[..., None]) -> Callable[..., None]:
    """The SDK's processor expects a bound method: `(operation, parameters)` without the client in front."""

    def process(*, args: tuple[Any, ...], **rest: Any) -> None:
        processor(args=args[1:], **rest)

    return process
