"""How an app's topics, queues and functions are wired, beside what this library wires: looked at during synthesis."""

from __future__ import annotations

import weakref
from collections.abc import Iterable

from aws_cdk import CfnResource, Stage, Token
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct, IConstruct

from .checks import Check, PipelineError, warn
from .durability import is_durable, refuse_durable
from .layer import has_bridge
from .resource import identity_of, referenced_resource, resource_of
from .synthesis_checks import check_at_synthesis, resources_below

_PARTIAL_FAILURES = "ReportBatchItemFailures"
_checked: weakref.WeakSet[IConstruct] = weakref.WeakSet()


def check_wiring(scope: Construct) -> None:
    """Lets the wiring of a hop's app be checked, once for all hops of a stage of the app.

    Args:
        scope: The hop.
    """
    stage = Stage.of(scope)
    if stage is None or stage in _checked:
        return
    _checked.add(stage)
    check_at_synthesis(stage, lambda: _check(stage))


def _check(stage: IConstruct) -> None:
    subscriptions = [s for s in resources_below(stage, "AWS::SNS::Subscription") if isinstance(s, sns.CfnSubscription)]
    mappings = [
        mapping
        for mapping in resources_below(stage, "AWS::Lambda::EventSourceMapping")
        if isinstance(mapping, lambda_.CfnEventSourceMapping) and _is_of_queue(mapping)
    ]
    for mapping in mappings:
        _check_partial_failures(mapping)
        _check_durability(mapping)
    _refuse_pairs(
        Check.DUPLICATE_SUBSCRIPTION,
        ((s, s.topic_arn, s.endpoint) for s in subscriptions if s.endpoint is not None),
        "subscribe the same endpoint to the same topic, and SNS has one subscription for the two",
    )
    _refuse_pairs(
        Check.DUPLICATE_EVENT_SOURCE,
        ((m, m.event_source_arn, m.function_name) for m in mappings),
        "connect the same queue with the same function, and Lambda has one event source mapping for the two",
    )


def _refuse_pairs(check: Check, pairs: Iterable[tuple[CfnResource, str | None, str]], why: str) -> None:
    seen: dict[tuple[str, str], CfnResource] = {}
    for resource, source, target in pairs:
        if source is None:
            continue
        pair = identity_of(resource, source), identity_of(resource, target)
        first = seen.setdefault(pair, resource)
        if first is not resource:
            raise PipelineError(
                check,
                f"{_path(first)} and {_path(resource)} {why}: the second one fails when it is deployed; remove one",
            )


def _check_partial_failures(mapping: lambda_.CfnEventSourceMapping) -> None:
    function = _function_of(mapping)
    if function is None or not has_bridge(function):
        return
    types = mapping.stack.resolve(mapping.function_response_types) or []
    if isinstance(types, list) and _PARTIAL_FAILURES not in types:
        warn(
            mapping,
            Check.BATCH_FAILURES_IGNORED,
            f"event source mapping {_path(mapping)} leads to function {_path(function)}, which has the bridge, without "
            f"{_PARTIAL_FAILURES}: Lambda deletes the messages that the handler reports as failed; make it with "
            "report_batch_item_failures=True",
        )


def _check_durability(mapping: lambda_.CfnEventSourceMapping) -> None:
    function = _function_of(mapping)
    if function is not None and has_bridge(function) and is_durable(function):
        refuse_durable(_path(function))


def _is_of_queue(mapping: lambda_.CfnEventSourceMapping) -> bool:
    source = mapping.event_source_arn
    if source is None:
        return False
    if not Token.is_unresolved(source):
        return source.split(":")[2:3] == ["sqs"]
    target = referenced_resource(source)
    return target is not None and target.cfn_resource_type == "AWS::SQS::Queue"


def _function_of(mapping: lambda_.CfnEventSourceMapping) -> lambda_.CfnFunction | None:
    """Returns the function that a mapping leads to, also behind a version or alias; None if it is not made here."""
    source = mapping.node.scope
    function = None if source is None else source.node.scope
    while isinstance(function, lambda_.Alias | lambda_.Version):
        function = function.lambda_
    if isinstance(function, lambda_.Function):
        return resource_of(function, lambda_.CfnFunction)
    target = referenced_resource(mapping.function_name)
    return target if isinstance(target, lambda_.CfnFunction) else None


def _path(resource: CfnResource) -> str:
    return resource.node.path.removesuffix("/Resource")
