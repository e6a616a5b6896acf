"""`traced-pipeline failed`: lists dead-letter messages with their traces and reasons."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence

from rich.text import Text

from ..aws.read_errors import Reads
from ..aws.session import Connection
from ..aws.stack import find_parts
from ..dead_letters.causes import Reason, Reasons
from ..dead_letters.message import DeadLetterMessage, held
from ..dead_letters.queues import DeadLetterQueue, dead_letter_queues
from ..dead_letters.retries import hidden_text, retry_text
from ..exit_status import ExitStatus
from ..render.json_dead_letters import failed_json
from ..text import clipped, counted, duration, printable, readable_name
from .arguments import add_stack, follow_up, positive
from .output import write_result
from .terminal import OutputConsole, progress

_SHOWN_CHARACTERS = 200
_FROM = {
    "trace": "",
    "log": "",
    "log nearby": "perhaps: ",
    "configuration": "",
    "message": "",
    "none": "",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    add_stack(parser)
    parser.add_argument(
        "--count", type=positive, default=100, metavar="N", help="how many messages of a queue at most (default: 100)"
    )
    parser.add_argument("--json", action="store_true", help="print the messages as JSON, bodies included")


def run(arguments: argparse.Namespace, connection: Connection) -> ExitStatus:
    """Lists the messages of every dead-letter queue of the stack, and leaves them there."""
    session = connection.session
    pipeline = find_parts(session.client("cloudformation"), arguments.stack)
    reads = Reads()
    listed: list[tuple[DeadLetterQueue, list[DeadLetterMessage], Mapping[str, Reason]]] = []
    with progress("Reading the stack …") as tell:
        queues = dead_letter_queues(session, pipeline, reads)
        reasons = Reasons(session, reads, queues)
        for place in queues.queues:
            name = readable_name(place.queue.name)
            with held(
                session.client("sqs"),
                place.queue.url,
                limit=arguments.count,
                reads=reads,
                progress=_teller(tell, name),
            ) as messages:
                kept = sorted(messages, key=lambda message: message.sent)
            tell(f"Searching for the reasons of {counted(len(kept), 'message')} …")
            listed.append((place, kept, reasons.of(place, kept)))
    status = ExitStatus.DONE if queues.complete else ExitStatus.AWS
    now = time.time()
    if arguments.json:
        write_result("failed", failed_json(pipeline.stack, listed, queues.source_queues, reads.unread, now))
        return status
    console = OutputConsole(highlight=False)
    for place, messages, why in listed:
        console.print(_queue_text(place, messages, why, now), soft_wrap=True)
    for line in filter(None, map(retry_text, queues.source_queues)):
        console.print(Text(line), soft_wrap=True)
    for unread in reads.unread:
        console.print(
            Text(f"Could not be read: {unread.what}. {printable(unread.reason)}", style="dim"), soft_wrap=True
        )
    if any(messages for _, messages, _ in listed):
        console.print(
            Text(f"\nMove them back with `{follow_up(arguments, 'redrive', pipeline.stack)}`."), soft_wrap=True
        )
    return status


def _teller(tell: Callable[[str], None], name: str) -> Callable[[int], None]:
    return lambda number: tell(f"{counted(number, 'message')} from {name} …")


def _queue_text(
    place: DeadLetterQueue, messages: Sequence[DeadLetterMessage], why: Mapping[str, Reason], now: float
) -> Text:
    queue = place.queue
    text = Text(f"{readable_name(queue.name)}: {counted(len(messages), 'dead-letter message')}", style="bold")
    in_all = queue.waiting + queue.in_flight
    if in_all > len(messages):
        text.append(f" of about {in_all}")
    if queue.dead_letter_queue is not None and queue.attempts is not None:
        text.append(f"\n  Every read counts as an attempt here: after {queue.attempts} SQS moves a message on.")
    if hidden := hidden_text(queue):
        text.append(f"\n  {hidden}", style="not bold")
    for message in messages:
        text.append(f"\n\n  {message.message_id}  ", style="bold")
        text.append(" · ".join(_facts(place, message, why[message.message_id], now)), style="not bold")
        text.append(f"\n    {_reason_text(why[message.message_id])}", style="not bold red")
        text.append(
            f"\n    {printable(' '.join(clipped(message.body, _SHOWN_CHARACTERS).split()))}", style="not bold dim"
        )
    return text


def _facts(place: DeadLetterQueue, message: DeadLetterMessage, reason: Reason, now: float) -> list[str]:
    attempts = place.attempts_of(message)
    trace = message.trace_id or "no trace"
    if message.trace_id is not None and reason.traced is False:
        trace += " (not recorded)"
    facts = [f"trace {trace}" if message.trace_id else trace, _origin(message)]
    if attempts is not None:
        facts.append(counted(attempts, "attempt"))
    facts.append(f"{duration(max(0.0, now - message.sent))} old")
    facts.append(f"kept for {duration(max(0.0, message.sent + place.queue.retention - now))}")
    return facts


def _origin(message: DeadLetterMessage) -> str:
    if message.source is not None:
        return f"from the queue {readable_name(message.source.rsplit(':', 1)[-1])}"
    return "not delivered by SNS" if message.origin == "subscription" else "from a function's asynchronous invocation"


def _reason_text(reason: Reason) -> str:
    if not reason.text:
        return "Why is not known: neither its trace nor the worker's log says."
    return f"{_FROM[reason.evidence]}{printable(reason.text)}"
