"""The X-Ray daemon's TCP side: the SDKs ask it for sampling rules and targets.

Source: X-Ray Developer Guide, "Configuring sampling rules": "the X-Ray SDK … uses the daemon as a TCP proxy" for
GetSamplingRules and GetSamplingTargets, which the daemon signs with its own credentials. It stands at the same port as
the UDP side: "X-Ray daemon", "listens on TCP port 2000 for X-Ray proxy" by default.
"""

import socket
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler

Response = tuple[int, dict[str, str], bytes]
Ask = Callable[[str, bytes], Response]
"""Asks the X-Ray API: path and body of a request."""

May = Callable[[str], str | None]
"""Says why an action such as `xray:GetSamplingRules` is refused; `None` allows it."""

_ACTIONS = {"GetSamplingRules": "xray:GetSamplingRules", "SamplingTargets": "xray:GetSamplingTargets"}
_MAX_BODY_BYTES = 1024 * 1024
_TIMEOUT_SECONDS = 10.0


def serve(connection: socket.socket, *, may: May, ask: Ask) -> None:
    """Answers the requests that come through a connection, then closes it.

    Args:
        connection: The connection, accepted.
        may: Asked before X-Ray is.
        ask: The X-Ray API.
    """

    class Handler(BaseHTTPRequestHandler):
        timeout = _TIMEOUT_SECONDS
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self._answer(*_response(self.path, self._body(), may=may, ask=ask))

        def do_GET(self) -> None:
            self._answer(HTTPStatus.NOT_FOUND, {}, b"")

        def log_message(self, *_args: object) -> None:
            """Returns nothing: a refusal is in the answer."""

        def _body(self) -> bytes:
            length = self.headers.get("Content-Length", "0")
            return self.rfile.read(min(int(length), _MAX_BODY_BYTES)) if length.isdigit() else b""

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with connection:
        try:
            Handler(connection, ("127.0.0.1", 0), None)  # type: ignore[arg-type]
        except OSError:
            return


def _response(path: str, body: bytes, *, may: May, ask: Ask) -> Response:
    action = _ACTIONS.get(path.strip("/"))
    if action is None:
        return HTTPStatus.NOT_FOUND, {}, b""
    if reason := may(action):
        return HTTPStatus.FORBIDDEN, {"x-amzn-ErrorType": "AccessDeniedException"}, reason.encode()
    return ask(path, body)
