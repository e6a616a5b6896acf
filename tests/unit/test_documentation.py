"""What the bridge's document says is what the bridge has."""

import dataclasses
import re
from typing import Any

import pytest
import trace_bridge
from trace_bridge import Counters, Message

from harness.local_aws import ROOT
from tests.support.bridge import Settings
from tests.support.lambda_events import LambdaContext, event, header, record, trace_id
from tests.support.lambda_process import Process

TEXT = (ROOT / "docs" / "trace-bridge.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
NOT_FOR_USERS = {"VERSION"}


def test_every_setting_stands_in_the_table_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `TRACE_BRIDGE_([A-Z_]+)` \| (?:`([^`]*)`)? ?\|", TEXT, flags=re.MULTILINE))
    assert rows.pop("HANDLER") == ""
    documented = {name.lower(): default for name, default in rows.items()}
    settings = Settings().as_dict()
    assert documented == {name: "" if value in (None, ()) else str(value).lower() for name, value in settings.items()}


@pytest.mark.parametrize("name", sorted(set(trace_bridge.__all__) - NOT_FOR_USERS))
def test_every_public_name_is_documented(name: str) -> None:
    assert re.search(rf"`(@)?{name}\b", TEXT)


def test_every_counter_and_member_of_a_message_is_documented() -> None:
    counted = {field.name for field in dataclasses.fields(Counters)} | {"lost"}
    members = {name for name in vars(Message) if not name.startswith("_")}
    missing = {name for name in counted | members if not re.search(rf"`{name}(\(\))?`", TEXT)}
    assert not missing


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_every_snippet_runs(process: Process, number: int) -> None:
    process.monkeypatch.setenv("TABLE_NAME", "orders")
    namespace: dict[str, object] = {"__name__": "snippet"}
    exec(compile(SNIPPETS[number], f"snippet {number}", "exec"), namespace)
    assert callable(namespace.get("handler") or namespace.get("handle"))


MOVING = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "moving.md").read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.mark.parametrize(("number", "recorded"), [(0, "price"), (1, "order"), (2, "price")])
def test_what_to_write_instead_of_other_libraries_records_the_step(
    process: Process, number: int, recorded: str
) -> None:
    namespace: dict[str, Any] = {"__name__": "snippet"}
    exec(compile(MOVING[number], f"snippet {number}", "exec"), namespace)
    sampled = record(trace=header(trace_id(3)))
    sampled["body"] = '{"id": "o-1"}'
    namespace["handler"](event(sampled), LambdaContext())
    (document,) = process.documents_of(trace_id(3))
    assert [step["name"] for step in document["subsegments"]] == [recorded]


WORKERS = [
    code
    for page in (ROOT / "README.md", ROOT / "docs" / "trace-bridge.md")
    for code in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    if "put_item" in code
]


@pytest.mark.parametrize(
    "order",
    ['"total": 12.5', '"total": 1e400, "n": -0.0', f'"total": 0.{"1" * 60}', '"name": "\\ud83d", "": [[{}]]'],
    ids=["fraction", "huge", "precise", "text"],
)
@pytest.mark.parametrize("worker", WORKERS, ids=["README", "trace-bridge"])
def test_the_samples_store_whatever_json_they_get(process: Process, worker: str, order: str) -> None:
    process.monkeypatch.setenv("TABLE_NAME", "orders")
    process.monkeypatch.setenv("AWS_ENDPOINT_URL", process.services.url)
    namespace: dict[str, Any] = {}
    exec(compile(worker, "sample", "exec"), namespace)
    body = f'{{"id": "a", {order}}}'
    assert namespace["handler"](event({**record(1), "body": body}), LambdaContext()) == {"batchItemFailures": []}
    [put] = [sent for _, _, sent in process.services.calls if "Item" in sent]
    assert put["Item"] == {"id": {"S": "a"}, "order": {"S": body}}


def test_every_place_pointed_to_is_there() -> None:
    headings = {
        re.sub(r"[^\w -]", "", line).strip().lower().replace(" ", "-")
        for line in re.findall(r"^#+ (.*)$", TEXT, flags=re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= headings
    for target in re.findall(r"\]\((?!#|https?:)([^)#]+)", TEXT):
        assert (ROOT / "docs" / target).exists()
