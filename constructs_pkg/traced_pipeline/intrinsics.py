"""Resolved property values: text, numbers, and CloudFormation's intrinsic functions where a token was.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_IN_SUB = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.[^}]*)?\}")
_ANY_IN_SUB = re.compile(r"\$\{[^}]*\}")
_UNKNOWN = "*"


def part_of(value: object, name: str) -> object:
    """Returns a part of a structure, whose name is spelled as in `functionName` or as in a template.

    Returns:
        The part; None where there is none; the value itself where that is an intrinsic function.
    """
    if not isinstance(value, Mapping):
        return None
    return value.get(name, value.get(f"{name[:1].upper()}{name[1:]}", value if is_intrinsic(value) else None))


def is_intrinsic(value: object) -> bool:
    """Returns whether a value is an intrinsic function, and so not known at synthesis."""
    return isinstance(value, Mapping) and len(value) == 1 and any(_is_function(name) for name in value)


def logical_ids_in(value: object) -> Iterator[str]:
    """Yields the logical id of each resource, parameter or pseudo parameter that a value refers to."""
    if isinstance(value, list):
        for item in value:
            yield from logical_ids_in(item)
    if not isinstance(value, Mapping):
        return
    for name, inner in value.items():
        match name, inner:
            case "Ref", str(logical_id):
                yield logical_id
            case "Fn::GetAtt", [str(logical_id), *_]:
                yield logical_id
            case "Fn::GetAtt", str(attribute):
                yield attribute.partition(".")[0]
            case "Fn::Sub", str(template):
                yield from _IN_SUB.findall(template)
            case "Fn::Sub", [str(template), values]:
                yield from _IN_SUB.findall(template)
                yield from logical_ids_in(values)
            case _:
                yield from logical_ids_in(inner)


def text_of(value: object) -> str:
    """Returns a value as one text, with `*` for each part of it that is not known at synthesis."""
    match value:
        case str():
            return value
        case {"Fn::Join": [str(separator), [*parts]]}:
            return separator.join(text_of(part) for part in parts)
        case {"Fn::Sub": str(template) | [str(template), _]}:
            return _ANY_IN_SUB.sub(_UNKNOWN, template)
        case _:
            return _UNKNOWN


def _is_function(name: object) -> bool:
    return isinstance(name, str) and (name == "Ref" or name.startswith("Fn::"))
