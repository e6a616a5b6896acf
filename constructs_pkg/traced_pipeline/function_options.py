"""A Lambda function: its code and its settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from .words import ChecksWords


@dataclass(frozen=True)
class Handler(ChecksWords):
    """A function's code and the place in it where Lambda enters.

    Attributes:
        code: A folder, absolute or relative to the working directory of the CDK app, but not that directory itself; it
            becomes the root of the function's code. Or a `Code` of the CDK, which is taken as it is.
        entry_point: `module.function` as Lambda reads it; packages are separated by dots or slashes.
            Where `code` is a folder the module must exist in it. Default: `app.handler`.
        install_requirements: Install what the folder's `requirements.txt` names beside the code, or else its `uv.lock`,
            or else the dependencies of its `pyproject.toml`: wheels for the function's Python and architecture, by pip
            or uv, without Docker. Default: on; where none of them names anything, nothing is installed.
    """

    code: str | Path | lambda_.Code
    entry_point: str = "app.handler"
    install_requirements: bool = True


@dataclass(frozen=True, kw_only=True)
class FunctionOptions(ChecksWords):
    """A Lambda function.

    Attributes:
        handler: The code to run, or an existing function, version or alias. That keeps its own settings, so
            that every other field of this class must stay at its default; it gets the hop's permissions and
            variables (`TOPIC_ARN`, `TABLE_NAME`), as far as it is made in this app. Default: the hop's
            reference handler; a function that belongs to no hop has none and needs a handler.
        memory_size: Megabytes, at least 128. Default: 256.
            https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
        timeout: Longest time for one invocation, in whole seconds. Default: 30 seconds; for an ingest
            function 10 seconds, since its caller waits.
            https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html
        environment: Variables for the function beside those the hop sets. Default: none.
        architecture: The processors it runs on. Default: ARM64.
        runtime: Python 3.11 or newer, as far as the bridge's layer is for it. Default: the newest Python that the CDK
            release knows.
        vpc: The VPC the function runs in. Default: none.
        vpc_subnets: Where in the VPC. Default: the private subnets.
        security_groups: Those of its network interfaces. Default: one is created when there is a VPC.
        reserved_concurrent_executions: Executions set aside for this function, and its upper limit. Default: the
            account's shared pool.
        provisioned_concurrent_executions: Executions kept warm, behind an alias `live` that the hop then calls.
            Default: none, and no alias.
        bridge_layer: The bridge's layer, where the stack cannot make it: the ARN of a layer version, or one of the CDK.
            A stack that takes no assets (`BootstraplessSynthesizer`) needs one. Default: one a stack, made of
            the installed packages.
        log_group: Where the function logs. Default: a log group of its own is created.
        log_retention: How long the created log group keeps its events. Default: one month.
        log_key: Customer key for the created log group. Default: encrypted with a key of CloudWatch Logs.
        removal_policy: What happens to the created log group when it leaves the stack. Default: the
            pipeline's policy, by itself it is kept.
    """

    DEFAULT_TIMEOUT_SECONDS: ClassVar[int] = 30

    handler: Handler | lambda_.IFunction | None = None
    memory_size: int = 256
    timeout: Duration | None = None
    environment: Mapping[str, str] | None = None
    architecture: lambda_.Architecture | None = None
    runtime: lambda_.Runtime | None = None
    vpc: ec2.IVpc | None = None
    vpc_subnets: ec2.SubnetSelection | None = None
    security_groups: Sequence[ec2.ISecurityGroup] | None = None
    reserved_concurrent_executions: int | None = None
    provisioned_concurrent_executions: int | None = None
    bridge_layer: str | lambda_.ILayerVersion | None = None
    log_group: logs.ILogGroup | None = None
    log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH
    log_key: kms.IKey | None = None
    removal_policy: RemovalPolicy | None = None
