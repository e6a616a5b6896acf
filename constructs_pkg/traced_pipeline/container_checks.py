"""What is checked of a worker in containers: how it stops, how many tasks there are, where they run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, Stack, Token
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from .bridge_variables import check_bridge_variables
from .checks import Check, PipelineError, refuse_settings, warn
from .container_options import ContainerWorkerOptions
from .limits import TASK_SIZES, TASK_SIZES_SOURCE, limits_of
from .resource import resource_of

_LONGEST_MESSAGE_SECONDS = 30
_POLLING_SECONDS = 20
"""How long `poll` waits for messages by default, and so for its end."""
_MARGIN_SECONDS = 10
"""For what follows on a message: it is deleted, and its documents are sent."""


def longest_message(options: ContainerWorkerOptions) -> Duration:
    """Returns the longest time that the handler works on a message."""
    return options.longest_message or Duration.seconds(_LONGEST_MESSAGE_SECONDS)


def stop_timeout(options: ContainerWorkerOptions) -> Duration:
    """Returns how long ECS has to wait for a task to stop: as given, or so that it can finish a message."""
    if options.stop_timeout is not None:
        return options.stop_timeout
    most = limits_of(ContainerWorkerOptions)["stop_timeout"].most or 0
    longest = longest_message(options)
    if longest.is_unresolved():
        return Duration.seconds(most)
    return Duration.seconds(min(most, max(_POLLING_SECONDS, longest.to_seconds()) + _MARGIN_SECONDS))


def check_container(scope: Construct, options: ContainerWorkerOptions) -> None:
    """Checks a container worker's settings against each other.

    Raises:
        PipelineError: They contradict each other, or the bridge does not know or cannot read a variable.
    """
    if options.sidecar == "none" and options.sidecar_image is not None:
        raise PipelineError(
            Check.OPTION_CONFLICT, "sidecar_image is given, but there is no sidecar; give sidecar, or leave it out"
        )
    if options.cluster is not None:
        refuse_settings(options, ("vpc",), existing="a cluster", instead="leave out cluster")
        _check_insights(scope, options.cluster)
    if options.log_group is not None:
        refuse_settings(options, ("log_retention", "log_key"), existing="a log group", instead="leave out log_group")
    _check_variables(options.environment)
    _check_size(options)
    _check_capacity(options)
    _check_stop(scope, options)


def check_visibility_of_containers(
    scope: Construct, visibility: Duration, options: ContainerWorkerOptions, what: str
) -> None:
    """Warns where a queue hands out a message again while a container may still work on it.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html

    Args:
        scope: The hop; it gets the warning.
        visibility: The visibility timeout.
        options: The worker's settings.
        what: What has the visibility timeout, for the message.
    """
    longest = longest_message(options)
    if visibility.is_unresolved() or longest.is_unresolved() or visibility.to_seconds() >= longest.to_seconds():
        return
    warn(
        scope,
        Check.VISIBILITY_BELOW_MESSAGE,
        f"{what} is {visibility.to_seconds():g} s, but a message may take {longest.to_seconds():g} s, after which SQS "
        f"has handed it to another task; give at least {longest.to_seconds():g} s, or acknowledge this if the messages "
        "are received by trace_bridge's poll, which keeps them hidden as long as it takes",
    )


def _check_variables(environment: Mapping[str, str] | None) -> None:
    for name in environment or {}:
        if not name or "=" in name:
            # https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap08.html
            raise PipelineError(
                Check.OPTION_VALUE, f"environment has a variable {name!r}, but a name is not empty and holds no ="
            )
    check_bridge_variables(environment)


def _check_size(options: ContainerWorkerOptions) -> None:
    """Refuses CPU and memory that Fargate does not have together; the CDK warns of them, and ECS refuses them."""
    cpu, memory = options.cpu, options.memory_limit_mib
    if Token.is_unresolved(cpu) or Token.is_unresolved(memory) or cpu > max(TASK_SIZES):
        return
    if cpu not in TASK_SIZES:
        raise PipelineError(
            Check.OPTION_VALUE,
            f"cpu is {cpu}, but Fargate takes {_listed(list(TASK_SIZES))}; see {TASK_SIZES_SOURCE}",
        )
    if memory not in TASK_SIZES[cpu]:
        others = [other for other, sizes in TASK_SIZES.items() if memory in sizes]
        instead = f", or cpu={_listed(others)}" if others else ""
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"memory_limit_mib is {memory} and cpu {cpu}, which Fargate does not have together; give "
            f"memory_limit_mib={_listed(TASK_SIZES[cpu])}{instead}; see {TASK_SIZES_SOURCE}",
        )


def _listed(numbers: Sequence[int]) -> str:
    if isinstance(numbers, range):
        return f"{numbers[0]} to {numbers[-1]} in steps of {numbers.step}"
    *others, last = map(str, numbers)
    return f"{', '.join(others)} or {last}" if others else last


def _check_capacity(options: ContainerWorkerOptions) -> None:
    fewest, most = options.min_capacity, options.max_capacity
    if not Token.is_unresolved(fewest) and not Token.is_unresolved(most) and fewest > most:
        raise PipelineError(
            Check.OPTION_CONFLICT, f"min_capacity is {fewest}, but must be at most max_capacity, which is {most}"
        )


def _check_stop(scope: Construct, options: ContainerWorkerOptions) -> None:
    longest, waits = longest_message(options), stop_timeout(options)
    if longest.is_unresolved() or waits.is_unresolved() or waits.to_seconds() >= longest.to_seconds():
        return
    most = limits_of(ContainerWorkerOptions)["stop_timeout"]
    warn(
        scope,
        Check.STOP_TIMEOUT_BELOW_MESSAGE,
        f"a message may take {longest.to_seconds():g} s, but ECS kills a task {waits.to_seconds():g} s after asking it "
        f"to stop (at most {most.most:g} s, see {most.source}), and SQS then delivers the message again; give a longer "
        "stop_timeout, split the work into shorter messages, or acknowledge this if the handler may be cut off",
    )


def _check_insights(scope: Construct, cluster: ecs.ICluster) -> None:
    """Warns of a cluster without the metric by which the service is scaled; of an imported one nothing is known.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-ECS.html
    """
    if not isinstance(cluster, ecs.Cluster):
        return
    settings = Stack.of(cluster).resolve(resource_of(cluster, ecs.CfnCluster).cluster_settings) or []
    if Token.is_unresolved(settings) or any(setting.get("value") in ("enabled", "enhanced") for setting in settings):
        return
    warn(
        scope,
        Check.CLUSTER_WITHOUT_INSIGHTS,
        f"cluster {cluster.node.path} has no Container Insights, so that the number of running tasks is not known and "
        "the service is not scaled; make it with container_insights_v2=ecs.ContainerInsights.ENABLED, or acknowledge "
        "this if the account's default turns them on",
    )
