"""The names of a span's documents: X-Ray names services, where OpenTelemetry names operations.

By the rules of the collector's AWS X-Ray exporter:
https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/main/exporter/awsxrayexporter/internal/translator/segment.go
"""

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from opentelemetry.trace import SpanKind

from .. import _state
from .._document import valid_name
from .._environment import LAMBDA_FUNCTION_NAME, XRAY_TRACING_NAME
from .._invocation import Invocation
from ._aws import is_aws_call
from ._values import text_of

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

_AWS_PREFIXES = ("AWS.SDK.", "AWS::")
_UNKNOWN_SERVICE = "unknown_service"
"""How the SDK begins the name of a service that has none."""


def service_name(span: "ReadableSpan", invocation: Invocation) -> str:
    """Returns the name of a local root's segment: the function's in Lambda, the service's outside of it."""
    named = _state.settings.name or os.environ.get(LAMBDA_FUNCTION_NAME)
    service = text_of((span.attributes or {}).get("aws.local.service")) or text_of(
        span.resource.attributes.get("service.name")
    )
    if named or os.environ.get(XRAY_TRACING_NAME) or not service or service.startswith(_UNKNOWN_SERVICE):
        return invocation.name
    return valid_name(service, otherwise=invocation.name)


def document_name(span: "ReadableSpan") -> str:
    """Returns the name of any other document: whatever the span tells of the service that it is or calls."""
    attributes = span.attributes or {}
    remote = text_of(attributes.get("aws.remote.service"))
    serves = span.kind is SpanKind.SERVER
    name = (
        (text_of(attributes.get("aws.local.service")) if serves else "")
        or (_without_prefix(remote, span) if not serves and span.kind is not SpanKind.INTERNAL else "")
        or text_of(attributes.get("peer.service"))
        or text_of(attributes.get("aws.service"))
        or _database(span)
        or (text_of(span.resource.attributes.get("service.name")) if serves else "")
        or text_of(attributes.get("rpc.service"))
        or text_of(attributes.get("http.host"))
        or text_of(attributes.get("net.peer.name"))
        or (_server(span) if span.kind is SpanKind.CLIENT else "")
        or span.name
    )
    return valid_name(name, otherwise="span")


def _without_prefix(name: str, span: "ReadableSpan") -> str:
    if is_aws_call(span.attributes or {}):
        for prefix in _AWS_PREFIXES:
            if name.startswith(prefix):
                return name.removeprefix(prefix)
    return name


def _database(span: "ReadableSpan") -> str:
    attributes = span.attributes or {}
    name = text_of(attributes.get("db.name"))
    if not name:
        return ""
    try:
        host = urlsplit(text_of(attributes.get("db.connection_string")).removeprefix("jdbc:")).hostname
    except ValueError:
        host = None
    return f"{name}@{host}" if host else name


def _server(span: "ReadableSpan") -> str:
    """Returns the host of an HTTP call by the conventions since 1.21, whose span is named by its method alone."""
    attributes = span.attributes or {}
    return text_of(attributes.get("server.address")) if "http.request.method" in attributes else ""
