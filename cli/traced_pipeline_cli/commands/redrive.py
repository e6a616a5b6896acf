"""`traced-pipeline redrive`: moves dead letters back to the queues they belong into."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..aws.read_errors import Looks
from ..aws.session import Connection
from ..aws.stack import find_pipeline
from ..dead_letters.message import Letter, held
from ..dead_letters.queues import DeadLetterQueue, dead_letter_queues
from ..dead_letters.redrive import RedriveError, move_home, send_home, sorted_by_way
from ..dead_letters.retries import hidden_text
from ..errors import NotFoundError
from ..text import counted, printable, readable_name
from ..traces.model import JsonObject
from .terminal import progress

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

_AT_A_TIME = 1000
_TIMEOUT_SECONDS = 300
_SHOWN_TRACES = 3


@dataclass
class _Outcome:
    """What was done with one queue's letters."""

    place: DeadLetterQueue
    moved: int = 0
    sent: int = 0
    running: bool = False
    left: dict[str, Letter] = field(default_factory=dict)
    traces: dict[str, None] = field(default_factory=dict)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("stack", metavar="STACK", help="the CloudFormation stack that holds the pipeline")
    parser.add_argument("--yes", action="store_true", help="do not ask first")
    parser.add_argument(
        "--resend",
        action="store_true",
        help="send every letter anew with its trace header, instead of letting SQS move those it can: "
        "that its move task keeps the header is not documented",
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=_TIMEOUT_SECONDS,
        metavar="SECONDS",
        help=f"how long to wait for SQS's move task, which goes on by itself (default: {_TIMEOUT_SECONDS})",
    )
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")


def run(arguments: argparse.Namespace, connection: Connection) -> int:
    """Count, ask, and move; 1 where letters stayed behind."""
    session = connection.session
    pipeline = find_pipeline(session.client("cloudformation"), session.client("apigateway"), arguments.stack, path="/")
    looks, sqs = Looks(), session.client("sqs")
    plan: list[tuple[DeadLetterQueue, list[Letter]]] = []
    hidden: list[str] = []
    with progress("Looking at the stack …"):
        for place in dead_letter_queues(session, pipeline, looks).queues:
            with held(sqs, place.queue.url, limit=_AT_A_TIME, looks=looks) as letters:
                if letters:
                    plan.append((place, list(letters)))
            hidden += filter(None, [hidden_text(place.queue)])
    if not plan and hidden:
        raise RedriveError(f"Nothing was moved. {' '.join(hidden)}")
    if not plan:
        notes = "".join(f" Not seen: {unseen.what}. {unseen.reason}" for unseen in looks.unseen)
        raise NotFoundError(f"The stack {pipeline.stack} has no dead letters: there is nothing to redrive.{notes}")
    if not arguments.yes:
        _ask(_sentences(plan, resend=arguments.resend))
    outcomes = []
    with progress("Moving letters …") as tell:
        for place, letters in plan:
            outcomes.append(_redrive(sqs, looks, place, letters, arguments, tell))
    if arguments.json:
        document: JsonObject = {"stack": pipeline.stack, "queues": [_json(outcome) for outcome in outcomes]}
        sys.stdout.write(f"{json.dumps(document, indent=2)}\n")
    else:
        sys.stdout.writelines(f"{_report(outcome)}\n" for outcome in outcomes)
    for line in hidden:
        sys.stderr.write(f"{line}\n")
    for unseen in looks.unseen:
        sys.stderr.write(f"Not seen: {unseen.what}. {printable(unseen.reason)}\n")
    return 1 if hidden or any(outcome.left or outcome.running for outcome in outcomes) else 0


