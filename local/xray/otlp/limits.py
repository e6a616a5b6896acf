"""What X-Ray's OTLP endpoint takes at most.

Source: CloudWatch User Guide, "OTLP Endpoints", "Endpoint limits and restrictions". Which of them refuse the whole
call, and which one span, is assumed where the guide does not say it.
"""

import time
from collections.abc import Iterable

from local.xray.otlp.span import Span

MAX_BODY_BYTES = 5 * 1024 * 1024
""""Maximum uncompressed bytes / request: 5 MB"."""

MAX_SPANS = 10_000
""""Exceeding this limit will cause rejection of the API call"."""

MAX_SPAN_BYTES = 200 * 1024
""""Spans more than 200KB will [be] rejected by the endpoint"."""

_FUTURE_SECONDS = 2 * 3600
_PAST_SECONDS = 14 * 24 * 3600
_GAP_SECONDS = 24 * 3600
_NANOSECONDS = 1_000_000_000


def call_problem(spans: Iterable[Span], *, now: float | None = None) -> str | None:
    """Returns why a call with these spans is refused as a whole; `None` if it is not.

    Args:
        spans: The spans.
        now: Seconds since 1970; by default the present.
    """
    starts = [span.start / _NANOSECONDS for span in spans]
    if len(starts) > MAX_SPANS:
        return f"the request has {len(starts)} spans, the limit is {MAX_SPANS}"
    if not starts:
        return None
    present = time.time() if now is None else now
    if max(starts) > present + _FUTURE_SECONDS:
        return "a span begins more than two hours in the future"
    if min(starts) < present - _PAST_SECONDS:
        return "a span begins more than 14 days in the past"
    if max(starts) - min(starts) > _GAP_SECONDS:
        return "the spans begin more than 24 hours apart"
    return None


def span_problem(span: Span) -> str | None:
    """Returns why one span is refused; `None` if it is not."""
    if span.size > MAX_SPAN_BYTES:
        return f"span {span.span_id} has {span.size} bytes, the limit is {MAX_SPAN_BYTES}"
    return None
