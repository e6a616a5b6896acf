"""The `cause` block of a span's document: its exceptions.

Source: as in `local.xray.otlp.names`: cause.go there, for Python's stack traces. An exception's own causes are left
out.
"""

import hashlib
import re
from typing import Any

from local.xray.document_tree import Document
from local.xray.otlp.names import is_aws_call, text
from local.xray.otlp.span import Event, Span

_FRAME = re.compile(r'  File "(?P<path>[^"]*)", line (?P<line>\d{1,9}), in (?P<label>.+)')
_TRACEBACK = "Traceback (most recent call last):"
_FAILED_ATTEMPT = "HTTP request failure"


def cause(span: Span) -> Document:
    """Returns the block; empty where the span has no exception and no reason."""
    exceptions: list[Document] = []
    for event in span.events:
        if event.name == "exception":
            exceptions.append(_exception(span, event))
        elif event.name == _FAILED_ATTEMPT and is_aws_call(span):
            exceptions.extend(_attempt(event))
    message = span.message or text(span.attributes.get("http.status_text"))
    if not exceptions and span.status == "ERROR" and message:
        exceptions = [{"message": message}]
    if not exceptions:
        return {}
    return {"exceptions": [{"id": _id(span, number), **entry} for number, entry in enumerate(exceptions)]}


def _exception(span: Span, event: Event) -> Document:
    trace = text(event.attributes.get("exception.stacktrace"))
    python = span.resource.get("telemetry.sdk.language") == "python"
    frames = _frames(trace) if python else []
    return {
        "type": text(event.attributes.get("exception.type")),
        "message": text(event.attributes.get("exception.message")),
        "remote": span.kind in ("CLIENT", "PRODUCER"),
        **({"stack": frames} if frames else {}),
    }


def _attempt(event: Event) -> list[Document]:
    """Returns an attempt of an AWS call that failed, as AWS's instrumentations record it."""
    status, reason = (event.attributes.get(key) for key in ("http.response.status_code", "aws.http.error_message"))
    if status is None or reason is None:
        return []
    seconds = f"{event.time // 1000 / 1_000_000:.6f}"
    return [{"type": "aws.http.error.event", "message": f"{status}@{seconds}@{reason}", "remote": True}]


def _frames(trace: str) -> list[dict[str, Any]]:
    """Returns the frames of the last exception of a stack trace, the innermost first."""
    last = trace.rpartition(_TRACEBACK)[2]
    frames = [match for line in last.splitlines() if (match := _FRAME.fullmatch(line))]
    return [{"path": frame["path"], "line": int(frame["line"]), "label": frame["label"]} for frame in reversed(frames)]


def _id(span: Span, number: int) -> str:
    """Returns an id of an exception: the same each time the span is read."""
    return hashlib.sha256(f"exception:{span.span_id}:{number}".encode()).hexdigest()[:16]
