"""Tracing for stacks that are not made with this library."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

import jsii
from aws_cdk import AspectPriority, Aspects, CfnResource, IAspect
from constructs import IConstruct

from .account_parts import declaring
from .checks import Check, note
from .not_traceable import BY_ITS_APPLICATION, NOT_TRACEABLE
from .option_checks import checks_arguments
from .sns_trace_permission import SnsTracePermission
from .trace_state import Outcome, TraceState
from .traceable import switch_for
from .xray_policies import lets_topics_trace

_TOPIC = "AWS::SNS::Topic"


@dataclass(frozen=True, kw_only=True)
class TraceFinding:
    """What became of one resource.

    Attributes:
        path: The resource's path in the construct tree.
        resource_type: Its CloudFormation type.
        state: Whether it is traced.
        reason: Why it is not traced, or what is still missing; otherwise empty.
    """

    path: str
    resource_type: str
    state: TraceState
    reason: str


@jsii.implements(IAspect)
class TraceEverything:
    """Turns tracing on for every resource that supports it, below a scope of any origin.

    These are REST API stages, functions (with their permission), topics (with the stack's permission for SNS), AppSync
    GraphQL APIs and state machines, those of a SAM template that `CfnInclude` reads included. A function whose mode is
    set to `PassThrough` keeps it. Every other resource that carries requests is reported with the reason why it is not
    traced. It is an aspect and works at synthesis, so that resources added later are found too; applying it twice
    changes nothing more.

    Args:
        except_paths: Construct paths to skip, with `*` and `?` as wildcards. Default: none.
        except_types: CloudFormation types to skip. Default: none.
        trace_permission: `"stack"`: each stack with a topic gets the X-Ray resource policy SNS needs; `"none"`: the
            account has one already. Default: `"stack"`.

    Example:
        ```python
        from aws_cdk import App, Stack, aws_sns as sns
        from traced_pipeline import TraceEverything

        app = App()
        stack = Stack(app, "Legacy")
        sns.Topic(stack, "Topic")
        tracing = TraceEverything.below(app, except_paths=["Legacy/Internal/*"])
        ```
    """

    @checks_arguments
    def __init__(
        self,
        *,
        except_paths: Collection[str] = (),
        except_types: Collection[str] = (),
        trace_permission: Literal["stack", "none"] = "stack",
    ) -> None:
        self._except_paths = tuple(except_paths)
        self._except_types = frozenset(except_types)
        self._trace_permission = trace_permission
        self._findings: dict[str, TraceFinding] = {}

    @classmethod
    @checks_arguments
    def below(
        cls,
        scope: IConstruct,
        *,
        except_paths: Collection[str] = (),
        except_types: Collection[str] = (),
        trace_permission: Literal["stack", "none"] = "stack",
    ) -> TraceEverything:
        """Applies it to everything below a scope, before the aspects that only inspect.

        Args:
            scope: An app, a stage, a stack or any construct.
            except_paths: As in the constructor.
            except_types: As in the constructor.
            trace_permission: As in the constructor.
        """
        aspect = cls(except_paths=except_paths, except_types=except_types, trace_permission=trace_permission)
        Aspects.of(scope).add(aspect, priority=AspectPriority.MUTATING)
        return aspect

    @property
    def report(self) -> list[TraceFinding]:
        """What became of each resource that carries requests; complete after synthesis."""
        return sorted(self._findings.values(), key=lambda finding: finding.path)

    def visit(self, node: IConstruct) -> None:
        """Looks at one construct; the CDK calls this at synthesis."""
        if not CfnResource.is_cfn_resource(node) or not isinstance(node, CfnResource):
            return
        resource_type, path = node.cfn_resource_type, node.node.path
        if path in self._findings:
            return
        outcome = self._outcome(node, resource_type, path)
        if outcome is None:
            return
        state, reason = outcome
        self._findings[path] = TraceFinding(path=path, resource_type=resource_type, state=state, reason=reason)
        if state is not TraceState.ALREADY_ENABLED:
            because = f"; {reason}" if reason else ""
            note(node, Check.TRACE_EVERYTHING, f"tracing of {resource_type}: {state.value}{because}")

    def _outcome(self, resource: CfnResource, resource_type: str, path: str) -> Outcome | None:
        switch = switch_for(resource_type)
        if switch is None and resource_type not in NOT_TRACEABLE and resource_type not in BY_ITS_APPLICATION:
            return None
        if resource_type in self._except_types or any(fnmatchcase(path, pattern) for pattern in self._except_paths):
            return TraceState.SKIPPED, "it is excluded"
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
