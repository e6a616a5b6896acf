"""A verdict as JSON."""

from __future__ import annotations

from ..aws.console import ConsoleLink
from ..aws.http import Answer
from ..deployment.model import AccountPart, Deployment
from ..diagnosis.finding import Finding
from ..diagnosis.verdict import Verdict
from ..traces.model import JsonObject, JsonValue
from .json import console_json, unread_json


def verdict_json(deployment: Deployment, verdict: Verdict, answer: Answer, console: ConsoleLink | None) -> JsonObject:
    """Returns the verdict as a JSON object; times are seconds.

    Args:
        deployment: What was read.
        verdict: The verdict.
        answer: What the API answered.
        console: Where the trace is shown in the X-Ray console; None where it is not.
    """
    hops: list[JsonValue] = [
        {
            "kind": hop_verdict.hop.kind,
            "name": hop_verdict.hop.name,
            "previous": hop_verdict.hop.previous,
            "status": hop_verdict.status,
            "reason": hop_verdict.reason,
            "causes": [_finding_json(finding) for finding in hop_verdict.causes],
        }
        for hop_verdict in verdict.hops
    ]
    destination = deployment.xray.destination
    return {
        "stack": deployment.stack,
        "connected": verdict.connected,
        "undecided": verdict.undecided,
        "trace_id": answer.trace_id,
        "status": answer.status,
        "seconds": round(answer.seconds, 6),
        "hops": hops,
        "remarks": [_finding_json(finding) for finding in verdict.remarks],
        "transaction_search": None if destination is None else destination == "CloudWatchLogs",
        "unread": unread_json(deployment.unread),
        "account": None if deployment.account is None else [_part_json(part) for part in deployment.account],
        "console": None if console is None else console_json(console),
    }


def _part_json(part: AccountPart) -> JsonObject:
    return {"part": part.name, "word": part.word, "text": part.text}


def _finding_json(finding: Finding) -> JsonObject:
    return {
        "check": finding.check,
        "kind": finding.kind,
        "name": finding.name,
        "text": finding.text,
        "fix": finding.fix,
    }
