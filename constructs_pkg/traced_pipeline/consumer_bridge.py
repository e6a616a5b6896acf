"""The consumers below a scope: which of them are given the bridge, how, and why the others are not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from aws_cdk import CfnResource
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sam as sam

from .bridge_adoption import give_bridge, pass_through, report_failures
from .bridge_variables import turned_off_by, wrong_variables
from .bridgeable import has_own_bridge, why_not
from .function_callers import FunctionCallers
from .function_references import FunctionReferences
from .function_settings import DEFAULT_TIMEOUT_SECONDS, PROPAGATING_MODE, FunctionSettings, settings_of
from .layer import AUTO_HANDLER
from .scope_exceptions import ScopeExceptions
from .sqs_consumers import QueueMapping, SqsConsumers
from .trace_state import BridgeState
from .traceable_functions import runs_at_the_edge
from .visibility import VISIBILITY_FACTOR

_ALONE = f"tracing mode {PROPAGATING_MODE}, since SQS alone calls it"
_MOST_NAMED = 3


@dataclass(frozen=True, kw_only=True)
class Bridging:
    """What became of a consumer.

    Attributes:
        state: Whether it has the bridge.
        reason: Why it has not, why its own trace is kept beside, or what is missing; otherwise empty.
        changes: What was done.
        is_settled: Whether its tracing mode is settled; if not, it is traced as any other function.
    """

    state: BridgeState
    reason: str = ""
    changes: tuple[str, ...] = ()
    is_settled: bool = False


class ConsumerBridge:
    """Gives the consumers of an app the bridge, each as it is visited; for use at synthesis.

    Args:
        exceptions: What is left as it is.
    """

    def __init__(self, exceptions: ScopeExceptions) -> None:
        self._exceptions = exceptions
        self._consumers: SqsConsumers | None = None
        self._callers: FunctionCallers | None = None

    def give(self, function: CfnResource, path: str) -> Bridging | None:
        """Gives a function the bridge where it can be given.

        Args:
            function: The function's resource.
            path: Its path.

        Returns:
            What became of it; None where no queue calls it.
        """
        mappings = self._known(function).of(path)
        if not mappings:
            return None
        settings = settings_of(function)
        notes = [*_short_visibility(settings, mappings), *_wrong_variables(settings)]
        if has_own_bridge(function, settings):
            return self._as_it_is(function, path, settings, mappings, notes)
        reasons = [*self._why_not(function, path, settings, mappings)]
        if reasons or not _has_properties(function):
            reasons = [f"not bridged: {', and '.join(reasons)}", *notes]
            return Bridging(state=BridgeState.UNBRIDGED, reason="; ".join(reasons))
        changes = give_bridge(function, settings, mappings)
        others = self._others(function, path)
        if settings.mode == PROPAGATING_MODE or not others:
            needs = pass_through(function)
            if settings.mode != PROPAGATING_MODE:
                changes.append(_ALONE)
            reason = "; ".join(text for text in (needs, *notes) if text)
            return Bridging(state=BridgeState.CONTINUED, reason=reason, changes=tuple(changes), is_settled=True)
        notes.insert(0, f"its own trace stays beside the messages', since SQS is not all that calls it: {_few(others)}")
        return Bridging(state=BridgeState.LINKED, reason="; ".join(notes), changes=tuple(changes))

    def of_mapping(self, resource: CfnResource, path: str) -> Bridging | None:
        """Returns what became of the consumer behind a mapping, where that is no function below the scope."""
        mapping = self._known(resource).at(path)
        if mapping is None:
            return None
        if not mapping.function:
            reason = (
                "not bridged: its function is imported, or named by what only a deployment knows; give it the bridge "
                "where it is made"
            )
            return Bridging(state=BridgeState.UNBRIDGED, reason=reason)
        if self._exceptions.is_outside(mapping.function):
            reason = f"not bridged: its function {mapping.function} is outside of the scope"
            return Bridging(state=BridgeState.UNBRIDGED, reason=reason)
        return None

    def is_new(self, resource: CfnResource, path: str) -> bool:
        """Returns whether a mapping was made after the consumers were looked for; they are then looked for again."""
        if self._known(resource).knows(path):
            return False
        self._consumers = self._callers = None
        return True

    def function_of(self, mapping: CfnResource, path: str) -> str:
        """Returns the path of the function behind a mapping of SQS; empty where there is none."""
        known = self._known(mapping).at(path)
        return "" if known is None else known.function

    def _known(self, scope: CfnResource) -> SqsConsumers:
        if self._consumers is None:
            self._consumers = SqsConsumers(FunctionReferences(scope), scope)
        return self._consumers

    def _others(self, function: CfnResource, path: str) -> list[str]:
        if self._callers is None:
            consumers = self._known(function)
            self._callers = FunctionCallers(consumers.references, consumers, function)
        return self._callers.of(path)

    def _as_it_is(
        self,
        function: CfnResource,
        path: str,
        settings: FunctionSettings,
        mappings: Sequence[QueueMapping],
        notes: list[str],
    ) -> Bridging:
        """Completes what a consumer with the bridge leaves open, unless it is excluded; one turned off stays off."""
        changes: list[str] = []
        off = turned_off_by(settings.variables)
        settled = False
        if not self._exceptions.why(function, path):
            if settings.handler == AUTO_HANDLER:
                # It answers with the failed messages, which Lambda would otherwise delete as done.
                changes += report_failures([m for m in mappings if not self._exceptions.why(m.resource, m.path)])
            alone = off is None and settings.mode is None and not self._others(function, path)
            if alone and _has_properties(function):
                notes.insert(0, pass_through(function))
                changes.append(_ALONE)
                settled = True
        if off is not None:
            notes.insert(0, f"not bridged: its variable {off} turns the bridge off, as tracing='unbridged' does")
        state = BridgeState.ALREADY_BRIDGED if off is None else BridgeState.UNBRIDGED
        reason = "; ".join(filter(None, notes))
        return Bridging(state=state, reason=reason, changes=tuple(changes), is_settled=settled)

    def _why_not(
        self, function: CfnResource, path: str, settings: FunctionSettings, mappings: Sequence[QueueMapping]
    ) -> Iterator[str]:
        excluded = self._exceptions.why(function, path)
        if excluded:
            yield excluded
            return
        if not _has_properties(function):
            yield "it is a plain CfnResource, whose layers are not known to the CDK"
        elif isinstance(function, lambda_.CfnFunction) and runs_at_the_edge(function):
            yield "it runs as Lambda@Edge, which takes no layers"
        yield from why_not(function, settings, (mapping.fixed_version for mapping in mappings))
        for mapping in mappings:
            left = (
                ""
                if mapping.reports_failures or mapping.event
                else self._exceptions.why(mapping.resource, mapping.path)
            )
            if left:
                yield f"its event source mapping {mapping.path} does not report batch item failures, and {left}"


def _short_visibility(settings: FunctionSettings, mappings: Sequence[QueueMapping]) -> Iterator[str]:
    timeout = DEFAULT_TIMEOUT_SECONDS if settings.timeout is None else settings.timeout
    for mapping in mappings:
        visibility = None if mapping.queue is None else mapping.queue.visibility_timeout
        if mapping.queue is None or visibility is None or not isinstance(timeout, int | float):
            continue
        if visibility < VISIBILITY_FACTOR * timeout:
            yield (
                f"the visibility timeout of {mapping.queue.path} is {visibility:g} s, and AWS recommends six times the "
                f"function's timeout of {timeout:g} s"
            )


def _wrong_variables(settings: FunctionSettings) -> Iterator[str]:
    if isinstance(settings.variables, Mapping):
        for wrong in wrong_variables(settings.variables):
            yield f"it has the variable {wrong}"


def _has_properties(function: CfnResource) -> TypeGuard[lambda_.CfnFunction | sam.CfnFunction]:
    return isinstance(function, lambda_.CfnFunction | sam.CfnFunction)


def _few(callers: Sequence[str]) -> str:
    more = f" and {len(callers) - _MOST_NAMED} more" if len(callers) > _MOST_NAMED else ""
    return ", ".join(callers[:_MOST_NAMED]) + more
