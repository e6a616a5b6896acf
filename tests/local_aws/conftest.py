"""A local AWS as a process of its own, and a small stack on it."""

from collections.abc import Iterator
from typing import Any

import pytest

from harness.local_aws import LocalAws
from tests.support.account import Account
from tests.support.local_aws import template
from tests.support.local_aws.xray import spans_policy
from tests.support.waiting import wait_for


@pytest.fixture(scope="session")
def local_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with LocalAws(tmp_path_factory.mktemp("local-aws")) as running:
        yield running


@pytest.fixture(scope="session")
def aws(local_aws: LocalAws) -> Account:
    return Account(facts=local_aws.facts)


@pytest.fixture(scope="session")
def stack(aws: Account) -> dict[str, str]:
    return aws.deploy("hops", template.hops())


@pytest.fixture
def search(aws: Account) -> Iterator[Any]:
    """X-Ray's client, with Transaction Search on and all traces indexed."""
    logs, xray = aws.client("logs"), aws.client("xray")
    logs.put_resource_policy(policyName="spans", policyDocument=spans_policy())
    xray.update_trace_segment_destination(Destination="CloudWatchLogs")
    wait_for(lambda: xray.get_trace_segment_destination()["Status"] == "ACTIVE")
    _index(xray, 100)
    yield xray
    _index(xray, 1)
    xray.update_trace_segment_destination(Destination="XRay")
    logs.delete_resource_policy(policyName="spans")


@pytest.fixture
def policies(aws: Account) -> Iterator[Any]:
    """X-Ray's client, with no resource policy before and after."""
    xray = aws.client("xray")
    _delete_policies(xray)
    yield xray
    _delete_policies(xray)


def _index(xray: Any, percentage: float) -> None:
    xray.update_indexing_rule(Name="Default", Rule={"Probabilistic": {"DesiredSamplingPercentage": percentage}})


def _delete_policies(xray: Any) -> None:
    for policy in xray.list_resource_policies()["ResourcePolicies"]:
        xray.delete_resource_policy(PolicyName=policy["PolicyName"])