def _redrive(
    sqs: SQSClient,
    looks: Looks,
    place: DeadLetterQueue,
    letters: Sequence[Letter],
    arguments: argparse.Namespace,
    tell: Callable[[str], None],
) -> _Outcome:
    """Move one queue's letters. Those SQS's task does not take go first, since it would fail at one of them."""
    outcome = _Outcome(place=place, traces=dict.fromkeys(one.trace_id for one in letters if one.trace_id))
    movable, others = sorted_by_way(letters, resend=arguments.resend)
    if others:
        while _send_some(sqs, looks, outcome, resend=arguments.resend, tell=tell):
            pass
    if movable:
        name = readable_name(place.queue.name)
        move = move_home(
            sqs,
            place.queue,
            timeout=arguments.timeout,
            progress=lambda moved, wanted: tell(f"SQS moves letters of {name}: {moved} of about {wanted} …"),
        )
        outcome.moved, outcome.running = move.moved, move.status != "COMPLETED"
    return outcome


def _send_some(sqs: SQSClient, looks: Looks, outcome: _Outcome, *, resend: bool, tell: Callable[[str], None]) -> bool:
    """Send the letters of one look home; whether there may be more."""
    before, place = outcome.sent, outcome.place
    with held(sqs, place.queue.url, limit=_AT_A_TIME, looks=looks) as letters:
        for letter in sorted_by_way(letters, resend=resend)[1]:
            home = place.home_of(letter)
            if home is None:
                outcome.left[letter.message_id] = letter
                continue
            send_home(sqs, place.queue, letter, home)
            outcome.sent += 1
            tell(f"Sent {counted(outcome.sent, 'letter')} to {readable_name(home.name)} …")
    return outcome.sent > before


def _ask(lines: Sequence[str]) -> None:
    """Ask the person at the terminal.

    Raises:
        RedriveError: There is nobody, or the answer is not yes.
    """
    sys.stderr.write("".join(f"{line}\n" for line in lines))
    if not sys.stdin.isatty():
        raise RedriveError("Nothing was moved: there is no terminal to ask at; --yes moves without asking.")
    sys.stderr.write("Move them? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise RedriveError("Nothing was moved.")


def _sentences(plan: Sequence[tuple[DeadLetterQueue, Sequence[Letter]]], *, resend: bool) -> list[str]:
    lines = []
    for place, letters in plan:
        movable, others = sorted_by_way(letters, resend=resend)
        name = readable_name(place.queue.name)
        if movable:
            lines.append(f"{name}: {counted(len(movable), 'letter')} to be moved back by SQS.")
        for home, number in _homes(place, others).items():
            way = f"to be sent to {home} and deleted here" if home else "left: more than one queue could be meant"
            lines.append(f"{name}: {counted(number, 'letter')} {way}.")
    return lines


def _homes(place: DeadLetterQueue, letters: Sequence[Letter]) -> dict[str, int]:
    found: dict[str, int] = {}
    for letter in letters:
        home = place.home_of(letter)
        name = "" if home is None else readable_name(home.name)
        found[name] = found.get(name, 0) + 1
    return found


def _report(outcome: _Outcome) -> str:
    name = readable_name(outcome.place.queue.name)
    parts = []
    if outcome.moved or outcome.running:
        parts.append(
            f"{counted(outcome.moved, 'letter')} moved back by SQS{', which goes on' if outcome.running else ''}"
        )
    if outcome.sent:
        parts.append(f"{counted(outcome.sent, 'letter')} sent home")
    if outcome.left:
        parts.append(f"{counted(len(outcome.left), 'letter')} left, since more than one queue could be meant")
    traces = list(outcome.traces)[:_SHOWN_TRACES]
    follow = f"\nFollow: traced-pipeline trace {' '.join(traces)} --wait 30" if traces else ""
    return f"{name}: {', '.join(parts) or 'nothing moved'}.{follow}"


def _json(outcome: _Outcome) -> JsonObject:
    return {
        "name": outcome.place.queue.name,
        "moved": outcome.moved,
        "sent": outcome.sent,
        "running": outcome.running,
        "left": list(outcome.left),
        "trace_ids": list(outcome.traces),
    }


def _seconds(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return number
