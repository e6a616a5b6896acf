"""The policies of IAM in an app that let somebody invoke a function."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from aws_cdk import CfnResource
from aws_cdk import aws_iam as iam

from .intrinsics import text_of

POLICY_TYPES = (
    "AWS::IAM::Group",
    "AWS::IAM::GroupPolicy",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::IAM::RolePolicy",
    "AWS::IAM::User",
    "AWS::IAM::UserPolicy",
)
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
_INVOKE = ("lambda:invokefunction", "lambda:invokeasync")
# https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
_MANAGED = ("/AdministratorAccess", "/AWSLambda_FullAccess", "/PowerUserAccess", "/service-role/AWSLambdaRole")


@dataclass(frozen=True, kw_only=True)
class InvokeRight:
    """What a statement lets somebody invoke.

    Attributes:
        resources: What it names, unresolved.
        anything: Whether it names no function, but all of them.
    """

    resources: tuple[object, ...]
    anything: bool


def invoke_rights(resource: CfnResource) -> Iterator[InvokeRight]:
    """Yields the rights to invoke functions that a policy, or a role, user or group with policies of its own, gives."""
    for document in _documents(resource):
        statements = document.get("Statement", [])
        for statement in statements if isinstance(statements, list) else [statements]:
            if isinstance(statement, Mapping) and _invokes(statement):
                named = _listed(statement.get("Resource"))
                yield InvokeRight(resources=tuple(named), anything="*" in named or "NotResource" in statement)
    managed = getattr(resource, "managed_policy_arns", None)
    for arn in [] if managed is None else resource.stack.resolve(managed) or []:
        if text_of(arn).endswith(_MANAGED):
            yield InvokeRight(resources=(), anything=True)


def _documents(resource: CfnResource) -> Iterator[Mapping[str, object]]:
    single = getattr(resource, "policy_document", None)
    inline = getattr(resource, "policies", None)
    several = inline if isinstance(inline, list) else ()
    for document in (single, *(_document_of(policy) for policy in several)):
        # Resolved it would be fixed, and the app's own aspects could change it no more.
        content = document.to_json() if isinstance(document, iam.PolicyDocument) else document
        if isinstance(content, Mapping):
            yield content


def _document_of(policy: object) -> object:
    if isinstance(policy, Mapping):
        return policy.get("policyDocument", policy.get("policy_document"))
    return getattr(policy, "policy_document", None)


def _invokes(statement: Mapping[str, object]) -> bool:
    if statement.get("Effect") != "Allow":
        return False
    if "NotAction" in statement:
        return True
    actions = [str(action).lower() for action in _listed(statement.get("Action"))]
    return any(fnmatchcase(invoke, action) for invoke in _INVOKE for action in actions)


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [] if value is None else [value]
