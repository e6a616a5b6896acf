"""A pipeline of the CDK's own constructs, adopted by one line, handed over to the library, and taken back."""

import pytest

from tests.support.end_to_end.deployed import Deployed
from tests.support.end_to_end.following import follow
from tests.support.end_to_end.ordinary import Difference, Ordinary
from tests.support.waiting import wait_for

STATEFUL = {"AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::DynamoDB::GlobalTable"}
HOPS = [
    ("Api/prod", "Ingest"),
    ("Ingest", "Topic"),
    ("Topic", "Queue"),
    ("Queue", "Worker"),
    ("Worker", "Table"),
]


@pytest.fixture(scope="module")
def before(ordinary: Ordinary) -> Deployed:
    deployed = ordinary.deploy("before")
    assert deployed.post({"id": "kept"}).status == 202
    wait_for(lambda: deployed.item("kept"), what="the item that was there before")
    return deployed


@pytest.fixture(scope="module")
def adoption(ordinary: Ordinary, before: Deployed) -> tuple[Difference, Deployed]:
    return ordinary.diff("adopted"), ordinary.deploy("adopted")


def _same(before: Deployed, after: Deployed) -> None:
    """Queue, topic and table are those that there were, with what is in them."""
    assert set(after.pipeline.queues) >= set(before.pipeline.queues)
    assert after.pipeline.topics == before.pipeline.topics
    assert after.pipeline.tables == before.pipeline.tables
    assert after.item("kept")


def test_one_line_makes_it_one_trace(adoption: tuple[Difference, Deployed]) -> None:
    _, adopted = adoption
    followed = follow(adopted, {"id": "adopted"})
    assert followed.hops == HOPS
    assert adopted.item("adopted")


def test_adopting_replaces_and_removes_nothing(before: Deployed, adoption: tuple[Difference, Deployed]) -> None:
    difference, adopted = adoption
    assert difference.added == {"AWS::Lambda::LayerVersion", "AWS::XRay::ResourcePolicy"}
    assert difference.removed == set()
    assert not difference.replaces, difference.text
    _same(before, adopted)


def test_handed_over_to_the_library_and_back(
    ordinary: Ordinary, before: Deployed, adoption: tuple[Difference, Deployed]
) -> None:
    there = ordinary.diff("upgraded")
    assert there.removed == {"AWS::ApiGateway::Deployment", "AWS::Lambda::Permission"}
    upgraded = ordinary.deploy("upgraded")
    _same(before, upgraded)
    assert follow(upgraded, {"id": "upgraded"}).hops == HOPS
    back = ordinary.diff("before")
    assert not back.removed & (STATEFUL - {"AWS::SQS::Queue"})  # the dead-letter queue goes
    again = ordinary.deploy("before")
    _same(before, again)
    assert again.post({"id": "back"}).status == 202
    wait_for(lambda: again.item("back"), what="an item behind the way back")
