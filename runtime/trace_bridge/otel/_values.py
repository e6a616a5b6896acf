"""Values of OpenTelemetry's attributes, read as the collector reads them."""

from collections.abc import Mapping, Sequence


def text_of(value: object) -> str:
    """Returns a text; empty where the value is anything else."""
    return value if isinstance(value, str) else ""


def number_of(value: object) -> int:
    """Returns a whole number; 0 where the value is anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def texts_of(value: object) -> list[str]:
    """Returns texts: those of a sequence, or those of one text, separated by `&` as in `OTEL_RESOURCE_ATTRIBUTES`."""
    if isinstance(value, str):
        return [part for part in value.split("&") if part]
    if isinstance(value, Sequence):
        return [text_of(item) for item in value]
    return []


def plain(value: object) -> object:
    """Returns a value as JSON has it: sequences as lists, mappings as dicts."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [plain(item) for item in value]
    return value
