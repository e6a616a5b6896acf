"""What API Gateway's validator says about a body: `$context.error.validationErrorString`.

Source: API Gateway Developer Guide, "Gateway responses", lists the variable; its words are those of the Java library
json-schema-validator, as seen in answers of AWS. Which keywords come first in a list of several is assumed.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
    "integer": (int,),
    "number": (int, float),
}


def explain(schema: Schema, body: bytes) -> str:
    """Says why a body does not fit, for the keywords that requests are usually checked by.

    Returns:
        A list in brackets, or empty for a reason none of these keywords gives.
    """
    try:
        words = list(_violations(schema, json.loads(body)))
    except (ValueError, RecursionError):
        return "Invalid JSON"
    return f"[{', '.join(words)}]" if words else ""


def _violations(schema: Schema, value: object) -> Iterator[str]:
    allowed = schema.get("type")
    names = [allowed] if isinstance(allowed, str) else list(allowed or [])
    if names and not any(_is(name, value) for name in names):
        listed = json.dumps(sorted(names), separators=(",", ":"))
        yield f"instance type ({_type(value)}) does not match any allowed primitive type (allowed: {listed})"
        return
    if "enum" in schema and value not in schema["enum"]:
        listed = json.dumps(schema["enum"], separators=(",", ":"))
        yield f"instance value ({json.dumps(value)}) not found in enum (possible values: {listed})"
    match value:
        case dict():
            yield from _of_object(schema, value)
        case list():
            if isinstance(schema.get("items"), dict):
                for item in value:
                    yield from _violations(schema["items"], item)
        case str():
            yield from _of_string(schema, value)
        case int() | float():
            yield from _of_number(schema, value)


def _of_object(schema: Schema, value: dict[str, Any]) -> Iterator[str]:
    missing = sorted(name for name in schema.get("required") or [] if name not in value)
    if missing:
        yield f"object has missing required properties ({json.dumps(missing, separators=(',', ':'))})"
    properties = schema.get("properties") or {}
    extra = sorted(name for name in value if name not in properties)
    if extra and schema.get("additionalProperties") is False and not schema.get("patternProperties"):
        listed = json.dumps(extra, separators=(",", ":"))
        yield f"object instance has properties which are not allowed by the schema: {listed}"
    if len(value) < (least := schema.get("minProperties", 0)):
        yield f"object has too few properties (found {len(value)} but schema requires at least {least})"
    for name, sub in properties.items():
        if name in value and isinstance(sub, dict):
            yield from _violations(sub, value[name])


def _of_string(schema: Schema, value: str) -> Iterator[str]:
    least, most, pattern = schema.get("minLength", 0), schema.get("maxLength"), schema.get("pattern")
    if len(value) < least:
        yield f"string {json.dumps(value)} is too short (length: {len(value)}, required minimum: {least})"
    if most is not None and len(value) > most:
        yield f"string {json.dumps(value)} is too long (length: {len(value)}, maximum allowed: {most})"
    if pattern and not re.search(pattern, value):
        yield f"ECMA 262 regex {json.dumps(pattern)} does not match input string {json.dumps(value)}"


def _of_number(schema: Schema, value: float) -> Iterator[str]:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and value < least:
        yield f"numeric instance is lower than the required minimum (minimum: {least}, found: {value})"
    if most is not None and value > most:
        yield f"numeric instance is greater than the required maximum (maximum: {most}, found: {value})"


def _is(name: str, value: object) -> bool:
    return isinstance(value, _TYPES.get(name, (object,))) and not (
        isinstance(value, bool) and name in ("integer", "number")
    )


def _type(value: object) -> str:
    return next((name for name in _TYPES if _is(name, value)), "null")
