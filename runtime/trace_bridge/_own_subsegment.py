"""The subsegment of a function of the handler's own."""

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol, Self

from ._annotations import checked_annotation
from ._errors import cause, exception_entry
from ._safely import safely
from ._segment import MessageSegment


class Below(Protocol):
    """What hangs below a subsegment: a call, another function's, or an entity of the X-Ray SDK."""

    def to_dict(self) -> dict[str, Any]:
        """Returns it as a document."""


class JoinedSubsegment(Protocol):
    """A subsegment as another library's object, whose list of what hangs below it is the same."""

    def end_with(self, end_time: float) -> None:
        """Ends it too."""

    def merge_into(self, document: dict[str, Any]) -> None:
        """Adds what was put on it to the document of the subsegment."""


class Subsegment:
    """What `subsegment` gives: one step of the work, below whatever was open when it began.

    It can be used whether it is recorded or not; on one that is not, what is put on it is dropped.
    """

    __slots__ = ()

    def put_annotation(self, key: str, value: str | float | bool) -> Self:
        """Adds an indexed field, to find the trace by. X-Ray indexes 50 a trace.

        https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html#api-segmentdocuments-annotations

        Args:
            key: Letters, digits and `_`; anything else is dropped with a warning, as the X-Ray SDK does.
            value: A string (X-Ray keeps 1,000 characters), finite number or boolean; likewise.
        """
        checked_annotation(key, value)
        return self

    def put_metadata(self, key: str, value: object, namespace: str = "default") -> Self:  # noqa: ARG002 - dropped here
        """Adds a field that is kept with the subsegment but not indexed.

        Args:
            key: Its name.
            value: Anything JSON can hold; other things are written as their text.
            namespace: Its group; names that begin with `AWS.` are X-Ray's own.
        """
        return self

    def add_exception(self, error: BaseException) -> None:
        """Marks the subsegment as failed (`fault`) with an exception."""


NOT_RECORDED = Subsegment()
"""Stands where nothing is recorded."""


class OwnSubsegment(Subsegment):
    """A subsegment that is recorded.

    Attributes:
        id: Its id, 16 hex digits.
        name: Its name, as X-Ray takes it.
        start_time: Seconds since the epoch.
        end_time: Seconds since the epoch; 0.0 while it is under way.
        message: The message it belongs to; None outside of messages.
        subsegments: What hangs below it.
        joined: The same as the X-Ray SDK's own object, once the handler has asked the SDK for it.
    """

    __slots__ = (
        "_annotations",
        "_cause",
        "_metadata",
        "end_time",
        "id",
        "joined",
        "message",
        "name",
        "start_time",
        "subsegments",
    )

    type = "subsegment"
    sampled = True

    def __init__(self, subsegment_id: str, name: str, message: MessageSegment | None) -> None:
        self.id = subsegment_id
        self.name = name
        self.message = message
        self.end_time = 0.0
        self.subsegments: list[Below] = []
        self.joined: JoinedSubsegment | None = None
        self._annotations: Mapping[str, str | int | float | bool] = _NONE
        self._metadata: Mapping[str, dict[str, object]] = _NONE
        self._cause: dict[str, object] | str | None = None
        self.start_time = time.time()

    @property
    def in_progress(self) -> bool:
        """Whether it is still under way."""
        return not self.end_time

    def put_annotation(self, key: str, value: str | float | bool) -> Self:
        """Adds an indexed field, as `MessageSegment.put_annotation` does."""
        checked = checked_annotation(key, value)
        if checked is not None:
            self._annotations = {**self._annotations, key: checked}
        return self

    def put_metadata(self, key: str, value: object, namespace: str = "default") -> Self:
        """Adds a field that is not indexed, as `MessageSegment.put_metadata` does."""
        self._metadata = {**self._metadata, namespace: {**self._metadata.get(namespace, {}), key: value}}
        return self

    def add_exception(self, error: BaseException) -> None:
        """Marks the subsegment as failed (`fault`) with an exception; one described below it is referred to."""
        described = None if self.message is None else self.message.described(error)
        if described is None:
            entry = exception_entry(error)
            self._cause = cause(entry)
            if self.message is not None:
                self.message.call_failed(error, str(entry["id"]))
        else:
            self._cause = described

    def close(self, end_time: float) -> None:
        """Ends it; a task that was begun inside may go on."""
        self.end_time = max(self.start_time, end_time)  # a clock may step back
        if self.joined is not None:
            self.joined.end_with(self.end_time)

    def to_dict(self) -> dict[str, Any]:
        """Returns the subsegment as a document, with what was put on the SDK's object."""
        document: dict[str, Any] = {"id": self.id, "name": self.name, "start_time": self.start_time}
        if self.end_time:
            document["end_time"] = self.end_time
        else:
            document["in_progress"] = True
        if self._annotations:
            document["annotations"] = self._annotations
        if self._metadata:
            document["metadata"] = self._metadata
        if self._cause is not None:
            document["fault"] = True
            document["cause"] = self._cause
        if self.subsegments:
            document["subsegments"] = [_ended(below.to_dict(), self.message) for below in list(self.subsegments)]
        if self.joined is not None:
            safely(self.joined.merge_into, document)
        return document


def _ended(document: dict[str, Any], message: MessageSegment | None) -> dict[str, Any]:
    """Ends what is still open once its message is done."""
    if message is not None and message.end_time and document.pop("in_progress", False):
        document["end_time"] = message.end_time
    return document


_NONE: Mapping[str, Any] = MappingProxyType({})
