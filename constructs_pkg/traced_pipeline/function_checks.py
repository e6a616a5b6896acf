"""Settings of a function that do not go together, or that its layer and Lambda cannot do."""

from __future__ import annotations

import re

from aws_cdk import Token
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_lambda as lambda_

from .checks import Check, PipelineError
from .function_options import FunctionOptions
from .instrumentation import layers_of
from .layer import MOST_LAYERS, PYTHONS, RUNTIMES
from .limits import limits_of
from .vpc_checks import selected_subnets

# https://docs.aws.amazon.com/lambda/latest/api/API_Environment.html
_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]+")


def check_function(options: FunctionOptions) -> None:
    """Checks what a function to be made is given beside its code.

    Raises:
        PipelineError: Settings contradict each other, or one of them cannot work.
    """
    _check_network(options)
    _check_variables(options)
    _check_concurrency(options)
    _check_layers(options)


def check_snap_start(options: FunctionOptions, runtime: lambda_.Runtime) -> None:
    """Refuses SnapStart beside what it does not support.

    https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html

    Args:
        options: The function's settings.
        runtime: Its runtime.

    Raises:
        PipelineError: The runtime, provisioned concurrency or the size of `/tmp` does not go with it.
    """
    if options.snap_start is None:
        return
    if not runtime.supports_snap_start:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"snap_start is given, but the runtime is {runtime.name}, which SnapStart does not support; give a newer "
            "runtime, or leave it out",
        )
    if options.provisioned_concurrent_executions is not None:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            "snap_start and provisioned_concurrent_executions are given, but Lambda keeps no executions of a SnapStart "
            "function initialized; leave one out",
        )
    size, most = options.ephemeral_storage_size, limits_of(FunctionOptions)["ephemeral_storage_size"].least
    if size is not None and not size.is_unresolved() and size.to_mebibytes() > most:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"snap_start is given, but ephemeral_storage_size is {size.to_mebibytes():g} MiB, and SnapStart takes no "
            f"more than {most:g} MiB; leave one out",
        )


def runtime_of_bridge(runtime: lambda_.Runtime) -> lambda_.Runtime:
    """Returns a runtime as the bridge's layer knows it: one made by its name is no other for the CDK's comparison.

    Raises:
        PipelineError: The bridge is not for it.
    """
    known = {fit.name: fit for fit in RUNTIMES}
    names = list(known)
    constant = runtime.name.upper().replace("PYTHON", "PYTHON_").replace(".", "_")
    if constant in PYTHONS and runtime.name not in known:
        raise PipelineError(
            Check.OPTION_VALUE,
            f"runtime is {runtime.name}, but this release of aws-cdk-lib has no Runtime.{constant}, and makes no layer "
            "for it; take a release that has it, or another runtime",
        )
    if runtime.name not in known:
        raise PipelineError(
            Check.OPTION_VALUE,
            f"runtime is {runtime.name}, but the bridge is for Python 3.11 or newer, and its layer for "
            f"{', '.join(names)}; choose one of these, or give an existing function of another runtime instead of a "
            "Handler",
        )
    return known[runtime.name]


def check_architecture(architecture: lambda_.Architecture) -> None:
    """Refuses an architecture that Lambda does not have.

    Raises:
        PipelineError: It is neither of the two.
    """
    machines = [lambda_.Architecture.ARM_64.name, lambda_.Architecture.X86_64.name]
    if architecture.name not in machines:
        raise PipelineError(
            Check.OPTION_VALUE, f"architecture is {architecture.name}, but must be {' or '.join(machines)}"
        )


def _check_network(options: FunctionOptions) -> None:
    if options.vpc is None:
        alone = [name for name in ("vpc_subnets", "security_groups") if getattr(options, name) is not None]
        if alone:
            raise PipelineError(
                Check.OPTION_CONFLICT,
                f"{' and '.join(alone)} given without a vpc; give the vpc that the function runs in, or leave "
                f"{'them' if len(alone) > 1 else 'it'} out",
            )
        return
    _check_subnets(options.vpc, options.vpc_subnets)


def _check_subnets(vpc: ec2.IVpc, selection: ec2.SubnetSelection | None) -> None:
    selected = selected_subnets(vpc, selection)
    public = {subnet.node.path for subnet in vpc.public_subnets}
    if public & {*selected}:
        # https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc-internet.html
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"vpc_subnets chooses public subnets of {vpc.node.path}, but a function reaches nothing from them: it "
            "gets no public address; choose private or isolated subnets",
        )


def _check_variables(options: FunctionOptions) -> None:
    for name in options.environment or {}:
        if not Token.is_unresolved(name) and not _VARIABLE.fullmatch(name):
            raise PipelineError(
                Check.OPTION_VALUE,
                f"environment has a variable {name!r}, but Lambda takes letters, digits and underscores, two or more, "
                "a letter first",
            )


def _check_layers(options: FunctionOptions) -> None:
    count, brought = len(options.layers or ()), len(layers_of(options.instrumentation))
    if count and count + brought >= MOST_LAYERS:
        others = f", and instrumentation {brought}" if brought else ""
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"layers has {count} layers{others}, but Lambda takes {MOST_LAYERS} for a function, that with the bridge "
            f"included; give at most {MOST_LAYERS - 1 - brought}",
        )


def _check_concurrency(options: FunctionOptions) -> None:
    warm, reserved = options.provisioned_concurrent_executions, options.reserved_concurrent_executions
    if warm is None or reserved is None or Token.is_unresolved(warm) or Token.is_unresolved(reserved):
        return
    if warm > reserved:
        # https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
        raise PipelineError(
            Check.OPTION_VALUE,
            f"provisioned_concurrent_executions is {warm}, but must be at most "
            f"reserved_concurrent_executions, which is {reserved}",
        )
