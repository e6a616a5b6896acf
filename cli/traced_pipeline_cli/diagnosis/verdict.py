"""Whether one request's trace follows the route it should take, and where and why it does not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..aws.read_errors import Unread
from ..deployment.expected_path import Hop
from ..traces.model import Trace
from .finding import Finding
from .trace_parts import Sight, Status, TraceParts


@dataclass(frozen=True, kw_only=True)
class HopVerdict:
    """What became of one hop.

    Attributes:
        hop: The hop.
        status: `connected` to the trace's beginning by parent ids; connected and `failed`; in the trace but
            `disconnected`; `missing`; or `unread`, where it is not in the trace and the route could not be read in
            whole.
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
        unread_route: What could not be read of the route, so that it may be another one.
    """

    hops: tuple[HopVerdict, ...]
    remarks: tuple[Finding, ...]
    unread_route: tuple[Unread, ...] = ()

    @property
    def connected(self) -> bool:
        """Whether every hop is in the trace, connected, and none failed.

        Of a route that could not be read in whole, the table at its end has to be among them.
        """
        whole = not self.unread_route or any(hop_verdict.hop.kind == "table" for hop_verdict in self.hops)
        return bool(self.hops) and whole and all(hop_verdict.status == "connected" for hop_verdict in self.hops)

    @property
    def undecided(self) -> bool:
        """Whether it is not known where the trace breaks, or whether it does, since the route could not be read."""
        first_break = self.first_break
        return (
            not self.connected and bool(self.unread_route) and (first_break is None or first_break.status == "unread")
        )

    @property
    def first_break(self) -> HopVerdict | None:
        """The first hop that is not connected."""
        return next((hop_verdict for hop_verdict in self.hops if hop_verdict.status != "connected"), None)


def judge(
    route: Sequence[Hop], trace: Trace | None, findings: Iterable[Finding], unread: Iterable[Unread] = ()
) -> Verdict:
    """Compares a trace with the route.

    A finding explains the hop it is about, and the first break behind that hop.

    Args:
        route: The hops.
        trace: The trace; None where nothing was recorded.
        findings: What is known of the deployment and of the request.
        unread: What could not be read. Where that is part of the route, a hop that is not in the trace is `unread`
            instead of `missing`: another one may be where it breaks. Without a trace, nothing was recorded at all.
    """
    seen = _judged(route, TraceParts(trace).along(route))
    unread_route = tuple(read for read in unread if read.of == "route")
    if unread_route and trace is not None:
        seen = [replace(sight, status="unread") if sight.status == "missing" else sight for sight in seen]
    distinct = list(dict.fromkeys(findings))
    used: set[Finding] = set()
    verdicts = []
    for index, (hop, sight) in enumerate(zip(route, seen, strict=True)):
        causes: list[Finding] = []
        if sight.status != "connected":
            causes = [
                finding
                for finding in distinct
                if _is_about(finding, _explaining(route, seen, index)) and finding not in used
            ]
            used.update(causes)
        verdicts.append(HopVerdict(hop=hop, status=sight.status, reason=sight.reason, causes=tuple(causes)))
    return Verdict(
        hops=tuple(verdicts),
        remarks=tuple(finding for finding in distinct if finding not in used),
        unread_route=unread_route,
    )


def progress_of(route: Sequence[Hop], trace: Trace | None) -> int:
    """How many hops of a route are in a trace, connected."""
    return sum(sight.status in ("connected", "failed") for sight in TraceParts(trace).along(route))


def reaches_its_end(route: Sequence[Hop], trace: Trace | None) -> bool:
    """Returns whether nothing more is to be expected of a trace: each hop is there, or one before it failed.

    A stage that answers 5xx mostly passes on what the function behind it failed with, so that one is waited for.
    """
    ended: list[bool] = []
    failed: list[bool] = []
    passing_on: list[bool] = []
    for hop, sight in zip(route, TraceParts(trace).along(route), strict=True):
        before = hop.previous is not None and failed[hop.previous]
        after_fault = hop.previous is not None and passing_on[hop.previous]
        passing_on.append(hop.kind == "stage" and sight.state == "fault")
        there = sight.status in ("connected", "failed")
        failed.append(before or (there and after_fault) or (sight.status == "failed" and not passing_on[-1]))
        ended.append(failed[-1] or there)
    return all(ended)


def _judged(route: Sequence[Hop], sights: Sequence[Sight]) -> list[Sight]:
    """What was seen, with each failure at the hop it began at.

    A topic passes on that its queue could not be reached, and a stage that answers 5xx that its function failed: they
    are not blamed. A call that was refused (4xx) is a failure of the resource where its caller failed too; a caller
    that went on took it as an answer.
    """
    broken_behind = {
        hop.previous
        for hop, sight in zip(route, sights, strict=True)
        if sight.status != "connected" and hop.previous is not None
    }
    judged: list[Sight] = []
    for index, (hop, sight) in enumerate(zip(route, sights, strict=True)):
        passes_on = hop.kind == "topic" or (hop.kind == "stage" and sight.state == "fault")
        caller_failed = hop.previous is not None and judged[hop.previous].status == "failed"
        if sight.status == "failed" and passes_on and index in broken_behind:
            judged.append(replace(sight, status="connected", reason=""))
        elif sight.status == "connected" and sight.state is not None and caller_failed:
            judged.append(replace(sight, status="failed"))
        else:
            judged.append(sight)
    return judged


def _explaining(route: Sequence[Hop], seen: Sequence[Sight], index: int) -> list[Hop]:
    """Returns the hops whose findings explain a break: its own, and for the first of its branch, those before it."""
    hops, place = [route[index]], route[index].previous
    while place is not None and seen[place].status == "connected":
        hops.append(route[place])
        place = route[place].previous
    return hops


def _is_about(finding: Finding, hops: Iterable[Hop]) -> bool:
    return any((finding.kind, finding.name) == (hop.kind, hop.name) for hop in hops)
