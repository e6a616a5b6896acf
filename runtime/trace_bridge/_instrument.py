"""AWS calls made through botocore: recorded on the message under way, with its trace on the wire."""

import os
import sys
import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any, Protocol

from . import _state
from ._emitter import get_emitter, prepare_emitter
from ._environment import LAMBDA_TRACE_HEADER
from ._header import TraceHeader, format_header
from ._http_clients import follow_http_clients
from ._http_hosts import ignore_hosts as add_ignored_hosts
from ._invocation import Invocation, current_invocation
from ._json import encode
from ._place import parent_outside
from ._safely import safely
from ._scope import Scope, current_scope, inherited_scope, is_aside
from ._sdk_calls import call_by_sdk, carry_sdk_header, has_open_segment, sdk_recorder
from ._sdk_joining import is_on, join_sdk
from ._subsegment import AwsSubsegment
from ._threads import follow_threads

_NOT_RECORDED = frozenset({"GetSamplingRules", "GetSamplingTargets", "PutTraceSegments", "PutTelemetryRecords"})
_MARK = "_trace_bridge"
_TRACE_HEADER = "X-Amzn-Trace-Id"
_BY_SDK = ""

_outgoing: ContextVar[str | None] = ContextVar("trace_bridge_outgoing", default=None)
"""The header of the call under way; empty where the SDK writes it, None where botocore does."""

_Call = Callable[[Any, str, dict[str, Any]], dict[str, Any]]


class _Request(Protocol):
    headers: Any


def instrument(*, ignore_hosts: Iterable[str] = ()) -> None:
    """Records every AWS call of botocore, boto3 and aiobotocore and every HTTP call, and puts the trace on it.

    HTTP calls are those of requests, urllib3, urllib, httpx and aiohttp, each where the application loads it, before or
    after; a call is recorded once, also where one client runs on another. Clients made before are included.
    Inside a message a call belongs to the message's trace; outside of one, to the trace of the Lambda invocation.
    Calls that boto3's transfers of S3 or `loop.run_in_executor` make in other threads belong to their message too.
    `sqs_handler`, `poll` and `trace_bridge.auto` call it; an ingest handler calls it itself, once, at import.
    Calling it again only adds hosts to ignore. Where the application has the X-Ray SDK's `patch()` or OpenTelemetry's
    instrumentation record the calls of an HTTP client, they are left to those; AWS calls to the X-Ray SDK's.
    Off by `TRACE_BRIDGE_INSTRUMENT=false` or `AWS_XRAY_SDK_ENABLED=false`.

    Args:
        ignore_hosts: Hosts whose HTTP calls are left as they are, beside those of `TRACE_BRIDGE_IGNORE_HOSTS`:
            `example.com`; `*.example.com` for every host below it. The ends of Lambda, of the X-Ray daemon and of
            instance and task metadata always are.

    Raises:
        ConfigurationError: One of them is no host.
    """
    add_ignored_hosts(ignore_hosts)
    if not _state.settings.instrument:
        return
    from botocore.client import BaseClient
    from botocore.endpoint import Endpoint

    join_sdk()
    prepare_emitter()
    follow_threads()
    follow_http_clients()
    clients: Any = BaseClient
    endpoints: Any = Endpoint
    if not hasattr(clients, _MARK):
        clients._make_api_call = _recording(clients._make_api_call, clients)  # noqa: SLF001 - every call's one way
        endpoints.prepare_request = _carrying(endpoints.prepare_request, endpoints)
    # Where the bridge itself is imported anew, its newest copy is asked.
    setattr(clients, _MARK, staticmethod(_call))
    setattr(endpoints, _MARK, staticmethod(_carry))


