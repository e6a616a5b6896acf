"""Where the X-Ray daemon listens."""

import logging
import os
import socket

from ._environment import XRAY_DAEMON_ADDRESS

_log = logging.getLogger("trace_bridge")
_VARIABLE = XRAY_DAEMON_ADDRESS
_EXPECTED = "expected host:port, or tcp:host:port udp:host:port"


def daemon_address() -> tuple[str, int] | None:
    """Returns the daemon's UDP address, which `AWS_XRAY_DAEMON_ADDRESS` names.

    Its form is `host:port`, or `tcp:host:port udp:host:port`. A host's name is looked up here, once, rather than
    with every document. An address of no use is warned of.
    https://docs.aws.amazon.com/xray/latest/devguide/xray-sdk-python-configuration.html

    Returns:
        The IP address and port; None where the variable is not set, or of no use.
    """
    text = os.environ.get(_VARIABLE, "").strip()
    if not text:
        return None
    host_and_port = _udp_part(text)
    if host_and_port is None:
        _log.warning("%s is %r; %s. Documents go to X-Ray itself instead of its daemon", _VARIABLE, text, _EXPECTED)
        return None
    try:
        addresses = socket.getaddrinfo(*host_and_port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        _log.warning(
            "%s is %r, whose host cannot be looked up: %s. Documents go to X-Ray itself instead of its daemon",
            _VARIABLE,
            text,
            error,
        )
        return None
    # The daemon listens on IPv4 by default, and `localhost` may name both.
    _, _, _, _, address = min(addresses, key=lambda info: info[0] != socket.AF_INET)
    return str(address[0]), int(address[1])


def _udp_part(text: str) -> tuple[str, int] | None:
    parts = text.split()
    if len(parts) == 1 and not text.startswith(("tcp:", "udp:")):
        return _host_and_port(text)
    by_protocol = {part.partition(":")[0]: part.partition(":")[2] for part in parts}
    if not by_protocol.keys() <= {"tcp", "udp"} or len(by_protocol) != len(parts):
        return None
    return _host_and_port(by_protocol.get("udp", ""))


def _host_and_port(text: str) -> tuple[str, int] | None:
    host, _, port = text.rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not host or not (port.isascii() and port.isdigit()) or not 1 <= int(port) <= 65_535:
        return None
    return host, int(port)
