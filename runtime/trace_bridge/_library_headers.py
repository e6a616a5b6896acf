"""The trace headers that libraries write on requests of AWS calls, before the bridge: those are not the caller's."""

from __future__ import annotations

import os
import sys
from typing import Any
from urllib.parse import quote

from . import _environment
from ._header import TraceHeader
from ._http_neighbours import is_instrumented

_INSTRUMENTORS = ("BotocoreInstrumentor", "AiobotocoreInstrumentor")
_UNQUOTED = "-=;:+&[]{}\"',"
"""What botocore does not quote; a test compares its header with the installed botocore's."""


def recursion_detection_header() -> str | None:
    """Returns the header that botocore writes in Lambda, for the detection of recursive loops; None elsewhere.

    https://github.com/boto/botocore/blob/1.44.5/botocore/handlers.py, `add_recursion_detection_header`
    """
    header = os.environ.get(_environment.LAMBDA_TRACE_HEADER)
    if not header or _environment.LAMBDA_FUNCTION_NAME not in os.environ:
        return None
    return quote(header, safe=_UNQUOTED)


def is_of_opentelemetry(header: object) -> bool:
    """Returns whether a header is that of the span which OpenTelemetry's instrumentation has opened for the call."""
    if not any(is_instrumented("botocore", instrumentor) for instrumentor in _INSTRUMENTORS):
        return False
    parsed = TraceHeader.parse(header)
    trace: Any = sys.modules.get("opentelemetry.trace")
    if parsed is None or trace is None:
        return False
    return bool(parsed.parent == f"{trace.get_current_span().get_span_context().span_id:016x}")
