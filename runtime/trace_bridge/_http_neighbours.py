"""Who else records an application's HTTP calls: the X-Ray SDK's patches, and OpenTelemetry's instrumentations.

A call that one of them records is left to it.
"""

import sys
from typing import Any, NamedTuple

from ._place import current_place, open_remote
from ._suppression import is_suppressed


class _Client(NamedTuple):
    """How an HTTP client is called there.

    Attributes:
        sdk_module: What the X-Ray SDK's `patch` calls it where that records every call of it.
        instrumentors: OpenTelemetry's modules and classes that record its calls, or those below it.
    """

    sdk_module: str
    instrumentors: tuple[tuple[str, str], ...]


_URLLIB3 = ("urllib3", "URLLib3Instrumentor")
_CLIENTS = {
    "requests": _Client("httplib", (("requests", "RequestsInstrumentor"), _URLLIB3)),
    "urllib3": _Client("httplib", (_URLLIB3,)),
    "urllib": _Client("httplib", (("urllib", "URLLibInstrumentor"),)),
    "httpx": _Client("", (("httpx", "HTTPXClientInstrumentor"),)),
    "aiohttp": _Client("", (("aiohttp_client", "AioHttpClientInstrumentor"),)),
}


def is_recorded_elsewhere(client: str) -> bool:
    """Returns whether another library records the call that is about to be made.

    Args:
        client: The client's name.
    """
    known = _CLIENTS[client]
    patcher = sys.modules.get("aws_xray_sdk.core.patcher")
    if patcher is not None:
        patched: Any = getattr(patcher, "_PATCHED_MODULES", ())
        if known.sdk_module in patched or (client in patched and open_remote(current_place())):
            return True
    return "opentelemetry.context" in sys.modules and (is_suppressed() or _is_instrumented(known))


def _is_instrumented(known: _Client) -> bool:
    for name, instrumentor in known.instrumentors:
        found = getattr(sys.modules.get(f"opentelemetry.instrumentation.{name}"), instrumentor, None)
        # An instrumentor is a singleton, made at its first use.
        if getattr(getattr(found, "_instance", None), "is_instrumented_by_opentelemetry", False):
            return True
    return False
