"""What is recorded of AWS calls: checked against the services' own models, and against the X-Ray SDK's list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aws_xray_sdk
import pytest
from botocore.model import ServiceModel, StructureShape

from tests.support import bridge
from tests.support.lambda_process import SESSION

_SERVICES = {
    "dynamodb": "dynamodb",
    "lambda": "lambda",
    "runtime.sagemaker": "sagemaker-runtime",
    "s3": "s3",
    "sns": "sns",
    "sqs": "sqs",
}
"""By endpoint prefix: the service's name in botocore."""


@pytest.fixture(scope="module")
def models() -> dict[str, ServiceModel]:
    found = {prefix: SESSION.get_service_model(name) for prefix, name in _SERVICES.items()}
    assert {model.endpoint_prefix for model in found.values()} == found.keys()
    return found


def _shapes(model: ServiceModel, operation: str, side: str) -> StructureShape | None:
    called = model.operation_model(operation)
    return called.input_shape if side == "request" else called.output_shape


def _all() -> Iterator[tuple[str, str, str, Any]]:
    for service, operations in bridge.OPERATIONS.items():
        for operation, own in operations.items():
            for side in ("request", "response"):
                yield from ((service, operation, side, field) for field in getattr(own, side))


def test_services_operations_and_parameters_are_those_of_the_services_models(models: dict[str, ServiceModel]) -> None:
    unknown = []
    for service, operation, side, field in _all():
        shape = _shapes(models[service], operation, side) if operation in models[service].operation_names else None
        if shape is None or field.parameter not in shape.members:
            unknown.append((service, operation, side, field.parameter))
    assert unknown == []


def test_what_every_operation_is_asked_for_some_of_the_service_have(models: dict[str, ServiceModel]) -> None:
    assert bridge.EVERY_OPERATION.keys() == models.keys()
    for service, every in bridge.EVERY_OPERATION.items():
        model = models[service]
        for side in ("request", "response"):
            shapes = [_shapes(model, operation, side) for operation in model.operation_names]
            members = {name for shape in shapes if shape is not None for name in shape.members}
            assert {field.parameter for field in getattr(every, side)} <= members, service


def test_names_are_taken_of_maps_and_numbers_of_lists(models: dict[str, ServiceModel]) -> None:
    kinds: dict[str, set[str]] = {}
    for service, operation, side, field in _all():
        shape = _shapes(models[service], operation, side)
        assert shape is not None
        kinds.setdefault(field.of.__name__, set()).add(shape.members[field.parameter].type_name)
    assert kinds.pop("_keys_of") == {"map"}
    assert kinds.pop("_count_of") == {"list"}
    assert "blob" not in kinds.pop("_value")
    assert kinds == {}


def _listed_by_the_sdk() -> Iterator[tuple[str, str, str, str, dict[str, Any]]]:
    place = aws_xray_sdk.__file__
    assert place is not None
    listed = Path(place).parent / "ext" / "resources" / "aws_para_whitelist.json"
    for service, operations in json.loads(listed.read_text(encoding="utf-8"))["services"].items():
        for operation, lists in operations["operations"].items():
            for side in ("request", "response"):
                for parameter in lists.get(f"{side}_parameters", ()):
                    yield service, operation, side, parameter, {}
                for parameter, how in lists.get(f"{side}_descriptors", {}).items():
                    yield service, operation, side, parameter, how


def test_nothing_is_missing_that_the_xray_sdk_records(models: dict[str, ServiceModel]) -> None:
    compared, missing = 0, []
    for service, operation, side, parameter, how in _listed_by_the_sdk():
        # The SDK's list names operations and parameters that services never had, or have no more.
        if operation not in models[service].operation_names:
            continue
        shape = _shapes(models[service], operation, side)
        if shape is None or parameter not in shape.members:
            continue
        compared += 1
        of = "_keys_of" if how.get("get_keys") else "_count_of" if how.get("get_count") else "_value"
        fields = {field.parameter: field for field in getattr(bridge.recorded(service, operation), side)}
        field = fields.get(parameter)
        if field is None or field.of.__name__ != of or field.name != how.get("rename_to", field.name):
            missing.append((service, operation, side, parameter))
    assert missing == []
    assert compared > 150


def test_names_are_spelt_as_the_xray_sdk_spells_them() -> None:
    from aws_xray_sdk.ext.util import to_snake_case

    for _, _, _, field in _all():
        if field.of.__name__ == "_value":
            assert field.name == to_snake_case(field.parameter)
