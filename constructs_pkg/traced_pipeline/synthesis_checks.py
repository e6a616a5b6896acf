"""Checks that look around in the app: they run at synthesis, so that the order of constructs does not matter."""

from __future__ import annotations

from collections.abc import Callable

import jsii
from aws_cdk import CfnResource, ConstructSelector
from constructs import IConstruct, IValidation

from .checks import PipelineError


@jsii.implements(IValidation)
class _Deferred:
    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check

    def validate(self) -> list[str]:
        """Runs the check; the CDK calls this at synthesis."""
        try:
            self._check()
        except PipelineError as refused:
            return [str(refused)]
        return []


def check_at_synthesis(scope: IConstruct, check: Callable[[], None]) -> None:
    """Runs a check at synthesis: after the aspects, and before templates and warnings are written.

    It may run more than once, as an app may be synthesized more than once. What it attaches twice is shown once.

    Args:
        scope: The construct that the check is about.
        check: Attaches warnings and notes. A `PipelineError` that it raises ends the synthesis, together with the
            findings of all other constructs. It makes no constructs and changes none.
    """
    scope.node.add_validation(_Deferred(check))


def resources_in_app(scope: IConstruct, *kinds: str) -> list[CfnResource]:
    """Returns the resources of some types in a construct's whole app, in the order of the construct tree.

    Use it at synthesis: before, it sees what happens to be made already, and each use walks through the app. The walk
    stays within the CDK's own process; only what it returns reaches this one.

    Args:
        scope: Any construct of the app.
        kinds: CloudFormation types, for example `AWS::SNS::Subscription`.
    """
    return resources_below(scope.node.root, *kinds)


def resources_below(scope: IConstruct, *kinds: str) -> list[CfnResource]:
    """Returns the resources of some types below a construct, as `resources_in_app` does.

    Args:
        scope: The construct.
        kinds: CloudFormation types.
    """
    resources = ConstructSelector.resources_of_type(*kinds).select(scope)
    return [resource for resource in resources if isinstance(resource, CfnResource)]
