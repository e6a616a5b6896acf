"""JSON schemas that API Gateway cannot read.

It takes draft 4, and refuses a model with any keyword beyond it.
https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings-models.html
https://github.com/aws/aws-cdk/issues/14585
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import NoReturn

from aws_cdk import Token

from .checks import Check, PipelineError
from .ingest_options import JsonSchema

_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
_MODEL = re.compile(r"https://apigateway\.amazonaws\.com/restapis/[^/]+/models/[^/]+")
_DRAFTS = ("http://json-schema.org/draft-04/schema", "http://json-schema.org/schema")


def check_schema(schema: JsonSchema) -> None:
    """Refuses a schema that API Gateway would refuse when the API is deployed.

    Raises:
        PipelineError: It is not JSON, holds a word that is not of draft 4, gives one a value it does not take, or
            refers to something that is not there. The message names the place as a JSON pointer.
    """
    _Reader(schema).read(schema, "#")


class _Reader:
    """Walks through a schema with the place it is at, for the message."""

    def __init__(self, root: JsonSchema) -> None:
        self._root = root

    def read(self, schema: object, place: str) -> None:
        if not isinstance(schema, Mapping):
            _refuse(place, f"is {schema!r}, but must be an object")
        for word, value in schema.items():
            here = f"{place}/{word}"
            if word not in _WORDS:
                _refuse(
                    here, f"is not a keyword of JSON schema draft 4, the only one that API Gateway reads{_new(word)}"
                )
            if not _is_token(value):
                _WORDS[word](self, value, here)

    def reference(self, value: object, place: str) -> None:
        if not isinstance(value, str):
            _refuse(place, f"is {value!r}, but must be a text")
        if _MODEL.fullmatch(value):
            return
        target: object = self._root
        for part in value.split("/")[1:]:
            part = part.replace("~1", "/").replace("~0", "~")
            target = target.get(part) if isinstance(target, Mapping) else None
        if not (value == "#" or value.startswith("#/")) or target is None:
            _refuse(
                place,
                f"refers to {value!r}, which is not in the schema; name a place in it, as #/definitions/item, or a "
                "model of the API, as https://apigateway.amazonaws.com/restapis/<api id>/models/<name>",
            )

    def each_of_object(self, value: object, place: str) -> None:
        if not isinstance(value, Mapping):
            _refuse(place, f"is {value!r}, but must be an object of schemas")
        for name, schema in value.items():
            self.read(schema, f"{place}/{name}")

    def each_of_list(self, value: object, place: str) -> None:
        if not isinstance(value, list | tuple) or not value:
            _refuse(place, f"is {value!r}, but must be a list of schemas, at least one")
        for number, schema in enumerate(value):
            self.read(schema, f"{place}/{number}")

    def one_or_list(self, value: object, place: str) -> None:
        (self.each_of_list if isinstance(value, list | tuple) else self.read)(value, place)

    def one_or_bool(self, value: object, place: str) -> None:
        if not isinstance(value, bool):
            self.read(value, place)

    def dependencies(self, value: object, place: str) -> None:
        if not isinstance(value, Mapping):
            _refuse(place, f"is {value!r}, but must be an object")
        for name, needed in value.items():
            if isinstance(needed, list | tuple):
                _names(self, needed, f"{place}/{name}")
            else:
                self.read(needed, f"{place}/{name}")


_Check = Callable[[_Reader, object, str], None]


def _of(kind: str, fits: Callable[[object], bool]) -> _Check:
    def check(_: _Reader, value: object, place: str) -> None:
        if not fits(value):
            _refuse(place, f"is {value!r}, but must be {kind}")

    return check


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_list_of_names(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(v, str) for v in value) and _unique(value)


def _is_type(value: object) -> bool:
    if isinstance(value, str):
        return value in _TYPES
    return _is_list_of_names(value) and isinstance(value, list | tuple) and all(v in _TYPES for v in value)


def _is_draft(value: object) -> bool:
    return isinstance(value, str) and value.removesuffix("#") in _DRAFTS


def _is_enum(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and _unique(value)


def _unique(values: list[object] | tuple[object, ...]) -> bool:
    shown = sorted(repr(value) for value in values)
    return all(first != second for first, second in pairwise(shown))


def _is_token(value: object) -> bool:
    return isinstance(value, str | float) and Token.is_unresolved(value)


def _new(word: object) -> str:
    return f"; draft 4 writes {_OLD_WORDS[word]}" if isinstance(word, str) and word in _OLD_WORDS else ""


def _refuse(place: str, what: str) -> NoReturn:
    raise PipelineError(Check.OPTION_VALUE, f"schema: {place} {what}")


_text = _of("a text", lambda value: isinstance(value, str))
_number = _of("a number", _is_number)
_count = _of("a whole number of at least 0", _is_count)
_bool = _of("true or false", lambda value: isinstance(value, bool))
_names = _of("a list of different names, at least one", _is_list_of_names)
_anything = _of("a value", lambda _: True)

_WORDS: Mapping[object, _Check] = {
    "$ref": _Reader.reference,
    "$schema": _of(f"{_DRAFTS[0]}#", _is_draft),
    "id": _text,
    "title": _text,
    "description": _text,
    "default": _anything,
    "format": _text,
    "type": _of(f"one of {', '.join(_TYPES)}, or a list of them", _is_type),
    "enum": _of("a list of different values, at least one", _is_enum),
    "multipleOf": _of(
        "a number above 0", lambda value: isinstance(value, int | float) and _is_number(value) and value > 0
    ),
    "maximum": _number,
    "exclusiveMaximum": _bool,
    "minimum": _number,
    "exclusiveMinimum": _bool,
    "maxLength": _count,
    "minLength": _count,
    "pattern": _text,
    "items": _Reader.one_or_list,
    "additionalItems": _Reader.one_or_bool,
    "maxItems": _count,
    "minItems": _count,
    "uniqueItems": _bool,
    "properties": _Reader.each_of_object,
    "patternProperties": _Reader.each_of_object,
    "additionalProperties": _Reader.one_or_bool,
    "definitions": _Reader.each_of_object,
    "maxProperties": _count,
    "minProperties": _count,
    "required": _names,
    "dependencies": _Reader.dependencies,
    "allOf": _Reader.each_of_list,
    "anyOf": _Reader.each_of_list,
    "oneOf": _Reader.each_of_list,
    "not": _Reader.read,
}
"""Draft 4's keywords, and what each of them takes. https://json-schema.org/draft-04/schema"""

_OLD_WORDS = {"$defs": "definitions", "$id": "id", "const": "enum with one value", "prefixItems": "items"}
