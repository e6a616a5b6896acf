"""Reads functions: their configuration, what their role may do, and their network path to X-Ray."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from ..aws.read_errors import Reads
from .model import Function, Network, unversioned

if TYPE_CHECKING:
    import boto3
    from types_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef

_BRIDGE = ("trace_bridge", "trace-bridge", "tracebridge")
_SEND = "xray:PutTraceSegments"


class FunctionReader:
    """Reads functions by name or ARN.

    Args:
        session: The session to read with.
        reads: Records what could not be read.
    """

    def __init__(self, session: boto3.Session, reads: Reads) -> None:
        self._lambda = session.client("lambda")
        self._iam = session.client("iam")
        self._session = session
        self._reads = reads

    def read(self, name: str) -> Function | None:
        """Returns a function by name or ARN; None where it may not be read."""
        short = name.split(":")[6] if name.startswith("arn:") else name
        configuration = self._reads.read_route(
            f"the function {short}", lambda: self._lambda.get_function_configuration(FunctionName=name)
        )
        if configuration is None:
            return None
        environment = configuration.get("Environment", {}).get("Variables", {})
        log_group = configuration.get("LoggingConfig", {}).get("LogGroup", "")
        return Function(
            name=configuration.get("FunctionName", short),
            arn=unversioned(configuration.get("FunctionArn", "")),
            active=configuration.get("TracingConfig", {}).get("Mode") == "Active",
            environment=environment,
            bridged=self._bridged(configuration),
            log_group=log_group or f"/aws/lambda/{short}",
            may_send=self._may_send(configuration.get("Role", ""), short),
            concurrency=self._concurrency(short),
            network=self._network(configuration),
        )

    def _bridged(self, configuration: FunctionConfigurationResponseTypeDef) -> bool | None:
        """Whether a layer holds the bridge, by its name or description."""
        seen: list[bool | None] = []
        for arn in (layer.get("Arn", "") for layer in configuration.get("Layers", [])):
            if any(name in arn.lower() for name in _BRIDGE):
                return True
            layer = self._reads.read(
                f"the layer {arn.split(':')[6]}", partial(self._lambda.get_layer_version_by_arn, Arn=arn)
            )
            text = "" if layer is None else layer.get("Description", "").lower()
            seen.append(None if layer is None else any(name in text for name in _BRIDGE))
        return True if True in seen else (None if None in seen else False)

    def _may_send(self, role: str, function: str) -> bool | None:
        """Whether a role may send segments, by IAM's own word, boundaries included.

        https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
        """
        answer = self._reads.read(
            f"what the role of the function {function} may do",
            lambda: self._iam.simulate_principal_policy(PolicySourceArn=role, ActionNames=[_SEND]),
        )
        if answer is None:
            return None
        return all(result["EvalDecision"] == "allowed" for result in answer.get("EvaluationResults", []))

    def _concurrency(self, function: str) -> int | None:
        answer = self._reads.read(
            f"the reserved concurrency of the function {function}",
            lambda: self._lambda.get_function_concurrency(FunctionName=function),
        )
        return None if answer is None else answer.get("ReservedConcurrentExecutions")

    def _network(self, configuration: FunctionConfigurationResponseTypeDef) -> Network | None:
        config = configuration.get("VpcConfig", {})
        vpc, subnets = config.get("VpcId", ""), config.get("SubnetIds", [])
        if not vpc:
            return None
        ec2: Any = self._session.client("ec2")
        endpoints = self._reads.read(
            f"the endpoints of the VPC {vpc}",
            lambda: ec2.describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["VpcEndpoints"],
        )
        tables = self._reads.read(
            f"the route tables of the VPC {vpc}",
            lambda: ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"],
        )
        return Network(
            vpc=vpc,
            endpoint=None if endpoints is None else any(_is_xray(endpoint) for endpoint in endpoints),
            way_out=None if tables is None else all(leads_out(tables, subnet) for subnet in subnets),
        )


def _is_xray(endpoint: Mapping[str, Any]) -> bool:
    return str(endpoint.get("ServiceName", "")).endswith(".xray") and endpoint.get("State") == "available"


def leads_out(tables: Iterable[Mapping[str, Any]], subnet: str) -> bool:
    """Returns whether a subnet's default route leads out for a function, which has no public address.

    A subnet without a route table of its own has the VPC's main one; an internet gateway serves public addresses
    only: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc-internet.html.
    """
    own = [
        table
        for table in tables
        if any(association.get("SubnetId") == subnet for association in table.get("Associations", []))
    ]
    main = [table for table in tables if any(association.get("Main") for association in table.get("Associations", []))]
    for table in own or main:
        for route in table.get("Routes", []):
            default = (
                route.get("DestinationCidrBlock") == "0.0.0.0/0" or route.get("DestinationIpv6CidrBlock") == "::/0"
            )
            if default and not str(route.get("GatewayId", "")).startswith("igw-") and route.get("State") != "blackhole":
                return True
    return False
