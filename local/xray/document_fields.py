"""The kinds of a segment document's fields, as X-Ray documents them.

Source: X-Ray Developer Guide, "X-Ray segment documents", whose fields are strings, numbers, booleans, objects or
arrays, and its JSON schema. That X-Ray refuses a documented field of another kind is assumed, with its own example of
an error code, `ParseError`; so is that a field set to null counts as left out. Fields that the guide does not name are
kept and not looked at.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from local.xray.document_tree import Document

Kind = Literal["string", "scalar", "boolean", "integer", "number", "object"]


@dataclass(frozen=True, kw_only=True)
class Fields:
    """An object with known fields."""

    known: Mapping[str, "Expected"]


@dataclass(frozen=True, kw_only=True)
class Items:
    """An array, and what each item is."""

    of: "Expected"


@dataclass(frozen=True, kw_only=True)
class Either:
    """One of several."""

    options: tuple["Expected", ...]


Expected = Kind | Fields | Items | Either

_EXCEPTION = Fields(
    known={
        "id": "string",
        "message": "string",
        "type": "string",
        "remote": "boolean",
        "cause": "string",
        "truncated": "integer",
        "skipped": "integer",
        "stack": Items(of=Fields(known={"path": "string", "line": "integer", "label": "string"})),
    }
)
_HTTP = Fields(
    known={
        "request": Fields(
            known={
                "method": "string",
                "url": "string",
                "user_agent": "string",
                "client_ip": "string",
                "x_forwarded_for": "boolean",
                "traced": "boolean",
            }
        ),
        "response": Fields(known={"status": "integer", "content_length": "scalar"}),
    }
)
_AWS = Fields(
    known={
        "account_id": "scalar",
        "operation": "string",
        "region": "string",
        "request_id": "string",
        "queue_url": "string",
        "table_name": "string",
        "bucket_name": "string",
        "function_name": "string",
        "topic_arn": "string",
        "resource_names": Items(of="string"),
        "cloudwatch_logs": Items(of=Fields(known={"log_group": "string", "arn": "string"})),
        "ec2": Fields(known={"instance_id": "string", "availability_zone": "string"}),
        "ecs": "object",
        "eks": "object",
        "elastic_beanstalk": "object",
        "xray": "object",
    }
)
_LINK = Fields(known={"trace_id": "string", "id": "string", "attributes": "object"})
_ENTITY: dict[str, Expected] = {
    "type": "string",
    "namespace": "string",
    "origin": "string",
    "user": "string",
    "resource_arn": "string",
    "in_progress": "boolean",
    "error": "boolean",
    "fault": "boolean",
    "throttle": "boolean",
    "service": "object",
    "http": _HTTP,
    "aws": _AWS,
    "cause": Either(
        options=(
            "string",
            Fields(
                known={
                    "working_directory": "string",
                    "paths": Items(of="string"),
                    "exceptions": Items(of=_EXCEPTION),
                }
            ),
        )
    ),
    "annotations": "object",
    "metadata": "object",
    "sql": "object",
    "precursor_ids": Items(of="string"),
    "links": Items(of=_LINK),
}
# Made by X-Ray, never sent to it.
_OF_X_RAY = ("inferred",)

_TYPES: dict[Kind, tuple[type, ...]] = {
    "string": (str,),
    "scalar": (str, int, float, bool),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "object": (dict,),
}


def normalized(entity: Document) -> Document:
    """Returns the segment or subsegment without fields that are null or X-Ray's own; what lies deeper as well."""
    return {
        key: _without_nulls(value, _ENTITY[key]) if key in _ENTITY else value
        for key, value in entity.items()
        if key not in _OF_X_RAY and not (value is None and key in (*_ENTITY, "subsegments", "parent_id", "end_time"))
    }


def problems(entity: Document) -> Iterator[str]:
    """Returns everything that is of another kind than documented, each with its place in the segment or subsegment."""
    for key, expected in _ENTITY.items():
        if key in entity:
            yield from _problems(entity[key], expected, key)


def kind_of(value: object) -> str:
    """Returns what JSON calls a value's kind."""
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def _without_nulls(value: Any, expected: Expected) -> Any:
    match expected:
        case Fields(known=known) if isinstance(value, dict):
            return {
                key: _without_nulls(inner, known[key]) if key in known else inner
                for key, inner in value.items()
                if inner is not None or key not in known
            }
        case Items(of=of) if isinstance(value, list):
            return [_without_nulls(inner, of) for inner in value]
        case Either(options=options):
            return _without_nulls(value, next((option for option in options if isinstance(option, Fields)), "object"))
        case _:
            return value


def _problems(value: Any, expected: Expected, place: str) -> Iterator[str]:
    match expected:
        case Fields(known=known):
            if not isinstance(value, dict):
                yield _wrong(place, value, "an object")
                return
            for key, inner in known.items():
                if key in value:
                    yield from _problems(value[key], inner, f"{place}.{key}")
        case Items(of=of):
            if not isinstance(value, list):
                yield _wrong(place, value, "an array")
                return
            for number, inner_value in enumerate(value):
                yield from _problems(inner_value, of, f"{place}[{number}]")
        case Either(options=options):
            problems = [list(_problems(value, option, place)) for option in options]
            if all(problems):
                yield problems[-1][0]
        case _:
            yield from _kind_problem(value, expected, place)


def _kind_problem(value: object, kind: Kind, place: str) -> Iterator[str]:
    # To Python a boolean is an integer.
    truth_for_number = isinstance(value, bool) and kind not in ("boolean", "scalar")
    if truth_for_number or not isinstance(value, _TYPES[kind]):
        expected = {"scalar": "a value", "object": "an object", "integer": "an integer"}.get(kind, f"a {kind}")
        yield _wrong(place, value, expected)


def _wrong(place: str, value: object, expected: str) -> str:
    return f"{place} is {kind_of(value)}, {expected} is expected"
