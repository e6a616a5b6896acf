"""Where a Python function finds X-Ray's own host, to which OTLP exporters send.

Its text is run in the function's process, so it imports the standard library alone.

Exporters of OpenTelemetry know nothing of the SDKs' endpoint variables, and AWS's distribution signs only what goes to
X-Ray's host by its name: CloudWatch User Guide, "OTLP Endpoints", `https://xray.<region>.amazonaws.com/v1/traces`.
"""

import os
import re
import socket
from typing import Any
from urllib.parse import urlsplit

_XRAY = re.compile(r"xray\.[a-z0-9-]+\.amazonaws\.com", re.IGNORECASE)


def set_up() -> None:
    """Resolves X-Ray's host to the endpoint that the SDKs find by their variables."""
    resolve = socket.getaddrinfo

    def resolve_here(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(host, str) and _XRAY.fullmatch(host):
            endpoint = urlsplit(os.environ.get("AWS_ENDPOINT_URL_XRAY") or os.environ["AWS_ENDPOINT_URL"])
            host, port = endpoint.hostname, endpoint.port
        return resolve(host, port, *args, **kwargs)

    socket.getaddrinfo = resolve_here
