"""`traced-pipeline redrive`: moves dead-letter messages back to their source queues."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..aws.read_errors import Reads
from ..aws.session import Connection
from ..aws.stack import find_parts
from ..dead_letters.message import HOLD_SECONDS, DeadLetterMessage, held
from ..dead_letters.queues import DeadLetterQueue, dead_letter_queues
from ..dead_letters.redrive import Outcome, RedriveError, move_back, resend_message, sorted_by_way
from ..dead_letters.retries import hidden_text
from ..errors import CliError, NotFoundError
from ..exit_status import ExitStatus
from ..interrupts import telling, uninterrupted
from ..render.json_dead_letters import redrive_json
from ..text import counted, printable, readable_name
from .arguments import add_stack, follow_up, seconds
from .output import write_result
from .streams import write_out
from .terminal import progress

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

_AT_A_TIME = 1000
_RESEND_SECONDS = HOLD_SECONDS * 3 / 4
_TIMEOUT_SECONDS = 300
_SHOWN_TRACES = 3


class UnreadError(CliError):
    """No dead-letter message was found, and not every queue could be read."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    add_stack(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask first")
    parser.add_argument(
        "--resend",
        action="store_true",
        help="resend every message with its trace header, instead of letting SQS move those it can: "
        "that its move task keeps the header is not documented",
    )
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=_TIMEOUT_SECONDS,
        metavar="SECONDS",
        help=f"how long to wait for SQS's move task, which goes on by itself (default: {_TIMEOUT_SECONDS})",
    )
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")


def run(arguments: argparse.Namespace, connection: Connection) -> ExitStatus:
    """Counts the messages, asks, and moves them."""
    session = connection.session
    pipeline = find_parts(session.client("cloudformation"), arguments.stack)
    reads, sqs = Reads(), session.client("sqs")
    plan: list[tuple[DeadLetterQueue, list[DeadLetterMessage]]] = []
    hidden: list[str] = []
    with progress("Reading the stack …"):
        found = dead_letter_queues(session, pipeline, reads)
        for place in found.queues:
            with held(sqs, place.queue.url, limit=_AT_A_TIME, reads=reads) as messages:
                if messages:
                    plan.append((place, list(messages)))
            hidden += filter(None, [hidden_text(place.queue)])
    if not plan:
        raise _nothing_to_move(pipeline.stack, hidden, reads, complete=found.complete)
    if not arguments.yes:
        _ask(_sentences(plan, resend=arguments.resend))
    outcomes = [_outcome(place, messages) for place, messages in plan]
    with telling(lambda: _so_far(outcomes)), progress("Moving messages …") as tell:
        for outcome, (_, messages) in zip(outcomes, plan, strict=True):
            _redrive(sqs, reads, outcome, messages, arguments, tell)
    if arguments.json:
        write_result("redrive", redrive_json(pipeline.stack, outcomes))
    else:
        write_out("".join(f"{_report(outcome, arguments)}\n" for outcome in outcomes))
    for line in hidden:
        sys.stderr.write(f"{line}\n")
    for unread in reads.unread:
        sys.stderr.write(f"Could not be read: {unread.what}. {printable(unread.reason)}\n")
    unfinished = hidden or any(outcome.remaining or outcome.running for outcome in outcomes)
    if unfinished:
        return ExitStatus.NO
    return ExitStatus.DONE if found.complete else ExitStatus.AWS


def _outcome(place: DeadLetterQueue, messages: Sequence[DeadLetterMessage]) -> Outcome:
    """Returns the outcome of a queue before anything is done."""
    return Outcome(place=place, traces=dict.fromkeys(message.trace_id for message in messages if message.trace_id))


def _nothing_to_move(stack: str, hidden: Sequence[str], reads: Reads, *, complete: bool) -> CliError:
    """Returns what to raise where no message was found."""
    if hidden:
        return RedriveError(f"Nothing was moved. {' '.join(hidden)}")
    unread = [read for read in reads.unread if read.of == "route"] or reads.unread
    notes = f" Could not be read: {', '.join(read.what for read in unread)}. {unread[0].reason}" if unread else ""
    if not complete:
        return UnreadError(f"Whether the stack {stack} has dead-letter messages is not known.{notes}")
    return NotFoundError(f"The stack {stack} has no dead-letter messages: there is nothing to redrive.{notes}")


