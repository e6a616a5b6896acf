"""The trace header: `X-Amzn-Trace-Id` on HTTP, `AWSTraceHeader` on a message, `_X_AMZN_TRACE_ID` in Lambda."""

import re
from typing import NamedTuple

canonical_header = re.compile(
    r"Root=1-[0-9a-f]{8}-(?!0{24})[0-9a-f]{24};Parent=(?!0{16})[0-9a-f]{16};Sampled=[01]"
    r"(?:;Lineage=[^;=\s]{1,1024})?"
).fullmatch
"""Matches a header as AWS services and the SDKs write it: root, parent, `0` or `1`, lineage.

Its fields stand at fixed places; a slice is quicker than a group of the match.
"""

ROOT, PARENT, SAMPLED, LINEAGE = slice(5, 40), slice(48, 64), 73, slice(83, None)
"""Where the fields of such a header are."""

_LEFT_OUT = ";Parent=0123456789abcdef;Sampled=0"
"""What a header of root and lineage alone lacks of a canonical one."""

_ZERO_PARENT = "0" * 16
_ZERO_UNIQUE = "0" * 24
_MAX_LENGTH = 4096


class TraceHeader(NamedTuple):
    """A trace header whose root is valid.

    Format: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader

    Attributes:
        root: The trace id, `1-<8 hex digits>-<24 hex digits>`, in lower case.
        parent: Id of the segment or subsegment that sent the header, 16 hex digits in lower case; None when
            the header names none, or one that is malformed or all zeros.
        sampled: True for `Sampled=1`, False for `Sampled=0`; None when the sender left the decision open
            (`Sampled=?`, no `Sampled` at all, or a value X-Ray does not define).
        lineage: Lambda's hop counter for the detection of recursive loops, as it came.
    """

    root: str
    parent: str | None = None
    sampled: bool | None = None
    lineage: str | None = None

    @classmethod
    def parse(cls, text: object) -> "TraceHeader | None":
        """Reads a header, in any order and case of its keys, with spaces, unknown keys and a trailing `;`.

        Args:
            text: What stands where a header is expected.

        Returns:
            The header, or None when there is none to follow: no text, or no valid `Root`. Never raises.
        """
        if not isinstance(text, str):
            return None
        if canonical_header(text) is not None:
            # Half the time of cls(...), which goes by a function of Python's own making.
            return tuple.__new__(cls, (text[ROOT], text[PARENT], text[SAMPLED] == "1", text[LINEAGE] or None))
        if text[40:49] == ";Lineage=" and canonical_header(f"{text[:40]}{_LEFT_OUT}{text[40:]}") is not None:
            # What a function with PassThrough tracing has.
            return tuple.__new__(cls, (text[ROOT], None, None, text[49:]))
        return cls._parse_tolerantly(text) if len(text) <= _MAX_LENGTH else None

    @classmethod
    def _parse_tolerantly(cls, text: str) -> "TraceHeader | None":
        fields: dict[str, str] = {}
        for part in text.split(";"):
            key, separator, value = part.partition("=")
            if separator:
                fields.setdefault(key.strip().lower(), value.strip())
        root = fields.get("root", "").lower()
        version, _, rest_of_root = root.partition("-")
        began, _, unique = rest_of_root.partition("-")
        if version != "1" or not _is_hex(began, 8) or not _is_hex(unique, 24) or unique == _ZERO_UNIQUE:
            return None
        parent = fields.get("parent", "").lower()
        return cls(
            root=root,
            parent=parent if _is_hex(parent, 16) and parent != _ZERO_PARENT else None,
            sampled={"1": True, "0": False}.get(fields.get("sampled", "")),
            lineage=fields.get("lineage") or None,
        )

    def format(self) -> str:
        """Writes the header in the order AWS uses; what is None is left out."""
        return format_header(self.root, self.parent, self.sampled, self.lineage)


def _is_hex(text: str, digits: int) -> bool:
    return len(text) == digits and not text.strip("0123456789abcdef")


def format_header(root: str, parent: str | None, sampled: bool | None, lineage: str | None) -> str:
    """Writes a header from its parts: `Root=…;Parent=…;Sampled=…;Lineage=…`, leaving out what is None."""
    text = f"Root={root}"
    if parent is not None:
        text += f";Parent={parent}"
    if sampled is not None:
        text += ";Sampled=1" if sampled else ";Sampled=0"
    if lineage is not None:
        text += f";Lineage={lineage}"
    return text
