"""The exceptions that spans failed with."""

from __future__ import annotations

from collections.abc import Iterator

from .failure_states import state_of
from .model import JsonObject, JsonValue, Span, Trace


class Exceptions:
    """The exceptions of one trace.

    A span's `cause` holds exceptions, or the id of one that another span holds:
    https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html#api-segmentdocuments-errors.

    Args:
        trace: The trace; None where nothing was recorded.
    """

    def __init__(self, trace: Trace | None) -> None:
        self._by_id: dict[str, JsonObject] = {}
        for _, span in trace.spans() if trace is not None else ():
            for exception in _recorded(span):
                if isinstance(key := exception.get("id"), str):
                    self._by_id.setdefault(key, exception)

    def of(self, span: Span) -> tuple[str, ...]:
        """Returns a span's own exceptions, each as `<type>: <message>` in a line."""
        exceptions = list(_recorded(span))
        if isinstance(span.cause, str) and span.cause in self._by_id:
            exceptions.append(self._by_id[span.cause])
        return tuple(text for exception in exceptions if (text := _text(exception)))

    def first_within(self, span: Span) -> str:
        """Returns the first exception of a span or of what is nested in it; empty where there is none."""
        return next((text for inner in span.walk() for text in self.of(inner)), "")


def failing_span(trace: Trace) -> Span | None:
    """Returns the span where a trace's last failure began: the innermost of the last failed segment.

    Segments that only pass a failure on, such as the stage before a function, hold the failed one below them.
    """
    parents = {span.id: segment for segment, span in trace.spans()}
    marked = [segment for segment in trace.segments if state_of(segment) is not None]
    # What X-Ray inferred only repeats the call that failed.
    failed = [segment for segment in marked if not segment.inferred] or marked
    if not failed:
        return next((span for _, span in trace.spans() if state_of(span) is not None), None)
    passing_on = {parents[segment.parent_id].id for segment in failed if segment.parent_id in parents}
    origins = [segment for segment in failed if segment.id not in passing_on] or failed
    span: Span = max(origins, key=lambda segment: segment.start)
    while inner := [child for child in span.subsegments if state_of(child) is not None]:
        span = max(inner, key=lambda child: child.start)
    return span


def _recorded(span: Span) -> Iterator[JsonObject]:
    exceptions = span.cause.get("exceptions") if isinstance(span.cause, dict) else None
    yield from (
        exception for exception in (exceptions if isinstance(exceptions, list) else []) if isinstance(exception, dict)
    )


def _text(exception: JsonObject) -> str:
    return ": ".join(_line(value) for value in (exception.get("type"), exception.get("message")) if value)


def _line(value: JsonValue) -> str:
    return " ".join(str(value).split())
