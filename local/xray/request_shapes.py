"""Requests held against the service's own model: required members, kinds, lengths, patterns, words.

Source: the model of X-Ray that comes with botocore, which is AWS's own, so that no limit is written down here. That
what does not fit is an `InvalidRequestException`, the one error every operation documents, is assumed.
"""

import math
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StringShape, StructureShape

from local.xray.request import ApiError

_Check = Callable[[Any, Any, str], Iterator[str]]

_TYPES: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "double": (int, float),
    "float": (int, float),
    "timestamp": (int, float),
}
# The last second an SDK can read as a date.
_LAST_TIME = 253402300799.0


@cache
def model() -> ServiceModel:
    """X-Ray's model."""
    return botocore.session.get_session().get_service_model("xray")


@cache
def operations() -> dict[str, str]:
    """Returns the names of X-Ray's operations by their paths, without slashes."""
    return {str(model().operation_model(name).http["requestUri"]).strip("/"): name for name in model().operation_names}


def require(operation: str, body: dict[str, Any]) -> None:
    """Lets a request pass that the model allows.

    Raises:
        ApiError: It does not; the message says where and why.
    """
    for problem in problems(operation, body):
        raise ApiError(problem)


def problems(operation: str, body: dict[str, Any]) -> Iterator[str]:
    """Returns everything in a request that the model does not allow, each with its place."""
    shape = model().operation_model(operation).input_shape
    if shape is not None:
        yield from _problems(shape, body, "")


def _problems(shape: Shape, value: Any, place: str) -> Iterator[str]:
    checks: dict[type[Shape], _Check] = {
        StructureShape: _structure,
        ListShape: _list,
        MapShape: _map,
        StringShape: _string,
    }
    check: _Check = checks.get(type(shape), _scalar)
    yield from check(shape, value, place)


def _structure(shape: StructureShape, value: Any, place: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield _wrong(place, value, "an object")
        return
    prefix = f"{place}." if place else ""
    yield from (f"{prefix}{name} is missing" for name in shape.required_members if value.get(name) is None)
    for name, member in shape.members.items():
        if value.get(name) is not None:
            yield from _problems(member, value[name], f"{prefix}{name}")


def _list(shape: ListShape, value: Any, place: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield _wrong(place, value, "a list")
        return
    yield from _length(shape, value, place, "items")
    for number, item in enumerate(value):
        yield from _problems(shape.member, item, f"{place}[{number}]")


def _map(shape: MapShape, value: Any, place: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield _wrong(place, value, "an object")
        return
    yield from _length(shape, value, place, "items")
    for key, item in value.items():
        yield from _problems(shape.key, key, f"{place} key")
        yield from _problems(shape.value, item, f"{place}.{key}")


def _string(shape: StringShape, value: Any, place: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield _wrong(place, value, "a string")
        return
    yield from _length(shape, value, place, "characters")
    pattern = shape.metadata.get("pattern")
    if shape.enum and value not in shape.enum:
        yield f"{place} is {value!r}, {' or '.join(shape.enum)} is expected"
    elif pattern and not re.fullmatch(str(pattern), value):
        yield f"{place} is {value!r}, which does not match {pattern}"


def _scalar(shape: Shape, value: Any, place: str) -> Iterator[str]:
    truth_for_number = isinstance(value, bool) and shape.type_name != "boolean"
    if truth_for_number or not isinstance(value, _TYPES.get(shape.type_name, (object,))):
        yield _wrong(place, value, f"a {shape.type_name}")
        return
    if isinstance(value, bool):
        return
    least, most = shape.metadata.get("min", -math.inf), shape.metadata.get("max", math.inf)
    if shape.type_name == "timestamp":
        least, most = 0, _LAST_TIME
    if not least <= value <= most:
        yield f"{place} is {value!r}, {_range(least, most)} is expected"


def _length(shape: Shape, value: Any, place: str, unit: str) -> Iterator[str]:
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max", math.inf)
    if not least <= len(value) <= most:
        yield f"{place} has {len(value)} {unit}, {_range(least, most)} are expected"


def _range(least: float, most: float) -> str:
    return f"{least} or more" if most == math.inf else f"{least} to {most}"


def _wrong(place: str, value: object, expected: str) -> str:
    return f"{place or 'The request'} is {value!r}, {expected} is expected"
