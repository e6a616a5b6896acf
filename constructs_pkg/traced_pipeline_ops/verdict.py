"""Whether one request's trace follows the route it should take, and where and why it does not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from .documents import JsonValue, Segment, Trace
from .finding import Finding
from .resource_types import kind_of
from .route import Hop
from .unions import Unions
from .wording import short_name

Status = Literal["connected", "failed", "apart", "missing"]

# The names X-Ray gives inferred nodes where the caller's subsegment does not name the resource.
_UNNAMED = frozenset({"sns", "sqs", "dynamodb"})
_NAMING_FIELDS = ("queue_url", "topic_arn", "table_name")


@dataclass(frozen=True, kw_only=True)
class HopVerdict:
    """What became of one hop.

    Attributes:
        hop: The hop.
        status: `connected` to the trace's beginning by parent ids; connected and `failed`; in the trace but `apart`;
            or `missing`.
        reason: What the hop failed with, as its segment says; empty where it did not fail.
        causes: What explains that it is not connected; empty for hops behind the one the trace breaks at, unless
            there is something about them too.
    """

    hop: Hop
    status: Status
    reason: str
    causes: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of a request.

    Attributes:
        hops: Its hops, in the order of the route.
        remarks: Findings that explain none of its breaks.
    """

    hops: tuple[HopVerdict, ...]
    remarks: tuple[Finding, ...]

    @property
    def connected(self) -> bool:
        """Whether every hop is in the trace, connected, and none failed."""
        return bool(self.hops) and all(one.status == "connected" for one in self.hops)

    @property
    def broken_at(self) -> HopVerdict | None:
        """The first hop that is not connected."""
        return next((one for one in self.hops if one.status != "connected"), None)


def judge(route: Sequence[Hop], trace: Trace | None, findings: Iterable[Finding]) -> Verdict:
    """Compare a trace with the route.

    A finding explains the hop it is about, and the first break behind that hop.

    Args:
        route: The hops.
        trace: The trace; None where nothing was recorded.
        findings: What is known of the deployment and of the request.
    """
    parts = _Parts(trace)
    seen = _blamed(route, [parts.look(hop) for hop in route])
    found = list(dict.fromkeys(findings))
    used: set[Finding] = set()
    verdicts = []
    for index, (hop, (status, reason)) in enumerate(zip(route, seen, strict=True)):
        causes: list[Finding] = []
        if status != "connected":
            causes = [one for one in found if _is_about(one, _explaining(route, seen, index)) and one not in used]
            used.update(causes)
        verdicts.append(HopVerdict(hop=hop, status=status, reason=reason, causes=tuple(causes)))
    return Verdict(hops=tuple(verdicts), remarks=tuple(one for one in found if one not in used))


def progress_of(route: Sequence[Hop], trace: Trace | None) -> int:
    """How many hops of a route are in a trace, connected."""
    parts = _Parts(trace)
    return sum(parts.look(hop)[0] in ("connected", "failed") for hop in route)


def reaches_its_end(route: Sequence[Hop], trace: Trace | None) -> bool:
    """Whether nothing more is to be expected of a trace: each hop is there, or one before it failed."""
    parts = _Parts(trace)
    ended: list[bool] = []
    failed: list[bool] = []
    for hop in route:
        before = hop.previous is not None and failed[hop.previous]
        status = parts.look(hop)[0]
        failed.append(before or status == "failed")
        ended.append(failed[-1] or status == "connected")
    return all(ended)


def _blamed(route: Sequence[Hop], seen: Sequence[tuple[Status, str]]) -> list[tuple[Status, str]]:
    """What was seen, where a topic whose delivery failed is not blamed for the queue behind it."""
    passed_on = {
        hop.previous
        for hop, (status, _) in zip(route, seen, strict=True)
        if status != "connected" and hop.previous is not None and route[hop.previous].kind == "topic"
    }
    return [
        ("connected", "") if index in passed_on and status == "failed" else (status, reason)
        for index, (status, reason) in enumerate(seen)
    ]


def _explaining(route: Sequence[Hop], seen: Sequence[tuple[Status, str]], index: int) -> list[Hop]:
    """The hops whose findings explain a break: its own, and where it is the first of its branch, those before it."""
    hops, place = [route[index]], route[index].previous
    while place is not None and seen[place][0] == "connected":
        hops.append(route[place])
        place = route[place].previous
    return hops


def _is_about(finding: Finding, hops: Iterable[Hop]) -> bool:
    return any((finding.kind, finding.name) == (hop.kind, hop.name) for hop in hops)


class _Parts:
    """A trace's segments and what parent ids hold together."""

    def __init__(self, trace: Trace | None) -> None:
        self._segments = list(trace.segments) if trace is not None else []
        self._unions: Unions[str] = Unions()
        owners = {span.id: segment.id for segment, span in (trace.spans() if trace is not None else ())}
        for segment in self._segments:
            self._unions.add(segment.id)
            if (owner := owners.get(segment.parent_id or "")) is not None:
                self._unions.join(segment.id, owner)
        ordered = sorted(self._segments, key=lambda segment: (bool(segment.parent_id), segment.start))
        self._first = ordered[0].id if ordered else None

    def look(self, hop: Hop) -> tuple[Status, str]:
        """What a trace says of a hop: its status, and why it failed."""
        segments = [segment for segment in self._segments if _is_of(segment, hop)]
        if not segments or self._first is None:
            return "missing", ""
        connected = [segment for segment in segments if self._unions.same(segment.id, self._first)]
        if not connected:
            return "apart", ""
        # Of several attempts the last one counts.
        last = max(connected, key=lambda segment: (segment.start, segment.origin != "AWS::Lambda"))
        return ("failed", failure_of(last)) if last.fault else ("connected", "")


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


def failure_of(segment: Segment) -> str:
    """What a segment failed with, in a line: `<type>: <message>`; empty where it does not say."""
    for span in segment.walk():
        exceptions = span.cause.get("exceptions") if isinstance(span.cause, dict) else None
        for exception in exceptions if isinstance(exceptions, list) else []:
            if isinstance(exception, dict):
                return ": ".join(_texts(exception.get("type"), exception.get("message")))
    return ""


def _texts(*values: JsonValue) -> list[str]:
    return [" ".join(str(value).split()) for value in values if value]
