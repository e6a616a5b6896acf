"""The `http` block of a span's document, by the rules of the collector's AWS X-Ray exporter.

https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/main/exporter/awsxrayexporter/internal/translator/http.go
"""

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from .._document import MAX_TEXT
from ._values import number_of, text_of

_METHOD = ("http.request.method", "http.method")
_USER_AGENT = ("user_agent.original", "http.user_agent")
_STATUS = ("http.response.status_code", "http.status_code")
_URL = ("url.full", "http.url")
_SCHEME = ("url.scheme", "http.scheme")
_TELLS_HTTP = frozenset(
    {
        *_METHOD,
        *_USER_AGENT,
        *_STATUS,
        *_URL,
        *_SCHEME,
        "http.client_ip",
        "http.host",
        "http.target",
        "http.server_name",
        "net.host.port",
        "url.path",
        "url.query",
    }
)
"""Attributes that only a span of HTTP has."""

_TELLS_HOST = frozenset(
    {
        *_URL,
        "http.host",
        "http.server_name",
        "host.name",
        "net.host.name",
        "net.peer.name",
        "net.peer.ip",
        "server.address",
    }
)
"""Attributes of which one is needed to write a URL."""

_PORTS = frozenset({"net.peer.port", "server.port"})
_ADDRESSES = frozenset({"network.peer.address", "client.address"})
_READ_HERE = _TELLS_HTTP | _TELLS_HOST | _PORTS | _ADDRESSES
_SERVER_HOSTS = ("http.host", "http.server_name", "net.host.name", "host.name", "server.address")
_SERVER_PORTS = ("net.host.port", "server.port")
_CLIENT_HOSTS = ("http.host", "net.peer.name", "net.peer.ip", "server.address")
_CLIENT_PORTS = ("net.peer.port", "server.port")
_USUAL_PORTS = frozenset({("http", "80"), ("https", "443")})
_SIZES = ("messaging.message.body.size", "messaging.message_payload_size_bytes")

Attributes = Mapping[str, Any]


def take_http(attributes: dict[str, Any], events: Iterable[Attributes], *, serves: bool) -> dict[str, object] | None:
    """Takes what describes HTTP out of a span's attributes.

    Args:
        attributes: The attributes that no block has taken yet.
        events: The attributes of the span's events.
        serves: Whether the span is the server's side of the request.

    Returns:
        The block; None where the span is none of HTTP.
    """
    if not _TELLS_HTTP & attributes.keys():
        return None
    size = next(filter(None, map(_received_bytes, (attributes, *events))), 0)
    taken = {key: attributes.pop(key) for key in _READ_HERE & attributes.keys()}
    peer = _address(taken.get("network.peer.address"))
    request: dict[str, object] = {}
    if method := _first(taken, _METHOD):
        request["method"] = method
    if user_agent := _first(taken, _USER_AGENT):
        request["user_agent"] = user_agent
    near = text_of(taken.get("net.peer.ip")) or peer
    client = _address(taken.get("client.address")) or text_of(taken.get("http.client_ip")) or near
    if client:
        request["client_ip"] = client
        if not near:
            request["x_forwarded_for"] = True
    if peer or _TELLS_HOST & taken.keys():
        hosts, ports = (_SERVER_HOSTS, _SERVER_PORTS) if serves else (_CLIENT_HOSTS, _CLIENT_PORTS)
        request["url"] = _url(taken, hosts, ports)
    response: dict[str, object] = {}
    status = next((taken[key] for key in _STATUS if key in taken), None)
    if status is not None:
        response["status"] = number_of(status)
    if size:
        response["content_length"] = size
    request = {field: value[:MAX_TEXT] if isinstance(value, str) else value for field, value in request.items()}
    return {name: block for name, block in (("request", request), ("response", response)) if block}


def status_of(attributes: Attributes) -> int | None:
    """Returns a span's HTTP status; None where it has none."""
    value = next((attributes[key] for key in reversed(_STATUS) if key in attributes), None)
    return None if value is None else number_of(value)


def _url(taken: Attributes, hosts: Iterable[str], ports: Iterable[str]) -> str:
    whole = _first(taken, _URL)
    if whole:
        return whole
    scheme = _first(taken, _SCHEME) or "http"
    host = _first(taken, hosts)
    port = "" if "http.host" in taken else next((_port(taken[key]) for key in ports if key in taken), "")
    start = f"{scheme}://{host}"
    if port and (scheme, port) not in _USUAL_PORTS:
        start = f"{start}:{port}"
    if "http.target" in taken:
        return start + text_of(taken["http.target"])
    query = text_of(taken.get("url.query"))
    if query and not query.startswith("?"):
        query = f"?{query}"
    return start + (text_of(taken.get("url.path")) or "/") + query


def _first(taken: Attributes, keys: Iterable[str]) -> str:
    return next((text_of(taken[key]) for key in keys if key in taken), "")


def _port(value: object) -> str:
    return text_of(value) or str(number_of(value))


def _address(value: object) -> str:
    """Returns an IP address; empty where it is none, but the name of a host."""
    address = text_of(value)
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return ""
    return address


def _received_bytes(attributes: Attributes) -> int:
    if attributes.get("message.type") != "RECEIVED":
        return 0
    return next((number_of(attributes[key]) for key in _SIZES if key in attributes), 0)
