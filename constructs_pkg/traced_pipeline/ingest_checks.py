"""What is checked of an ingest hop's options."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from aws_cdk import Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct, IConstruct

from .authorization import is_open
from .checks import Check, PipelineError, refuse_settings, warn
from .existing_function import own_function
from .function_options import Handler
from .ingest_options import IngestOptions
from .synthesis_checks import check_at_synthesis

WITHOUT_BODY = {"GET", "HEAD", "DELETE", "OPTIONS"}
"""Methods whose requests have no body."""

# https://docs.aws.amazon.com/apigateway/latest/api/API_PutIntegration.html
_INTEGRATION_TIMEOUT_SECONDS = 29
# https://docs.aws.amazon.com/apigateway/latest/api/API_PutMethod.html
_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html
_SEGMENT = re.compile(r"[A-Za-z0-9:._$-]+|\{[A-Za-z0-9:._$-]+\+?\}")
_ANY = "ANY"


def check_function_stack(scope: Construct, function: lambda_.IFunction, topic: sns.ITopic) -> None:
    """Refuses a function whose stack would wait for the API's, which waits for the function.

    Raises:
        PipelineError: The function belongs to another stack than API and topic.
    """
    own, here = own_function(function), Stack.of(scope).node.path
    if own is None or not isinstance(topic, sns.Topic):
        return
    there = Stack.of(own).node.path
    if there != here and Stack.of(topic).node.path == here:
        raise PipelineError(
            Check.FUNCTION_IN_OTHER_STACK,
            f"function {own.node.path} belongs to stack {there}, API and topic to {here}: each stack would wait for "
            f"the other; make the function in {here}, or the topic in a stack that {there} can wait for",
        )


def check_api_kind(api: object) -> None:
    """Refuses an API that is no REST API.

    Raises:
        PipelineError: It is of another kind, an HTTP API for instance.
    """
    if api is not None and not hasattr(api, "rest_api_id"):
        raise PipelineError(
            Check.HTTP_API,
            f"api is of type {type(api).__name__}, but X-Ray traces no other API of API Gateway than a REST API; "
            "give an apigateway.RestApi",
        )


def check_method(options: IngestOptions) -> None:
    """Refuses the reference handler for a method whose requests have no body.

    Raises:
        PipelineError: The method is such a one.
    """
    if options.method.upper() in WITHOUT_BODY:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"method is {options.method}, whose requests have no body, but the reference handler takes an item from "
            "the body; give a handler of your own",
        )


def check_timeout(scope: Construct, options: IngestOptions) -> None:
    """Warns where the function may work on after its caller was answered."""
    timeout = options.timeout
    if timeout is None or timeout.is_unresolved():
        return
    if timeout.to_seconds() > _INTEGRATION_TIMEOUT_SECONDS:
        warn(
            scope,
            Check.INGEST_TIMEOUT,
            f"the ingest function's timeout is {timeout.to_seconds():g} s, but API Gateway answers its "
            f"caller after {_INTEGRATION_TIMEOUT_SECONDS} s by default; shorten the timeout, or acknowledge this if "
            "the account's quota was raised",
        )


def check_route(api: apigateway.IRestApi, path: str, method: str) -> None:
    """Checks that an API can have a route.

    Raises:
        PipelineError: The path or the method cannot be, or the API has one like it.
    """
    if method.upper() not in (*_METHODS, _ANY):
        raise PipelineError(
            Check.OPTION_VALUE, f"method is {method!r}, but must be one of {', '.join(_METHODS)}, or {_ANY}"
        )
    segments = _segments(path)
    resource: IConstruct = api.root
    for segment in segments:
        _check_sibling(resource, segment, path)
        child = resource.node.try_find_child(segment)
        if child is None:
            _check_preflight(resource, path, method)
            return
        resource = child
    taken = [m for m in resource.node.children if isinstance(m, apigateway.Method)]
    if any(m.http_method == method.upper() for m in taken):
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"path {path!r} has a method {method.upper()} already; choose another, or leave that out",
        )


def _check_preflight(parent: IConstruct, path: str, method: str) -> None:
    """Refuses a method `OPTIONS` on a resource that is made with one, as the resource above it says."""
    said = getattr(parent, "default_cors_preflight_options", None)
    if said is not None and method.upper() == "OPTIONS":
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"path {path!r} gets a method OPTIONS from the API's default_cors_preflight_options already; choose "
            "another, or make the API without them",
        )


def check_log_settings(options: IngestOptions) -> None:
    """Refuses settings of log groups where the hop makes none: neither its function's nor an access log.

    Raises:
        PipelineError: They would be ignored.
    """
    makes_function = options.handler is None or isinstance(options.handler, Handler)
    if options.api is not None and (options.log_group is not None or not makes_function):
        settings, instead = ("log_retention", "log_key"), "leave out api, whose access log they are for as well"
        refuse_settings(options, settings, existing="a log group", instead=instead)


@contextmanager
def refusals_of_api(api: apigateway.IRestApi, path: str, method: str) -> Iterator[None]:
    """Lets what the CDK refuses of a route name the route: an API may be imported without its root, or take no routes.

    Args:
        api: The API.
        path: The route's path.
        method: Its method.

    Raises:
        PipelineError: The CDK refuses.
    """
    try:
        yield
    except RuntimeError as said:
        raise PipelineError(
            Check.OPTION_CONFLICT, f"API {api.node.path} cannot have the route {method.upper()} {path}: {said}"
        ) from said


def _segments(path: str) -> list[str]:
    bare = path.removeprefix("/")
    segments = bare.removesuffix("/").split("/") if bare else []
    for number, segment in enumerate(segments, start=1):
        if not _SEGMENT.fullmatch(segment):
            raise PipelineError(
                Check.OPTION_VALUE,
                f"path is {path!r}, but its part {segment!r} must be of letters, digits and :._$-, or a parameter in "
                "braces, as in /orders/{id}",
            )
        if segment.endswith("+}") and number < len(segments):
            raise PipelineError(
                Check.OPTION_VALUE,
                f"path is {path!r}, but {segment} takes the rest of a path, so nothing may follow it",
            )
    return segments


def _check_sibling(resource: IConstruct, segment: str, path: str) -> None:
    others = [child.node.id for child in resource.node.children if isinstance(child, apigateway.Resource)]
    clash = [other for other in others if other != segment and _is_parameter(other) and _is_parameter(segment)]
    if clash and clash[0].endswith("+}") == segment.endswith("+}"):
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"path is {path!r}, but the API has the parameter {clash[0]} in the place of {segment}, and API Gateway "
            "takes one name for it; use that name",
        )


def _is_parameter(segment: str) -> bool:
    return segment.startswith("{") and segment.endswith("}")


def check_taken_over(scope: Construct, route: apigateway.Method) -> None:
    """Warns at synthesis where a route refuses callers whom a wider method of the API answers without authorization.

    API Gateway chooses the most specific resource, and on it the method itself before `ANY`.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-set-up-simple-proxy.html
    """
    if not is_open(route):
        check_at_synthesis(scope, lambda: _warn_of_open_methods(scope, route))


def _warn_of_open_methods(scope: Construct, route: apigateway.Method) -> None:
    for wider in _wider_methods(route):
        if is_open(wider):
            warn(
                scope,
                Check.ROUTE_TAKES_OVER,
                f"route {route.http_method} {route.resource.path} asks for authorization, but method {wider.node.path} "
                f"({wider.http_method} {wider.resource.path}) answers its requests today without any: callers that "
                "send none are refused from now on; acknowledge this if that is meant, or give the route "
                'authorizer="none"',
            )
            return


def _wider_methods(route: apigateway.Method) -> list[apigateway.Method]:
    """Finds what answers a route's requests without it."""
    own = route.resource.node.path
    segments = [segment for segment in route.resource.path.split("/") if segment]
    return [
        method
        for resource in _answering(route.api.root, segments)
        for method in resource.node.children
        if isinstance(method, apigateway.Method)
        and (method.http_method == _ANY or (method.http_method == route.http_method and resource.node.path != own))
        and method.node.path != route.node.path
    ]


def _answering(resource: IConstruct, segments: list[str]) -> list[IConstruct]:
    """Finds the resources below one that a path leads to, by their ids, which the CDK makes of their part of it."""
    if not segments:
        return [resource]
    resources: list[IConstruct] = []
    for child in resource.node.children:
        part = child.node.id
        if part.startswith("{") and part.endswith("+}"):
            resources.append(child)
        elif part == segments[0] or (part.startswith("{") and part.endswith("}")):
            resources += _answering(child, segments[1:])
    return resources
