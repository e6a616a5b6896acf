"""Where the work under way is recorded: below which segment, in which trace, and with which trace header it calls out.

A message under way comes first; outside of messages what the X-Ray SDK has open, and then Lambda's own segment. With
OpenTelemetry's engine, its current span comes first.
"""

from __future__ import annotations

import os
from contextvars import ContextVar
from typing import TYPE_CHECKING

from . import _forks, _state
from ._engines import get_engine
from ._environment import LAMBDA_TRACE_HEADER
from ._header import TraceHeader
from ._invocation import current_invocation
from ._own_subsegment import OwnSubsegment
from ._places import BesideSdk, InMessage, NotRecorded, OfInvocation
from ._scope import current_scope, inherited_scope, is_aside
from ._sdk_calls import has_open_segment, sdk_recorder
from ._sdk_joining import is_on
from ._segment import MessageSegment

if TYPE_CHECKING:
    from typing import Any

    from ._invocation import Invocation
    from ._places import Place
    from ._scope import Scope

_NOWHERE = NotRecorded()
_open_outside: ContextVar[tuple[str, OwnSubsegment] | None] = ContextVar("trace_bridge_open_outside", default=None)
_last: tuple[str, TraceHeader | None, Invocation | None] = ("", None, None)

open_outside = _open_outside.get
"""Returns the subsegment of the handler's own that is open outside of messages, with its trace id."""

set_open_outside = _open_outside.set
"""Makes it the current one."""


def current_place() -> Place:
    """Returns where the running code is recorded."""
    if is_aside():
        return _NOWHERE
    scope = current_scope()
    # Whether a message is traced was asked when it was begun.
    message = None if scope is None or scope.message.recording == "none" else scope.message
    settings = _state.settings
    if message is None and not (is_on() if settings.enabled else settings.instrument):
        return _NOWHERE
    place = get_engine().place()
    if place is not None:
        return place
    if scope is None or message is None:
        return _outside_of_messages()
    parent = open_in(scope) if scope.opened else message
    if (
        parent is not message
        and type(parent) is not OwnSubsegment
        and not hasattr(getattr(parent, "parent_segment", parent), "message")
    ):
        # Below a segment of the handler's own, which the SDK records and sends.
        return BesideSdk(sdk_recorder())
    if message.recording != "recorded" or not message.has_room():
        return NotRecorded(message.header_text(), in_message=True)
    return InMessage(message, parent)


def usual_parent(scope: Scope) -> MessageSegment | OwnSubsegment | None:
    """Returns what a step is recorded below in the usual case: the message, or the handler's own subsegment open in it.

    Args:
        scope: The scope that the running code was begun in.

    Returns:
        The parent, which sends what is below it; None where `current_place` is to say.
    """
    message = scope.message
    if (
        type(message) is MessageSegment
        and message.recording == "recorded"
        and not message.end_time
        and message.room > 0
        and message.invocation.process == _forks.number
        and not is_aside()
    ):
        parent = open_in(scope) if scope.opened else message
        if parent is message or type(parent) is OwnSubsegment:
            return parent
    return None


def open_in(scope: Scope) -> Any:
    """Returns what is open innermost in a message; the message itself where nothing else is."""
    for entity in reversed(scope.opened):
        if entity.in_progress:
            return entity
    return scope.message


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
