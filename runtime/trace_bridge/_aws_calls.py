"""AWS calls: recorded on whatever is under way, with its trace on the wire."""

from __future__ import annotations

import time
from contextvars import ContextVar
from typing import TYPE_CHECKING

import botocore.client

from . import _forks, _state
from ._engines import get_engine
from ._place import current_place, usual_parent
from ._places import BesideSdk, InMessage, NotRecorded, OfInvocation
from ._safely import safely
from ._scope import inherited_scope, is_aside
from ._subsegment import AwsSubsegment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Any, Self

    from ._own_subsegment import OwnSubsegment
    from ._places import SpanPlace
    from ._sdk_calls import SdkAwsCall
    from ._segment import MessageSegment


_NOT_RECORDED = frozenset({"GetSamplingRules", "GetSamplingTargets", "PutTraceSegments", "PutTelemetryRecords"})
_BOTOCORE = vars(botocore.client)

_TRACE_HEADER = "X-Amzn-Trace-Id"
_BY_SDK = ""
_BY_SPAN = "the current span's"

_outgoing: ContextVar[str | None] = ContextVar("trace_bridge_outgoing", default=None)

outgoing = _outgoing.get
"""Returns the trace header for the requests of the call under way.

None: the header that botocore writes stays. `_BY_SDK`: it is that of the X-Ray SDK's subsegment. `_BY_SPAN`: it is that
of the span that is current when the request is made.
"""

set_outgoing = _outgoing.set


def left_alone(client: Any, operation: str, module: Mapping[str, object]) -> bool:
    """Returns whether a call is made as if there were no bridge.

    Args:
        client: The client.
        operation: Name of the operation.
        module: What is in the client's module, which the X-Ray SDK's patch marks.
    """
    if "_xray_enabled" in module or not _state.settings.instrument or is_aside():
        return True
    return operation in _NOT_RECORDED and client.meta.service_model.endpoint_prefix == "xray"


