"""Whether a function or container in a VPC has a network path to X-Ray."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from .checks import Check, warn
from .synthesis_checks import check_at_synthesis, resources_in_app


def check_network_path(
    scope: Construct, vpc: ec2.IVpc, subnets: ec2.SubnetSelection | None, what: str = "function"
) -> None:
    """Warns where something runs in isolated subnets of a VPC without an endpoint for X-Ray.

    Args:
        scope: Its construct.
        vpc: Its VPC.
        subnets: Where in the VPC. Default: the private subnets.
        what: What it is, for the message.
    """
    selected = vpc.select_subnets(
        subnet_type=subnets.subnet_type if subnets else None,
        subnets=subnets.subnets if subnets else None,
        subnet_group_name=subnets.subnet_group_name if subnets else None,
    )
    isolated = {subnet.node.path for subnet in vpc.isolated_subnets}
    if any(subnet.node.path in isolated for subnet in selected.subnets):
        check_at_synthesis(scope, lambda: _check_endpoint(scope, vpc, what))


def _check_endpoint(scope: Construct, vpc: ec2.IVpc, what: str) -> None:
    if not _has_endpoint(vpc):
        warn(
            scope,
            Check.VPC_WITHOUT_XRAY,
            f"{what} runs in isolated subnets of {vpc.node.path}, from where no network path to X-Ray is known, so "
            "that its segments may be lost; add the interface endpoint ec2.InterfaceVpcEndpointAwsService.XRAY to the "
            "VPC, choose subnets with a NAT gateway, or acknowledge this if there is another path",
        )


def _has_endpoint(vpc: ec2.IVpc) -> bool:
    return any(
        isinstance(endpoint, ec2.CfnVPCEndpoint)
        and endpoint.vpc_id == vpc.vpc_id
        and "xray" in str(Stack.of(endpoint).resolve(endpoint.service_name))
        for endpoint in resources_in_app(vpc, "AWS::EC2::VPCEndpoint")
    )
