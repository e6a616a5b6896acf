"""What calls the functions of an app beside SQS, as far as its templates tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

from aws_cdk import CfnResource
from constructs import IConstruct

from .function_references import FunctionReferences
from .function_settings import SAM_FUNCTION
from .intrinsics import part_of
from .invoke_rights import POLICY_TYPES, invoke_rights
from .resource import properties_of_all, property_of
from .sqs_consumers import SqsConsumers
from .synthesis_checks import custom_resources_in_app, resources_in_app

Properties: TypeAlias = Mapping[str, object]

_PERMISSION, _URL = "AWS::Lambda::Permission", "AWS::Lambda::Url"
_SQS_EVENT = "SQS"
_ALL = "*"
# What calls a function by a role that may be made elsewhere, and the properties that name the function. Whatever else
# calls functions needs a permission of the function, which is a resource of its own.
_TARGETS: Mapping[str, tuple[str, ...]] = {
    "AWS::ApiGateway::Method": ("integration",),
    "AWS::ApiGatewayV2::Integration": ("integrationUri",),
    "AWS::AppSync::DataSource": ("lambdaConfig",),
    "AWS::Lambda::EventInvokeConfig": ("destinationConfig",),
    "AWS::Pipes::Pipe": ("target", "enrichment"),
    "AWS::Scheduler::Schedule": ("target",),
    "AWS::Serverless::StateMachine": ("definition", "definitionSubstitutions", "policies"),
    "AWS::StepFunctions::StateMachine": ("definition", "definitionString", "definitionSubstitutions"),
}
# Read by itself: to resolve the others would fix the policy of an API, which the app may still change.
_READ_ALONE: Mapping[str, tuple[str, ...]] = {
    "AWS::ApiGateway::Authorizer": ("authorizerUri",),
    "AWS::ApiGateway::RestApi": ("body",),
    "AWS::ApiGatewayV2::Api": ("body",),
    "AWS::ApiGatewayV2::Authorizer": ("authorizerUri",),
    "AWS::Serverless::Api": ("definitionBody", "auth"),
    "AWS::Serverless::HttpApi": ("definitionBody", "auth"),
}
_CUSTOM, _SERVICE = "AWS::CloudFormation::CustomResource", "serviceToken"
_NOUNS = {_PERMISSION: "permission", _URL: "function URL", _CUSTOM: "custom resource"}


class FunctionCallers:
    """The callers of an app's functions, as it is when this is made; for use at synthesis.

    Args:
        references: The functions of the app.
        consumers: Those that work through queues.
        scope: Any construct of the app.
    """

    def __init__(self, references: FunctionReferences, consumers: SqsConsumers, scope: IConstruct) -> None:
        self._references = references
        self._callers: dict[str, list[tuple[str, CfnResource | str]]] = defaultdict(list)
        for function, path in consumers.other_mappings:
            # A mapping of a function that is not known may be of any.
            self._callers[function or _ALL].append(("event source mapping", path))
        readers: dict[str, Callable[[CfnResource, Properties, str], Iterator[str]]] = {
            _PERMISSION: self._by_permission,
            _URL: self._by_url,
            SAM_FUNCTION: self._by_sam,
            **dict.fromkeys(_TARGETS, self._by_target),
        }
        for kind, read in readers.items():
            resources = resources_in_app(scope, kind)
            for resource, properties in zip(resources, properties_of_all(resources), strict=True):
                self._add(resource, kind, read(resource, properties, kind))
        for kind, names in _READ_ALONE.items():
            for resource in resources_in_app(scope, kind):
                for name in names:
                    self._add(resource, kind, self._named(property_of(resource, name), resource))
        for resource in custom_resources_in_app(scope):
            self._add(resource, _CUSTOM, self._named(property_of(resource, _SERVICE), resource))
        for kind in POLICY_TYPES:
            for resource in resources_in_app(scope, kind):
                self._add(resource, kind, self._by_policy(resource))

    def _add(self, resource: CfnResource, kind: str, called: Iterable[str]) -> None:
        for function in dict.fromkeys(called):
            self._callers[function].append((_NOUNS.get(kind, kind.rpartition("::")[2].lower()), resource))

    def of(self, function: str) -> list[str]:
        """Returns what calls the function at a path, or may call it, beside SQS."""
        # Most callers are of functions that nobody asks for: their paths are not looked up.
        callers = (*self._callers.get(function, ()), *self._callers.get(_ALL, ()))
        return [f"{noun} {caller if isinstance(caller, str) else caller.node.path}" for noun, caller in callers]

    def _by_permission(self, permission: CfnResource, properties: Properties, _: str) -> Iterator[str]:
        action = str(properties.get("action")).lower()
        if "invoke" in action or action.endswith("*"):
            yield from self._named(properties.get("functionName"), permission)

    def _by_url(self, url: CfnResource, properties: Properties, _: str) -> Iterator[str]:
        yield from self._named(properties.get("targetFunctionArn"), url)

    def _by_sam(self, function: CfnResource, properties: Properties, _: str) -> Iterator[str]:
        events = properties.get("events")
        others = isinstance(events, Mapping) and any(part_of(e, "type") != _SQS_EVENT for e in events.values())
        if others or "functionUrlConfig" in properties:
            yield function.node.path
        # SAM makes policies of templates such as LambdaInvokePolicy, and of destinations.
        for name in ("policies", "eventInvokeConfig"):
            yield from self._named(properties.get(name), function)

    def _by_target(self, resource: CfnResource, properties: Properties, kind: str) -> Iterator[str]:
        for name in _TARGETS[kind]:
            yield from self._named(properties.get(name), resource)

    def _by_policy(self, policy: CfnResource) -> Iterator[str]:
        for right in invoke_rights(policy):
            if right.anything:
                yield _ALL
            for resource in right.resources:
                yield from self._named(policy.stack.resolve(resource), policy)

    def _named(self, value: object, resource: CfnResource) -> Iterator[str]:
        return (function.path for function in self._references.named_by(value, resource))
