"""Tracing for stacks that are not ours."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

import jsii
from aws_cdk import AspectPriority, Aspects, CfnResource, IAspect
from constructs import IConstruct

from .checks import Check, note
from .traceable import NOT_TRACEABLE, TraceState, switch_for
from .tracing import SnsTracePermission
from .words import checks_words

_TOPIC = "AWS::SNS::Topic"


@dataclass(frozen=True, kw_only=True)
class TraceFinding:
    """What became of one resource.

    Attributes:
        path: The resource's path in the construct tree.
        kind: Its CloudFormation type.
        state: Whether it is traced.
        reason: Why it is not, or what is still missing; empty where there is nothing to say.
    """

    path: str
    kind: str
    state: TraceState
    reason: str


@jsii.implements(IAspect)
class TraceEverything:
    """Turns tracing on for every resource that supports it, below a scope of any origin.

    REST API stages, functions (with their permission), topics (with the stack's permission for SNS), AppSync APIs
    and state machines. A function whose mode is `PassThrough` was given it on purpose and keeps it. It works as an
    aspect at synthesis, so that it also sees what is added later; doing it twice changes nothing more.

    Args:
        except_paths: Construct paths to leave alone, with `*` and `?` as wildcards. Default: none.
        except_types: CloudFormation types to leave alone. Default: none.
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

    @checks_words
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
    @checks_words
    def below(
        cls,
        scope: IConstruct,
        *,
        except_paths: Collection[str] = (),
        except_types: Collection[str] = (),
        trace_permission: Literal["stack", "none"] = "stack",
    ) -> TraceEverything:
        """Apply it to everything below a scope, before the aspects that only look.

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
        """What became of each resource that has to do with tracing; complete after synthesis."""
        return sorted(self._findings.values(), key=lambda finding: finding.path)

    def visit(self, node: IConstruct) -> None:
        """Look at one construct; the CDK calls this at synthesis."""
        if not CfnResource.is_cfn_resource(node) or not isinstance(node, CfnResource):
            return
        kind, path = node.cfn_resource_type, node.node.path
        switch = switch_for(kind)
        if path in self._findings or (switch is None and kind not in NOT_TRACEABLE):
            return
        if kind in self._except_types or any(fnmatchcase(path, pattern) for pattern in self._except_paths):
            state, reason = TraceState.LEFT, "it is excepted"
        elif switch is None:
            state, reason = TraceState.IMPOSSIBLE, NOT_TRACEABLE[kind]
        else:
            state, reason = switch(node)
        if kind == _TOPIC and state is TraceState.TURNED_ON and self._trace_permission == "stack":
            node.node.add_dependency(SnsTracePermission.of(node).resource_policy)
        self._findings[path] = TraceFinding(path=path, kind=kind, state=state, reason=reason)
        if state is not TraceState.ON:
            because = f"; {reason}" if reason else ""
            note(node, Check.TRACE_EVERYTHING, f"tracing of {kind}: {state.value}{because}")
