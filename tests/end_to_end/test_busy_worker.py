"""A worker that does everything at once, deployed: one connected trace, each call below what makes it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.cdk import Cdk
from harness.local_aws import LocalAws
from tests.support.end_to_end.copies import command
from tests.support.end_to_end.deployed import Deployed, deployed
from tests.support.end_to_end.following import Followed, follow
from tests.support.website import Website


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
    """The names of what hangs below an entity, nested and in order of names."""
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
