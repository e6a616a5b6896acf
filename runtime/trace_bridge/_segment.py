"""The segment of one message: written from a template, and turned into the SDK's own object only when asked for."""

from __future__ import annotations

import json
import logging
import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from ._document import MAX_LINKS, annotations_field, message_document, metadata_field
from ._header import format_header
from ._json import encode, with_metadata
from ._message import attributes_of, message_id_of, queue_arn_of
from ._safely import safely

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Literal, Protocol

    from ._invocation import Invocation
    from ._links import QueueWait
    from ._log_fields import LogFields

    Recording = Literal["recorded", "unsampled", "undecided", "none"]

    class Child(Protocol):
        """A subsegment."""

        @property
        def id(self) -> str:
            """Its id, 16 hex digits."""

        @property
        def in_progress(self) -> bool:
            """Whether it is still under way."""

        def close(self, end_time: float) -> None:
            """Ends it."""

        def text(self) -> str:
            """Returns it as a document, JSON."""

        def to_dict(self) -> dict[str, Any]:
            """Returns it as a document."""

    class Joined(Protocol):
        """A message's segment as another library's object."""

        def merge_into(self, document: dict[str, Any]) -> None:
            """Adds what was put on it to the document of the message."""


_log = logging.getLogger("trace_bridge")
MAX_STEPS = 5_000
"""Most calls and subsegments that are recorded of one message."""


