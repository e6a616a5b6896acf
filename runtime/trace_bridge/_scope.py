"""Which message the running code belongs to: a context variable, so that tasks and copied contexts keep theirs."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_xray_sdk.core.models.entity import Entity

    from ._own_subsegment import OwnSubsegment
    from ._segment import MessageSegment


class Scope:
    """A message under way, and what is open inside it.

    Attributes:
        message: The message's segment.
        opened: What is open in it, outermost first: subsegments of the handler's own functions, and what the SDK has
            opened, be it subsegments or a segment of the handler's own.
        outer: The scope this one was entered in.
    """

    __slots__ = ("message", "opened", "outer")

    def __init__(
        self,
        message: MessageSegment,
        opened: tuple[Entity | OwnSubsegment, ...] = (),
        outer: Scope | None = None,
    ) -> None:
        self.message = message
        self.opened = opened
        self.outer = outer

    def with_opened(self, *opened: Entity | OwnSubsegment) -> Scope:
        """Returns the scope of the same message with other entities open."""
        return Scope(self.message, opened, self.outer)


_scope: ContextVar[Scope | None] = ContextVar("trace_bridge_scope", default=None)
_aside: ContextVar[bool] = ContextVar("trace_bridge_aside", default=False)


def current_scope() -> Scope | None:
    """Returns the message the running code works on; None outside of messages, and once they are done."""
    scope = _scope.get()
    while scope is not None and scope.message.end_time:
        scope = scope.outer
    return scope


inherited_scope = _scope.get
"""Returns the message the running code was begun in, be it done or not; None outside of messages."""


def enter_message(message: MessageSegment) -> Scope | None:
    """Makes a message the current one.

    Returns:
        What was current before, for `leave_message`.
    """
    before = current_scope()
    _scope.set(Scope(message, (), before))
    return before


def leave_message(message: MessageSegment, before: Scope | None) -> None:
    """Goes back to what was current before a message, unless another one has been entered since and is still open."""
    scope = _scope.get()
    if scope is not None and scope.message is message:
        while before is not None and before.message.end_time:
            before = before.outer
        _scope.set(before)


new_object = object.__new__
"""Makes an object without calling `__init__`, which takes half the time; the caller sets its attributes."""

enter_scope = _scope.set
"""Makes a scope the current one."""


is_aside = _aside.get
"""Returns whether the running code is the bridge's own, which no trace shows."""


@contextmanager
def aside() -> Iterator[None]:
    """Keeps what is done inside the block out of every trace."""
    token = _aside.set(True)
    try:
        yield
    finally:
        _aside.reset(token)
