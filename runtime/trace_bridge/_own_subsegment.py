"""The subsegment of a function of the handler's own."""

from __future__ import annotations

import json
from functools import lru_cache
from time import time
from types import MappingProxyType
from typing import TYPE_CHECKING

from ._document import valid_name
from ._json import encode, quote, with_metadata
from ._safely import safely

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Protocol, Self

    from ._segment import MessageSegment

    class Below(Protocol):
        """What is below a subsegment: a call, another function's, or an entity of the X-Ray SDK."""

        @property
        def in_progress(self) -> bool:
            """Whether it is still under way."""

        def close(self, end_time: float) -> None:
            """Ends it."""

        def to_dict(self) -> dict[str, Any]:
            """Returns it as a document."""

    class JoinedSubsegment(Protocol):
        """A subsegment as another library's object, whose list of what is below it is the same."""

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
        from ._annotations import checked_annotation

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


def name_as_taken(name: str) -> str:
    """Returns a name as X-Ray takes it; `subsegment` where nothing is left of it."""
    return valid_name(name, otherwise="subsegment")


_LONGEST_NAME_READ = 1_000
"""Characters of a name that are read: written names are cached, and a very long one must not be kept whole."""


@lru_cache(maxsize=256)
def _written_name(name: str) -> str:
    return quote(name_as_taken(name))


NOT_RECORDED = Subsegment()
"""Stands where nothing is recorded."""


class OwnSubsegment(Subsegment):
    """A subsegment that is recorded.

    Attributes:
        id: Its id, 16 hex digits.
        name: Its name, as the handler gave it.
        start_time: Seconds since the epoch.
        end_time: Seconds since the epoch; 0.0 while it is under way.
        message: The message it belongs to; None outside of messages.
        subsegments: What is below it.
        joined: The same as the X-Ray SDK's own object, once the handler has asked the SDK for it.
    """

    # As class attributes, what most subsegments do not have costs nothing.
    end_time = 0.0
    is_plain = True
    """Whether nothing has been put on it but `subsegments` and `joined`."""
    joined: JoinedSubsegment | None = None
    _annotations: Mapping[str, str | int | float | bool] = MappingProxyType({})
    _metadata: Mapping[str, dict[str, object]] = MappingProxyType({})
    _cause: dict[str, object] | str | None = None
    type = "subsegment"
    sampled = True

    def __init__(self, subsegment_id: str, name: str, message: MessageSegment | None) -> None:
        self.id = subsegment_id
        self.name = name
        self.message = message
        self.subsegments: list[Below] = []
        self.start_time = time()

    @property
    def in_progress(self) -> bool:
        """Whether it is still under way."""
        return not self.end_time

    def put_annotation(self, key: str, value: str | float | bool) -> Self:
        """Adds an indexed field, as `MessageSegment.put_annotation` does."""
        from ._annotations import checked_annotation

        checked = checked_annotation(key, value)
        if checked is not None:
            self.is_plain = False
            self._annotations = {**self._annotations, key: checked}
        return self

    def put_metadata(self, key: str, value: object, namespace: str = "default") -> Self:
        """Adds a field that is not indexed, as `MessageSegment.put_metadata` does."""
        self.is_plain = False
        self._metadata = with_metadata(self._metadata, key, value, namespace)
        return self

    def add_exception(self, error: BaseException) -> None:
        """Marks the subsegment as failed (`fault`) with an exception; one described below it is referred to."""
        self.is_plain = False
        described = None if self.message is None else self.message.described(error)
        if described is None:
            from ._errors import cause, exception_entry

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

    def text(self) -> str:
        """Returns the subsegment as a document, JSON, with what was put on the SDK's object."""
        if self.is_plain and not self.subsegments and self.end_time and self.joined is None:
            # Most of them, in one step.
            return (
                f'{{"id":"{self.id}","name":{_written_name(self.name[:_LONGEST_NAME_READ])},'
                f'"start_time":{self.start_time!r},"end_time":{self.end_time!r}}}'
            )
        return self._text() if self.joined is None else encode(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Returns the subsegment as a document, with what was put on the SDK's object."""
        document: dict[str, Any] = json.loads(self._text())
        if self.joined is not None:
            safely(self.joined.merge_into, document)
        return document

    def _text(self) -> str:
        end = f'"end_time":{self.end_time!r}' if self.end_time else '"in_progress":true'
        fields = f',"annotations":{encode(self._annotations)}' if self._annotations else ""
        if self._metadata:
            fields += f',"metadata":{encode(self._metadata)}'
        if self._cause is not None:
            fields += f',"fault":true,"cause":{encode(self._cause)}'
        if self.subsegments:
            fields += f',"subsegments":[{",".join([self._text_of(below) for below in list(self.subsegments)])}]'
        name = _written_name(self.name[:_LONGEST_NAME_READ])
        return f'{{"id":"{self.id}","name":{name},"start_time":{self.start_time!r},{end}{fields}}}'

    def _text_of(self, below: Below) -> str:
        write = getattr(below, "text", None)
        if write is None:  # an entity of the SDK, whose end `joined` writes
            return encode(below.to_dict())
        if self.message is not None and self.message.end_time and below.in_progress:
            below.close(self.message.end_time)
        return str(write())
