"""The cluster that container workers run in, where there is none yet."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs
from constructs import Construct

from .checks import Check, PipelineError
from .log_group import make_log_group

_ZONES = 2


def make_cluster(scope: Construct, *, vpc: ec2.IVpc | None, removal_policy: RemovalPolicy | None) -> ecs.Cluster:
    """Creates a cluster with Container Insights, which the scaling by backlog needs.

    Args:
        scope: Where to create it.
        vpc: Its VPC. Default: one is created over two Availability Zones, with one NAT gateway and with flow logs.
        removal_policy: What happens to the flow logs when they leave the stack. Default: they are kept.
    """
    return ecs.Cluster(
        scope,
        "Cluster",
        vpc=vpc or _make_vpc(scope, removal_policy),
        container_insights_v2=ecs.ContainerInsights.ENABLED,
    )


def vpc_of(cluster: ecs.ICluster) -> ec2.IVpc:
    """Returns the VPC of a cluster.

    Raises:
        PipelineError: The cluster is imported without it.
    """
    try:
        return cluster.vpc
    except RuntimeError as error:
        raise PipelineError(
            Check.OPTION_VALUE,
            f"cluster {cluster.node.path} is imported by its ARN alone, so that its VPC is not known; import it by "
            "ecs.Cluster.from_cluster_attributes(..., cluster_name=, vpc=)",
        ) from error


def _make_vpc(scope: Construct, removal_policy: RemovalPolicy | None) -> ec2.Vpc:
    vpc = ec2.Vpc(scope, "Vpc", max_azs=_ZONES, nat_gateways=1)
    group = make_log_group(
        scope, "FlowLogs", retention=logs.RetentionDays.ONE_MONTH, key=None, removal_policy=removal_policy
    )
    vpc.add_flow_log("FlowLog", destination=ec2.FlowLogDestination.to_cloud_watch_logs(group))
    return vpc