class MessageSegment:
    """What `continue_trace` gives: one message's part of its trace.

    It can be used whether the message is recorded or not; on one that is not, what is put on it is dropped.

    Attributes:
        invocation: What the messages of an invocation have in common.
        record: The message as it came.
        id: Id of the segment, 16 hex digits; empty when the message is not recorded.
        trace_id: Id of the trace the message is recorded on, `1-…-…`: its own, but for a span of OpenTelemetry that
            links to it; None when it is in none.
        message_trace_id: Id of the sender's trace, where that is another.
        parent_id: Id of the segment or subsegment that sent the message; None when its header names none.
        recording: `recorded`; or why not: `unsampled` (the sender decided against it), `undecided` (the sender
            left it open), `none` (no trace to continue).
        start_time: When the message was begun, in seconds since the epoch.
        end_time: When it was done, in seconds since the epoch; 0.0 before.
        subsegments: The calls made by the message itself, and the handler's own subsegments.
    """

    id = ""
    start_time = 0.0
    end_time = 0.0
    is_plain = True
    """Whether nothing has been put on it but `subsegments` and `joined`."""
    room = MAX_STEPS
    """How many more steps are recorded below it.

    X-Ray keeps 500 kB of a trace at most, which is fewer of them: https://repost.aws/knowledge-center/x-ray-trace-quota-error.
    """
    _nested = False
    _queue_wait: QueueWait | None = None
    _annotations: Mapping[str, str | int | float | bool] = MappingProxyType({})
    _metadata: Mapping[str, dict[str, object]] = MappingProxyType({})
    _cause: dict[str, object] | str | None = None
    _failed_with: tuple[BaseException, str] | None = None
    joined: Joined | None = None
    """The segment as the X-Ray SDK's own object, once the handler has asked for it."""
    message_trace_id: str | None = None
    _sender_id: str | None = None
    _log_fields: LogFields | None = None
    _own_log_fields: tuple[tuple[str, str], ...] | None = None
    """The fields of its log lines, once they are made and where there are none but the bridge's own."""
    _links: Sequence[Mapping[str, str]] = ()

    def __init__(
        self,
        invocation: Invocation,
        record: Mapping[str, Any],
        recording: Recording,
        trace_id: str | None = None,
        parent_id: str | None = None,
    ) -> None:
        self.invocation = invocation
        self.recording: Recording = recording
        self.record = record
        self.trace_id = trace_id
        self.parent_id = parent_id
        if recording == "recorded":
            self.subsegments: list[Child] = []
            try:
                self.id = invocation.ids.pop()
            except IndexError:  # none is left, or another thread took the last one
                self.id = invocation.new_id()
            self.start_time = time.time()
            if invocation.sampled:
                if trace_id == invocation.trace_id and invocation.header is not None:
                    # Lambda already draws the function in this very trace: go below it instead of beside it.
                    self.is_plain = False
                    self._nested = True
                    self.parent_id = invocation.header.parent
                elif trace_id is not None:
                    invocation.continued_count += 1
                    if invocation.continued_count <= MAX_LINKS:
                        invocation.continued.append((trace_id, self.id))

    @property
    def sampled(self) -> bool:
        """Whether the message is recorded."""
        return self.recording == "recorded"

    def has_room(self) -> bool:
        """Returns whether one more step is recorded below it; says so once where none is."""
        if self.room > 0:
            return True
        if not self.room and self.recording == "recorded":
            self.room = -1
            _log.warning(
                "message %s has more than %d calls and subsegments; further ones are not recorded",
                message_id_of(self.record),
                MAX_STEPS,
            )
        return False

    def put_annotation(self, key: str, value: str | float | bool) -> Self:
        """Adds an indexed field, to find the trace by. X-Ray indexes 50 a trace.

        https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html#api-segmentdocuments-annotations

        Args:
            key: Letters, digits and `_`; anything else is dropped with a warning, as the X-Ray SDK does.
            value: A string (X-Ray keeps 1,000 characters), finite number or boolean; likewise.
        """
        from ._annotations import checked_annotation

        checked = checked_annotation(key, value)
        if checked is not None and self.recording == "recorded":
            self.is_plain = False
            self._annotations = {**self._annotations, key: checked}
        return self

    def put_metadata(self, key: str, value: object, namespace: str = "default") -> Self:
        """Adds a field that is kept with the segment but not indexed.

        Args:
            key: Its name.
            value: Anything JSON can hold; other things are written as their text.
            namespace: Its group; names that begin with `AWS.` are X-Ray's own.
        """
        if self.recording == "recorded":
            self.is_plain = False
            self._metadata = with_metadata(self._metadata, key, value, namespace)
        return self

    def add_link(self, trace_id: str, segment_id: str) -> Self:
        """Names a segment of another trace that the message has to do with, as of a message it is combined with.

        X-Ray itself takes no links of its users, so they are metadata, `trace_bridge.links`, and the map draws no edge.

        Args:
            trace_id: Id of the other trace, `1-…-…`; another form is dropped with a warning.
            segment_id: Id of the segment in it, 16 hex digits; likewise.
        """
        from ._annotations import checked_link

        link = checked_link(trace_id, segment_id)
        if link is not None:
            self._links = [*self._links, link][-MAX_LINKS:]
            self.put_metadata("links", self._links, "trace_bridge")
        return self

    def add_exception(self, error: BaseException) -> None:
        """Marks the segment as failed (`fault`) with an exception."""
        if self.recording != "recorded":
            return
        from ._errors import cause, exception_entry

        self.is_plain = False
        described = self.described(error)
        self._cause = cause(exception_entry(error)) if described is None else described

    def described(self, error: BaseException) -> str | None:
        """Returns the id under which an exception is described already, below the segment; None where it is not."""
        known = safely(getattr, error, "_cause_id", None)  # set by the X-Ray SDK
        if isinstance(known, str):
            return known
        failed_with = self._failed_with
        return failed_with[1] if failed_with is not None and failed_with[0] is error else None

    def call_failed(self, error: BaseException, cause_id: str) -> None:
        """Remembers that a call below the segment already holds the description of an exception."""
        self._failed_with = (error, cause_id)

    def insert_queue_wait(self, wait: QueueWait) -> None:
        """Puts the wait in the queue between the sender and the message; not where Lambda draws the message itself."""
        if not self._nested:
            self.is_plain = False
            self._queue_wait = wait
            self._sender_id, self.parent_id = self.parent_id, wait.id

    def queue_document(self) -> str | None:
        """Returns the segment of the wait in the queue, once the message is done; None where none is drawn."""
        if self._queue_wait is None or self.trace_id is None or not self.end_time:
            return None
        return self._queue_wait.document(self.trace_id, self._sender_id)

    def header_text(self, parent_id: str | None = None) -> str | None:
        """Returns the trace header for whatever is called or sent from inside the message.

        Args:
            parent_id: The subsegment that makes the call; None for the segment itself.

        Returns:
            The header; None when the message is in no trace.
        """
        if self.trace_id is None or self.recording == "none":
            return None
        if self.recording == "recorded":
            # As `format_header` does, without the call.
            return f"Root={self.trace_id};Parent={parent_id or self.id};Sampled=1{self.invocation.lineage_field}"
        lineage = self.invocation.lineage
        if self.recording == "unsampled":
            return format_header(self.trace_id, self.parent_id, False, lineage)
        return format_header(self.trace_id, None, None, lineage)

    def close(self) -> None:
        """Ends the segment and whatever was left open below it."""
        self.end_time = max(self.start_time, time.time())  # a clock may step back
        for subsegment in self.subsegments:
            if subsegment.in_progress:
                subsegment.close(self.end_time)

    def document(self) -> str:
        """Returns the segment document as JSON; before `close`, the `in_progress` document."""
        if self.joined is not None:
            return encode(self.to_dict())
        return self._own_document()

    def to_dict(self) -> dict[str, Any]:
        """Returns the segment document as a dict, with what was put on the SDK's object."""
        document: dict[str, Any] = json.loads(self._own_document())
        if self.joined is not None:
            self.joined.merge_into(document)
        return document

    def _own_document(self) -> str:
        invocation, record = self.invocation, self.record
        constants = invocation.nested_constants if self._nested else invocation.constants
        annotations = annotations_field(message_id_of(record), attributes_of(record), self._annotations)
        return message_document(
            self.id,
            self.trace_id,
            self.start_time,
            self.end_time,
            self.parent_id,
            f"{constants}{annotations}{self._metadata_field()}",
            self._cause,
            ",".join([subsegment.text() for subsegment in self.subsegments]) if self.subsegments else "",
        )

    def _metadata_field(self) -> str:
        queue = queue_arn_of(self.record)
        if not self._metadata:
            return self.invocation.metadata(queue)
        merged: dict[str, dict[str, object]] = {"trace_bridge": {**self.invocation.own_metadata(queue)}}
        for namespace, values in self._metadata.items():
            merged[namespace] = merged.get(namespace, {}) | values
        return metadata_field(merged)
