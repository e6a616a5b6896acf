"""Which annotations X-Ray takes.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html#api-segmentdocuments-annotations
"""

import logging

from ._json import is_number

_log = logging.getLogger("trace_bridge")
_MAX_TEXT = 1000


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
