"""Lambda in a VPC: which AWS APIs a function can reach.

Sources: Lambda Developer Guide, "Giving Lambda functions access to resources in an Amazon VPC" and "Enable internet
access for VPC-connected Lambda functions": "connecting a function to a public subnet doesn't give it internet access
or a public IP address", it takes a route to a NAT device, or a VPC endpoint of the service; Amazon VPC User Guide,
"Gateway endpoints", "Route tables".

There is no network to cut off here. A function without a network path gets, by the SDKs' own `AWS_ENDPOINT_URL`
variables, an address that accepts connections and never answers. That ends as on AWS: in the client's timeout or the
function's. Code that names its own endpoint is not stopped. Security groups and endpoint policies are not evaluated.
"""

import os
import socket
from typing import Any

from ministack.core.responses import get_region
from ministack.services import ec2

Fields = dict[str, Any]

# The name of a service in its endpoint, where it differs from the one in the SDKs' variables.
_SDK_NAMES = {
    "email": "SES",
    "events": "EVENTBRIDGE",
    "logs": "CLOUDWATCH_LOGS",
    "monitoring": "CLOUDWATCH",
    "secretsmanager": "SECRETS_MANAGER",
    "states": "SFN",
}
_GATEWAY_SERVICES = ("dynamodb", "s3")
_SILENT_BACKLOG = 128


class SilentAddress:
    """An address on the loopback interface that takes connections and never answers."""

    def __init__(self) -> None:
        self._listener: socket.socket | None = None

    def url(self) -> str:
        """Returns the address as an endpoint; opened when it is first asked for."""
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", 0), backlog=_SILENT_BACKLOG)
        return f"https://127.0.0.1:{self._listener.getsockname()[1]}"


def endpoint_variables(config: Fields, silent: SilentAddress) -> dict[str, str]:
    """Returns a function's endpoint variables for the SDKs; none outside a VPC or with a path to the internet.

    Args:
        config: The function's configuration.
        silent: Where calls without a network path go.
    """
    network = config.get("VpcConfig") or {}
    subnets = [str(subnet) for subnet in network.get("SubnetIds") or []]
    tables = [_route_table(subnet) for subnet in subnets]
    if not subnets or any(_leads_out(table) for table in tables):
        return {}
    reachable = os.environ["AWS_ENDPOINT_URL"]
    services = _services(str(network.get("VpcId", "")), {str(table.get("RouteTableId")) for table in tables})
    return {
        "AWS_ENDPOINT_URL": silent.url(),
        **{f"AWS_ENDPOINT_URL_{_SDK_NAMES.get(name, name.upper().replace('-', '_'))}": reachable for name in services},
    }


def _route_table(subnet_id: str) -> Fields:
    vpc_id = (ec2._subnets.get(subnet_id) or {}).get("VpcId")
    main: Fields = {}
    for table in ec2._route_tables.values():
        for association in table.get("Associations") or []:
            if association.get("SubnetId") == subnet_id:
                return dict(table)
            if association.get("Main") and table.get("VpcId") == vpc_id:
                main = dict(table)
    return main


def _leads_out(table: Fields) -> bool:
    # An internet gateway is no path for a function, which has no public address; any other target may be one.
    for route in table.get("Routes") or []:
        target = str(route.get("GatewayId") or "")
        if route.get("DestinationCidrBlock") == "0.0.0.0/0" and not target.startswith(("igw-", "local")):
            return True
    return False


def _services(vpc_id: str, tables: set[str]) -> list[str]:
    prefix = f"com.amazonaws.{get_region()}."
    services: list[str] = []
    for endpoint in ec2._vpc_endpoints.values():
        name = str(endpoint.get("ServiceName", "")).removeprefix(prefix)
        if endpoint.get("VpcId") != vpc_id:
            continue
        if endpoint.get("VpcEndpointType") != "Interface":
            routed = tables & {str(table) for table in endpoint.get("RouteTableIds") or []}
            services.extend([name] if name in _GATEWAY_SERVICES and routed else [])
        elif str(endpoint.get("PrivateDnsEnabled", True)).lower() == "true":
            # Without private DNS the service's usual name leads nowhere.
            services.append(name)
    return services
