"""`traced-pipeline send`: posts requests to a stack's API."""

from __future__ import annotations

import argparse

from ..aws.http import Answer, new_trace_id, send
from ..aws.session import Connection
from ..aws.stack import find_pipeline
from ..exit_status import ExitStatus
from ..interrupts import telling
from ..render.json import answer_json
from ..text import counted, duration, one_line
from .arguments import add_stack, aws_name, positive, quoted
from .output import write_result
from .request_body import add_body_arguments, body_of
from .streams import flush_out, write_out
from .terminal import progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    add_stack(parser)
    add_body_arguments(parser)
    parser.add_argument("--count", type=positive, default=1, metavar="N", help="how often to post it (default: 1)")
    header = parser.add_mutually_exclusive_group()
    header.add_argument("--trace-header", type=_header, metavar="VALUE", help="the X-Amzn-Trace-Id to send along")
    header.add_argument(
        "--sampled", action="store_true", help="send a new trace id with Sampled=1, instead of leaving that to AWS"
    )
    parser.add_argument("--json", action="store_true", help="print the answers as JSON")


def run(arguments: argparse.Namespace, connection: Connection) -> ExitStatus:
    """Posts the requests, and says what came back."""
    body = body_of(arguments)
    session = connection.session
    pipeline = find_pipeline(
        session.client("cloudformation"),
        session.client("apigateway"),
        arguments.stack,
        path=arguments.path,
        api=arguments.api,
    )
    url, credentials = pipeline.url_to_post_to(), connection.credentials()
    answers: list[Answer] = []
    with telling(lambda: _so_far(len(answers), arguments.count)), progress("Posting …") as tell:
        for number in range(1, arguments.count + 1):
            answer = send(
                url=url,
                body=body,
                credentials=credentials,
                region=connection.region,
                trace_header=f"Root={new_trace_id()};Sampled=1" if arguments.sampled else arguments.trace_header,
                verify=connection.verify,
                proxies=connection.proxies(url),
            )
            answers.append(answer)
            if not arguments.json:
                # A pipe gets each line at once too.
                write_out(f"{_line(answer)}\n")
                flush_out()
            tell(f"Posted {number} of {counted(arguments.count, 'request')}")
    if arguments.json:
        write_result("send", {"answers": [answer_json(answer) for answer in answers]})
    return ExitStatus.DONE if all(answer.accepted for answer in answers) else ExitStatus.NO


def _so_far(answered: int, wanted: int) -> str:
    """Says which requests were posted before something ended the command."""
    if wanted == 1:
        return ""
    return f"Before that, {answered:,} of {wanted:,} requests were answered; one more may have been processed."


def _line(answer: Answer) -> str:
    trace = answer.trace_id or "no trace id"
    body = one_line(answer.body)
    return f"{answer.status}  {trace}  {duration(answer.seconds):>8}  {body}"


def _header(text: str) -> str:
    if not aws_name(text).isascii():
        raise argparse.ArgumentTypeError(
            f"{quoted(text)} holds characters that are not ASCII, which a header cannot hold"
        )
    return text
