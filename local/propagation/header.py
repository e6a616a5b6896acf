"""The tracing header `X-Amzn-Trace-Id`, also carried as `AWSTraceHeader` and `_X_AMZN_TRACE_ID`.

Source: AWS X-Ray Developer Guide, "Concepts", "Tracing header".
"""

import re
import secrets
import time
from dataclasses import dataclass
from typing import Literal, Self

Sampled = Literal["0", "1", "?"]

NAME = "X-Amzn-Trace-Id"
"""The HTTP header's name, as API Gateway writes it."""

_ROOT = re.compile(r"1-[0-9a-fA-F]{8}-[0-9a-fA-F]{24}")
_ENTITY = re.compile(r"[0-9a-fA-F]{16}")


def new_trace_id() -> str:
    """Makes a trace id of the present second, as `1-<8 hex: epoch>-<24 hex: random>`."""
    return f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"


def new_entity_id() -> str:
    """Makes a segment or subsegment id: 16 hexadecimal digits."""
    return secrets.token_hex(8)


def is_trace_id(text: str) -> bool:
    """Tells whether `text` has the form of a trace id."""
    return _ROOT.fullmatch(text) is not None


def is_entity_id(text: str) -> bool:
    """Tells whether `text` has the form of a segment id."""
    return _ENTITY.fullmatch(text) is not None


@dataclass(frozen=True, kw_only=True)
class TraceHeader:
    """One tracing header.

    Attributes:
        root: The trace id.
        parent: Id of the segment or subsegment that made the call; `None` when the header names none.
        sampled: The decision taken upstream; `None` when the header carries none, `?` when it is asked for.
        lineage: Lambda's hop counters, kept for its detection of recursive loops.
        others: Every other key, in the order it came.
    """

    root: str
    parent: str | None = None
    sampled: Sampled | None = None
    lineage: str | None = None
    others: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        """Reads a header; `None` unless it is well formed and has a Root."""
        fields = _fields(text or "")
        if fields is None:
            return None
        root, parent, sampled = fields.pop("Root", ""), fields.pop("Parent", None), fields.pop("Sampled", None)
        if not is_trace_id(root) or (parent is not None and not is_entity_id(parent)):
            return None
        if sampled not in (None, "0", "1", "?"):
            return None
        lineage = fields.pop("Lineage", None)
        others = tuple(fields.items())
        return cls(root=root, parent=parent, sampled=_sampled(sampled), lineage=lineage, others=others)

    def render(self) -> str:
        """Writes the header in the order AWS writes it: Root, Parent, Sampled, Lineage, the rest."""
        known = (
            ("Root", self.root),
            ("Parent", self.parent),
            ("Sampled", self.sampled),
            ("Lineage", self.lineage),
        )
        return ";".join(f"{key}={value}" for key, value in (*known, *self.others) if value is not None)


def _fields(text: str) -> dict[str, str] | None:
    fields: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        key, separator, value = part.partition("=")
        if not separator:
            return None
        fields[key.strip()] = value.strip()
    return fields or None


def _sampled(text: str | None) -> Sampled | None:
    match text:
        case "0" | "1" | "?":
            return text
        case _:
            return None
