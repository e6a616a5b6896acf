"""HTTP calls: recorded once, on whatever is under way, with its trace on the wire."""

from __future__ import annotations

import time
from contextvars import ContextVar
from typing import TYPE_CHECKING

from . import _state
from ._http_hosts import is_ignored
from ._http_neighbours import is_recorded_by_others
from ._http_subsegment import HttpSubsegment, target_of
from ._place import current_place, usual_parent
from ._places import BesideSdk, InMessage, NotRecorded, is_open_call
from ._safely import safely
from ._scope import inherited_scope, is_aside
from ._sdk_calls import SdkHttpCall

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from types import TracebackType
    from typing import Any, Self

    from ._places import OfInvocation, Place, SpanPlace

TRACE_HEADER = "X-Amzn-Trace-Id"

_under_way: ContextVar[bool] = ContextVar("trace_bridge_http_under_way", default=False)

is_under_way = _under_way.get
"""Returns whether the running code is inside a call: the calls that it is made of are not recorded again."""


class HttpCall:
    """One call of an HTTP client, as a context manager around the client's own work.

    Whatever is wrong with the record costs the record alone. The call ends when its answer begins: a body that is
    read later, as of a streamed response, is not part of it.

    Args:
        client: The client's name.
        method: The method.
        url: The URL.
    """

    __slots__ = ("_before", "_carried", "_place", "_subsegment", "_url", "header")

    _place: InMessage | OfInvocation | SpanPlace

    def __init__(self, client: str, method: object, url: object) -> None:
        self.header: str | None = None
        """The trace header that the call carries; None where it carries none of the bridge's."""
        self._subsegment: HttpSubsegment | SdkHttpCall | None = None
        self._carried: MutableMapping[Any, Any] | None = None
        self._url = url
        safely(self._begin, client, method, url)

    def _begin(self, client: str, method: object, url: object) -> None:
        if not _state.settings.instrument or is_aside() or url is None:
            return
        url = str(url)
        target = target_of(url)
        if target is None or is_ignored(target.host, target.port):
            return
        shown = target.url + _query(url) if _state.settings.http_query else target.url
        scope = inherited_scope()
        parent = None if scope is None else usual_parent(scope)
        place = current_place() if scope is None or parent is None else InMessage(scope.message, parent)
        self._begin_at(place, client, target.name, method, shown)

    def _begin_at(self, place: Place, client: str, name: str, method: object, shown: str) -> None:
        if is_open_call(place) or is_recorded_by_others(client):
            return
        if isinstance(place, NotRecorded):
            self.header = place.passed_on
            return
        if isinstance(place, BesideSdk):
            self._subsegment = SdkHttpCall(place.recorder, name, str(method), shown)
            self.header = self._subsegment.header
            return
        subsegment = HttpSubsegment(place.new_id(), name, time.time(), str(method), shown)
        place.add(subsegment)
        self._place = place
        self._subsegment = subsegment
        self.header = place.header(subsegment.id)

    def carry(self, headers: MutableMapping[Any, Any]) -> None:
        """Puts the trace header among a request's for as long as the call takes; one of the caller's own stays."""
        if TRACE_HEADER not in headers:
            headers[TRACE_HEADER] = self.header
            self._carried = headers

    def answered(self, status: Any, headers: Any) -> None:
        """Records the answer.

        Args:
            status: The answer's status.
            headers: The answer's headers.
        """
        if self._subsegment is not None:
            safely(_answered, self._subsegment, status, headers)

    def __enter__(self) -> Self:
        self._before = _under_way.get()
        _under_way.set(True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _under_way.set(self._before)
        if self._carried is not None:
            safely(self._carried.__delitem__, TRACE_HEADER)
        subsegment = self._subsegment
        if isinstance(subsegment, HttpSubsegment):
            subsegment.close(time.time())
            if error is not None:
                safely(self._failed, subsegment, error)
            self._place.ended(subsegment)
        elif subsegment is not None:
            safely(subsegment.end, error)

    def _failed(self, subsegment: HttpSubsegment, error: BaseException) -> None:
        secret = "" if _state.settings.http_query else _query(str(self._url))
        self._place.failed(error, subsegment.failed(error, secret))


class LeftAlone:
    """Keeps the HTTP calls inside the block from being recorded."""

    __slots__ = ("_before",)

    def __enter__(self) -> None:
        self._before = _under_way.get()
        _under_way.set(True)

    def __exit__(self, *_: object) -> None:
        _under_way.set(self._before)


def _query(url: str) -> str:
    """Returns the query of a URL, with the mark in front; empty where there is none."""
    _, mark, query = url.partition("#")[0].partition("?")
    return mark + query


def _answered(subsegment: HttpSubsegment | SdkHttpCall, status: Any, headers: Any) -> None:
    length = None if headers is None else headers.get("Content-Length")
    subsegment.answered(
        status if isinstance(status, int) else None,
        int(length) if isinstance(length, str) and length.isdecimal() else None,
    )
