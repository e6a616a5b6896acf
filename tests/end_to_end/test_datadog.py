"""A pipeline whose log lines go to a function in place of Datadog's Forwarder, deployed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from harness.cdk import Cdk
from harness.local_aws import LocalAws
from tests.support.end_to_end.deployed import Deployed, deployed
from tests.support.end_to_end.following import Followed, follow
from tests.support.waiting import wait_for


@dataclass(frozen=True, kw_only=True)
class Forwarded:
    """The stack, and what its forwarder has got."""

    deployed: Deployed
    log_group: str

    def lines(self, part_of_group: str) -> list[dict[str, Any]]:
        """The lines of a log group that the forwarder has got, those in JSON."""
        lines = (self._parsed(message) for group, message in self._brought() if part_of_group in group)
        return [line for line in lines if line is not None]

    def groups(self) -> set[str]:
        """The log groups whose lines the forwarder has got."""
        return {group for group, _ in self._brought()}

    def _brought(self) -> Iterator[tuple[str, str]]:
        pages = self.deployed.client("logs").get_paginator("filter_log_events")
        for page in pages.paginate(logGroupName=self.log_group):
            for event in page["events"]:
                line = self._parsed(event["message"])
                if line is not None and "forwarded" in line:
                    yield line["forwarded"]["group"], line["forwarded"]["message"]

    @staticmethod
    def _parsed(message: str) -> dict[str, Any] | None:
        try:
            line = json.loads(message)
        except ValueError:
            return None
        return line if isinstance(line, dict) else None


@pytest.fixture(scope="module")
def forwarded(local_aws: LocalAws, bridged: Deployed) -> Forwarded:
    """The pipeline, beside the reference pipeline, whose role for API Gateway's logs it uses."""
    outputs = Cdk(local_aws, validate=False).deploy(
        app="python3 -m tests.support.end_to_end.datadog_app", name="datadog"
    )
    stack = deployed(local_aws, "Forwarded", assembly=local_aws.folder / "datadog.out")
    return Forwarded(deployed=stack, log_group=outputs["Forwarded"]["ForwarderLogGroup"])


@pytest.fixture(scope="module")
def followed(forwarded: Forwarded) -> Followed:
    """A request through it."""
    return follow(forwarded.deployed, {"id": "datadog-1", "customer": "Ann"})


def datadog_trace_id(trace_id: str) -> str:
    """What Datadog calls an X-Ray trace: the last 63 bits."""
    return str(int(trace_id[-16:], 16) & 0x7FFF_FFFF_FFFF_FFFF)


@pytest.mark.parametrize("function", ["IngestFunction", "WorkerFunction", "AuditFunction"])
def test_lines_of_each_function_arrive_with_datadogs_ids(
    forwarded: Forwarded, followed: Followed, function: str
) -> None:
    wanted = datadog_trace_id(followed.trace_id)

    def arrived() -> list[dict[str, Any]]:
        return [line for line in forwarded.lines(function) if line.get("dd.trace_id") == wanted]

    (line, *_) = wait_for(arrived, what=f"a line of {function} with the trace's id")
    assert line["xray_trace_id"] == followed.trace_id
    # Outside of a message, in the ingest function, the span is the invocation's.
    if function != "IngestFunction":
        assert int(line["dd.span_id"]) == int(line["segment_id"], 16)


def test_nothing_of_the_forwarder_itself_arrives(forwarded: Forwarded, followed: Followed) -> None:
    wait_for(lambda: len(forwarded.groups()) >= 3, what="lines of all functions")
    assert forwarded.log_group not in forwarded.groups()


def test_the_subscriptions_are_in_the_account(forwarded: Forwarded) -> None:
    logs = forwarded.deployed.client("logs")
    groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    own = [name for name in groups if "Forwarded" in name and "Orders" in name]
    found = {name: logs.describe_subscription_filters(logGroupName=name)["subscriptionFilters"] for name in own}
    assert [len(filters) for filters in found.values()] == [1] * 4, found
