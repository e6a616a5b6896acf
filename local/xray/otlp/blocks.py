"""The blocks `http`, `aws` and `links` of a span's documents, its flags and its origin.

Source: as in `local.xray.otlp.names`: http.go, aws.go, cause.go and span_links.go there. Left out are `sql` and the
blocks that no Lambda function has: `ec2`, `ecs`, `eks` and `elastic_beanstalk`.
"""

import ipaddress
from collections.abc import Iterable
from typing import Any

from local.xray.document_tree import Document
from local.xray.otlp.names import text
from local.xray.otlp.span import Attributes, Span, xray_trace_id

STATUS = ("http.response.status_code", "http.status_code")
_METHOD = ("http.request.method", "http.method")
_URL = ("url.full", "http.url")
_HOSTS = (
    "http.host",
    "http.server_name",
    "net.peer.name",
    "net.host.name",
    "host.name",
    "net.peer.ip",
    "server.address",
)
_PORTS = ("net.host.port", "net.peer.port", "server.port")
_OF_HTTP = (*_URL, "http.client_ip", "http.host", "http.target", "http.server_name", "url.path")
_USER_AGENT = ("user_agent.original", "http.user_agent")
_CLIENTS = ("client.address", "http.client_ip", "net.peer.ip", "network.peer.address")
_READ_IN_HTTP = (
    *(*STATUS, *_METHOD, *_URL, *_HOSTS, *_USER_AGENT, *_CLIENTS),
    *("http.scheme", "url.scheme", "http.target", "url.path", "url.query", *_PORTS),
)
_CALL = {
    "operation": ("aws.operation", "rpc.method"),
    "account_id": ("aws.account_id",),
    "region": ("aws.region",),
    "request_id": ("aws.request_id", "aws.requestId"),
    "queue_url": ("messaging.url", "aws.queue_url", "aws.queue.url"),
    "table_name": ("aws.table_name", "aws.table.name"),
}
"""The fields of a call, and the attributes that each is taken from, the first before the others."""

_READ_IN_AWS = tuple(key for keys in _CALL.values() for key in keys)
_TABLES = "aws.dynamodb.table_names"
_ORIGINS = {
    "aws_app_runner": "AWS::AppRunner::Service",
    "aws_eks": "AWS::EKS::Container",
    "aws_elastic_beanstalk": "AWS::ElasticBeanstalk::Environment",
    "aws_ec2": "AWS::EC2::Instance",
}
_ECS_ORIGINS = {"ec2": "AWS::ECS::EC2", "fargate": "AWS::ECS::Fargate"}

READ = frozenset((*_READ_IN_HTTP, *_READ_IN_AWS))
"""The attributes that a block holds, so that they are no metadata."""


def http(span: Span) -> Document:
    """Returns the `http` block; empty where the span is none of HTTP."""
    attributes = span.attributes
    method, url, status = _first(attributes, _METHOD), _url(attributes), status_of(span)
    if not (method or status is not None or _first(attributes, _OF_HTTP)):
        return {}
    request = {"method": method, "url": url, "user_agent": _first(attributes, _USER_AGENT), "client_ip": _client(span)}
    response = {} if status is None else {"status": status}
    return _filled({"request": _filled(request), "response": response})


def _client(span: Span) -> str:
    """Returns the first address that is one, and not a host's name."""
    for address in map(text, (span.attributes.get(key) for key in _CLIENTS)):
        try:
            return str(ipaddress.ip_address(address))
        except ValueError:
            continue
    return ""


def status_of(span: Span) -> int | None:
    """Returns a span's HTTP status; `None` where it has none."""
    values = (span.attributes[key] for key in STATUS if key in span.attributes)
    return next((value for value in values if isinstance(value, int) and not isinstance(value, bool)), None)


def flags(span: Span) -> dict[str, bool]:
    """Returns which of `fault`, `error` and `throttle` a span has; its HTTP status goes before its own."""
    status = status_of(span)
    if status is not None and 400 <= status <= 499:
        return {"error": True, "throttle": True} if status == 429 else {"error": True}
    return {"fault": True} if span.status == "ERROR" or (status is not None and 500 <= status <= 599) else {}


def aws(span: Span) -> Document:
    """Returns the `aws` block: what was called, and the function's log groups; empty for another cloud's."""
    if text(span.resource.get("cloud.provider")) not in ("", "aws"):
        return {}
    block: Document = {field: _first(span.attributes, keys) for field, keys in _CALL.items()}
    tables = span.attributes.get(_TABLES)
    if isinstance(tables, list) and len(tables) == 1:
        block["table_name"] = text(tables[0])
    block["account_id"] = block["account_id"] or text(span.resource.get("cloud.account.id"))
    block["cloudwatch_logs"] = [{"log_group": name} for name in _texts(span.resource.get("aws.log.group.names"))]
    return _filled(block)


def origin(resource: Attributes) -> str | None:
    """Returns the kind of compute that a resource names; `None` where it names none, as Lambda's."""
    if resource.get("cloud.provider", "aws") != "aws":
        return None
    platform = text(resource.get("cloud.platform"))
    if platform == "aws_ecs":
        return _ECS_ORIGINS.get(text(resource.get("aws.ecs.launchtype")), "AWS::ECS::Container")
    return _ORIGINS.get(platform)


def links(span: Span) -> list[Document]:
    """Returns the links, as X-Ray has them."""
    return [
        _filled({"trace_id": xray_trace_id(link.trace_id), "id": link.span_id, "attributes": dict(link.attributes)})
        for link in span.links
    ]


def _url(attributes: Attributes) -> str:
    whole = _first(attributes, _URL)
    host = _first(attributes, _HOSTS)
    if whole or not host:
        return whole
    scheme = _first(attributes, ("url.scheme", "http.scheme")) or "http"
    port = next((str(attributes[key]) for key in _PORTS if key in attributes), "")
    usual = (scheme, port) in (("http", "80"), ("https", "443"))
    place = f"{host}:{port}" if port and "http.host" not in attributes and not usual else host
    target = _first(attributes, ("http.target", "url.path")) or "/"
    query = text(attributes.get("url.query"))
    return f"{scheme}://{place}{target}" + (f"?{query.removeprefix('?')}" if query else "")


def _first(attributes: Attributes, keys: Iterable[str]) -> str:
    return next(filter(None, (text(attributes.get(key)) for key in keys)), "")


def _texts(value: Any) -> list[str]:
    """Returns strings: those of a list, or those of a string, separated by `&` as in `OTEL_RESOURCE_ATTRIBUTES`."""
    if isinstance(value, str):
        return [part for part in value.split("&") if part]
    return [text(item) for item in value] if isinstance(value, list) else []


def _filled(block: Document) -> Document:
    return {field: value for field, value in block.items() if value not in ("", None, [], {})}
