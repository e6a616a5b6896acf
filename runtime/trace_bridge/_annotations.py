"""Which annotations X-Ray takes, and what a link is.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html#api-segmentdocuments-annotations
"""

import logging
import re

from ._json import is_number

_log = logging.getLogger("trace_bridge")
_MAX_TEXT = 1000
_TRACE_ID = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
_SEGMENT_ID = re.compile(r"[0-9a-f]{16}")


def checked_annotation(key: object, value: object) -> str | int | float | bool | None:
    """Returns an annotation's value as X-Ray takes it.

    Args:
        key: Letters, digits and `_`.
        value: A string, finite number or boolean.

    Returns:
        The value, a string cut to 1,000 characters; None, with a warning as the X-Ray SDK's, for one to be dropped.
    """
    if not isinstance(key, str) or not key.isascii() or not key.replace("_", "a").isalnum():
        _log.warning("annotation %r dropped: a key consists of letters, digits and _", key)
        return None
    if isinstance(value, str):
        return value[:_MAX_TEXT]
    if isinstance(value, int | float) and is_number(value):
        return value
    kind = type(value).__name__
    _log.warning("annotation %r dropped: its %s is no string, finite number or boolean", key, kind)
    return None


def checked_link(trace_id: object, segment_id: object) -> dict[str, str] | None:
    """Returns a link to a segment of another trace, its ids in lower case.

    Args:
        trace_id: `1-<8 hex digits>-<24 hex digits>`.
        segment_id: 16 hex digits.

    Returns:
        The link; None, with a warning, where it is none.
    """
    trace, segment = str(trace_id).lower(), str(segment_id).lower()
    if _TRACE_ID.fullmatch(trace) and _SEGMENT_ID.fullmatch(segment):
        return {"trace_id": trace, "segment_id": segment}
    _log.warning(
        "link to segment %r of trace %r dropped: expected 16 hex digits, and 1-, 8 hex digits, - and 24 hex digits",
        segment_id,
        trace_id,
    )
    return None
