"""Checks that look around in the app: they run at synthesis, so that the order of constructs does not matter."""

from __future__ import annotations

from collections.abc import Callable

import jsii
from aws_cdk import CfnResource, ConstructSelector
from constructs import IConstruct, IValidation

from .checks import PipelineError

# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html
_CUSTOM_RESOURCE, _OWN_TYPE = "AWS::CloudFormation::CustomResource", "Custom::"
# The id that the CDK gives the resource in its construct of that name.
_MADE_BY_CUSTOM_RESOURCE = "Default"


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


def custom_resources_in_app(scope: IConstruct) -> list[CfnResource]:
    """Returns the custom resources in a construct's whole app, as `resources_in_app` does.

    Of those with a type of their own these are the ones that the CDK's `CustomResource` makes: a walk that asks each
    resource for its type takes as long as a synthesis.

    Args:
        scope: Any construct of the app.
    """
    made = ConstructSelector.by_id(_MADE_BY_CUSTOM_RESOURCE).select(scope.node.root)
    named = [r for r in made if isinstance(r, CfnResource) and r.cfn_resource_type.startswith(_OWN_TYPE)]
    return [*resources_in_app(scope, _CUSTOM_RESOURCE), *named]


def resources_below(scope: IConstruct, *kinds: str) -> list[CfnResource]:
    """Returns the resources of some types below a construct, as `resources_in_app` does.

    Args:
        scope: The construct.
        kinds: CloudFormation types.
    """
    resources = ConstructSelector.resources_of_type(*kinds).select(scope)
    return [resource for resource in resources if isinstance(resource, CfnResource)]
