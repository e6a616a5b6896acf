"""Where in a VPC a function or container runs, and whether it has a network path to X-Ray from there."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from .checks import Check, PipelineError, warn
from .synthesis_checks import check_at_synthesis, resources_in_app

_NAT = "choose subnets with a NAT gateway"
_PUBLIC = "give assign_public_ip=True or choose subnets with a NAT gateway, as SQS and the image are out of reach too"


def selected_subnets(vpc: ec2.IVpc, selection: ec2.SubnetSelection | None) -> list[str]:
    """Returns the paths of the subnets that are chosen from a VPC; none while its subnets are still to be looked up.

    Args:
        vpc: The VPC.
        selection: What is chosen. Default: the private subnets, or what there is in their stead.

    Raises:
        PipelineError: The VPC has no such subnets.
    """
    selection = selection or ec2.SubnetSelection()
    if selection.subnets:
        # The CDK takes them as they are. To answer, it would ask each for its zone, which an imported one may not have.
        return [subnet.node.path for subnet in selection.subnets]
    try:
        # The CDK's rules for a selection are many, and its own to decide.
        selected = vpc.select_subnets(
            availability_zones=selection.availability_zones,
            one_per_az=selection.one_per_az,
            subnet_filters=selection.subnet_filters,
            subnet_group_name=selection.subnet_group_name,
            subnets=selection.subnets,
            subnet_type=selection.subnet_type,
        )
    except RuntimeError as error:
        raise PipelineError(
            Check.OPTION_CONFLICT, f"vpc_subnets chooses no subnets of {vpc.node.path}: {error}"
        ) from error
    # `Vpc.from_lookup` first gives stand-ins: the CDK looks the VPC up once the app has been synthesized with them.
    if not selected.subnets and not selected.is_pending_lookup:
        raise PipelineError(Check.OPTION_CONFLICT, f"vpc_subnets chooses no subnets of {vpc.node.path}; choose some")
    return [subnet.node.path for subnet in selected.subnets]


def check_network_path(scope: Construct, vpc: ec2.IVpc, subnets: ec2.SubnetSelection | None) -> None:
    """Warns where a function runs in isolated subnets of a VPC without an endpoint for X-Ray.

    Args:
        scope: Its construct.
        vpc: Its VPC.
        subnets: Where in the VPC. Default: the private subnets.
    """
    if _isolated(vpc) & {*selected_subnets(vpc, subnets)}:
        check_at_synthesis(scope, lambda: _check_endpoint(scope, vpc, "function", "isolated subnets", _NAT))


def check_network_path_of_tasks(
    scope: Construct, vpc: ec2.IVpc, subnets: ec2.SubnetSelection | None, *, public_addresses: bool
) -> None:
    """Warns where tasks run in isolated subnets, or in public ones without addresses, and have no endpoint for X-Ray.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-networking.html

    Args:
        scope: Their construct.
        vpc: Their VPC.
        subnets: Where in the VPC. Default: the private subnets; with public addresses, the public ones.
        public_addresses: Whether they get public addresses.

    Raises:
        PipelineError: The VPC has no such subnets.
    """
    if subnets is None and public_addresses:
        subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC)
    selected = {*selected_subnets(vpc, subnets)}
    if _isolated(vpc) & selected:
        check_at_synthesis(scope, lambda: _check_endpoint(scope, vpc, "container", "isolated subnets", _NAT))
    elif not public_addresses and selected & {subnet.node.path for subnet in vpc.public_subnets}:
        where = "public subnets without a public address"
        check_at_synthesis(scope, lambda: _check_endpoint(scope, vpc, "container", where, _PUBLIC))


def _isolated(vpc: ec2.IVpc) -> set[str]:
    return {subnet.node.path for subnet in vpc.isolated_subnets}


def _check_endpoint(scope: Construct, vpc: ec2.IVpc, what: str, where: str, instead: str) -> None:
    if not _has_endpoint(vpc):
        warn(
            scope,
            Check.VPC_WITHOUT_XRAY,
            f"{what} runs in {where} of {vpc.node.path}, from where no network path to X-Ray is known, so "
            "that its segments may be lost; add the interface endpoint ec2.InterfaceVpcEndpointAwsService.XRAY to the "
            f"VPC, {instead}, or acknowledge this if there is another path",
        )


def _has_endpoint(vpc: ec2.IVpc) -> bool:
    return any(
        isinstance(endpoint, ec2.CfnVPCEndpoint)
        and endpoint.vpc_id == vpc.vpc_id
        and "xray" in str(Stack.of(endpoint).resolve(endpoint.service_name))
        for endpoint in resources_in_app(vpc, "AWS::EC2::VPCEndpoint")
    )