def record_call(
    make_api_call: Callable[..., Mapping[str, Any]], client: Any, operation_name: str, api_params: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Makes a call of botocore's client, and records it. The parameters are named as botocore's: some give them so."""
    if left_alone(client, operation_name, _BOTOCORE):
        return make_api_call(client, operation_name, api_params)
    scope = inherited_scope()
    parent = None if scope is None else usual_parent(scope)
    if scope is None or parent is None:
        with AwsCall(client, operation_name, api_params) as call:
            answer = make_api_call(client, operation_name, api_params)
            call.answered(answer)
        return answer
    # The usual way, without the steps of `AwsCall`: below a message, which sends it.
    message, meta = scope.message, client.meta
    invocation = message.invocation
    service, region = meta.service_model.endpoint_prefix, meta.region_name
    subsegment = AwsSubsegment(invocation.new_id(), service, time.time(), operation_name, region)
    parent.subsegments.append(subsegment)
    message.room -= 1
    before = outgoing()
    set_outgoing(message.header_text(subsegment.id))
    try:
        answer = make_api_call(client, operation_name, api_params)
    except BaseException as error:
        set_outgoing(before)
        subsegment.close(time.time())
        described = safely(subsegment.failed, error, api_params)
        if described is not None:
            message.call_failed(error, described)
        _ended(message, parent, subsegment)
        raise
    set_outgoing(before)
    subsegment.close(time.time())
    safely(subsegment.answered, api_params, answer)
    _ended(message, parent, subsegment)
    return answer


def prepare_request(prepare: Callable[..., Any], endpoint: Any, request: Any) -> Any:
    """Prepares a request of botocore's endpoint, with the trace of the call under way on it."""
    header = outgoing()
    if header is not None:
        safely(_carry, request.headers, header)
    return prepare(endpoint, request)


def _ended(message: MessageSegment, parent: MessageSegment | OwnSubsegment, subsegment: AwsSubsegment) -> None:
    # In a process forked meanwhile, the message is the parent process's to send.
    if message.invocation.process != _forks.number:
        InMessage(message, parent).ended(subsegment)


class AwsCall:
    """One call of a client, as a context manager around the client's own work.

    Whatever is wrong with the record costs the record alone.

    Args:
        client: The client, of botocore or aiobotocore.
        operation: Name of the operation.
        parameters: The parameters of the call.
    """

    __slots__ = ("_before", "_header", "_parameters", "_place", "_subsegment")

    def __init__(self, client: Any, operation: str, parameters: Mapping[str, Any]) -> None:
        self._parameters = parameters
        self._header: str | None = None
        self._subsegment: AwsSubsegment | SdkAwsCall | None = None
        safely(self._begin, client, operation)

    def _begin(self, client: Any, operation: str) -> None:
        place = current_place()
        if isinstance(place, NotRecorded):
            # Outside of messages botocore itself passes Lambda's header on.
            self._header = place.passed_on if place.in_message else None
        elif isinstance(place, BesideSdk):
            from ._sdk_calls import SdkAwsCall

            self._header = _BY_SDK
            self._subsegment = SdkAwsCall(place.recorder, client, operation, self._parameters)
        elif not isinstance(place, InMessage | OfInvocation) and _is_recorded_elsewhere(client):
            self._header = _BY_SPAN
        else:
            meta = client.meta
            subsegment = AwsSubsegment(
                place.new_id(), meta.service_model.endpoint_prefix, time.time(), operation, meta.region_name
            )
            place.add(subsegment)
            self._place: InMessage | OfInvocation | SpanPlace = place
            self._subsegment = subsegment
            self._header = place.header(subsegment.id)

    def answered(self, answer: Mapping[str, Any]) -> None:
        """Records the answer."""
        if isinstance(self._subsegment, AwsSubsegment):
            self._subsegment.close(time.time())
            safely(self._subsegment.answered, self._parameters, answer)
        elif self._subsegment is not None:
            self._subsegment.answer = answer

    def __enter__(self) -> Self:
        self._before = outgoing()
        set_outgoing(self._header)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        set_outgoing(self._before)
        subsegment = self._subsegment
        if subsegment is None:
            return
        if not isinstance(subsegment, AwsSubsegment):
            safely(subsegment.end, error)
        else:
            if error is not None:
                subsegment.close(time.time())
                described = safely(subsegment.failed, error, self._parameters)
                if described is not None:
                    self._place.failed(error, described)
            self._place.ended(subsegment)


def _carry(headers: Any, header: str) -> None:
    """Puts the trace of the call under way on one of its requests; a trace header of the caller's own stays."""
    present = headers.get_all(_TRACE_HEADER, ())
    if present and not _is_of_a_library(present[-1]):  # the last of several is sent
        return
    if header == _BY_SPAN:
        header = of_span if (of_span := safely(_of_current_span)) is not None else ""
    elif header == _BY_SDK:
        from ._sdk_calls import carry_sdk_header

        safely(carry_sdk_header, headers)
    if not header:
        return
    if len(present) == 1:
        headers.replace_header(_TRACE_HEADER, header)
    else:
        if present:
            del headers[_TRACE_HEADER]
        headers[_TRACE_HEADER] = header


_from_botocore: object = ""
"""The header that botocore wrote last. It is kept, since all calls of an invocation have the same, and to make it anew
takes longer than all else that is done to a request's header."""


def _is_of_a_library(header: object) -> bool:
    """Returns whether the trace header of a request was written by a library, not by the caller."""
    global _from_botocore
    if header == _from_botocore:
        return True
    from ._library_headers import is_of_opentelemetry, recursion_detection_header

    if header == recursion_detection_header():
        _from_botocore = header
        return True
    return is_of_opentelemetry(header)


def _is_recorded_elsewhere(client: Any) -> bool:
    """Returns whether OpenTelemetry's own instrumentation records the calls of a client."""
    from ._http_neighbours import is_instrumented

    is_async = hasattr(client, "__aenter__")
    return is_instrumented("botocore", "AiobotocoreInstrumentor" if is_async else "BotocoreInstrumentor")


def _of_current_span() -> str | None:
    place = get_engine().place()
    return None if place is None or isinstance(place, NotRecorded) else place.header("")
