"""Whether a function in a VPC has a way out, by its subnets' route tables."""

from __future__ import annotations

from typing import Any

import pytest
from traced_pipeline_cli.deployment.inspect_functions import leads_out


def _table(*routes: dict[str, str], subnet: str | None = None) -> dict[str, Any]:
    association: dict[str, object] = {"Main": True} if subnet is None else {"SubnetId": subnet, "Main": False}
    return {"Associations": [association], "Routes": [{"DestinationCidrBlock": "10.0.0.0/16"}, *routes]}


NAT = {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "active"}
INTERNET = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active"}


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        ([], False),
        ([_table()], False),
        ([_table(NAT)], True),
        ([_table(INTERNET)], False),
        ([_table(NAT), _table(INTERNET, subnet="subnet-1")], False),
        ([_table(), _table(NAT, subnet="subnet-1")], True),
        ([_table(), _table(NAT, subnet="subnet-2")], False),
        ([_table({**NAT, "State": "blackhole"})], False),
        ([_table({"DestinationCidrBlock": "0.0.0.0/0", "TransitGatewayId": "tgw-1"})], True),
        ([_table({"DestinationIpv6CidrBlock": "::/0", "EgressOnlyInternetGatewayId": "eigw-1"})], True),
    ],
)
def test_default_routes(tables: list[dict[str, Any]], expected: bool) -> None:
    assert leads_out(tables, "subnet-1") is expected
