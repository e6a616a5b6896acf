"""What Lambda writes of its own invocations, measured against a published trace."""

import json
from pathlib import Path
from typing import Any

from tests.support.account import Account
from tests.support.local_aws.functions import invoke
from tests.support.local_aws.tracing import by_origin, send_and_consume

PUBLISHED = json.loads((Path(__file__).parent / "published" / "trace_with_link.json").read_text(encoding="utf-8"))


def part(function: Any, name: str) -> Any:
    return next((found for found in function["subsegments"] if found["name"] == name), None)


def shape(value: object) -> object:
    """Keys and kinds of a document, without its values."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return [shape(inner) for inner in value] if isinstance(value, list) else type(value).__name__


def test_a_cold_invocation_is_written_as_in_the_published_trace(aws: Account, stack: dict[str, str]) -> None:
    functions = aws.client("lambda")
    functions.update_function_configuration(FunctionName=stack["Ingest"], MemorySize=256)  # starts it anew
    roots = [f"1-5759e988-bd862e3fe1be46a99427200{number}" for number in (1, 2)]
    for root in roots:
        invoke(aws, stack["Ingest"], header=f"Root={root};Parent=53995c3f42cd8ad8;Sampled=1")
    expected_service, expected_function = PUBLISHED["Segments"]
    for root, cold in zip(roots, ({"Initialization"}, set[str]()), strict=True):
        service = by_origin(aws, root, "AWS::Lambda")
        function = by_origin(aws, root, "AWS::Lambda::Function")
        assert {found["name"] for found in function["subsegments"]} == cold | {"Invocation", "Overhead"}
        assert {**shape(service), "parent_id": None} == {**shape(expected_service), "parent_id": None}  # type: ignore[dict-item]
        assert function["aws"].keys() == expected_function["aws"].keys()
        assert function.keys() == expected_function.keys()
        invocation, overhead = part(function, "Invocation"), part(function, "Overhead")
        times = [
            service["start_time"],
            function["start_time"],
            invocation["start_time"],
            invocation["end_time"],
            overhead["start_time"],
            overhead["end_time"],
            function["end_time"],
            service["end_time"],
        ]
        assert times == sorted(times)
        if initialization := part(function, "Initialization"):
            assert service["start_time"] <= initialization["start_time"]
            assert initialization["end_time"] <= function["start_time"]


def test_links_are_written_as_in_the_published_trace(aws: Account, stack: dict[str, str]) -> None:
    producer, consumer = send_and_consume(aws, stack)
    (expected,) = part(PUBLISHED["Segments"][1], "Invocation")["links"]
    (child,) = part(by_origin(aws, producer, "AWS::Lambda::Function"), "Invocation")["links"]
    service = by_origin(aws, consumer, "AWS::Lambda")
    assert shape(child) == shape(expected)
    attributes = {key.rsplit(".", 1)[-1]: value for key, value in child["attributes"].items()}
    assert (child["trace_id"], child["id"]) == (consumer, service["id"])
    assert attributes["names"] == [service["name"]]
    assert attributes["received_event_end_time"] == attributes["dwell_end_time"]
    assert abs(attributes["dwell_end_time"] - service["start_time"]) < 0.001
    (parent,) = service["links"]
    invocation = part(by_origin(aws, producer, "AWS::Lambda::Function"), "Invocation")
    assert parent == {
        "trace_id": producer,
        "id": invocation["id"],
        "attributes": {"aws.xray.reserved.reference_type": "parent"},
    }
    assert "parent_id" not in service
