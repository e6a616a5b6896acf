"""Signs and posts one request to an API, as API Gateway's IAM authorizer wants it."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from ..json_text import read_json
from ..traces.model import JsonValue

if TYPE_CHECKING:
    from botocore.credentials import Credentials, ReadOnlyCredentials

TRACE_HEADER = "X-Amzn-Trace-Id"
_SERVER_ERROR = 500
_ROOT = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the API answered.

    Attributes:
        status: The HTTP status.
        headers: The HTTP headers.
        body: The body as text.
        trace_id: The request's trace, from the answer's trace header or else its body; None where neither says.
        seconds: How long it took.
    """

    status: int
    headers: Mapping[str, str]
    body: str
    trace_id: str | None
    seconds: float

    @property
    def accepted(self) -> bool:
        """Whether the status is one of success."""
        return 200 <= self.status < 300

    @property
    def failed(self) -> bool:
        """Whether the status is one of the server's errors, 5xx."""
        return self.status >= _SERVER_ERROR

    def json(self) -> JsonValue:
        """Returns the body as JSON; None where it is none."""
        return cast("JsonValue", read_json(self.body))


def send(
    *,
    url: str,
    body: JsonValue | bytes,
    credentials: Credentials | ReadOnlyCredentials | None,
    region: str,
    trace_header: str | None = None,
    content_type: str = "application/json",
    verify: bool | str = True,
    proxies: Mapping[str, str] | None = None,
    timeout: float = 30.0,
) -> Answer:
    """Posts one request.

    Args:
        url: The API's URL.
        body: What to post: bytes as they are, anything else as JSON.
        credentials: Whose signature (SigV4, `execute-api`) it gets; None sends it unsigned.
        region: The API's region.
        trace_header: The value of `X-Amzn-Trace-Id`, by default none, so that API Gateway begins a trace and decides
            on sampling itself.
        content_type: The body's content type.
        verify: Whether the server's certificate is checked, or the file of the authorities it is checked by.
        proxies: The proxy by scheme; None or an empty mapping goes straight to the host.
        timeout: Seconds to connect, and to wait for the answer.

    Raises:
        botocore.exceptions.HTTPClientError: The API was not reached.
    """
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": content_type}
    if trace_header is not None:
        headers[TRACE_HEADER] = trace_header
    request = AWSRequest(method="POST", url=url, data=data, headers=headers)
    if credentials is not None:
        SigV4Auth(credentials, "execute-api", region).add_auth(request)
    session = URLLib3Session(
        verify=verify,  # type: ignore[arg-type]  # botocore takes a file name too
        proxies=dict(proxies or {}),
        timeout=timeout,  # type: ignore[arg-type]  # and fractions of a second
    )
    begin = time.monotonic()
    try:
        response = session.send(request.prepare())
        content = response.content.decode(errors="replace")
    finally:
        session.close()
    answered = {str(key): str(value) for key, value in response.headers.items()}
    return Answer(
        status=response.status_code,
        headers=answered,
        body=content,
        trace_id=_trace_id(answered, content),
        seconds=time.monotonic() - begin,
    )


def new_trace_id(now: float | None = None) -> str:
    """Returns a trace id as X-Ray makes them: `1-<seconds since the epoch>-<96 random bits>`, in hexadecimal.

    See https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html.
    """
    return f"1-{int(time.time() if now is None else now):08x}-{secrets.token_hex(12)}"


def root_of(header: str) -> str | None:
    """Returns the trace id in a trace header; None where it has none."""
    match = _ROOT.search(header)
    return match.group() if match else None


def is_loopback(url: str) -> bool:
    """Returns whether a URL's host is this machine by its loopback name or address, which no proxy reaches."""
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def _trace_id(headers: Mapping[str, str], body: str) -> str | None:
    """Returns the trace id in the answer's header, as API Gateway gives it back, or in the `trace_id` of its body."""
    header = next((value for key, value in headers.items() if key.lower() == TRACE_HEADER.lower()), "")
    if (root := root_of(header)) is not None:
        return root
    parsed = read_json(body)
    value = parsed.get("trace_id") if isinstance(parsed, dict) else None
    return value if isinstance(value, str) and _ROOT.fullmatch(value) else None
