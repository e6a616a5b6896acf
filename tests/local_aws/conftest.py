"""A local AWS as a process of its own, and a small stack on it."""

from collections.abc import Iterator
from typing import Any

import pytest

from harness.local_aws import LocalAws
from tests.support.account import Account
from tests.support.local_aws import template


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
def policies(aws: Account) -> Iterator[Any]:
    """X-Ray's client, with no resource policy before and after."""
    xray = aws.client("xray")
    _delete_policies(xray)
    yield xray
    _delete_policies(xray)


def _delete_policies(xray: Any) -> None:
    for policy in xray.list_resource_policies()["ResourcePolicies"]:
        xray.delete_resource_policy(PolicyName=policy["PolicyName"])
