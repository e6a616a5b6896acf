"""A client of X-Ray that calls `PutTraceSegments` over kept connections, with botocore's signer.

Where a message's trace costs most is here: measured for ten documents, botocore's own client takes 1.1 ms of CPU a
call, botocore's signer with its HTTP session 0.6 ms, with the standard library's connection 0.3 ms. What botocore's
client does beyond that (rules of endpoints, serialisers, events, parsers, retries) gives the same result every time.

So botocore prepares the first call, and what it resolved is kept: region, partition, FIPS, dual stack, endpoint,
signing name, user agent. Credentials are asked for at each call, so that expired ones are refreshed. Whatever is
out of the ordinary is left to botocore's client: proxies, client certificates, another kind of signature, and event
handlers of somebody else's, as those of libraries that answer for AWS in tests.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore.awsrequest import AWSRequest, AWSResponse, HeadersDict
from botocore.exceptions import ClientError
from botocore.httpsession import get_cert_path
from botocore.parsers import create_parser
from botocore.utils import get_environ_proxies

from ._kept_connections import KeptConnections

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, Protocol
    from urllib.parse import SplitResult

    from ._kept_connections import Answer

    class _Signer(Protocol):
        def get_auth_instance(self, *, signing_name: str, region_name: str, signature_version: str) -> Any:
            """Returns what signs a request, with the credentials as they are now."""


_OPERATION = "PutTraceSegments"
_EVENTS = (
    "provide-client-params",
    "before-parameter-build",
    "before-endpoint-resolution",
    "before-call",
    "request-created",
    "choose-signer",
    "before-sign",
    "before-send",
    "response-received",
    "before-parse",
    "needs-retry",
    "after-call",
    "after-call-error",
)
"""The events of a call: https://botocore.amazonaws.com/v1/documentation/api/latest/topics/events.html."""
_SAME_AT_EACH_CALL = ("botocore", "aws_lambda_powertools")
"""Packages whose event handlers do the same at each call; Powertools' adds to the user agent, which is kept."""
_KEPT_HEADERS = ("Content-Type", "User-Agent")
_encode = json.JSONEncoder(separators=(",", ":")).encode


class _Signature:
    """How requests are signed.

    Attributes:
        signer: The client's signer, which holds the credentials.
        name: The service's name in the signature.
        region: The region in the signature.
    """

    __slots__ = ("name", "region", "signer")

    def __init__(self, signer: _Signer, name: str, region: str) -> None:
        self.signer = signer
        self.name = name
        self.region = region


class _Route:
    """What botocore resolved for the first call, and what each further one is made of."""

    __slots__ = ("connections", "headers", "path", "signature", "url")

    def __init__(
        self, url: str, path: str, headers: Mapping[str, str], signature: _Signature, connections: KeptConnections
    ) -> None:
        self.url = url
        self.path = path
        self.headers = headers
        self.signature = signature
        self.connections = connections


