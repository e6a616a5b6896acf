"""Why messages ended in a dead-letter queue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from ..aws.read_errors import Reads
from ..aws.xray import TraceReader
from ..diagnosis.messaging import queue_keys, queue_policies
from ..diagnosis.worker_logs import error_about, first_error
from ..text import readable_name
from ..traces.exceptions import Exceptions
from ..traces.failure_states import state_of
from ..traces.model import Trace
from ..traces.resource_types import kind_of
from .message import DeadLetterMessage
from .queues import DeadLetterQueue, DeadLetterQueues

if TYPE_CHECKING:
    import boto3

Evidence = Literal["trace", "log", "log nearby", "configuration", "message", "none"]


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why a message ended in a dead-letter queue.

    Attributes:
        text: In a line; empty where it is not known.
        evidence: Where that is from: the trace's segment, the log (about this message, or the first error after it was
            sent), the configuration, or what Lambda put onto the message.
        traced: Whether X-Ray has the trace; None where that could not be read, or there is none to look for.
    """

    text: str
    evidence: Evidence
    traced: bool | None


class Reasons:
    """Finds the reasons of messages.

    Args:
        session: The session to read with.
        reads: Records what could not be read.
        found: The stack's dead-letter queues.
    """

    def __init__(self, session: boto3.Session, reads: Reads, queues: DeadLetterQueues) -> None:
        self._reader = TraceReader(session.client("xray"))
        self._logs = session.client("logs")
        self._reads = reads
        self._queues = queues

    def of(self, place: DeadLetterQueue, messages: Sequence[DeadLetterMessage]) -> Mapping[str, Reason]:
        """Returns the reasons, by message id.

        Args:
            place: Where the messages are.
            messages: The messages.
        """
        ids = list(dict.fromkeys(message.trace_id for message in messages if message.trace_id is not None))
        seen = self._reads.read("the messages' traces", lambda: self._reader.get(ids)) if ids else []
        traces = {trace.id: trace for trace in seen or ()}
        return {
            message.message_id: self._reason(
                place,
                message,
                traces.get(message.trace_id or ""),
                None if seen is None or message.trace_id is None else message.trace_id in traces,
            )
            for message in messages
        }

    def _reason(
        self, place: DeadLetterQueue, message: DeadLetterMessage, trace: Trace | None, traced: bool | None
    ) -> Reason:
        if message.error is not None:
            return Reason(text=message.error, evidence="message", traced=traced)
        if message.origin == "subscription":
            return self._undelivered(place, message, traced)
        if trace is not None and (text := _failure_in(trace, message.message_id)):
            return Reason(text=text, evidence="trace", traced=traced)
        for group in self._log_groups(message):
            ways: tuple[tuple[Evidence, Callable[[], str | None]], ...] = (
                ("log", partial(error_about, self._logs, group, message.sent, message.message_id)),
                ("log nearby", partial(first_error, self._logs, group, message.sent)),
            )
            for evidence, look in ways:
                if logged := self._reads.read(f"the log group {group}", look):
                    return Reason(text=logged, evidence=evidence, traced=traced)
        return Reason(text="", evidence="none", traced=traced)

    def _undelivered(self, place: DeadLetterQueue, message: DeadLetterMessage, traced: bool | None) -> Reason:
        source_queue = place.source_queue_of(message)
        for check in (queue_policies, queue_keys):
            for finding in check(self._queues.deployment):
                if source_queue is None or finding.name == source_queue.name:
                    return Reason(text=finding.text, evidence="configuration", traced=traced)
        target = "its queue" if source_queue is None else f"the queue {readable_name(source_queue.name)}"
        return Reason(text=f"SNS could not deliver it to {target}.", evidence="message", traced=traced)

    def _log_groups(self, message: DeadLetterMessage) -> list[str]:
        workers = [
            source.function for source in self._queues.deployment.event_sources if source.queue == message.source
        ]
        return [self._queues.log_groups[arn] for arn in workers if arn in self._queues.log_groups]


def _failure_in(trace: Trace, message_id: str) -> str:
    """What the last attempt at a message failed with, by the segment that names the message."""
    attempts = [
        segment
        for segment in trace.segments
        if state_of(segment) is not None
        and kind_of(segment.origin or "") in ("function", "container", "instance")
        and segment.annotations.get("message_id") == message_id
    ]
    last = max(attempts, key=lambda segment: segment.start, default=None)
    return "" if last is None else Exceptions(trace).first_within(last)
