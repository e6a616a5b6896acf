"""A Lambda function: its code and its settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from aws_cdk import Duration, RemovalPolicy, Size
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from .instrumentation import Instrumentation
from .words import ChecksWords


@dataclass(frozen=True)
class Handler(ChecksWords):
    """A function's code and its entry point.

    Attributes:
        code: A folder whose content becomes the function's code: absolute, or relative to the working directory of the
            CDK app, but neither that directory itself nor one that holds the CDK's output. Or a `Code` of the CDK,
            which is used as it is.
        entry_point: `module.function`, as Lambda reads it; packages are separated by dots or slashes. Where `code` is a
            folder, it must hold the module. Default: `app.handler`.
        install_requirements: Whether to install, beside the code, the packages that the folder's `requirements.txt`
            names, or else its `uv.lock`, or else its `pyproject.toml`: wheels for the function's Python and
            architecture, with pip or uv, without Docker. Default: on; without any of these files nothing is installed.
    """

    code: str | Path | lambda_.Code
    entry_point: str = "app.handler"
    install_requirements: bool = True


@dataclass(frozen=True, kw_only=True)
class FunctionOptions(ChecksWords):
    """A Lambda function.

    Attributes:
        handler: The code to run, or an existing function, version or alias. An existing function keeps its own
            settings, so that the fields that would configure it must stay at their defaults; if it is made in this app,
            it gets the permissions and variables of its hop (`TOPIC_ARN`, `TABLE_NAME`). Default: the hop's reference
            handler; a `TracedFunction` by itself has none and needs a handler.
        memory_size: Megabytes, at least 128. Default: 256.
            https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
        timeout: Longest time for one invocation, in whole seconds. Default: 30 seconds; for an ingest
            function 10 seconds, since its caller waits.
            https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html
        environment: Environment variables, beside those the hop sets. Default: none.
        environment_encryption: Customer key for the environment variables. Default: a key that AWS manages.
            https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html
        ephemeral_storage_size: Size of the folder `/tmp`, at least 512 MiB. Default: 512 MiB.
            https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html
        layers: Layers beside the one with the bridge. Default: none.
        role: An existing execution role, which gets what the function needs. Default: one is created, without managed
            policies.
        architecture: The instruction set architecture. Default: ARM64.
        runtime: A Python that the bridge's layer supports: 3.11 or newer. Default: Python 3.14.
        vpc: The VPC the function runs in. Default: none.
        vpc_subnets: The subnets of the VPC to use. Default: the private subnets.
        security_groups: Security groups of the function's network interfaces. Default: one is created if there is a
            VPC.
        reserved_concurrent_executions: Executions reserved for this function, which are also its upper limit. Default:
            none reserved, it shares the account's pool.
        provisioned_concurrent_executions: Executions kept initialized, behind an alias `live` that the hop then
            invokes. Default: none.
            https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
        snap_start: Whether Lambda starts published versions from a snapshot, behind an alias `live` that the hop then
            invokes; for Python 3.12 or newer, and not with provisioned concurrency or a larger `/tmp`. Default: it does
            not.
            https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html
        live_alias: Whether the hop invokes an alias `live`, to which deployments can shift traffic step by step.
            Default: only with `provisioned_concurrent_executions` or `snap_start`, which need one.
            https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
        bridge_layer: The layer with the bridge: a layer version or its ARN. A stack that takes no assets
            (`BootstraplessSynthesizer`) needs one. With `Instrumentation.open_telemetry()` it has to hold
            OpenTelemetry's SDK too (`make layer OTEL=on`). Default: the stack's own layer, made from the installed
            packages.
        xray_sdk: Whether the stack's layer with the bridge is to hold the X-Ray SDK too, for a handler that imports
            `aws_xray_sdk`; the environment of the CDK app needs it then (the extra `xray-sdk` of traced-pipeline). The
            bridge works without it. Default: no.
        instrumentation: What records the function's work: the bridge itself, OpenTelemetry, or another vendor's layers
            beside it. Default: the pipeline's; without a pipeline, `Instrumentation.xray()`, the bridge itself.
        log_group: Where the function logs. Default: a log group is created.
        log_retention: How long the created log group keeps its events. Default: one month.
        log_key: Customer key for the created log group. Default: encrypted with a key of CloudWatch Logs.
        removal_policy: What happens to the created log group when it is removed from the stack. Default: the pipeline's
            policy; without a pipeline, it is kept.
    """

    DEFAULT_TIMEOUT_SECONDS: ClassVar[int] = 30

    handler: Handler | lambda_.IFunction | None = None
    memory_size: int = 256
    timeout: Duration | None = None
    environment: Mapping[str, str] | None = None
    environment_encryption: kms.IKey | None = None
    ephemeral_storage_size: Size | None = None
    layers: Sequence[lambda_.ILayerVersion] | None = None
    role: iam.IRole | None = None
    architecture: lambda_.Architecture | None = None
    runtime: lambda_.Runtime | None = None
    vpc: ec2.IVpc | None = None
    vpc_subnets: ec2.SubnetSelection | None = None
    security_groups: Sequence[ec2.ISecurityGroup] | None = None
    reserved_concurrent_executions: int | None = None
    provisioned_concurrent_executions: int | None = None
    snap_start: lambda_.SnapStartConf | None = None
    live_alias: bool = False
    bridge_layer: str | lambda_.ILayerVersion | None = None
    xray_sdk: bool = False
    instrumentation: Instrumentation | None = None
    log_group: logs.ILogGroup | None = None
    log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH
    log_key: kms.IKey | None = None
    removal_policy: RemovalPolicy | None = None
