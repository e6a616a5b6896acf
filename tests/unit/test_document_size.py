"""What a document may hold: at most 64 KB, and nothing that JSON cannot say."""

import json
from typing import Any

import pytest
from trace_bridge import continue_trace, counters, trace_batch

from tests.support import bridge
from tests.support.lambda_events import LambdaContext, header, record, trace_id
from tests.support.lambda_process import Process
from tests.support.segment_validator import validate


def test_a_segment_too_large_gives_up_its_calls_first(process: Process) -> None:
    client = process.client("dynamodb")
    with trace_batch(), continue_trace(record(trace=header(trace_id())), LambdaContext()) as segment:
        segment.put_metadata("kept", "x" * 30_000)
        for number in range(40):
            client.delete_item(TableName=f"table-{number}-{'y' * 1000}", Key={"id": {"S": "1"}})
    whole, *parts = process.documents()
    assert whole["metadata"]["default"]["kept"]
    assert len(parts) == counters().split == 40
    assert {part["parent_id"] for part in parts} == {whole["id"]}
    assert {part["trace_id"] for part in parts} == {whole["trace_id"]}


def _large(**more: Any) -> dict[str, Any]:
    return {"id": "a" * 16, "trace_id": trace_id(), "name": "n", "start_time": 1.0, "end_time": 2.0, **more}


def test_what_is_too_large_is_trimmed_in_order() -> None:
    frames = [{"path": "p" * 1000, "line": 1, "label": "f"}] * 50
    exception = {"id": "b" * 16, "type": "E", "message": "m" * 1000, "stack": frames}
    cause = {"working_directory": "/", "exceptions": [exception]}
    big = "x" * 70_000
    annotations = {"message_id": "m", **{f"k{number}": "v" * 1000 for number in range(70)}}

    def cut(**more: Any) -> dict[str, Any]:
        (written,) = bridge.fit(json.dumps(_large(**more)))
        assert len(written) <= bridge.MAX_DOCUMENT_BYTES
        document: dict[str, Any] = json.loads(written)
        return document

    stackless = cut(cause=cause, metadata={"d": {"k": "x" * 30_000}})
    assert "stack" not in stackless["cause"]["exceptions"][0]
    assert "metadata" in stackless
    bare = cut(metadata={"d": {"k": big}}, annotations={"message_id": "m"})
    assert "metadata" not in bare
    assert bare["annotations"]
    assert "sql" not in cut(sql={"sanitized_query": big}, aws={"operation": "X", "table_name": big})
    assert (
        len(cut(cause={**cause, "exceptions": [{**exception, "message": big}]})["cause"]["exceptions"][0]["message"])
        == 200
    )
    assert cut(annotations=annotations)["annotations"] == {"message_id": "m"}


@pytest.mark.parametrize(("size", "kept"), [(64_000, True), (64_001, False), (69_000, False)])
def test_a_document_has_at_most_64_kb(size: int, kept: bool) -> None:
    without = json.dumps(_large(metadata={"d": {"k": ""}}), separators=(",", ":"))
    document = without.replace('"k":""', f'"k":"{"x" * (size - len(without))}"')
    assert len(document) == size
    (written,) = bridge.fit(document)
    assert len(written) <= 64_000
    assert ("metadata" in json.loads(written)) == kept


def test_what_cannot_be_trimmed_is_dropped_and_counted(process: Process) -> None:
    assert bridge.fit(json.dumps(_large(user="u" * 70_000))) == []
    assert counters().oversized == 1


def test_odd_values_do_not_cost_the_segment(process: Process) -> None:
    class Unspeakable:
        def __str__(self) -> str:
            raise RuntimeError

    circle: list[object] = []
    circle.append(circle)
    with continue_trace(record(trace=header(trace_id())), LambdaContext()) as segment:
        segment.put_annotation("no spaces", 1).put_annotation("nan", float("nan")).put_annotation("good", True)
        segment.put_annotation("thing", object())  # type: ignore[arg-type]
        segment.put_metadata("nan", float("nan")).put_metadata("odd", Unspeakable()).put_metadata("circle", circle)
        segment.put_metadata("keys", {(1, 2): {"a", "b"}})
        segment.put_metadata(["no key"], 1).put_metadata("key", 1, {"no": "namespace"})  # type: ignore[arg-type]
        segment.add_exception("no exception")  # type: ignore[arg-type]
    (document,) = process.documents()
    validate(document)
    assert document["annotations"]["good"] is True
    assert set(document["annotations"]) == {"message_id", "attempt", "queue_ms", "good"}
    assert document["metadata"]["default"]["nan"] == "nan"
    assert document["metadata"]["default"]["['no key']"] == 1
    assert document["cause"]["exceptions"][0]["message"] == "no exception"
