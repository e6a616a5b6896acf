"""What came of one request, beyond its trace: why a function failed, and where the message is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from ..aws.http import Answer
from ..aws.read_errors import Reads
from ..deployment.expected_path import Hop
from ..deployment.inspect_messaging import read_queue
from ..deployment.model import Deployment, EventSource, Function, Queue
from ..text import counted, one_line, readable_name
from ..traces.model import Trace
from . import api
from .checks import Check
from .finding import Finding
from .verdict import HopVerdict, Verdict
from .worker_logs import first_error

if TYPE_CHECKING:
    import boto3

_SHOWN_CHARACTERS = 300


def gather(
    session: boto3.Session,
    reads: Reads,
    deployment: Deployment,
    verdict: Verdict,
    trace: Trace | None,
    answer: Answer,
    since: float,
) -> tuple[Finding, ...]:
    """Finds what the configuration does not say about a request that did not come through.

    Args:
        session: The session to read with.
        reads: Records what could not be read.
        deployment: What is deployed.
        verdict: What the trace and the configuration say.
        trace: The request's trace; None where nothing was recorded.
        answer: What the API answered.
        since: When the request was sent, in seconds since the epoch.
    """
    findings: list[Finding] = []
    first_break = verdict.first_break
    if trace is None and not (first_break and first_break.causes) and (unsampled := api.not_sampled(deployment)):
        findings.append(unsampled)
    for hop_verdict in verdict.hops:
        function = next(
            (f for f in deployment.functions if hop_verdict.hop.kind == "function" and f.name == hop_verdict.hop.name),
            None,
        )
        if function is None or hop_verdict.status in ("connected", "unread"):
            continue
        source = next((s for s in deployment.event_sources if s.function == function.arn), None)
        log = partial(_logged, session, reads, function, since)
        if hop_verdict.status == "failed":
            findings.append(_failing(deployment, function, source, hop_verdict.reason or log() or ""))
        elif source is None:
            # What is not in the trace, such as a function that is not Active, may all the same be why the API failed.
            if answer.failed and (logged := log()):
                findings.append(_failing(deployment, function, source, logged))
        elif answer.accepted and not hop_verdict.causes and not _kept_out(verdict, hop_verdict):
            findings.extend(_silent(session, reads, deployment, function, source, log))
    if not answer.accepted and all(finding.check is not Check.FUNCTION_FAILS for finding in findings):
        findings.append(_refused(verdict, answer))
    return tuple(findings)


def _kept_out(verdict: Verdict, behind: HopVerdict) -> bool:
    """Returns whether a queue on the way to a hop did not take the message, so that no worker has it."""
    previous = behind.hop.previous
    while previous is not None:
        before = verdict.hops[previous]
        if before.hop.kind == "queue" and before.status == "failed":
            return True
        previous = before.hop.previous
    return False


def _logged(session: boto3.Session, reads: Reads, function: Function, since: float) -> str | None:
    """Returns the first error in a function's log since the request."""
    return reads.read(
        f"the log of the function {function.name}",
        lambda: first_error(session.client("logs"), function.log_group, since),
    )


def _refused(verdict: Verdict, answer: Answer) -> Finding:
    first = verdict.hops[0].hop if verdict.hops else Hop(kind="stage", name="the API", depth=0, previous=None)
    body = one_line(answer.body)[:_SHOWN_CHARACTERS]
    return Finding(
        check=Check.REQUEST_REFUSED,
        kind=first.kind,
        name=first.name,
        text=f"The API answered {answer.status}: {body or 'nothing'}.",
        fix=f"See `traced-pipeline trace {answer.trace_id}`, and the API's execution log where the stage has one on."
        if answer.failed
        else "Send a body it takes (--body, --file), with credentials it admits (execute-api:Invoke).",
    )


def _silent(
    session: boto3.Session,
    reads: Reads,
    deployment: Deployment,
    function: Function,
    source: EventSource,
    log: Callable[[], str | None],
) -> Iterator[Finding]:
    """Why a worker that nothing in the configuration stops is not in the trace."""
    if logged := log():
        yield _failing(deployment, function, source, logged)
    queue = read_queue(reads, session.client("sqs"), arn=source.queue)
    if queue is not None and queue.waiting + queue.in_flight > 0 and not logged:
        yield Finding(
            check=Check.QUEUE_BACKLOG,
            kind="function",
            name=function.name,
            text=f"The queue {readable_name(queue.name)} has {counted(queue.waiting, 'message')} waiting and "
            f"{queue.in_flight} being worked on: the worker has not come to this one yet, or failed with it.",
            fix="Wait longer (--timeout), or read the worker's log.",
        )


def _failing(deployment: Deployment, function: Function, source: EventSource | None, reason: str) -> Finding:
    return Finding(
        check=Check.FUNCTION_FAILS,
        kind="function",
        name=function.name,
        text=f"The function {readable_name(function.name)} failed: {_sentence(reason)}"
        + _what_follows(None if source is None else deployment.queue(source.queue)),
        fix=f"Read its log, {function.log_group}; what ended in a dead-letter queue is listed by "
        f"`traced-pipeline failed {deployment.stack}`."
        if source is not None
        else f"Read its log, {function.log_group}.",
    )


def _sentence(reason: str) -> str:
    if not reason:
        return "neither its segment nor its log says with what."
    return reason if reason.endswith((".", "!")) else f"{reason}."


def _what_follows(queue: Queue | None) -> str:
    if queue is None:
        return ""
    if queue.dead_letter_queue is None or queue.attempts is None:
        return " SQS delivers the message again until it expires; the queue has no dead-letter queue."
    target = readable_name(queue.dead_letter_queue.rsplit(":", 1)[-1])
    return f" The message goes to the dead-letter queue {target} after {counted(queue.attempts, 'attempt')}."
