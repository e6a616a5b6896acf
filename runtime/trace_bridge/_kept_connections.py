"""HTTP connections that are kept between calls, with the errors of botocore's own."""

import http.client
import select
import socket
import ssl
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from time import time
from typing import NamedTuple
from urllib.parse import urlsplit

from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
    SSLError,
)

_LONGEST_IDLE_SECONDS = 300.0
"""How long a connection is kept without use.

NAT gateways forget one after 350 seconds: https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html.
What is forgotten without a word costs the documents of the call that finds out.
"""


class Answer(NamedTuple):
    """What a server answered.

    Attributes:
        status: The status of the answer.
        headers: Its headers.
        body: Its body.
    """

    status: int
    headers: http.client.HTTPMessage
    body: bytes


class KeptConnections:
    """Connections to one server, one for each call under way.

    Args:
        url: Where the server is; its path does not matter.
        ca_bundle: File of the certificates that are trusted; None for a URL of `http`.
        seconds: Longest wait for a connection, and longest wait for an answer.
        clock: Seconds, those of a frozen environment included, as a monotonic clock's are not.
    """

    def __init__(self, url: str, *, ca_bundle: str | None, seconds: float, clock: Callable[[], float] = time) -> None:
        parts = urlsplit(url)
        self._url = url
        self._host, self._port = parts.hostname or "", parts.port
        self._seconds = seconds
        # Reading the certificates takes longer than a call, so it is done once.
        self._tls = ssl.create_default_context(cafile=ca_bundle) if parts.scheme == "https" else None
        self._clock = clock
        self._idle: deque[tuple[http.client.HTTPConnection, float]] = deque()

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Sends a request and returns the answer.

        Raises:
            ConnectionClosedError: The server closed the connection before it answered.
            HTTPClientError: Any other failure that is no answer; one of botocore's kinds of it.
        """
        connection = self._kept() or self._connected()
        try:
            connection.request("POST", path, body=body, headers=headers)
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        except TimeoutError as error:
            connection.close()
            # What was lost without a word (a gateway that forgets idle connections) was lost for the others too.
            self.close()
            raise ReadTimeoutError(endpoint_url=self._url, error=error) from error
        except (http.client.HTTPException, OSError) as error:
            connection.close()
            # What closed this one (a freeze, a server that restarts) has closed the others too.
            self.close()
            raise ConnectionClosedError(endpoint_url=self._url, error=error) from error
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            self._idle.append((connection, self._clock()))
        return answer

    def close(self) -> None:
        """Closes the connections that are not in use."""
        with suppress(IndexError):  # another thread may be quicker
            while self._idle:
                self._idle.pop()[0].close()

    def _kept(self) -> http.client.HTTPConnection | None:
        """Returns a connection of an earlier call; one that can be read before a request was closed meanwhile."""
        while self._idle:
            try:
                connection, since = self._idle.pop()
            except IndexError:  # another thread was quicker
                return None
            is_fresh = self._clock() - since < _LONGEST_IDLE_SECONDS
            if is_fresh and connection.sock is not None and not _can_be_read(connection.sock):
                return connection
            connection.close()
        return None

    def _connected(self) -> http.client.HTTPConnection:
        if self._tls is None:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=self._seconds)
        else:
            connection = http.client.HTTPSConnection(self._host, self._port, timeout=self._seconds, context=self._tls)
        try:
            connection.connect()
        except TimeoutError as error:
            raise ConnectTimeoutError(endpoint_url=self._url, error=error) from error
        except ssl.SSLError as error:
            raise SSLError(endpoint_url=self._url, error=error) from error
        except OSError as error:
            raise EndpointConnectionError(endpoint_url=self._url, error=error) from error
        except Exception as error:
            raise HTTPClientError(error=error) from error
        return connection


def _can_be_read(connection: socket.socket) -> bool:
    if not hasattr(select, "poll"):
        return bool(select.select([connection], [], [], 0)[0])
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))
