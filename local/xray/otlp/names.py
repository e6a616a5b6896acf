"""The names of a span's documents: X-Ray names services, where OpenTelemetry names operations.

Source: the exporter that AWS maintains in OpenTelemetry's collector, exporter/awsxrayexporter/internal/translator/
segment.go, https://github.com/open-telemetry/opentelemetry-collector-contrib.
"""

import re
from urllib.parse import urlsplit

from local.xray.otlp.span import Span

LOCAL_SERVICE, REMOTE_SERVICE = "aws.local.service", "aws.remote.service"
_SPAN_KIND = "aws.span.kind"
_LOCAL_ROOT = "LOCAL_ROOT"
_AWS_PREFIXES = ("AWS.SDK.", "AWS::")
_NOT_IN_A_NAME = re.compile(r"[^ \w.:/%&#=+\-@]")
_MAX_NAME = 200
_NO_NAME = "span"


def text(value: object) -> str:
    """Returns a string; empty for a value of another type."""
    return value if isinstance(value, str) else ""


def is_aws_call(span: Span) -> bool:
    """Returns whether a span is a call of an AWS SDK."""
    return span.attributes.get("rpc.system") == "aws-api"


def is_local_root(span: Span) -> bool:
    """Returns whether a span is the first of its process.

    AWS's distribution of OpenTelemetry says so in an attribute. Otherwise the flags say that the parent is in another
    process; the collector's exporter does not read them yet.
    """
    if _SPAN_KIND in span.attributes:
        return bool(span.attributes[_SPAN_KIND] == _LOCAL_ROOT)
    return span.parent_is_remote


def service_name(span: Span) -> str:
    """Returns the name of the segment of the service that a local root is of."""
    name = text(span.attributes.get(LOCAL_SERVICE))
    # Without AWS's distribution the resource is the only one to name the service; assumed.
    return valid(name or text(span.resource.get("service.name")) or name_of(span))


def name_of(span: Span) -> str:
    """Returns the name of any other document: the service that the span is of, or calls."""
    attributes, serves = span.attributes, span.kind == "SERVER"
    candidates = (
        attributes.get(LOCAL_SERVICE) if serves else None,
        remote_name(span) if not serves and span.kind != "INTERNAL" else None,
        attributes.get("peer.service"),
        attributes.get("aws.service"),
        _database(span),
        span.resource.get("service.name") if serves else None,
        attributes.get("rpc.service"),
        attributes.get("http.host"),
        attributes.get("net.peer.name"),
        span.name,
    )
    return valid(next(filter(None, map(text, candidates)), ""))


def remote_name(span: Span) -> str:
    """Returns the name of the service that a span calls, as AWS's distribution names it; empty without one."""
    name = text(span.attributes.get(REMOTE_SERVICE))
    prefix = next((prefix for prefix in _AWS_PREFIXES if name.startswith(prefix)), "") if is_aws_call(span) else ""
    return name.removeprefix(prefix)


def valid(name: str) -> str:
    """Returns a name without the characters that X-Ray does not take, of 200 characters at most."""
    return _NOT_IN_A_NAME.sub("", name)[:_MAX_NAME] or _NO_NAME


def _database(span: Span) -> str:
    name = text(span.attributes.get("db.name"))
    if not name:
        return ""
    try:
        host = urlsplit(text(span.attributes.get("db.connection_string")).removeprefix("jdbc:")).hostname
    except ValueError:
        host = None
    return f"{name}@{host}" if host else name
