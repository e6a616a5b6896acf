"""The segment of a message that is not sampled, where nothing but its header matters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._header import PARENT, ROOT
from ._scope import Scope
from ._segment import MessageSegment

if TYPE_CHECKING:
    from typing import Any

    from ._segment import Recording


class UnrecordedSegment(MessageSegment, Scope):
    """Segment and scope in one object, which a batch makes without a call, as most handlers use neither.

    The ids are read from the header when they are asked for.

    Attributes:
        header: The trace header, as AWS writes it.
    """

    recording: Recording = "unsampled"
    opened = ()
    outer = None
    header: str

    @property
    def message(self) -> MessageSegment:  # type: ignore[override] # as an attribute it would be a cycle
        """The message: this one."""
        return self

    def __getattr__(self, name: str) -> Any:
        if name == "trace_id":
            return self.header[ROOT]
        if name == "parent_id":
            return self.header[PARENT]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
