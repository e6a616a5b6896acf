"""The places that work can be recorded at, and how: below a message, in the invocation's own trace, or not at all.

`ended` never raises: the work is done when it is called, and its result or exception is the handler's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import _forks
from ._emitter import get_emitter
from ._header import format_header
from ._own_subsegment import Subsegment
from ._safely import safely

if TYPE_CHECKING:
    from typing import Any, Protocol

    from ._header import TraceHeader
    from ._invocation import Invocation
    from ._segment import Child, MessageSegment

    class SpanPlace(Protocol):
        """Where OpenTelemetry's engine records: below the current span, or Lambda's own segment."""

        message: MessageSegment | None

        @property
        def invocation(self) -> Invocation:
            """The invocation that the work belongs to."""

        def new_id(self) -> str:
            """Returns an id; a span has one of its own."""

        def add(self, child: Child) -> None:
            """Begins the span of a call and makes it the current one."""

        def header(self, child_id: str) -> str | None:
            """Returns the trace header of what is called: that of the current span."""

        def failed(self, error: BaseException, cause_id: str) -> None:
            """Records an exception of the call."""

        def ended(self, child: Child) -> None:
            """Tells the span what the call was, and ends it."""

        def subsegment(self, name: str) -> SpanSubsegment:
            """Begins the span of a function of the handler's own, and makes it current."""


class InMessage:
    """Below a message, or what is open in it.

    Args:
        message: The message.
        parent: The message itself, or the innermost subsegment that is open.
    """

    __slots__ = ("message", "parent")

    def __init__(self, message: MessageSegment, parent: Any) -> None:
        self.message = message
        self.parent = parent

    def new_id(self) -> str:
        """Returns a new id."""
        return self.message.invocation.new_id()

    def add(self, child: Child) -> None:
        """Puts a child below the parent; in a forked process the parent process would not see it."""
        if self.message.invocation.process == _forks.number:
            self.parent.subsegments.append(child)
            self.message.room -= 1

    def header(self, child_id: str) -> str | None:
        """Returns the trace header of what a child calls."""
        return self.message.header_text(child_id)

    def failed(self, error: BaseException, cause_id: str) -> None:
        """Remembers that a child already holds the description of an exception."""
        self.message.call_failed(error, cause_id)

    def ended(self, child: Child) -> None:
        """Sends a child by itself where its message is the parent process's to send."""
        if self.message.invocation.process != _forks.number:
            safely(_emit, child, str(self.message.trace_id), self.parent.id, self.message.invocation)


class OfInvocation:
    """Below Lambda's own segment, or a subsegment of the handler's own that is open outside of messages.

    Args:
        header: Lambda's own trace header.
        parent_id: Id of the segment or subsegment.
        invocation: The invocation.
    """

    __slots__ = ("_header", "_invocation", "_parent_id")

    message = None

    def __init__(self, header: TraceHeader, parent_id: str, invocation: Invocation) -> None:
        self._header = header
        self._parent_id = parent_id
        self._invocation = invocation

    @property
    def trace_id(self) -> str:
        """Id of the invocation's own trace."""
        return self._header.root

    def new_id(self) -> str:
        """Returns a new id."""
        return self._invocation.new_id()

    def add(self, child: Child) -> None:
        """Does nothing: a child is a document of its own."""

    def header(self, child_id: str) -> str:
        """Returns the trace header of what a child calls."""
        return format_header(self._header.root, child_id, True, self._header.lineage)

    def failed(self, error: BaseException, cause_id: str) -> None:
        """Does nothing: nothing here describes an exception a second time."""

    def ended(self, child: Child) -> None:
        """Sends a child."""
        safely(_emit, child, self._header.root, self._parent_id, self._invocation)


class BesideSdk:
    """Below a segment that the X-Ray SDK has open and sends by itself.

    Args:
        recorder: The SDK's recorder.
    """

    __slots__ = ("recorder",)

    def __init__(self, recorder: Any) -> None:
        self.recorder = recorder


class NotRecorded:
    """Nowhere.

    Args:
        passed_on: The trace header that calls carry all the same; None where there is none.
        in_message: Whether it is a message that is not recorded, rather than the invocation.
    """

    __slots__ = ("in_message", "passed_on")

    def __init__(self, passed_on: str | None = None, *, in_message: bool = False) -> None:
        self.passed_on = passed_on
        self.in_message = in_message


class SpanSubsegment(Subsegment):
    """A subsegment that OpenTelemetry's engine records."""

    __slots__ = ()

    def end(self, error: BaseException | None) -> None:
        """Ends it."""
        raise NotImplementedError


if TYPE_CHECKING:
    Place = InMessage | OfInvocation | BesideSdk | NotRecorded | SpanPlace


def is_open_call(place: Place) -> bool:
    """Returns whether the X-Ray SDK has a call open there: what is about to be made is that call."""
    if isinstance(place, InMessage):
        return getattr(place.parent, "namespace", None) == "remote"
    return isinstance(place, BesideSdk) and getattr(place.recorder.current_subsegment(), "namespace", None) == "remote"


def _emit(child: Child, trace_id: str, parent_id: str, invocation: Invocation) -> None:
    place = f'"type":"subsegment","trace_id":"{trace_id}","parent_id":"{parent_id}"'
    get_emitter().emit_text(f"{{{place},{child.text()[1:]}", invocation)
