"""One HTTP call: the fields the X-Ray SDK records of it, and the answer's length."""

from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ._document import valid_name
from ._errors import cause, exception_entry

_MAX_TEXT = 250
"""Longest method and URL of AWS's own schema of segment documents."""


class Target(NamedTuple):
    """What is called.

    Attributes:
        name: The host, as X-Ray takes it as a name.
        host: The host, in lower case.
        port: The port; None where the URL names none.
        url: The URL without credentials, query and fragment.
    """

    name: str
    host: str
    port: int | None
    url: str


def target_of(url: str) -> Target | None:
    """Returns what a URL calls; None where it is no URL of HTTP.

    Raises:
        ValueError: The URL is malformed.
    """
    return _target(url.partition("?")[0].partition("#")[0])


@lru_cache(maxsize=512)
def _target(url: str) -> Target | None:
    parts = urlsplit(url)
    host = parts.hostname
    if parts.scheme not in ("http", "https") or not host:
        return None
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return Target(valid_name(host, otherwise="http"), host, parts.port, shown)


class HttpSubsegment:
    """A subsegment of `namespace: remote`.

    https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html#api-segmentdocuments-http

    Attributes:
        id: Its id, 16 hex digits.
        name: The host.
        start_time: Seconds since the epoch.
        end_time: Seconds since the epoch; 0.0 while the call is under way.
    """

    __slots__ = ("_cause", "_length", "_method", "_status", "_url", "end_time", "id", "name", "start_time")

    type = "subsegment"
    namespace = "remote"
    sampled = True

    def __init__(self, subsegment_id: str, name: str, start_time: float, method: str, url: str) -> None:
        self.id = subsegment_id
        self.name = name
        self.start_time = start_time
        self.end_time = 0.0
        self._method = method
        self._url = url
        self._status: int | None = None
        self._length: int | None = None
        self._cause: dict[str, object] | None = None

    @property
    def in_progress(self) -> bool:
        """Whether the call is still under way."""
        return not self.end_time

    def close(self, end_time: float) -> None:
        """Marks the call as over."""
        self.end_time = max(self.start_time, end_time)

    def answered(self, status: int | None, length: int | None) -> None:
        """Records the answer."""
        self._status = status
        self._length = length

    def failed(self, error: BaseException, secret: str) -> str:
        """Records an exception of the call; one that stands for an answer, as `urllib.error.HTTPError`, as its answer.

        Args:
            error: The exception.
            secret: What is cut from its text, as clients write URLs into theirs; empty for nothing.

        Returns:
            The id of the exception's entry, for the segments around it to refer to.
        """
        status = _status_of(error)
        if status is not None:
            self._status = status
        entry = exception_entry(error, remote=status is not None)
        if secret:
            entry["message"] = str(entry["message"]).replace(secret, "")
        self._cause = cause(entry)
        return str(entry["id"])

    def to_dict(self) -> dict[str, Any]:
        """Returns the subsegment as a document."""
        http: dict[str, object] = {"request": {"method": self._method[:_MAX_TEXT], "url": self._url[:_MAX_TEXT]}}
        document: dict[str, Any] = {
            "id": self.id,
            "name": self.name,
            "start_time": self.start_time,
            "namespace": "remote",
            "http": http,
        }
        if self.end_time:
            document["end_time"] = self.end_time
        else:
            document["in_progress"] = True
        if self._status is not None:
            http["response"] = {"status": self._status}
            if self._length is not None:
                http["response"] = {"status": self._status, "content_length": self._length}
            document.update(flags_of(self._status))
        if self._cause is not None:
            document["cause"] = self._cause
            if self._status is None:
                document["fault"] = True
        return document


def flags_of(status: int) -> dict[str, bool]:
    """Returns the flags of an answer: 5xx is a fault, 4xx an error, 429 a throttle too."""
    if status >= 500:
        return {"fault": True}
    if status == 429:
        return {"error": True, "throttle": True}
    return {"error": True} if status >= 400 else {}


def _status_of(error: BaseException) -> int | None:
    for name in ("status", "code"):  # aiohttp's and urllib's
        status = getattr(error, name, None)
        if isinstance(status, int) and 100 <= status < 600:
            return status
    return None