class SignedClient:
    """Calls X-Ray as botocore's client would.

    Args:
        client: botocore's client, without event handlers but botocore's own.
        ca_bundle: The setting `ca_bundle` of the client's session; None where it is not set.
        seconds: Longest wait for a connection, and longest wait for an answer.
    """

    def __init__(self, client: Any, *, ca_bundle: str | None, seconds: float) -> None:
        self._client = client
        self._ca_bundle = ca_bundle
        self._seconds = seconds
        self._signature: _Signature | None = None
        self._route: _Route | None = None
        client.meta.events.register(f"before-sign.xray.{_OPERATION}", self._note_signature)
        client.meta.events.register(f"before-send.xray.{_OPERATION}", self._send_prepared)

    def put_trace_segments(self, *, TraceSegmentDocuments: list[str]) -> Mapping[str, Any]:  # noqa: N803
        """Uploads segment documents: https://docs.aws.amazon.com/xray/latest/api/API_PutTraceSegments.html.

        Raises:
            ClientError: X-Ray answered an error.
            HTTPClientError: X-Ray did not answer.
        """
        route = self._route
        if route is None:
            answer: Mapping[str, Any] = self._client.put_trace_segments(TraceSegmentDocuments=TraceSegmentDocuments)
            return answer
        body = _encode({"TraceSegmentDocuments": TraceSegmentDocuments}).encode("ascii")
        request = AWSRequest("POST", route.url, route.headers, body)
        signature = route.signature
        signature.signer.get_auth_instance(
            signing_name=signature.name, region_name=signature.region, signature_version="v4"
        ).add_auth(request)
        return _parsed(route.connections.post(route.path, body, dict(request.headers.items())))

    def close(self) -> None:
        """Closes its connections."""
        if self._route is not None:
            self._route.connections.close()
        self._client.close()

    def _note_signature(
        self,
        *,
        request: Any,
        signing_name: str,
        region_name: str,
        signature_version: str,
        request_signer: _Signer,
        **_: object,
    ) -> None:
        signing: Mapping[str, str] = request.context.get("signing", {})
        self._signature = None
        if signature_version == "v4":
            self._signature = _Signature(
                request_signer, signing.get("signing_name", signing_name), signing.get("region", region_name)
            )

    def _send_prepared(self, *, request: Any, **_: object) -> AWSResponse | None:
        """Sends the call that botocore has prepared, and keeps what it resolved; None leaves the sending to it."""
        signature, config, parts = self._signature, self._client.meta.config, urlsplit(request.url)
        proxies = config.proxies or get_environ_proxies(request.url)
        if signature is None or config.client_cert or proxies.get(parts.scheme) or parts.query:
            return None
        if self._route is None:
            connections = KeptConnections(request.url, ca_bundle=self._trusted(), seconds=self._seconds)
            headers = {name: _text(request.headers[name]) for name in _KEPT_HEADERS if name in request.headers}
            headers["Host"] = _host(parts)  # the signer would read it from the URL, twice a call
            self._route = _Route(request.url, parts.path, headers, signature, connections)
        headers = {name: _text(value) for name, value in request.headers.items()}
        answer = self._route.connections.post(parts.path, request.body, headers)
        received: Any = HeadersDict(answer.headers.items())
        return AWSResponse(request.url, answer.status, received, _Body(answer.body))

    def _trusted(self) -> str | None:
        """Returns the file of trusted certificates, by botocore's own rules."""
        bundle: Any = self._ca_bundle or os.environ.get("REQUESTS_CA_BUNDLE")
        trusted: str | None = get_cert_path(bundle or True)
        return trusted


def _host(parts: SplitResult) -> str:
    """Returns the header `Host` of a URL, without the port that is the scheme's own."""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    is_default = parts.port in (None, {"http": 80, "https": 443}.get(parts.scheme))
    return host if is_default else f"{host}:{parts.port}"


class _Body:
    """A body that was read already, as botocore reads one."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> Iterator[bytes]:
        """Yields the body."""
        yield self._body


def has_foreign_handlers(client: Any) -> bool:
    """Returns whether somebody else's code takes part in the client's calls; so, too, where that is not known."""
    try:
        # botocore has no public way to list the handlers of an event.
        handlers = client.meta.events._emitter._handlers  # noqa: SLF001
        return any(
            not _repeats_itself(handler)
            for event in _EVENTS
            for handler in handlers.prefix_search(f"{event}.xray.{_OPERATION}")
        )
    except AttributeError:
        return True


def _repeats_itself(handler: Any) -> bool:
    function = getattr(handler, "func", handler)
    return str(getattr(function, "__module__", "")).partition(".")[0] in _SAME_AT_EACH_CALL


def _parsed(answer: Answer) -> Mapping[str, Any]:
    if answer.status < 300:
        parsed: Mapping[str, Any] = json.loads(answer.body or b"{}")
        return parsed
    # Errors have several shapes, which botocore knows.
    response = {"status_code": answer.status, "headers": HeadersDict(answer.headers.items()), "body": answer.body}
    raise ClientError(create_parser("rest-json").parse(response, None), _OPERATION)  # type: ignore[arg-type] # errors have no shape


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
