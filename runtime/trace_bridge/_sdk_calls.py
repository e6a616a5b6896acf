"""AWS calls below a segment that the X-Ray SDK has open and sends by itself: recorded by the SDK."""

import sys
import time
import traceback
from typing import Any

from ._safely import safely

_TRACE_HEADER = "X-Amzn-Trace-Id"


def sdk_recorder() -> Any:
    """Returns the SDK's recorder; None where the SDK is not loaded."""
    return getattr(sys.modules.get("aws_xray_sdk.core"), "xray_recorder", None)


def has_open_segment(recorder: Any) -> bool:
    """Returns whether the SDK can be asked for its open segment: outside Lambda it complains when there is none."""
    if recorder is None:
        return False
    context = getattr(recorder.context, "inner", recorder.context)
    if any(kind.__name__ == "LambdaContext" for kind in type(context).__mro__):
        return True
    return bool(getattr(getattr(context, "_local", None), "entities", None))


def carry_sdk_header(headers: Any) -> None:
    """Puts the trace of the subsegment that the SDK opened for this call on the request."""
    from aws_xray_sdk.ext.util import inject_trace_header

    subsegment = sdk_recorder().current_subsegment()
    if subsegment:
        del headers[_TRACE_HEADER]
        inject_trace_header(headers, subsegment)


class SdkAwsCall:
    """An AWS call in a subsegment of the SDK's, as the SDK's own patch of botocore records it.

    Args:
        recorder: The SDK's recorder.
        client: The client.
        operation: Name of the operation.
        parameters: The parameters of the call.
    """

    __slots__ = ("_client", "_entity", "_operation", "_parameters", "_recorder", "answer")

    def __init__(self, recorder: Any, client: Any, operation: str, parameters: Any) -> None:
        self.answer: Any = None
        """The answer; None before it is there, and where there is none."""
        self._recorder = recorder
        self._client = client
        self._operation = operation
        self._parameters = parameters
        self._entity = recorder.begin_subsegment(client.meta.service_model.endpoint_prefix, "aws")

    def end(self, error: BaseException | None) -> None:
        """Describes the call and ends its subsegment."""
        if self._entity is None:
            return
        ended = time.time()
        failure = error if isinstance(error, Exception) else None
        stack = None if failure is None else traceback.extract_stack(limit=self._recorder.max_trace_back)
        safely(self._describe, failure, stack)
        self._recorder.end_subsegment(ended)

    def _describe(self, error: Exception | None, stack: Any) -> None:
        from aws_xray_sdk.ext.boto_utils import aws_meta_processor

        call = (self._operation, self._parameters)
        aws_meta_processor(None, self._client, call, {}, self.answer, error, self._entity, stack)


class SdkHttpCall:
    """An HTTP call in a subsegment of the SDK's, as the SDK's own patches record it.

    Args:
        recorder: The SDK's recorder.
        name: Name of the subsegment.
        method: The request's method.
        url: The request's URL, as it is to be recorded.
    """

    __slots__ = ("_entity", "_recorder", "header")

    def __init__(self, recorder: Any, name: str, method: str, url: str) -> None:
        from aws_xray_sdk.ext.util import inject_trace_header

        self.header: str | None = None
        """The trace header that the call carries."""
        self._recorder = recorder
        self._entity = recorder.begin_subsegment(name, "remote")
        if self._entity is not None:
            self._entity.put_http_meta("method", method)
            self._entity.put_http_meta("url", url)
            headers: dict[str, str] = {}
            inject_trace_header(headers, self._entity)
            self.header = headers.get(_TRACE_HEADER)

    def answered(self, status: int | None, length: int | None) -> None:
        """Records the answer."""
        if self._entity is not None:
            if status is not None:
                self._entity.put_http_meta("status", status)
            if length is not None:
                self._entity.put_http_meta("content_length", length)

    def end(self, error: BaseException | None) -> None:
        """Ends the subsegment."""
        end_sdk_subsegment(self._recorder, self._entity, error)


def end_sdk_subsegment(recorder: Any, entity: Any, error: BaseException | None) -> None:
    """Ends a subsegment of the SDK's; what has been opened in its place since stays open.

    Args:
        recorder: The SDK's recorder.
        entity: The subsegment; None where the SDK had nothing to open one below.
        error: What the work failed with; None when it succeeded.
    """
    if entity is None:
        return
    if error is not None:
        entity.add_exception(error, traceback.extract_tb(error.__traceback__))
    if recorder.current_subsegment() is entity:
        recorder.end_subsegment()
    elif entity.in_progress:
        entity.close()
