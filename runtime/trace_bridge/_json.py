"""JSON that X-Ray takes, of whatever a handler puts on a segment."""

import json
import math
from collections.abc import Mapping


def text_of(value: object) -> str:
    """Returns a value's text; its type where it has none."""
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - whatever a value's own __str__ raises must not cost the segment
        return f"({type(value).__name__})"


_strict = json.JSONEncoder(separators=(",", ":"), default=text_of, allow_nan=False).encode
_lenient = json.JSONEncoder(separators=(",", ":")).encode


def encode(value: object) -> str:
    """Returns the value as JSON; what JSON cannot hold (other types, NaN, cycles, odd keys) becomes its text."""
    try:
        return _strict(value)
    except Exception:  # noqa: BLE001 - whatever a container raises, as one that another thread changes meanwhile
        return _lenient(_plain(value, 20))


def with_metadata(
    metadata: Mapping[str, dict[str, object]], key: object, value: object, namespace: object
) -> dict[str, dict[str, object]]:
    """Returns metadata with another field; a key or namespace that is no text becomes its text."""
    name = key if type(key) is str else text_of(key)
    group = namespace if type(namespace) is str else text_of(namespace)
    return {**metadata, group: {**metadata.get(group, {}), name: value}}


def is_number(value: float) -> bool:
    """Returns whether Python writes a number as JSON: a finite one, and no integer larger than any float."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


quote = json.encoder.encode_basestring_ascii
"""A string as JSON, in ASCII."""


def _plain(value: object, depth: int) -> object:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return value if is_number(value) else text_of(value)
    if not depth:
        return "(nested too deep)"
    try:
        if isinstance(value, Mapping):
            return {text_of(key): _plain(item, depth - 1) for key, item in dict(value).items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [_plain(item, depth - 1) for item in tuple(value)]
    except Exception:  # noqa: BLE001 - as above
        return f"({type(value).__name__})"
    return text_of(value)
