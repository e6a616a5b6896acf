"""The task of a container worker: its roles, its container, and what it finds in its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from . import bridge_environment
from .acknowledged import acknowledge_star
from .container_checks import stop_timeout
from .container_image import image_of
from .container_options import ContainerWorkerOptions
from .log_group import make_log_group
from .names import account_wide_name
from .segment_permission import ANY_RESOURCE_REASON, write_segments
from .sidecar import add_sidecar, sidecar_variables

# https://docs.aws.amazon.com/xray/latest/api/API_PutTraceSegments.html
_LONGEST_SEGMENT_NAME = 200
_ARCHITECTURES = {"X86_64": ecs.CpuArchitecture.X86_64, "ARM64": ecs.CpuArchitecture.ARM64}
_ECR_REASON = (
    "ecr:GetAuthorizationToken does not support resource-level permissions; the CDK grants it to pull an image"
)
_VARIABLES_REASON = "the variables are names and addresses of resources; secrets belong in Secrets Manager"


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task definition, its container, its role, and where it logs."""

    definition: ecs.FargateTaskDefinition
    container: ecs.ContainerDefinition
    role: iam.IRole
    log_group: logs.ILogGroup


def make_task(scope: Construct, options: ContainerWorkerOptions, environment: Mapping[str, str]) -> Task:
    """Creates the task definition of a container worker.

    Args:
        scope: Where to create it.
        options: The worker's settings.
        environment: The variables by which the worker learns of its hop.

    Raises:
        PipelineError: There is no such image.
    """
    image = image_of(scope, options)
    log_group = options.log_group or make_log_group(
        scope,
        "Logs",
        retention=options.log_retention,
        key=options.log_key,
        removal_policy=options.removal_policy,
    )
    role = _make_role(scope)
    definition = ecs.FargateTaskDefinition(
        scope,
        "Task",
        cpu=options.cpu,
        memory_limit_mib=options.memory_limit_mib,
        task_role=role,
        runtime_platform=ecs.RuntimePlatform(
            cpu_architecture=_ARCHITECTURES[options.cpu_architecture],
            operating_system_family=ecs.OperatingSystemFamily.LINUX,
        ),
    )
    container = definition.add_container(
        "Worker",
        image=image,
        command=None if options.command is None else list(options.command),
        environment={**_defaults(scope, options), **(options.environment or {}), **environment},
        stop_timeout=stop_timeout(options),
        logging=ecs.LogDriver.aws_logs(log_group=log_group, stream_prefix="worker"),
    )
    add_sidecar(container, options, ecs.LogDriver.aws_logs(log_group=log_group, stream_prefix="sidecar"))
    _acknowledge(definition)
    return Task(definition=definition, container=container, role=role, log_group=log_group)


def _make_role(scope: Construct) -> iam.Role:
    role = iam.Role(
        scope,
        "TaskRole",
        assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"),
        inline_policies={"XRay": iam.PolicyDocument(statements=[write_segments()])},
    )
    acknowledge_star(role, ANY_RESOURCE_REASON)
    return role


def _defaults(scope: Construct, options: ContainerWorkerOptions) -> dict[str, str]:
    """Returns the variables that the options may replace."""
    name = account_wide_name(scope, max_length=_LONGEST_SEGMENT_NAME)
    return {
        # boto3 reads no other: https://docs.aws.amazon.com/boto3/latest/guide/configuration.html
        "AWS_DEFAULT_REGION": Stack.of(scope).region,
        bridge_environment.XRAY_TRACING_NAME: name,
        "OTEL_SERVICE_NAME": name,
        **sidecar_variables(options.sidecar),
    }


def _acknowledge(definition: ecs.FargateTaskDefinition) -> None:
    policy = definition.obtain_execution_role().node.try_find_child("DefaultPolicy")
    if policy is not None:
        acknowledge_star(policy, _ECR_REASON)
    resource = definition.node.default_child
    if resource is not None:
        Validations.of(resource).acknowledge(Acknowledgment(id="AwsSolutions-ECS2", reason=_VARIABLES_REASON))
