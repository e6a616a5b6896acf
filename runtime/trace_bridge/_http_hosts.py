"""Hosts whose calls are left alone: those of the environment itself, and those the application names."""

import os
from collections.abc import Iterable
from functools import lru_cache

from . import _state
from ._config import checked_hosts
from ._environment import LAMBDA_RUNTIME_API, XRAY_DAEMON_ADDRESS

_LINK_LOCAL = frozenset({"169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23"})
"""Instance metadata, task metadata and credentials of containers and pods.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html,
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4.html,
https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
"""

_named: frozenset[str] = frozenset()


def ignore_hosts(hosts: Iterable[str]) -> None:
    """Leaves the calls of further hosts alone.

    Args:
        hosts: Names or addresses, `example.com`; `*.example.com` for every host below it.

    Raises:
        ConfigurationError: One of them is no host.
    """
    global _named
    _named |= frozenset(checked_hosts("ignore_hosts", hosts))
    _is_ignored.cache_clear()


def is_ignored(host: str, port: int | None) -> bool:
    """Returns whether calls of a host are left alone.

    Args:
        host: The host, in lower case.
        port: The port; None where the URL names none.
    """
    return host in _LINK_LOCAL or _is_ignored(host, port, _state.settings.ignore_hosts)


@lru_cache(maxsize=512)
def _is_ignored(host: str, port: int | None, configured: tuple[str, ...]) -> bool:
    for pattern in (*configured, *_named):
        if host == pattern or (pattern.startswith("*.") and host.endswith(pattern[1:])):
            return True
    return (host, port) in _local_ends()


def _local_ends() -> set[tuple[str, int]]:
    """Returns the ends of Lambda's runtime and extensions APIs, which share one, and of the X-Ray daemon."""
    written = [os.environ.get(LAMBDA_RUNTIME_API, ""), *os.environ.get(XRAY_DAEMON_ADDRESS, "").split()]
    ends = set()
    for end in written:
        host, _, port = end.removeprefix("tcp:").removeprefix("udp:").rpartition(":")
        if host and port.isdigit():
            ends.add((host.strip("[]").lower(), int(port)))
    return ends