def _redrive(
    sqs: SQSClient,
    reads: Reads,
    outcome: Outcome,
    messages: Sequence[DeadLetterMessage],
    arguments: argparse.Namespace,
    tell: Callable[[str], None],
) -> None:
    """Moves one queue's messages. Those SQS's task does not take go first, since it would fail at one of them."""
    place = outcome.place
    movable, others = sorted_by_way(messages, resend=arguments.resend)
    if others:
        while _resend_some(sqs, reads, outcome, resend=arguments.resend, tell=tell):
            pass
    if movable:
        name = readable_name(place.queue.name)
        move = move_back(
            sqs,
            place.queue,
            timeout=arguments.timeout,
            progress=lambda moved, wanted: tell(f"SQS moves messages of {name}: {moved} of about {wanted} …"),
        )
        outcome.moved, outcome.running = move.moved, move.status != "COMPLETED"


def _resend_some(sqs: SQSClient, reads: Reads, outcome: Outcome, *, resend: bool, tell: Callable[[str], None]) -> bool:
    """Resends the messages of one read; returns whether there may be more."""
    before, place, began = outcome.resent, outcome.place, time.monotonic()
    with held(sqs, place.queue.url, limit=_AT_A_TIME, reads=reads) as messages:
        for message in sorted_by_way(messages, resend=resend)[1]:
            source_queue = place.source_queue_of(message)
            if source_queue is None:
                outcome.remaining[message.message_id] = message
                continue
            with uninterrupted():
                resend_message(sqs, place.queue, message, source_queue)
                outcome.resent += 1
            if time.monotonic() - began > _RESEND_SECONDS:
                # The others would soon be visible to other readers; they are put back, and read again.
                break
            tell(f"Resent {counted(outcome.resent, 'message')} to {readable_name(source_queue.name)} …")
    return outcome.resent > before


def _ask(lines: Sequence[str]) -> None:
    """Asks the person at the terminal.

    Raises:
        RedriveError: There is nobody, or the answer is not yes.
    """
    sys.stderr.write("".join(f"{line}\n" for line in lines))
    if sys.stdin is None or not sys.stdin.isatty():
        raise RedriveError("Nothing was moved: there is no terminal to ask at; --yes moves without asking.")
    sys.stderr.write("Move them? [y/N] ")
    sys.stderr.flush()
    try:
        answer = sys.stdin.readline()
    except KeyboardInterrupt as error:
        sys.stderr.write("\n")
        error.add_note("Nothing was moved.")
        raise
    if not answer.endswith("\n"):
        sys.stderr.write("\n")
    if answer.strip().lower() not in ("y", "yes"):
        raise RedriveError("Nothing was moved.")


def _sentences(plan: Sequence[tuple[DeadLetterQueue, Sequence[DeadLetterMessage]]], *, resend: bool) -> list[str]:
    lines = []
    for place, messages in plan:
        movable, others = sorted_by_way(messages, resend=resend)
        name = readable_name(place.queue.name)
        if movable:
            lines.append(f"{name}: {counted(len(movable), 'message')} to be moved back by SQS.")
        for source_queue, number in _source_queues(place, others).items():
            way = (
                f"to be resent to {source_queue} and deleted here"
                if source_queue
                else "to remain here: more than one queue could be meant"
            )
            lines.append(f"{name}: {counted(number, 'message')} {way}.")
    return lines


def _source_queues(place: DeadLetterQueue, messages: Sequence[DeadLetterMessage]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for message in messages:
        source_queue = place.source_queue_of(message)
        name = "" if source_queue is None else readable_name(source_queue.name)
        counts[name] = counts.get(name, 0) + 1
    return counts


def _so_far(outcomes: Sequence[Outcome]) -> str:
    """Says what was done before something ended the command."""
    done = [f"{readable_name(outcome.place.queue.name)}: {text}" for outcome in outcomes if (text := _done(outcome))]
    return f"Before that, {'; '.join(done)}." if done else ""


def _report(outcome: Outcome, arguments: argparse.Namespace) -> str:
    name = readable_name(outcome.place.queue.name)
    traces = list(outcome.traces)[:_SHOWN_TRACES]
    follow = f"\nFollow: {follow_up(arguments, 'trace', *traces, '--wait', '30')}" if traces else ""
    return f"{name}: {_done(outcome) or 'nothing moved'}.{follow}"


def _done(outcome: Outcome) -> str:
    """Returns what was done with a queue's messages; empty where nothing was."""
    parts = []
    if outcome.moved or outcome.running:
        parts.append(
            f"{counted(outcome.moved, 'message')} moved back by SQS{', which goes on' if outcome.running else ''}"
        )
    if outcome.resent:
        parts.append(f"{counted(outcome.resent, 'message')} resent")
    if outcome.remaining:
        parts.append(f"{counted(len(outcome.remaining), 'message')} not moved: more than one queue could be meant")
    return ", ".join(parts)
