"""What the messages of an invocation have in common: who processes it, where, and in which trace of Lambda's own."""

from __future__ import annotations

import os
import sys
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from . import _environment, _forks, _state
from ._document import invocation_fields, place_fields
from ._header import TraceHeader
from ._json import quote

if TYPE_CHECKING:
    from typing import Protocol

    from ._document import PlaceFields

    class LambdaContext(Protocol):
        """What is read of the context object that Lambda passes to a handler."""

        @property
        def aws_request_id(self) -> str:
            """Id of the invocation."""

        @property
        def invoked_function_arn(self) -> str:
            """ARN the function was invoked by."""

        def get_remaining_time_in_millis(self) -> int:
            """Milliseconds until the invocation times out."""


_ID_BATCH = 16
_UNKNOWN = object()


class Invocation:
    """The constant parts of the documents of one invocation, and the ids for them.

    Outside Lambda (no context) one invocation lasts as long as the process.

    Args:
        context: The handler's context; None outside Lambda.
    """

    __slots__ = (
        "_metadata",
        "_place",
        "context",
        "continued",
        "continued_count",
        "function_arn",
        "header",
        "ids",
        "lineage_field",
        "process",
        "request_id",
        "sampled",
        "trace_id",
    )

    def __init__(self, context: LambdaContext | None) -> None:
        self.context = context
        self.header = _header_of_lambda()
        self.sampled = self.header is not None and bool(self.header.sampled)
        self.trace_id = self.header.root if self.header else None
        """The trace Lambda itself opened for the invocation."""
        self.lineage_field = f";Lineage={self.header.lineage}" if self.header and self.header.lineage else ""
        """Lambda's hop counter as the last field of a trace header."""
        self.request_id = _text_of(context, "aws_request_id")
        self.function_arn = _text_of(context, "invoked_function_arn")
        self.process = _forks.number
        self.continued: list[tuple[str, str]] = []
        """Trace and segment ids of the first messages, which a subsegment of Lambda's own trace refers to.

        Of the first alone: each object that is kept makes every garbage collection slower.
        """
        self.continued_count = 0
        """How many there are."""
        self.ids: list[str] = []
        """Ids drawn beforehand; `new_id` draws more."""
        self._metadata: tuple[object, str] = (_UNKNOWN, "")
        self._place: PlaceFields | None = None

    @property
    def place(self) -> PlaceFields:
        """Where its messages are processed. Looked up when a document is written, as spans do not need it."""
        if self._place is None:
            self._place = _place(self.function_arn)
        return self._place

    @property
    def name(self) -> str:
        """Name of its segments."""
        return self.place.name

    @property
    def constants(self) -> str:
        """The fields every segment of the invocation has, as JSON without its braces."""
        return invocation_fields(self.place.segment, self.request_id)

    @property
    def nested_constants(self) -> str:
        """The same for a message that goes below Lambda's own segment."""
        return invocation_fields(self.place.subsegment, self.request_id)

    @property
    def lineage(self) -> str | None:
        """Lambda's hop counter of this invocation, which every call propagates."""
        return self.header.lineage if self.header else None

    def new_id(self) -> str:
        """Returns a new segment id, 16 hex digits, drawn from the system's randomness a batch at a time.

        Batches belong to an invocation, so that environments restored from one SnapStart snapshot do not share them.
        """
        try:
            return self.ids.pop()
        except IndexError:
            digits = os.urandom(8 * _ID_BATCH).hex()
            fresh = [digits[start : start + 16] for start in range(0, 16 * _ID_BATCH, 16)]
            first = fresh.pop()
            self.ids += fresh
            return first

    def own_metadata(self, queue: str | None) -> dict[str, str]:
        """Returns the bridge's own metadata of the messages of a queue: the queue, and the invocation's own trace."""
        fields: dict[str, str] = {}
        if queue is not None:
            fields["queue"] = queue
        if self.header is not None:
            fields["invocation_trace_id"] = self.header.root
        return fields

    def metadata(self, queue: str | None) -> str:
        """Returns that as the document's field `metadata`, written once for the messages of a queue."""
        known, written = self._metadata
        if known != queue:
            fields = ",".join([f'"{name}":{quote(text)}' for name, text in self.own_metadata(queue).items()])
            written = f',"metadata":{{"trace_bridge":{{{fields}}}}}' if fields else ""
            self._metadata = (queue, written)
        return written

    def seconds_left(self) -> float | None:
        """Seconds until the invocation times out; None where nothing limits it."""
        remaining = getattr(self.context, "get_remaining_time_in_millis", None)
        milliseconds = remaining() if callable(remaining) else None
        # A mocked context gives no number.
        return milliseconds / 1000 if isinstance(milliseconds, int | float) else None

    @property
    def inherited(self) -> bool:
        """Whether a parent process began it: its messages are the parent's to send."""
        return self.process != _forks.number


def _text_of(context: LambdaContext | None, name: str) -> str:
    """Returns a text of the context; empty where a test's stand-in for it has something else there."""
    text = getattr(context, name, None)
    return text if isinstance(text, str) else ""


_current: Invocation | None = None


def current_invocation(context: LambdaContext | None) -> Invocation:
    """Returns the invocation of a context, made once for all its messages."""
    global _current
    invocation = _current
    if invocation is not None and invocation.context is context and not (context is None and _in_lambda()):
        return invocation
    invocation = Invocation(context)
    if context is not None or not _in_lambda():
        _current = invocation
    return invocation


def latest_invocation() -> Invocation:
    """Returns the invocation under way, for code that is given no context."""
    known = _current
    if known is not None and (not _in_lambda() or known.header == _header_of_lambda()):
        return known
    return current_invocation(None)


def forget_invocation() -> None:
    """Drops what is remembered of the last invocation."""
    global _current
    _current = None


def _begin_anew() -> None:
    """Leaves a forked process no id that its parent may use as well."""
    if _current is not None:
        _current.ids.clear()
    forget_invocation()


_forks.in_every_child(_begin_anew)


def _header_of_lambda() -> TraceHeader | None:
    return TraceHeader.parse(os.environ.get(_environment.LAMBDA_TRACE_HEADER))


def _in_lambda() -> bool:
    return _environment.LAMBDA_FUNCTION_NAME in os.environ


def _place(function_arn: str) -> PlaceFields:
    function = os.environ.get(_environment.LAMBDA_FUNCTION_NAME)
    name = (
        _state.settings.name or function or os.environ.get(_environment.XRAY_TRACING_NAME) or Path(*sys.argv[:1]).stem
    )
    return place_fields(name, function_arn, origin(), os.environ.get(_environment.LAMBDA_LOG_GROUP_NAME))


def origin() -> str | None:
    """Returns the kind of compute, by the signs that AWS documents; None where there is none."""
    if _in_lambda():
        return "AWS::Lambda::Function"
    if _environment.ECS_METADATA_V4 in os.environ or _environment.ECS_METADATA_V3 in os.environ:
        return "AWS::ECS::Container"
    return "AWS::EC2::Instance" if _machine_vendor() == "Amazon EC2" else None


@cache
def _machine_vendor() -> str:
    """Returns who made the machine: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/identify_ec2_instances.html."""
    try:
        return Path("/sys/devices/virtual/dmi/id/sys_vendor").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def now() -> float:
    """Seconds since the epoch, as segment documents want them."""
    return time.time()
