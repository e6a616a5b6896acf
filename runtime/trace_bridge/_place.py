"""Where the work under way is recorded: below which segment, in which trace, and with which trace header it calls out.

A message under way comes first; outside of messages what the X-Ray SDK has open, and then Lambda's own segment.
"""

import os
from contextvars import ContextVar
from typing import Any, Protocol

from . import _forks, _state
from ._emitter import get_emitter
from ._environment import LAMBDA_TRACE_HEADER
from ._header import TraceHeader, format_header
from ._invocation import Invocation, current_invocation
from ._json import encode
from ._own_subsegment import OwnSubsegment
from ._safely import safely
from ._scope import Scope, current_scope, inherited_scope, is_aside
from ._sdk_calls import has_open_segment, sdk_recorder
from ._sdk_joining import is_on
from ._segment import MessageSegment


class Child(Protocol):
    """A subsegment to be recorded."""

    @property
    def id(self) -> str:
        """Its id, 16 hex digits."""

    @property
    def in_progress(self) -> bool:
        """Whether it is still under way."""

    def close(self, end_time: float) -> None:
        """Ends it."""

    def to_dict(self) -> dict[str, Any]:
        """Returns it as a document."""


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
        if not self.message.invocation.inherited:
            self.parent.subsegments.append(child)

    def header(self, child_id: str) -> str | None:
        """Returns the trace header of what a child calls."""
        return self.message.header_text(child_id)

    def failed(self, error: BaseException, cause_id: str) -> None:
        """Remembers that a child already holds the description of an exception."""
        self.message.call_failed(error, cause_id)

    def ended(self, child: Child) -> None:
        """Sends a child by itself where its message is the parent process's to send."""
        if self.message.invocation.inherited:
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


Place = InMessage | OfInvocation | BesideSdk | NotRecorded

_NOWHERE = NotRecorded()
_open_outside: ContextVar[tuple[str, OwnSubsegment] | None] = ContextVar("trace_bridge_open_outside", default=None)
_last: tuple[str, TraceHeader | None, Invocation | None] = ("", None, None)

open_outside = _open_outside.get
"""Returns the subsegment of the handler's own that is open outside of messages, with its trace id."""

set_open_outside = _open_outside.set
"""Makes it the current one."""


def current_place() -> Place:
    """Returns where the running code is recorded."""
    settings = _state.settings
    if is_aside() or not (is_on() if settings.enabled else settings.instrument):
        return _NOWHERE
    scope = current_scope()
    if scope is None or scope.message.recording == "none":
        return _outside_of_messages()
    message = scope.message
    parent = open_in(scope)
    if parent is not message and not hasattr(getattr(parent, "parent_segment", parent), "message"):
        # Below a segment of the handler's own, which the SDK records and sends.
        return BesideSdk(sdk_recorder())
    if message.recording != "recorded":
        return NotRecorded(message.header_text(), in_message=True)
    return InMessage(message, parent)


def open_in(scope: Scope) -> Any:
    """Returns what is open innermost in a message; the message itself where nothing else is."""
    for entity in reversed(scope.opened):
        if entity.in_progress:
            return entity
    return scope.message


def open_remote(place: Place) -> bool:
    """Returns whether the X-Ray SDK has a call open there: what is about to be made is that call."""
    if isinstance(place, BesideSdk):
        return getattr(place.recorder.current_subsegment(), "namespace", None) == "remote"
    scope = current_scope()
    return scope is not None and getattr(open_in(scope), "namespace", None) == "remote"


def _outside_of_messages() -> Place:
    outlived = inherited_scope() is not None and current_scope() is None
    if not outlived and has_open_segment(recorder := sdk_recorder()):
        return BesideSdk(recorder)
    text = os.environ.get(LAMBDA_TRACE_HEADER)
    if text is None:
        return _NOWHERE
    header, invocation = _of(text)
    if header is None:
        return _NOWHERE
    if invocation is None or header.parent is None:
        return NotRecorded(header.format())
    return OfInvocation(header, parent_outside(header) or header.parent, invocation)


def parent_outside(header: TraceHeader) -> str | None:
    """Returns the id of what is open innermost outside of messages: the handler's own, or Lambda's segment.

    Args:
        header: Lambda's own trace header.
    """
    opened = open_outside()
    if opened is not None and opened[0] == header.root and opened[1].in_progress:
        return opened[1].id
    return header.parent


def _of(text: str) -> tuple[TraceHeader | None, Invocation | None]:
    """Returns a header of Lambda's, read, and the invocation where it is recorded: once for all its work."""
    global _last
    known, header, invocation = _last
    if known == text and (invocation is None or invocation.process == _forks.number):
        return header, invocation
    header = TraceHeader.parse(text)
    is_recorded = header is not None and header.parent is not None and header.sampled
    invocation = current_invocation(None) if is_recorded else None
    _last = (text, header, invocation)
    return header, invocation


def _emit(child: Child, trace_id: str, parent_id: str, invocation: Invocation) -> None:
    document = {"type": "subsegment", "trace_id": trace_id, "parent_id": parent_id, **child.to_dict()}
    get_emitter().emit_text(encode(document), invocation)
