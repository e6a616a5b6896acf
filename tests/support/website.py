"""A web server of a test's own, which remembers what it is asked."""

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TRACE_HEADER = "x-amzn-trace-id"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request.

    Attributes:
        method: Its method.
        path: Its path and query.
        headers: Its headers, their names in lower case.
    """

    method: str
    path: str
    headers: dict[str, str] = field(repr=False)

    @property
    def trace_header(self) -> str | None:
        """Its trace header."""
        return self.headers.get(TRACE_HEADER)


class Website:
    """Answers by the path that it is asked for.

    `/status/404` with that status, `/to/PATH` with a redirect to PATH, `/streamed` without a length in two chunks, the
    second once `open` is set; `/cut` by closing the connection; `/silent` only once `open` is set; anything else with
    `ok`.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.open = threading.Event()
        website = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                website.asked.append(Asked(method=self.command, path=self.path, headers=headers))
                path = self.path.partition("?")[0]
                if path == "/cut":
                    self.close_connection = True
                elif path == "/streamed":
                    self._stream()
                else:
                    if path == "/silent":
                        website.open.wait(30)
                    self._send(path)

            def _send(self, path: str) -> None:
                _, kind, *rest = path.split("/")
                if kind == "to":
                    self.send_response(302)
                    self.send_header("Location", "/" + "/".join(rest))
                else:
                    self.send_response(int(rest[0]) if kind == "status" else 200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                with suppress(OSError):
                    self.wfile.write(b"ok")

            def _stream(self) -> None:
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                self.wfile.write(b"5\r\nfirst\r\n")
                website.open.wait(30)
                with suppress(OSError):
                    self.wfile.write(b"6\r\nsecond\r\n0\r\n\r\n")

            do_GET = do_POST = _answer  # noqa: N815 - the names http.server calls

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def trace_headers(self, path: str) -> list[str | None]:
        """The trace headers of the requests for a path."""
        return [asked.trace_header for asked in self.asked if asked.path.partition("?")[0] == path]

    def close(self) -> None:
        """Stops it."""
        self.open.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
