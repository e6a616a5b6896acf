"""Who else records an application's HTTP calls: the X-Ray SDK's patches, and OpenTelemetry's instrumentations.

A call that one of them records is left to it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ._suppression import is_suppressed

if TYPE_CHECKING:
    from collections.abc import Callable


class _Client:
    """How an HTTP client is called there.

    Attributes:
        on_http_client: Whether it sends by `http.client` as the X-Ray SDK's patch `httplib` knows it.
        instrumentors: OpenTelemetry's modules and classes that record its calls, or those below it.
    """

    __slots__ = ("instrumentors", "on_http_client")

    def __init__(self, on_http_client: Callable[[], bool], instrumentors: tuple[tuple[str, str], ...]) -> None:
        self.on_http_client = on_http_client
        self.instrumentors = instrumentors


def _is_old_urllib3() -> bool:
    """Returns whether urllib3 sends by `HTTPConnection._send_request`, which that patches; from 2.0 on it does not."""
    return str(getattr(sys.modules.get("urllib3"), "__version__", "")).startswith("1.")


def _always() -> bool:
    return True


def _never() -> bool:
    return False


_URLLIB3 = ("urllib3", "URLLib3Instrumentor")
_CLIENTS = {
    "requests": _Client(_is_old_urllib3, (("requests", "RequestsInstrumentor"), _URLLIB3)),
    "urllib3": _Client(_is_old_urllib3, (_URLLIB3,)),
    "urllib": _Client(_always, (("urllib", "URLLibInstrumentor"),)),
    "httpx": _Client(_never, (("httpx", "HTTPXClientInstrumentor"),)),
    "aiohttp": _Client(_never, (("aiohttp_client", "AioHttpClientInstrumentor"),)),
}


def is_recorded_by_others(client: str) -> bool:
    """Returns whether another library records the call that is about to be made.

    Args:
        client: The client's name.
    """
    known = _CLIENTS[client]
    patcher = sys.modules.get("aws_xray_sdk.core.patcher")
    if patcher is not None and "httplib" in getattr(patcher, "_PATCHED_MODULES", ()) and known.on_http_client():
        return True
    return "opentelemetry.context" in sys.modules and (is_suppressed() or _is_instrumented(known))


def _is_instrumented(known: _Client) -> bool:
    return any(is_instrumented(name, instrumentor) for name, instrumentor in known.instrumentors)


def is_instrumented(name: str, instrumentor: str) -> bool:
    """Returns whether one of OpenTelemetry's instrumentations is on.

    Args:
        name: Its module, below `opentelemetry.instrumentation`.
        instrumentor: Its class.
    """
    instrumentation = getattr(sys.modules.get(f"opentelemetry.instrumentation.{name}"), instrumentor, None)
    # An instrumentor is a singleton, made at its first use.
    return bool(getattr(getattr(instrumentation, "_instance", None), "is_instrumented_by_opentelemetry", False))
