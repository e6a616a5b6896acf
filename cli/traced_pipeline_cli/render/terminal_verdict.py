"""A verdict for the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from rich.text import Text

from ..deployment.expected_path import Hop
from ..deployment.model import AccountPart, Deployment
from ..diagnosis.finding import Finding
from ..diagnosis.verdict import HopVerdict, Verdict
from ..text import printable, readable_name
from ..traces.resource_types import KIND_LABELS

_MARKS = {"connected": ("✓", "+", "green"), "failed": ("✗", "x", "red"), "disconnected": ("✗", "x", "red")}
_MISSING = ("✗", "x", "red")
_BEHIND = ("·", ".", "dim")
_UNREAD = ("?", "?", "yellow")
_WORDS = {"connected": "", "failed": "failed", "disconnected": "in the trace, but not connected to its beginning"}
_SHORTEST_LINE = 40


def verdict_text(deployment: Deployment, verdict: Verdict, *, width: int, ascii_only: bool = False) -> Text:
    """Returns the verdict, a line a hop, causes below the hop they are about.

    Args:
        deployment: What was read.
        verdict: The verdict.
        width: The columns there are.
        ascii_only: Whether only ASCII is drawn.
    """
    text = Text()
    for hop_verdict in verdict.hops:
        _hop(text, verdict, hop_verdict, width=width, ascii_only=ascii_only)
    text.append("\n")
    text.append(_summary(verdict), style="bold green" if verdict.connected else "bold red")
    if verdict.remarks:
        text.append("\n\nAlso noticed:\n")
        for finding in verdict.remarks:
            _finding(text, finding, indent=2, width=width)
    if deployment.xray.destination == "CloudWatchLogs":
        text.append("\n\nTransaction Search is on: the trace was searched for in its log group too.", style="dim")
    for unread in deployment.unread:
        text.append(
            f"\n{_wrapped(f'Could not be read: {unread.what}. {printable(unread.reason)}', 0, width)}", style="dim"
        )
    if deployment.account is not None:
        text.append("\n\nThe account, in the words of AccountTracing, for the parts you want:\n")
        text.append("\n".join(account_lines(deployment.account)))
    return text


def account_lines(parts: Sequence[AccountPart]) -> list[str]:
    """Returns what an account has for tracing, a line a part.

    Args:
        parts: The parts.
    """
    width = max(len(part.name) for part in parts)
    return [f"  {part.name:<{width}}  {part.word or 'unknown':<8}  {printable(part.text)}" for part in parts]


def _hop(text: Text, verdict: Verdict, hop_verdict: HopVerdict, *, width: int, ascii_only: bool) -> None:
    mark, plain, style = _MARKS.get(hop_verdict.status, _MISSING if _is_a_break(verdict, hop_verdict) else _BEHIND)
    word = _WORDS.get(hop_verdict.status, "not in the trace")
    if hop_verdict.status == "unread":
        mark, plain, style = _UNREAD
        word = "not in the trace, or not on the route"
    reason = "" if hop_verdict.causes else printable(hop_verdict.reason)
    outcome = f"  {word}{f': {reason}' if reason else ''}" if word else ""
    indent = "  " * hop_verdict.hop.depth if _branches(verdict) else ""
    label = KIND_LABELS[hop_verdict.hop.kind]
    text.append(f"{plain if ascii_only else mark} {indent}{label:<9} ", style=style)
    text.append(f"{readable_name(hop_verdict.hop.name)}{outcome}\n")
    for finding in hop_verdict.causes:
        _finding(text, finding, indent=4, width=width)


def _finding(text: Text, finding: Finding, *, indent: int, width: int) -> None:
    text.append(f"{_wrapped(f'{printable(finding.text)} [{finding.check}]', indent, width)}\n")
    text.append(f"{_wrapped(f'Fix: {printable(finding.fix)}', indent, width)}\n", style="dim")


def _wrapped(line: str, indent: int, width: int) -> str:
    blank = " " * indent
    return textwrap.fill(
        line,
        max(width, _SHORTEST_LINE),
        initial_indent=blank,
        subsequent_indent=blank,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _is_a_break(verdict: Verdict, hop_verdict: HopVerdict) -> bool:
    """Returns whether a hop would be where its branch breaks, not one behind such a break."""
    previous = None if hop_verdict.hop.previous is None else verdict.hops[hop_verdict.hop.previous]
    return previous is None or previous.status == "connected" or bool(hop_verdict.causes)


def _branches(verdict: Verdict) -> bool:
    places = [hop_verdict.hop.previous for hop_verdict in verdict.hops]
    return len(places) != len(set(places))


def _summary(verdict: Verdict) -> str:
    first_break = verdict.first_break
    if verdict.undecided:
        return (
            "Undecided: the route of a request could not be read in whole, so it is not known whether the trace "
            "breaks, and where. Allow what is listed below, and verify again."
        )
    if first_break is None:
        ends = [hop_verdict.hop for hop_verdict in verdict.hops if hop_verdict.hop.kind == "table"]
        return f"Connected from the API to {'the table' if ends else 'the end of what is deployed'}."
    where = _place(first_break.hop)
    if first_break.status == "failed":
        return f"The request failed at the {where}. The trace is connected as far as there."
    first = f"Not connected: the trace breaks at the {where}"
    if first_break.causes:
        return f"{first}."
    if explained := next((hop_verdict for hop_verdict in verdict.hops if hop_verdict.causes), None):
        return f"{first}; what was found out is about the {_place(explained.hop)}."
    parts = [f"{first}, and nothing that was read says why."]
    if first_break.status == "missing":
        parts.append("It may still come: try again with a longer --timeout.")
    if first_break.hop.kind == "function" and first_break.hop.depth > 1:
        parts.append(
            "A worker must handle its messages with the bridge (sqs_handler, continue_trace, or "
            "trace_bridge.auto.handler)."
        )
    return " ".join(parts)


def _place(hop: Hop) -> str:
    label = KIND_LABELS[hop.kind]
    return f"{label if label.startswith('API') else label.lower()} {readable_name(hop.name)}"
