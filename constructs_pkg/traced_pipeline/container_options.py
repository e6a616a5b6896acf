"""A worker in containers: its image, its size and how many of it run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs

from .queue_options import QueueOptions

Sidecar: TypeAlias = Literal["none", "xray-daemon", "adot-collector"]
CpuArchitecture: TypeAlias = Literal["X86_64", "ARM64"]


@dataclass(frozen=True, kw_only=True)
class ContainerWorkerOptions(QueueOptions):
    """A subscription, its queue with a dead-letter queue, and the Fargate service that works through it.

    Attributes:
        image: The image to run: a folder with a `Dockerfile`, absolute or relative to the working directory of the CDK
            app, which the CDK CLI builds with Docker, or a `ContainerImage` of the CDK. Default: none; it is required.
        command: What the container runs. Default: what the image says.
        environment: Environment variables, beside those the worker sets. Default: none.
        cpu: CPU units of a task; 1024 are one vCPU. Default: 256.
            https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
        memory_limit_mib: Memory of a task in MiB, of the values that Fargate has with `cpu`. Default: 512.
        cpu_architecture: What the image is made for; that of a folder is built for it. Default: `"X86_64"`.
        longest_message: The longest time that the handler works on one message, in whole seconds. Default: 30 seconds.
        stop_timeout: How long ECS waits between SIGTERM and SIGKILL, at most 120 seconds. Default:
            `longest_message` and 10 seconds more, at least 30 seconds and at most those 120.
            https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
        min_capacity: Fewest tasks; with 0, the first message after a quiet time waits for a task to start. Default: 1.
        max_capacity: Most tasks. Default: 10.
        backlog_per_task: How many waiting messages there may be for each task before there are more tasks: the longest
            wait that you accept, divided by the time that a task takes for a message. Default: 100.
            https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking-metric-math.html
        sidecar: What sends the traces. `"none"`: the bridge itself; `"xray-daemon"`: the X-Ray daemon, in a container
            beside it; `"adot-collector"`: the collector of AWS Distro for OpenTelemetry, which takes spans as well as
            the bridge's segment documents. Default: `"none"`.
        sidecar_image: The sidecar's image. Default: AWS's own in its public registry, `latest`.
        cluster: An existing cluster, with Container Insights on. Default: the pipeline's; a `ContainerWorker` by itself
            creates one.
        vpc: The VPC of the created cluster. Default: one is created, over two Availability Zones, with one NAT gateway.
        vpc_subnets: The subnets that the tasks run in. Default: the private subnets; with `assign_public_ip`, the
            public ones.
        assign_public_ip: Whether the tasks get public addresses, which those in public subnets need to reach AWS.
            Default: no.
        security_groups: Security groups of the tasks. Default: one is created that lets nothing in.
        log_group: Where the containers log. Default: a log group is created.
        log_retention: How long the created log group keeps its events. Default: one month.
        log_key: Customer key for the created log group. Default: encrypted with a key of CloudWatch Logs.
        removal_policy: What happens to the created log group when it is removed from the stack. Default: the pipeline's
            policy; without a pipeline, it is kept.
    """

    image: str | Path | ecs.ContainerImage | None = None
    command: Sequence[str] | None = None
    environment: Mapping[str, str] | None = None
    cpu: int = 256
    memory_limit_mib: int = 512
    cpu_architecture: CpuArchitecture = "X86_64"
    longest_message: Duration | None = None
    stop_timeout: Duration | None = None
    min_capacity: int = 1
    max_capacity: int = 10
    backlog_per_task: int = 100
    sidecar: Sidecar = "none"
    sidecar_image: ecs.ContainerImage | None = None
    cluster: ecs.ICluster | None = None
    vpc: ec2.IVpc | None = None
    vpc_subnets: ec2.SubnetSelection | None = None
    assign_public_ip: bool = False
    security_groups: Sequence[ec2.ISecurityGroup] | None = None
    log_group: logs.ILogGroup | None = None
    log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH
    log_key: kms.IKey | None = None
    removal_policy: RemovalPolicy | None = None
