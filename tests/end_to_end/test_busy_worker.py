"""A worker that does everything at once, deployed: one connected trace, each call below what makes it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from traced_pipeline_cli.aws.http import new_trace_id

from harness.cdk import Cdk
from harness.local_aws import LocalAws
from tests.support.end_to_end.copies import command
from tests.support.end_to_end.deployed import Deployed, deployed
from tests.support.end_to_end.following import Followed, follow
from tests.support.end_to_end.pages import lines_in, shown_in
from tests.support.waiting import wait_for
from tests.support.website import Website

LOGGED = ("begun", "priced", "looked for", "weighed", "stored")
"""What the worker logs of each order: in its task, in another one, and in threads of two kinds."""


@pytest.fixture(scope="module")
def busy(local_aws: LocalAws, bridged: Deployed) -> Deployed:
    """The pipeline, beside the reference pipeline, whose role for API Gateway's logs it uses."""
    Cdk(local_aws, validate=False).deploy(app="python3 -m tests.support.end_to_end.busy_app", name="busy")
    return deployed(local_aws, "Busy", assembly=local_aws.folder / "busy.out")


@pytest.fixture(scope="module")
def website() -> Iterator[Website]:
    site = Website()
    yield site
    site.close()


@pytest.fixture(scope="module")
def followed(busy: Deployed, website: Website) -> Followed:
    """A request through it, whose trace is one connected whole."""
    return follow(busy, {"id": "busy-1", "site": website.url})


def _tree(entity: dict[str, Any]) -> dict[str, Any]:
    """The names of what is below an entity, nested and in order of names."""
    below = sorted(entity.get("subsegments", []), key=lambda nested: str(nested["name"]))
    return {nested["name"]: _tree(nested) for nested in below}


def test_everything_is_in_the_messages_segment_below_what_makes_it(followed: Followed) -> None:
    called: dict[str, object] = {"127.0.0.1": {}}
    assert _tree(followed.segment("WorkerFunction")) == {
        "DynamoDB": {},
        "enrich": {"price": called, "stock": called, "weight": called},
    }


def test_each_http_call_carries_the_trace_and_leaves_its_query_out(followed: Followed, website: Website) -> None:
    (enrich,) = (step for step in followed.segment("WorkerFunction")["subsegments"] if step["name"] == "enrich")
    calls = {step["name"]: step["subsegments"][0] for step in enrich["subsegments"]}
    assert enrich["annotations"] == {"order": "busy-1"}
    for name, call in calls.items():
        assert call["http"]["request"]["url"] == f"{website.url}/{name}"
        (carried,) = website.trace_headers(f"/{name}")
        assert str(carried).startswith(f"Root={followed.trace_id};Parent={call['id']};Sampled=1")


def test_the_page_shows_the_calls_and_the_functions(busy: Deployed, followed: Followed, tmp_path: Path) -> None:
    page = tmp_path / "trace.html"
    ran = command(busy, "trace", followed.trace_id, "--html", str(page))
    assert ran.status == 0, ran.err
    text = page.read_text(encoding="utf-8")
    assert all(name in text for name in ("enrich", "price", "stock", "weight", "127.0.0.1"))


def test_each_log_line_stands_beside_its_message_in_the_page(busy: Deployed, website: Website, tmp_path: Path) -> None:
    ids = {f"line-{number}": new_trace_id() for number in range(3)}
    entries = [
        {
            "Id": item_id,
            "MessageBody": json.dumps({"id": item_id, "site": f"{website.url}/{item_id}"}),
            "MessageSystemAttributes": {
                "AWSTraceHeader": {
                    "DataType": "String",
                    "StringValue": f"Root={trace_id};Parent=53995c3f42cd8ad8;Sampled=1",
                }
            },
        }
        for item_id, trace_id in ids.items()
    ]
    busy.client("sqs").send_message_batch(QueueUrl=busy.pipeline.queue_url, Entries=entries)
    wait_for(lambda: all(busy.documents(trace_id) for trace_id in ids.values()), what="the three traces")
    page = tmp_path / "trace.html"

    def lines() -> list[dict[str, Any]] | None:
        ran = command(busy, "trace", *ids.values(), "--html", str(page))
        assert ran.status == 0, ran.err
        logged = [line for line in lines_in(shown_in(page), "order line-") if "message_id" in line["text"]]
        return logged if len(logged) == len(ids) * len(LOGGED) else None

    shown = wait_for(lines, what="the lines of the three messages")
    for item_id, trace_id in ids.items():
        [segment] = [
            document["id"] for document in busy.documents(trace_id) if "message_id" in document.get("annotations", {})
        ]
        beside = {
            json.loads(line["text"])["message"]
            for line in shown
            if (line["traces"], line["segment"]) == ([trace_id], segment)
        }
        assert beside == {f"order {item_id} {what}" for what in LOGGED}
