"""Who may call a route: each decision is made here, and none is left to a default of the CDK."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from .checks import Check, PipelineError
from .ingest_options import Authorizer

# As CloudFormation writes them.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-method.html
_WRITTEN = {
    apigateway.AuthorizationType.NONE: "NONE",
    apigateway.AuthorizationType.IAM: "AWS_IAM",
    apigateway.AuthorizationType.COGNITO: "COGNITO_USER_POOLS",
    apigateway.AuthorizationType.CUSTOM: "CUSTOM",
}
_KINDS_WITH_AUTHORIZER = (apigateway.AuthorizationType.COGNITO, apigateway.AuthorizationType.CUSTOM)


@dataclass(frozen=True, kw_only=True)
class Authorization:
    """A route's authorization, as its method states it.

    Attributes:
        kind: What API Gateway asks of a caller.
        authorizer: What decides, where that is an authorizer.
    """

    kind: apigateway.AuthorizationType
    authorizer: apigateway.IAuthorizer | None = None


def authorize(
    authorizer: Authorizer, *, api: apigateway.IRestApi, defaults: apigateway.MethodOptions | None, created: bool
) -> Authorization:
    """Decides who may call a route.

    Args:
        authorizer: What the options ask for.
        api: The API of the route.
        defaults: What the API gives to methods that say nothing themselves, at the route's place.
        created: Whether the hop itself creates the API.

    Raises:
        PipelineError: What is asked for contradicts the API, or would leave the route open or unknown.
    """
    default = None if defaults is None else defaults.authorizer
    if authorizer == "none":
        return Authorization(kind=apigateway.AuthorizationType.NONE)
    if authorizer == "iam":
        if default is not None:
            raise PipelineError(
                Check.OPTION_CONFLICT,
                f'authorizer is "iam", but API {api.node.path} has a default authorizer, which it would '
                'stand beside; write authorizer="api" to let that decide, authorizer=<an IAuthorizer> for another, or '
                'authorizer="none" to let anyone call',
            )
        return Authorization(kind=apigateway.AuthorizationType.IAM)
    if authorizer == "api":
        _check_own_defaults(api, created=created)
        return _default_of(api, defaults)
    if isinstance(authorizer, str):  # no word that is known
        raise PipelineError(Check.OPTION_VALUE, f"authorizer is {authorizer!r}, which says nothing about who may call")
    _check_attachment(authorizer, api)
    return Authorization(kind=_kind_of(authorizer), authorizer=authorizer)


def check_scopes(scopes: Sequence[str] | None, authorization: Authorization) -> None:
    """Refuses OAuth scopes for a route whose callers send no access token of Cognito.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-integrate-with-cognito.html

    Raises:
        PipelineError: They would be ignored, or there are none.
    """
    if scopes is None:
        return
    if authorization.kind is not apigateway.AuthorizationType.COGNITO:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"authorization_scopes is given for a route with authorization {_WRITTEN[authorization.kind]}, which has "
            "no scopes; give a CognitoUserPoolsAuthorizer, or leave it out",
        )
    if not scopes or any(not scope for scope in scopes):
        raise PipelineError(
            Check.OPTION_VALUE,
            f"authorization_scopes is {list(scopes)!r}, but must hold scopes, such as 'orders/write'; leave it out to "
            "ask for none",
        )


def check_method_states(method: apigateway.Method, authorization: Authorization) -> None:
    """Checks that a method asks of its callers what was decided, whatever the CDK made of it.

    Raises:
        PipelineError: It does not.
    """
    stated, decided = stated_authorization(method), _WRITTEN[authorization.kind]
    if stated != decided:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"method {method.node.path} was to have authorization {decided}, but the CDK made it with {stated}; "
            "use a release of aws-cdk-lib that traced-pipeline supports",
        )


def stated_authorization(method: apigateway.Method) -> str | None:
    """Returns what a method asks of its callers, as CloudFormation writes it."""
    resource = method.node.default_child
    return resource.authorization_type if isinstance(resource, apigateway.CfnMethod) else None


def is_open(method: apigateway.Method) -> bool:
    """Returns whether anyone may call a method."""
    return stated_authorization(method) in (None, _WRITTEN[apigateway.AuthorizationType.NONE])


def is_made_here(api: apigateway.IRestApi) -> bool:
    """Returns whether an API is made in this app: an imported one holds no resource."""
    return isinstance(api, Construct) and isinstance(api.node.default_child, apigateway.CfnRestApi)


def _check_attachment(authorizer: apigateway.IAuthorizer, api: apigateway.IRestApi) -> None:
    """Refuses an authorizer of the CDK that belongs to another API.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-authorizer.html
    """
    resource = authorizer.node.default_child if isinstance(authorizer, Construct) else None
    if not isinstance(resource, apigateway.CfnAuthorizer):
        return
    here, there = resource.stack.node.path, Stack.of(api).node.path
    if here != there and is_made_here(api):
        raise PipelineError(
            Check.OUT_OF_REACH,
            f"authorizer {_path(resource)} belongs to stack {here}, API {api.node.path} to {there}: the authorizer "
            f"names its API, so that each stack would wait for the other; make the authorizer in {there}",
        )
    try:
        attached = resource.stack.resolve(resource.rest_api_id)
    except RuntimeError:  # the CDK's way of saying that it belongs to no API yet
        return
    if attached != resource.stack.resolve(api.rest_api_id):
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"authorizer {_path(resource)} belongs to another API than {api.node.path}, "
            "but an authorizer is part of one API; make one for each, or give both pipelines one API "
            "(IngestOptions(api=...))",
        )


def _path(authorizer: apigateway.CfnAuthorizer) -> str:
    return authorizer.node.path.removesuffix("/Resource")


def _check_own_defaults(api: apigateway.IRestApi, *, created: bool) -> None:
    if created:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            'authorizer is "api", the default authorization of an existing API, but none is given; give api, or write '
            'authorizer="iam", "none" or an IAuthorizer',
        )
    if not is_made_here(api):
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f'authorizer is "api", but API {api.node.path} is imported, and its default authorization, if it has one, '
            'is not known here; write authorizer="iam", "none" or an IAuthorizer',
        )


def _default_of(api: apigateway.IRestApi, defaults: apigateway.MethodOptions | None) -> Authorization:
    kind = None if defaults is None else defaults.authorization_type
    authorizer = None if defaults is None else defaults.authorizer
    if authorizer is not None:
        return Authorization(kind=_kind_of(authorizer), authorizer=authorizer)
    if kind is apigateway.AuthorizationType.IAM:
        return Authorization(kind=kind)
    raise PipelineError(
        Check.OPTION_CONFLICT,
        f'authorizer is "api", but API {api.node.path} has no default authorization, so that anyone could call; give '
        'the API default_method_options with an authorizer, or write authorizer="iam", "none" or an IAuthorizer',
    )


def _kind_of(authorizer: apigateway.IAuthorizer) -> apigateway.AuthorizationType:
    kind = authorizer.authorization_type
    if kind is None or kind not in _KINDS_WITH_AUTHORIZER:
        # The CDK would take the API's default, and without one leave the route open.
        shown = kind.name if isinstance(kind, apigateway.AuthorizationType) else repr(kind)
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"authorizer has type {shown}, but must be COGNITO or CUSTOM, "
            "so that the route is not left open; give a CognitoUserPoolsAuthorizer, a TokenAuthorizer or a "
            "RequestAuthorizer, or set it in your own IAuthorizer",
        )
    if not authorizer.authorizer_id:
        raise PipelineError(
            Check.OPTION_VALUE,
            "authorizer has no authorizer_id, but API Gateway knows an authorizer by nothing else; set it in your own "
            "IAuthorizer",
        )
    return kind
