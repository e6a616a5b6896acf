"""One HTTP call: the fields the X-Ray SDK records of it, and the answer's length."""

import json
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ._document import MAX_TEXT, outcome_fields, valid_name
from ._json import quote
from ._safely import safely


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
    parts = url.partition("?")[0].partition("#")[0].split("/", 3)
    # No more of the path than is recorded, as what is parsed is kept for the next call.
    parts[3:] = [path[:MAX_TEXT] for path in parts[3:]]
    return _target("/".join(parts))


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
        self._method = method[:MAX_TEXT]
        self._url = url[:MAX_TEXT]
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
        from ._errors import cause, exception_entry

        status = safely(_status_of, error)
        if status is not None:
            self._status = status
        entry = exception_entry(error, remote=status is not None)
        if secret:
            entry["message"] = str(entry["message"]).replace(secret, "")
        self._cause = cause(entry)
        return str(entry["id"])

    def text(self) -> str:
        """Returns the subsegment as a document, JSON."""
        end = f'"end_time":{self.end_time!r}' if self.end_time else '"in_progress":true'
        status, answer = self._status, ""
        if status is not None:
            length = "" if self._length is None else f',"content_length":{self._length}'
            answer = f',"response":{{"status":{status}{length}}}'
        outcome = outcome_fields(status, self._cause) if self._cause is not None or (status or 0) >= 400 else ""
        return (
            f'{{"id":"{self.id}","name":{quote(self.name)},"start_time":{self.start_time!r},{end},'
            f'"namespace":"remote","http":{{"request":{{"method":{quote(self._method)},'
            f'"url":{quote(self._url)}}}{answer}}}{outcome}}}'
        )

    def to_dict(self) -> dict[str, Any]:
        """Returns the subsegment as a document."""
        document: dict[str, Any] = json.loads(self.text())
        return document


def _status_of(error: BaseException) -> int | None:
    for name in ("status", "code"):  # aiohttp's and urllib's
        status = getattr(error, name, None)
        if isinstance(status, int) and 100 <= status < 600:
            return status
    return None
