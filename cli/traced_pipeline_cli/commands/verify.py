"""`traced-pipeline verify`: sends one request and says whether its trace goes through, and why not."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from rich.text import Text

from ..aws.console import ConsoleLink, console_link
from ..aws.http import Answer, new_trace_id, send
from ..aws.read_errors import Reads
from ..aws.session import Connection
from ..aws.stack import find_pipeline
from ..aws.xray import Progress, TraceReader, TracesIncompleteError, get_traces, wait_for_traces
from ..deployment.expected_path import Hop, route_of
from ..deployment.inspect_account import read_account
from ..deployment.inspect_stack import inspect
from ..deployment.model import Deployment
from ..diagnosis.diagnose import about_route, diagnose
from ..diagnosis.runtime_findings import gather
from ..diagnosis.verdict import Verdict, judge, progress_of, reaches_its_end
from ..exit_status import ExitStatus
from ..interrupts import telling
from ..render.console import console_text
from ..render.json_verdict import verdict_json
from ..render.terminal_verdict import verdict_text
from ..text import counted, duration
from ..traces.model import JsonValue, Trace
from .arguments import add_stack, follow_up, seconds
from .output import write_result
from .request_body import add_body_arguments, body_of
from .terminal import OutputConsole, progress
from .trace import is_complete

_TIMEOUT_SECONDS = 60
_REFUSED_SECONDS = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    add_stack(parser)
    add_body_arguments(parser)
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=_TIMEOUT_SECONDS,
        metavar="SECONDS",
        help=f"how long to wait for the trace (default: {_TIMEOUT_SECONDS})",
    )
    parser.add_argument(
        "--account",
        action="store_true",
        help="also say what the account has for tracing, in the words of AccountTracing",
    )
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")


def run(arguments: argparse.Namespace, connection: Connection) -> ExitStatus:
    """Sends a request, follows its trace, and says what is wrong with it."""
    session = connection.session
    body = body_of(arguments)
    pipeline = find_pipeline(
        session.client("cloudformation"),
        session.client("apigateway"),
        arguments.stack,
        path=arguments.path,
        api=arguments.api,
    )
    url = pipeline.url_to_post_to()
    pipeline.check_api()
    xray = session.client("xray")
    reader = TraceReader(xray)
    reads = Reads()
    with progress("Reading the stack …") as tell:
        deployment = inspect(session, pipeline, progress=lambda what: tell(f"Reading {what} …"))
        route = route_of(deployment)
        findings = list(about_route(diagnose(deployment), route))
        trace_id = new_trace_id()
        # Asked before anything is posted, since the request is a real one: whether these credentials may read traces.
        get_traces(xray, [trace_id])
        tell("Posting …")
        since = time.time()
        with telling(lambda: f"The request may have been processed; {_follow(arguments, trace_id)}"):
            answer = _send(connection, url, body, trace_id)
        # A request that was not accepted ends at the stage or the function behind it.
        timeout = arguments.timeout if answer.accepted else min(arguments.timeout, _REFUSED_SECONDS)
        trace_id = answer.trace_id or trace_id
        with telling(lambda: f"The request was posted; {_follow(arguments, trace_id)}"):
            trace = _wait(reader, trace_id, route, timeout, tell)
            verdict = judge(route, trace, findings, deployment.unread)
            if not (answer.accepted and verdict.connected):
                tell("Searching for the cause …")
                findings += gather(session, reads, deployment, verdict, trace, answer, since)
                verdict = judge(route, trace, findings, deployment.unread)
            account = None
            if arguments.account:
                tell("Reading the account …")
                account = read_account(session)
    deployment = replace(deployment, unread=(*deployment.unread, *reads.unread), account=account)
    console = console_link(xray.meta.endpoint_url, connection.region, answer.trace_id or "", trace)
    if arguments.json:
        write_result("verify", verdict_json(deployment, verdict, answer, console))
    else:
        _show(deployment, url, verdict, answer, console)
    if verdict.undecided:
        return ExitStatus.AWS
    return ExitStatus.DONE if verdict.connected and answer.accepted else ExitStatus.NO


def _follow(arguments: argparse.Namespace, trace_id: str) -> str:
    return f"follow its trace by `{follow_up(arguments, 'trace', trace_id, '--wait', '30')}`."


def _send(connection: Connection, url: str, body: bytes | JsonValue, trace_id: str) -> Answer:
    """Posts with a trace id of our own, which API Gateway keeps, so that the trace is found whatever it answers."""
    answer = send(
        url=url,
        body=body,
        credentials=connection.credentials(),
        region=connection.region,
        trace_header=f"Root={trace_id};Sampled=1",
        verify=connection.verify,
        proxies=connection.proxies(url),
    )
    return replace(answer, trace_id=answer.trace_id or trace_id)


def _wait(
    reader: TraceReader, trace_id: str, route: Sequence[Hop], timeout: int, tell: Callable[[str], None]
) -> Trace | None:
    """Returns the trace once it has come to its end, or what there is of it when the time is up."""
    arrived = 0

    def ended(trace: Trace) -> bool:
        nonlocal arrived
        arrived = progress_of(route, trace)
        return reaches_its_end(route, trace) and is_complete(trace)

    def arrive(now: Progress) -> None:
        hops = f"{arrived} of {counted(len(route), 'hop')}"
        tell(f"{hops} of the trace {trace_id} after {duration(now.seconds)}, waiting {timeout} s at most …")

    try:
        return wait_for_traces(reader, [trace_id], ended, float(timeout), progress=arrive)[0]
    except TracesIncompleteError as error:
        return error.traces[0] if error.traces else None


def _show(deployment: Deployment, url: str, verdict: Verdict, answer: Answer, link: ConsoleLink | None) -> None:
    console = OutputConsole(highlight=False)
    console.print(
        Text(f"{answer.status} in {duration(answer.seconds)} from {url}\nTrace {answer.trace_id}\n"), soft_wrap=True
    )
    ascii_only = not console.encoding.startswith("utf")
    console.print(verdict_text(deployment, verdict, width=console.width, ascii_only=ascii_only), soft_wrap=True)
    if link is not None:
        console.print(console_text(link), soft_wrap=True)
