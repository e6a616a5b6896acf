"""A schema of a request's body is read as API Gateway reads it: as JSON schema draft 4."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from traced_pipeline import PipelineError
from traced_pipeline.schema_checks import check_schema

from tests.support.templates import refusal

DRAFT_4 = jsonschema.Draft4Validator
SCHEMAS: list[dict[str, Any]] = [
    {},
    {"type": "object"},
    {"type": ["object", "null"]},
    {"type": []},
    {"type": ["object", "object"]},
    {"type": "any"},
    {"type": None},
    {"required": ["a"]},
    {"required": []},
    {"required": True},
    {"required": ["a", "a"]},
    {"enum": ["A"]},
    {"enum": []},
    {"enum": ["A", "A"]},
    {"enum": [1, "1", None]},
    {"items": {"type": "string"}},
    {"items": [{"type": "string"}, {}]},
    {"items": []},
    {"items": True},
    {"additionalItems": False},
    {"additionalItems": 1},
    {"additionalProperties": {"type": "strin"}},
    {"properties": {"type": {"type": "string"}, "$ref": {}}},
    {"properties": {"a": True}},
    {"properties": []},
    {"patternProperties": {"^a": {"minimum": 1}}},
    {"definitions": {"a": {"type": "x"}}},
    {"minimum": 1, "exclusiveMinimum": True},
    {"exclusiveMinimum": 1},
    {"minimum": "1"},
    {"minLength": -1},
    {"minLength": 1.5},
    {"maxItems": 0},
    {"multipleOf": 0},
    {"multipleOf": 0.1},
    {"uniqueItems": 1},
    {"dependencies": {"a": ["b"]}},
    {"dependencies": {"a": {"type": "object"}}},
    {"dependencies": {"a": []}},
    {"dependencies": {"a": "b"}},
    {"allOf": []},
    {"anyOf": [{"type": "object"}]},
    {"oneOf": {}},
    {"not": {"type": 5}},
    {"description": 5},
    {"title": "t", "format": "date-time", "default": {"a": 1}, "id": "http://x/y", "pattern": "^a$"},
    {"pattern": 5},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=json.dumps)
def test_a_schema_is_read_as_draft_4_has_it(schema: dict[str, Any]) -> None:
    try:
        DRAFT_4.check_schema(schema)
    except jsonschema.SchemaError:
        with pytest.raises(PipelineError):
            check_schema(schema)
    else:
        check_schema(schema)


@pytest.mark.parametrize(
    "word",
    ["$defs", "$id", "$anchor", "const", "contains", "if", "prefixItems", "dependentRequired", "example", "objekt"],
)
def test_a_word_beyond_draft_4(word: str) -> None:
    text = refusal(lambda: check_schema({"properties": {"a": {word: {}}}}))
    assert f"schema: #/properties/a/{word} is not a keyword of JSON schema draft 4" in text


class TestReferences:
    def test_that_lead_somewhere(self) -> None:
        item = {"type": "object", "properties": {"next": {"$ref": "#/definitions/a~1b"}, "top": {"$ref": "#"}}}
        model = "https://apigateway.amazonaws.com/restapis/a1b2/models/Item"
        check_schema({"definitions": {"a/b": item}, "items": {"$ref": model}})

    @pytest.mark.parametrize(
        "target", ["#/definitions/b", "b.json", "http://example.com/s.json", "#b", "", "#/type/x", 5]
    )
    def test_that_lead_nowhere(self, target: object) -> None:
        with pytest.raises(PipelineError):
            check_schema({"type": "object", "definitions": {"a": {}}, "items": {"$ref": target}})

    def test_with_the_draft_named(self) -> None:
        check_schema({"$schema": "http://json-schema.org/draft-04/schema#"})
        with pytest.raises(PipelineError, match="2020-12"):
            check_schema({"$schema": "https://json-schema.org/draft/2020-12/schema"})
