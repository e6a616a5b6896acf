"""`traced-pipeline failed`: lists dead letters with their traces and reasons."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from rich.text import Text

from ..aws.read_errors import Looks
from ..aws.session import Connection
from ..aws.stack import find_pipeline
from ..dead_letters.causes import Reason, Reasons
from ..dead_letters.message import Letter, held
from ..dead_letters.queues import DeadLetterQueue, dead_letter_queues
from ..dead_letters.retries import hidden_text, retry_json, retry_text
from ..text import clipped, counted, duration, printable, readable_name
from ..traces.model import JsonObject, JsonValue
from .terminal import OutputConsole, progress

_SHOWN_LETTERS = 200
_FROM = {
    "trace": "",
    "log": "",
    "log nearby": "perhaps: ",
    "configuration": "",
    "message": "",
    "none": "",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("stack", metavar="STACK", help="the CloudFormation stack that holds the pipeline")
    parser.add_argument(
        "--count", type=_count, default=100, metavar="N", help="how many letters of a queue at most (default: 100)"
    )
    parser.add_argument("--json", action="store_true", help="print the letters as JSON, bodies included")


def run(arguments: argparse.Namespace, connection: Connection) -> int:
    """Look at every dead-letter queue of the stack, and leave it as it was."""
    session = connection.session
    pipeline = find_pipeline(session.client("cloudformation"), session.client("apigateway"), arguments.stack, path="/")
    looks = Looks()
    listed: list[tuple[DeadLetterQueue, list[Letter], Mapping[str, Reason]]] = []
    with progress("Looking at the stack …") as tell:
        found = dead_letter_queues(session, pipeline, looks)
        reasons = Reasons(session, looks, found)
        for place in found.queues:
            name = readable_name(place.queue.name)
            with held(
                session.client("sqs"),
                place.queue.url,
                limit=arguments.count,
                looks=looks,
                progress=_teller(tell, name),
            ) as letters:
                kept = sorted(letters, key=lambda letter: letter.sent)
            tell(f"Looking for the reasons of {counted(len(kept), 'letter')} …")
            listed.append((place, kept, reasons.of(place, kept)))
    now = time.time()
    if arguments.json:
        document: JsonObject = {
            "stack": pipeline.stack,
            "queues": [_queue_json(place, letters, why, now) for place, letters, why in listed],
            "source_queues": [retry_json(queue) for queue in found.source_queues],
            "unseen": [{"what": unseen.what, "reason": unseen.reason} for unseen in looks.unseen],
        }
        sys.stdout.write(f"{json.dumps(document, indent=2)}\n")
        return 0
    console = OutputConsole(highlight=False)
    for place, letters, why in listed:
        console.print(_queue_text(place, letters, why, now), soft_wrap=True)
    for line in filter(None, map(retry_text, found.source_queues)):
        console.print(Text(line), soft_wrap=True)
    for unseen in looks.unseen:
        console.print(Text(f"Not seen: {unseen.what}. {printable(unseen.reason)}", style="dim"), soft_wrap=True)
    if any(letters for _, letters, _ in listed):
        console.print(Text(f"\nMove them back with `traced-pipeline redrive {pipeline.stack}`."), soft_wrap=True)
    return 0


def _teller(tell: Callable[[str], None], name: str) -> Callable[[int], None]:
    return lambda number: tell(f"{counted(number, 'letter')} from {name} …")


def _queue_text(place: DeadLetterQueue, letters: Sequence[Letter], why: Mapping[str, Reason], now: float) -> Text:
    queue = place.queue
    text = Text(f"{readable_name(queue.name)}: {counted(len(letters), 'dead letter')}", style="bold")
    in_all = queue.waiting + queue.in_flight
    if in_all > len(letters):
        text.append(f" of about {in_all}")
    if queue.dead_letter_queue is not None and queue.attempts is not None:
        text.append(f"\n  Every look counts as an attempt here: after {queue.attempts} SQS moves a letter on.")
    if hidden := hidden_text(queue):
        text.append(f"\n  {hidden}", style="not bold")
    for letter in letters:
        text.append(f"\n\n  {letter.message_id}  ", style="bold")
        text.append(" · ".join(_facts(place, letter, why[letter.message_id], now)), style="not bold")
        text.append(f"\n    {_reason_text(why[letter.message_id])}", style="not bold red")
        text.append(f"\n    {printable(' '.join(clipped(letter.body, _SHOWN_LETTERS).split()))}", style="not bold dim")
    return text


def _facts(place: DeadLetterQueue, letter: Letter, reason: Reason, now: float) -> list[str]:
    attempts = place.attempts_of(letter)
    trace = letter.trace_id or "no trace"
    if letter.trace_id is not None and reason.traced is False:
        trace += " (not recorded)"
    facts = [f"trace {trace}" if letter.trace_id else trace, _origin(letter)]
    if attempts is not None:
        facts.append(counted(attempts, "attempt"))
    facts.append(f"{duration(now - letter.sent)} old")
    facts.append(f"kept for {duration(max(0.0, letter.sent + place.queue.retention - now))}")
    return facts


def _origin(letter: Letter) -> str:
    if letter.source is not None:
        return f"from the queue {readable_name(letter.source.rsplit(':', 1)[-1])}"
    return "not delivered by SNS" if letter.origin == "subscription" else "from a function's asynchronous invocation"


def _reason_text(reason: Reason) -> str:
    if not reason.text:
        return "Why is not known: neither its trace nor the worker's log says."
    return f"{_FROM[reason.evidence]}{printable(reason.text)}"


def _queue_json(place: DeadLetterQueue, letters: Sequence[Letter], why: Mapping[str, Reason], now: float) -> JsonObject:
    found: list[JsonValue] = [_letter_json(place, letter, why[letter.message_id], now) for letter in letters]
    return {
        "name": place.queue.name,
        "url": place.queue.url,
        "about": place.queue.waiting + place.queue.in_flight,
        "letters": found,
    }


def _letter_json(place: DeadLetterQueue, letter: Letter, reason: Reason, now: float) -> JsonObject:
    home = place.home_of(letter)
    return {
        "message_id": letter.message_id,
        "trace_id": letter.trace_id,
        "traced": reason.traced,
        "origin": letter.origin,
        "source": letter.source,
        "home": None if home is None else home.name,
        "attempts": place.attempts_of(letter),
        "sent": letter.sent,
        "age_seconds": round(now - letter.sent, 3),
        "kept_seconds": round(max(0.0, letter.sent + place.queue.retention - now), 3),
        "reason": reason.text or None,
        "evidence": reason.evidence,
        "body": letter.body,
    }


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return number