def _recording(make_api_call: _Call, clients: Any) -> _Call:
    def _make_api_call(self: Any, operation_name: str, api_params: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = clients._trace_bridge(make_api_call, self, operation_name, api_params)  # noqa: SLF001
        return answer

    return _make_api_call


def _carrying(prepare_request: Callable[[Any, _Request], Any], endpoints: Any) -> Callable[[Any, _Request], Any]:
    def _prepare_request(self: Any, request: _Request) -> Any:
        endpoints._trace_bridge(request)  # noqa: SLF001 - set above
        return prepare_request(self, request)

    return _prepare_request


def _call(make_api_call: _Call, client: Any, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    if _left_alone(client, operation):
        return make_api_call(client, operation, parameters)
    scope = current_scope()
    if scope is None or scope.message.recording == "none":
        return _call_outside(make_api_call, client, operation, parameters)
    return _call_in_message(scope, make_api_call, client, operation, parameters)


def _left_alone(client: Any, operation: str) -> bool:
    if not _state.settings.instrument or is_aside() or hasattr(sys.modules.get("botocore.client"), "_xray_enabled"):
        return True
    if operation in _NOT_RECORDED and client.meta.service_model.endpoint_prefix == "xray":
        return True
    return _state.settings.enabled and not is_on()


def _call_in_message(
    scope: Scope,
    make_api_call: _Call,
    client: Any,
    operation: str,
    parameters: dict[str, Any],
) -> dict[str, Any]:
    message = scope.message
    parent: Any = next((entity for entity in reversed(scope.opened) if entity.in_progress), message)
    if parent is not message and not hasattr(getattr(parent, "parent_segment", parent), "message"):
        # Below a segment of the handler's own, the call is the SDK's to record and to send.
        return _call_below_own_segment(make_api_call, client, operation, parameters)
    subsegment = _begin(message.invocation, client, operation) if message.recording == "recorded" else None
    if subsegment is None:
        return _with_header(message.header_text(), make_api_call, client, operation, parameters)
    if not message.invocation.inherited:
        parent.subsegments.append(subsegment)
    try:
        return _recorded(subsegment, message.header_text(subsegment.id), make_api_call, client, operation, parameters)
    except BaseException as error:
        described = safely(subsegment.failed, error, parameters)
        if described is not None:
            message.call_failed(error, described)
        raise
    finally:
        if message.invocation.inherited:
            _emit_alone(subsegment, str(message.trace_id), parent.id, message.invocation)


def _call_outside(
    make_api_call: _Call,
    client: Any,
    operation: str,
    parameters: dict[str, Any],
) -> dict[str, Any]:
    """Makes a call outside of messages.

    It belongs to the invocation: to what the SDK has open, or to Lambda's own segment.
    """
    outlived = inherited_scope() is not None and current_scope() is None
    if not outlived and has_open_segment(sdk_recorder()):
        return _call_below_own_segment(make_api_call, client, operation, parameters)
    header = TraceHeader.parse(os.environ.get(LAMBDA_TRACE_HEADER))
    parent_id = None if header is None else parent_outside(header)
    if header is None or parent_id is None or not header.sampled:
        return make_api_call(client, operation, parameters)
    invocation = current_invocation(None)
    subsegment = _begin(invocation, client, operation)
    if subsegment is None:
        return make_api_call(client, operation, parameters)
    outgoing = format_header(header.root, subsegment.id, True, header.lineage)
    try:
        return _recorded(subsegment, outgoing, make_api_call, client, operation, parameters)
    except BaseException as error:
        safely(subsegment.failed, error, parameters)
        raise
    finally:
        _emit_alone(subsegment, header.root, parent_id, invocation)


def _call_below_own_segment(
    make_api_call: _Call, client: Any, operation: str, parameters: dict[str, Any]
) -> dict[str, Any]:
    before = _outgoing.get()
    _outgoing.set(_BY_SDK)
    try:
        return call_by_sdk(make_api_call, client, operation, parameters)
    finally:
        _outgoing.set(before)


def _emit_alone(subsegment: AwsSubsegment, trace_id: str, parent_id: str, invocation: Invocation) -> None:
    safely(_emit, subsegment, trace_id, parent_id, invocation)


def _emit(subsegment: AwsSubsegment, trace_id: str, parent_id: str, invocation: Invocation) -> None:
    document = {"type": "subsegment", "trace_id": trace_id, "parent_id": parent_id, **subsegment.to_dict()}
    get_emitter().emit_text(encode(document), invocation)


def _begin(invocation: Invocation, client: Any, operation: str) -> AwsSubsegment | None:
    return safely(_begun, invocation, client, operation)


def _begun(invocation: Invocation, client: Any, operation: str) -> AwsSubsegment:
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
    safely(subsegment.answered, parameters, answer)
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


def _carry(request: _Request) -> None:
    header = _outgoing.get()
    if header:
        del request.headers[_TRACE_HEADER]
        request.headers[_TRACE_HEADER] = header
    elif header == _BY_SDK:
        safely(carry_sdk_header, request.headers)
