"""Tracing for stacks that are not made with this library."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

import jsii
from aws_cdk import AspectPriority, Aspects, CfnResource, IAspect, Stack, Stage
from constructs import IConstruct, IMixin

from .account_parts import declaring
from .checks import Check, note
from .consumer_bridge import Bridging, ConsumerBridge
from .function_settings import FUNCTION_TYPES
from .not_traceable import BY_ITS_APPLICATION, NOT_TRACEABLE
from .option_checks import checks_arguments
from .scope_exceptions import ScopeExceptions
from .sns_trace_permission import SnsTracePermission
from .sqs_consumers import MAPPING
from .stages import stacks_of, stages_below
from .synthesis_checks import check_at_synthesis
from .trace_state import BridgeState, Outcome, TraceState
from .traceable import switch_for, switchable_types
from .xray_policies import lets_topics_trace

_TOPIC = "AWS::SNS::Topic"
_NOTE = "aws:cdk:info"


@dataclass(frozen=True, kw_only=True)
class TraceFinding:
    """What became of one resource.

    Attributes:
        path: The resource's path in the construct tree.
        resource_type: Its CloudFormation type.
        state: Whether it is traced.
        reason: Why it is not traced or not bridged, or what is still missing; otherwise empty.
        bridge: Whether a consumer of SQS has the bridge. Default: None, for all other resources, and without `bridge`.
        changes: What was done to give it the bridge, one text for each change. Default: nothing.
    """

    path: str
    resource_type: str
    state: TraceState
    reason: str
    bridge: BridgeState | None = None
    changes: tuple[str, ...] = ()


@jsii.implements(IAspect, IMixin)
class TraceEverything:
    """Turns tracing on for every resource that supports it, below a scope of any origin.

    With `bridge=True` it also gives the consumers of SQS the bridge, and their handlers are then called once for each
    message instead of once for each batch.

    Traced are REST API stages, functions (with their permission), topics (with the stack's permission for SNS), AppSync
    GraphQL APIs and state machines, those of a SAM template that `CfnInclude` reads included. A function whose mode is
    set to `PassThrough` keeps it. Every other resource that carries requests is reported with the reason why it is not
    traced. It is an aspect and works at synthesis, so that resources added later are found too; applying it twice
    changes nothing more. It is a mixin as well: `Mixins.of(app).apply(TraceEverything())` works at once, on what is
    there by then.

    Args:
        bridge: Whether functions that work through SQS queues are given the bridge: its layer, the handler
            `trace_bridge.auto.handler` in front of their own, the permission to send segments, and partial batch
            failures. Default: they are only traced.
        except_paths: Construct paths to skip, with `*` and `?` as wildcards. `below` warns at synthesis of one that
            skips nothing. Default: none.
        except_types: CloudFormation types, and classes of constructs, to skip; of a class all that is inside a
            construct of it. `below` warns at synthesis of a type that is never looked at. Default: none.
        trace_permission: `"stack"`: each stack with a topic gets the X-Ray resource policy SNS needs; `"none"`: the
            account has one already. Default: `"stack"`.

    Raises:
        PipelineError: An exception is an interface of the CDK, which constructs cannot be compared with.

    Example:
        ```python
        from aws_cdk import App, Stack, aws_sns as sns
        from traced_pipeline import TraceEverything

        app = App()
        stack = Stack(app, "Legacy")
        sns.Topic(stack, "Topic"), sns.Topic(stack, "Internal")
        tracing = TraceEverything.below(app, bridge=True, except_paths=["Legacy/Internal/*"])
        ```
    """

    @checks_arguments
    def __init__(
        self,
        *,
        bridge: bool = False,
        except_paths: Collection[str] = (),
        except_types: Collection[str | type] = (),
        trace_permission: Literal["stack", "none"] = "stack",
    ) -> None:
        self._exceptions = ScopeExceptions(paths=except_paths, types=except_types)
        self._trace_permission = trace_permission
        self._consumers = ConsumerBridge(self._exceptions) if bridge else None
        self._findings: dict[str, TraceFinding] = {}
        self._functions: dict[str, CfnResource] = {}
        self._scope: IConstruct | None = None
        self._stages: set[str] = set()

    @classmethod
    @checks_arguments
    def below(
        cls,
        scope: IConstruct,
        *,
        bridge: bool = False,
        except_paths: Collection[str] = (),
        except_types: Collection[str | type] = (),
        trace_permission: Literal["stack", "none"] = "stack",
    ) -> TraceEverything:
        """Applies it to everything below a scope, before the aspects that only inspect.

        The CDK's aspects stop at a `Stage`, so it is applied to each stage that is below the scope by now too. A stage
        that is added later is left as it is, with a warning of Python's at synthesis.

        Args:
            scope: An app, a stage, a stack or any construct.
            bridge: As in the constructor.
            except_paths: As in the constructor.
            except_types: As in the constructor.
            trace_permission: As in the constructor.
        """
        aspect = cls(
            bridge=bridge, except_paths=except_paths, except_types=except_types, trace_permission=trace_permission
        )
        aspect._exceptions.keep_within(scope)
        aspect._scope = scope
        for part in (scope, *stages_below(scope)):
            aspect._stages.add(part.node.path)
            Aspects.of(part).add(aspect, priority=AspectPriority.MUTATING)
        check_at_synthesis(scope, aspect._warn_of_unused_exceptions)
        return aspect

    @property
    def report(self) -> list[TraceFinding]:
        """What became of each resource that carries requests; complete after synthesis."""
        return sorted(self._findings.values(), key=lambda finding: finding.path)

    def visit(self, node: IConstruct) -> None:
        """Looks at one construct; the CDK calls this at synthesis."""
        if node is self._scope:
            self._warn_of_later_stages(node)
        if not CfnResource.is_cfn_resource(node) or not isinstance(node, CfnResource):
            return
        resource_type, path = node.cfn_resource_type, node.node.path
        if path in self._findings:
            return
        bridging = None if self._consumers is None else self._bridging(self._consumers, node, resource_type, path)
        outcome = self._outcome(node, resource_type, path, bridging)
        if outcome is None:
            return
        state, reason = outcome
        finding = TraceFinding(
            path=path,
            resource_type=resource_type,
            state=state,
            reason=reason,
            bridge=None if bridging is None else bridging.state,
            changes=() if bridging is None else bridging.changes,
        )
        self._findings[path] = finding
        if state is not TraceState.ALREADY_ENABLED or bridging is not None:
            note(node, Check.TRACE_EVERYTHING, _text_of(finding))

    def supports(self, construct: IConstruct) -> bool:
        """Returns whether it applies to a construct; the CDK asks this of a mixin.

        Args:
            construct: The construct.
        """
        return CfnResource.is_cfn_resource(construct)

    def apply_to(self, construct: IConstruct) -> None:
        """Looks at one construct; the CDK calls this where it is applied as a mixin.

        Args:
            construct: The construct.
        """
        self.visit(construct)

    def _warn_of_later_stages(self, scope: IConstruct) -> None:
        """Says which stages were added too late: a stage is synthesized before the aspects around it are called."""
        later: list[str] = []
        for stage in stages_below(scope):
            if stage.node.path not in self._stages:
                stacks = stacks_of(stage)
                left = [stack for stack in stacks if not _is_reached(stack, stage)]
                whole = len(left) == len(stacks) > 0
                later += [f"stage {stage.node.path}"] if whole else [f"stack {stack.node.path}" for stack in left]
        if later:
            # Not an annotation: a stage that stands in no stack has no place where the CDK's CLI would show it.
            warnings.warn(
                f"TraceEverything.below({scope.node.path or 'app'}) does not reach what was added after it: "
                f"{', '.join(later)}; aspects of the CDK stop at a stage; call it after the last stage is made",
                stacklevel=2,
            )

    def _warn_of_unused_exceptions(self) -> None:
        """Says what leaves nothing out: misspelt, it would have a resource changed that is to be left alone."""
        unused = self._exceptions.unused_paths
        if unused:
            # Not an annotation, as the scope may stand in no stack.
            warnings.warn(
                f"except_paths of TraceEverything has {', '.join(map(repr, unused))}, which leaves nothing out: no "
                "resource that can be traced has such a path; correct it, or take it out",
                stacklevel=2,
            )
        looked_at = sorted({*switchable_types(), *NOT_TRACEABLE, *BY_ITS_APPLICATION, *FUNCTION_TYPES, MAPPING})
        for unknown in sorted({*self._exceptions.types} - {*looked_at}):
            [nearest] = get_close_matches(unknown, looked_at, n=1, cutoff=0.0)
            warnings.warn(
                f"except_types of TraceEverything has {unknown!r}, which leaves nothing out: no resource of that type "
                f"is looked at; did you mean {nearest!r}?",
                stacklevel=2,
            )

    def _bridging(
        self, consumers: ConsumerBridge, resource: CfnResource, resource_type: str, path: str
    ) -> Bridging | None:
        """Gives a consumer the bridge; None for what is none."""
        if resource_type in FUNCTION_TYPES:
            self._functions[path] = resource
            return consumers.give(resource, path)
        if resource_type != MAPPING:
            return None
        if consumers.is_new(resource, path):
            # Made by another aspect, perhaps of a function that was looked at before.
            function = self._functions.get(consumers.function_of(resource, path))
            if function is not None:
                self._findings.pop(function.node.path, None)
                self.visit(function)
        return consumers.of_mapping(resource, path)

    def _outcome(
        self, resource: CfnResource, resource_type: str, path: str, bridging: Bridging | None
    ) -> Outcome | None:
        if bridging is None:
            return self._traced(resource, resource_type, path)
        if bridging.is_settled:
            return TraceState.ENABLED, bridging.reason
        outcome = self._traced(resource, resource_type, path) or (TraceState.SKIPPED, "")
        state = TraceState.ENABLED if bridging.state is BridgeState.LINKED else outcome[0]
        return state, "; ".join(dict.fromkeys(text for text in (outcome[1], bridging.reason) if text))

    def _traced(self, resource: CfnResource, resource_type: str, path: str) -> Outcome | None:
        switch = switch_for(resource_type)
        if switch is None and resource_type not in NOT_TRACEABLE and resource_type not in BY_ITS_APPLICATION:
            return None
        if left := self._exceptions.why(resource, path):
            return TraceState.SKIPPED, left
        if switch is None:
            reason = NOT_TRACEABLE.get(resource_type)
            if reason is None:
                return TraceState.SKIPPED, BY_ITS_APPLICATION[resource_type]
            return TraceState.UNSUPPORTED, reason
        outcome = switch(resource)
        return self._let_send(resource, outcome) if resource_type == _TOPIC else outcome

    def _let_send(self, topic: CfnResource, outcome: Outcome) -> Outcome:
        """Gives a topic the permission without which SNS records nothing and says nothing."""
        state, _ = outcome
        if self._trace_permission == "none" or state not in (TraceState.ALREADY_ENABLED, TraceState.ENABLED):
            return outcome
        if state is TraceState.ALREADY_ENABLED and lets_topics_trace(topic):
            return outcome
        if declaring(topic, "sns_permission") is not None:
            return outcome
        topic.node.add_dependency(SnsTracePermission.of(topic).resource_policy)
        if state is TraceState.ENABLED:
            return outcome
        return TraceState.ENABLED, "it was active, but nothing let SNS send its segments"


def _is_reached(stack: Stack, stage: Stage) -> bool:
    """Returns whether another one reaches a stack: as an aspect of it or of its stage, or by notes of a mixin."""
    scopes = stack.node.scopes[len(stage.node.scopes) - 1 :]
    if any(isinstance(aspect, TraceEverything) for scope in scopes for aspect in Aspects.of(scope).all):
        return True
    notes = (entry.data for part in stack.node.find_all() for entry in part.node.metadata if entry.type == _NOTE)
    return any(Check.TRACE_EVERYTHING in str(text) for text in notes)


def _text_of(finding: TraceFinding) -> str:
    because = f"; {finding.reason}" if finding.reason else ""
    bridge = "" if finding.bridge is None else f", bridge: {finding.bridge.value}"
    changes = f" ({', '.join(finding.changes)})" if finding.changes else ""
    return f"tracing of {finding.resource_type}: {finding.state.value}{bridge}{changes}{because}"
