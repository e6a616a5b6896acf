"""What one request's trace holds of the hops it should have passed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ..deployment.expected_path import Hop
from ..text import short_name
from ..traces.connected_components import Unions
from ..traces.exceptions import Exceptions
from ..traces.failure_states import State, state_of
from ..traces.model import Segment, Trace
from ..traces.resource_types import MESSAGING, kind_of

Status = Literal["connected", "failed", "disconnected", "missing", "unread"]

# The names X-Ray gives inferred nodes where the caller's subsegment does not name the resource.
_UNNAMED = frozenset({"sns", "sqs", "dynamodb"})
_NAMING_FIELDS = ("queue_url", "topic_arn", "table_name")


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What a trace holds of a hop.

    Attributes:
        status: `connected` to the trace's beginning by parent ids; connected and `failed`; in the trace but
            `disconnected`; or `missing`.
        state: How its last attempt failed; None where it did not.
        reason: What it failed with, as its segment says; empty where it did not fail.
    """

    status: Status
    state: State | None = None
    reason: str = ""


_MISSING = Sight(status="missing")


class TraceParts:
    """A trace's segments and what parent ids hold together.

    Args:
        trace: The trace; None where nothing was recorded.
    """

    def __init__(self, trace: Trace | None) -> None:
        self._segments = list(trace.segments) if trace is not None else []
        self._exceptions = Exceptions(trace)
        self._unions: Unions[str] = Unions()
        self._owners = {span.id: segment for segment, span in (trace.spans() if trace is not None else ())}
        for segment in self._segments:
            self._unions.add(segment.id)
            if (owner := self._owners.get(segment.parent_id or "")) is not None:
                self._unions.join(segment.id, owner.id)
        ordered = sorted(self._segments, key=lambda segment: (bool(segment.parent_id), segment.start))
        self._first = ordered[0].id if ordered else None

    def along(self, route: Sequence[Hop]) -> list[Sight]:
        """Returns what there is of each hop.

        A resource that several hops lead to, as a table that two workers share, is looked for behind each of them.

        Args:
            route: The hops.
        """
        own: list[list[Segment]] = []
        sights = []
        for hop in route:
            upstream = self._upstream(route, own, hop.previous)
            segments = [segment for segment in self._segments if _is_of(segment, hop)]
            behind = [segment for segment in segments if not upstream or self._is_behind(segment, upstream)]
            # What has no parent in the trace may belong here: then the trace is in parts.
            own.append(behind or [segment for segment in segments if self._is_loose(segment)])
            sights.append(self._sight(hop, own[-1]))
        return sights

    def _sight(self, hop: Hop, own: Sequence[Segment]) -> Sight:
        connected = [segment for segment in own if self._is_connected(segment)]
        if not connected:
            return Sight(status="disconnected") if own else _MISSING
        # Of several attempts the last one counts.
        last = max(connected, key=lambda segment: (segment.start, segment.origin != "AWS::Lambda"))
        state = state_of(last)
        # A function or stage fails with any state; elsewhere a 4xx is an answer, which the caller may have asked for.
        failed = state is not None if hop.kind in ("function", "stage") else state == "fault"
        reason = self._exceptions.first_within(last) if failed else ""
        return Sight(status="failed" if failed else "connected", state=state, reason=reason)

    def _is_connected(self, segment: Segment) -> bool:
        return self._first is not None and self._unions.same(segment.id, self._first)

    def _is_loose(self, segment: Segment) -> bool:
        return segment.parent_id not in self._owners and not self._is_connected(segment)

    def _upstream(self, route: Sequence[Hop], own: Sequence[Sequence[Segment]], place: int | None) -> list[Segment]:
        """Returns the segments of the nearest hop before that the trace holds."""
        while place is not None:
            if own[place]:
                return list(own[place])
            place = route[place].previous
        return []

    def _is_behind(self, segment: Segment, upstream: Sequence[Segment]) -> bool:
        """Returns whether a segment was caused by one of others: below it, or taken from its queue or topic."""
        ids = {caller.id for caller in upstream}
        sent = {
            caller.parent_id for caller in upstream if caller.parent_id and kind_of(caller.resource_type) in MESSAGING
        }
        return any(caller.id in ids for caller in self._callers(segment)) or any(
            span.parent_id in sent and span.id not in ids for span in (segment, *self._callers(segment))
        )

    def _callers(self, segment: Segment) -> Iterator[Segment]:
        seen = {segment.id}
        current = self._owners.get(segment.parent_id or "")
        while current is not None and current.id not in seen:
            seen.add(current.id)
            yield current
            current = self._owners.get(current.parent_id or "")


def _is_of(segment: Segment, hop: Hop) -> bool:
    if segment.type == "subsegment" or kind_of(segment.origin or "") != hop.kind:
        return False
    names = {segment.name, short_name(segment.name)}
    names.update(short_name(value) for key in _NAMING_FIELDS if isinstance(value := segment.aws.get(key), str))
    resources = segment.aws.get("resource_names")
    names.update(
        short_name(name) for name in (resources if isinstance(resources, list) else []) if isinstance(name, str)
    )
    return hop.name in names or (hop.kind != "function" and segment.name.lower() in _UNNAMED and len(names) == 1)
