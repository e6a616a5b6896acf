"""AWS calls: recorded on whatever is under way, with its trace on the wire."""

import sys
import time
from collections.abc import Mapping
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Protocol, Self

from . import _state
from ._engines import get_engine
from ._http_neighbours import is_instrumented
from ._place import current_place
from ._places import BesideSdk, InMessage, NotRecorded, OfInvocation, SpanPlace
from ._safely import safely
from ._scope import is_aside
from ._sdk_calls import SdkAwsCall, carry_sdk_header
from ._subsegment import AwsSubsegment

_NOT_RECORDED = frozenset({"GetSamplingRules", "GetSamplingTargets", "PutTraceSegments", "PutTelemetryRecords"})
_TRACE_HEADER = "X-Amzn-Trace-Id"
_BY_SDK = ""
_BY_SPAN = "the current span's"

_outgoing: ContextVar[str | None] = ContextVar("trace_bridge_outgoing", default=None)
"""The header of the call under way; empty where the SDK writes it, `_BY_SPAN` where it is that of the span that is
current when the request is made, None where botocore writes it."""


class _Request(Protocol):
    headers: Any


def left_alone(client: Any, operation: str, module: str) -> bool:
    """Returns whether a call is made as if there were no bridge.

    Args:
        client: The client.
        operation: Name of the operation.
        module: The module whose calls the X-Ray SDK's patch records.
    """
    if not _state.settings.instrument or is_aside() or hasattr(sys.modules.get(module), "_xray_enabled"):
        return True
    return operation in _NOT_RECORDED and client.meta.service_model.endpoint_prefix == "xray"


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
        self._before = _outgoing.get()
        _outgoing.set(self._header)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _outgoing.set(self._before)
        subsegment = self._subsegment
        if isinstance(subsegment, SdkAwsCall):
            safely(subsegment.end, error)
        elif subsegment is not None:
            if error is not None:
                subsegment.close(time.time())
                described = safely(subsegment.failed, error, self._parameters)
                if described is not None:
                    self._place.failed(error, described)
            self._place.ended(subsegment)


def carry(request: _Request) -> None:
    """Puts the trace of the call under way on one of its requests."""
    header = _outgoing.get()
    if header == _BY_SPAN:
        header = safely(_of_current_span)
    if header:
        del request.headers[_TRACE_HEADER]
        request.headers[_TRACE_HEADER] = header
    elif header == _BY_SDK:
        safely(carry_sdk_header, request.headers)


def _is_recorded_elsewhere(client: Any) -> bool:
    """Returns whether OpenTelemetry's own instrumentation records the calls of a client."""
    is_async = hasattr(client, "__aenter__")
    return is_instrumented("botocore", "AiobotocoreInstrumentor" if is_async else "BotocoreInstrumentor")


def _of_current_span() -> str | None:
    place = get_engine().place()
    return None if place is None or isinstance(place, NotRecorded) else place.header("")
