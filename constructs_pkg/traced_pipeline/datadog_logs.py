"""Log groups that are subscribed to by a function, such as Datadog's Forwarder."""

from __future__ import annotations

from collections import defaultdict

from aws_cdk import ArnFormat, CfnResource, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct, IConstruct

from .checks import Check, PipelineError
from .log_group import log_group_name_of, own_log_group_name
from .resource import identity_of, referenced_resource
from .synthesis_checks import check_at_synthesis, resources_in_app

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutSubscriptionFilter.html
MOST_SUBSCRIPTIONS = 2
"""How many subscription filters a log group can have."""

_FILTER = "AWS::Logs::SubscriptionFilter"
# Metadata of a log group: which function gets its lines, for which pipeline, and by which filter.
_SUBSCRIBED = "traced-pipeline:subscribed"


class LogSubscriptions:
    """Subscriptions of one function to a pipeline's log groups, each of which it is subscribed to once.

    What pipelines share, such as the log group of a function that works for two, is subscribed to by the first.

    Args:
        scope: Where to create them.
        forwarder: The function.
        pipeline: The pipeline.
    """

    def __init__(self, scope: Construct, forwarder: lambda_.IFunction, pipeline: Construct) -> None:
        self._scope = scope
        self._pipeline = pipeline.node.path
        self._forwarder = forwarder
        self._destination = identity_of(scope, forwarder.function_arn)
        self._own = _log_groups_of(scope, forwarder)
        self._made: dict[str, logs.CfnSubscriptionFilter] = {}
        self._permission = _permission(scope, forwarder)
        check_at_synthesis(scope, self._check)

    def add(self, construct_id: str, log_group_name: str) -> logs.CfnSubscriptionFilter:
        """Subscribes the function to a log group; returns the one that there is, if this or another pipeline has one.

        Args:
            construct_id: Id of the subscription.
            log_group_name: Name of the log group.

        Raises:
            PipelineError: The function itself writes to the log group.
        """
        group = identity_of(self._scope, log_group_name)
        if group in self._own:
            raise PipelineError(
                Check.LOG_SUBSCRIPTION,
                f"forwarder {self._forwarder.node.path} writes to log group {_shown(group)} itself, so that each line "
                "that it gets would make it write the next one, without end; give it a log group of its own",
            )
        if group not in self._made:
            # An app may name a log group by a text alone; what is known of that is kept by the app itself.
            keeper = referenced_resource(log_group_name) or self._scope.node.root
            self._made[group] = self._of_another_pipeline(group, keeper) or self._subscribe(
                construct_id, log_group_name, keeper
            )
        return self._made[group]

    def _subscribe(self, construct_id: str, log_group_name: str, keeper: IConstruct) -> logs.CfnSubscriptionFilter:
        made = logs.CfnSubscriptionFilter(
            self._scope,
            construct_id,
            destination_arn=self._forwarder.function_arn,
            filter_pattern="",
            log_group_name=log_group_name,
        )
        if self._permission is not None:
            # CloudWatch Logs tries the function when the filter is made.
            made.node.add_dependency(self._permission)
        known = [self._destination, identity_of(self._scope, log_group_name), self._pipeline, made.node.path]
        keeper.node.add_metadata(_SUBSCRIBED, known)
        return made

    def _of_another_pipeline(self, group: str, keeper: IConstruct) -> logs.CfnSubscriptionFilter | None:
        known = [entry.data for entry in keeper.node.metadata if entry.type == _SUBSCRIBED]
        for destination, subscribed, pipeline, path in known:
            if (destination, subscribed) == (self._destination, group) and pipeline != self._pipeline:
                found: IConstruct = self._scope.node.root
                for construct_id in path.split("/"):
                    found = found.node.find_child(construct_id)
                return found if isinstance(found, logs.CfnSubscriptionFilter) else None
        return None

    def _check(self) -> None:
        """Refuses what CloudWatch Logs refuses, or delivers twice, by all subscriptions of the app."""
        filters: dict[str, list[logs.CfnSubscriptionFilter]] = defaultdict(list)
        for resource in resources_in_app(self._scope, _FILTER):
            if isinstance(resource, logs.CfnSubscriptionFilter):
                filters[identity_of(resource, resource.log_group_name)].append(resource)
        for group, own in self._made.items():
            others = [f for f in filters[group] if f.node.path != own.node.path]
            for other in others:
                if identity_of(other, other.destination_arn) == identity_of(own, own.destination_arn):
                    raise PipelineError(
                        Check.LOG_SUBSCRIPTION,
                        f"{_path(other)} and {own.node.path} subscribe the same function to log group "
                        f"{_shown(group)}, so that it would get each line twice; remove one",
                    )
            if len(others) >= MOST_SUBSCRIPTIONS:
                paths = ", ".join(_path(other) for other in others)
                raise PipelineError(
                    Check.LOG_SUBSCRIPTION,
                    f"log group {_shown(group)} would have {len(others) + 1} subscription filters, {own.node.path} "
                    f"beside {paths}, but CloudWatch Logs takes {MOST_SUBSCRIPTIONS}; remove one",
                )


def _permission(scope: Construct, forwarder: lambda_.IFunction) -> lambda_.CfnPermission | None:
    """Lets CloudWatch Logs invoke a function of this app, by one statement for all log groups of account and Region.

    One for each log group would fill the function's policy, whose size is limited:
    https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html. Datadog's own Forwarder comes with the
    same statement.
    """
    if forwarder.node.default_child is None:
        return None
    stack = Stack.of(scope)
    groups = stack.format_arn(
        service="logs", resource="log-group", resource_name="*:*", arn_format=ArnFormat.COLON_RESOURCE_NAME
    )
    return lambda_.CfnPermission(
        scope,
        "Permission",
        action="lambda:InvokeFunction",
        function_name=forwarder.function_arn,
        principal="logs.amazonaws.com",
        source_account=stack.account,
        source_arn=groups,
    )


def _log_groups_of(scope: Construct, function: lambda_.IFunction) -> set[str]:
    """Returns what identifies the log groups that a function may write to, as far as that is known."""
    while isinstance(function, lambda_.Alias | lambda_.Version):
        function = function.lambda_
    names = [f"/aws/lambda/{function.function_name}", log_group_name_of(function)]
    if isinstance(function, lambda_.Function):
        names.append(own_log_group_name(function))
    return {identity_of(scope, name) for name in names if name is not None}


def _shown(group: str) -> str:
    return group.removesuffix("/Resource")


def _path(resource: CfnResource) -> str:
    return resource.node.path.removesuffix("/Resource")
