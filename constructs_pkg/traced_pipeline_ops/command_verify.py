"""`traced-pipeline verify`: sends one request and says whether its trace goes through, and why not."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from rich.console import Console
from rich.text import Text

from .bodies import add_body_arguments, body_of
from .command_trace import is_complete
from .connection import Connection
from .deployment import Deployment
from .diagnosis import diagnose
from .documents import JsonValue, Trace
from .draw_verdict import verdict_json, verdict_text
from .errors import NotFoundError
from .evidence import gather
from .finding import Finding
from .inspection import inspect
from .looking import Looks
from .pipeline import find_pipeline
from .route import Hop, route_of
from .sending import Answer, new_trace_id, send
from .verdict import Verdict, judge, progress_of, reaches_its_end
from .wording import counted, duration, printable
from .xray import Progress, TraceReader, TracesIncompleteError, wait_for_traces

_TIMEOUT_SECONDS = 60
_SERVER_ERROR = 500
_SHOWN_LETTERS = 300


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("stack", metavar="STACK", help="the CloudFormation stack that holds the pipeline")
    add_body_arguments(parser)
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=_TIMEOUT_SECONDS,
        metavar="SECONDS",
        help=f"how long to wait for the trace (default: {_TIMEOUT_SECONDS})",
    )
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")


def run(arguments: argparse.Namespace, connection: Connection) -> int:
    """Send a request, follow its trace, and say what is wrong; 1 where it is not connected to its end."""
    session = connection.session
    body = body_of(arguments)
    pipeline = find_pipeline(
        session.client("cloudformation"), session.client("apigateway"), arguments.stack, path=arguments.path
    )
    if pipeline.api_url is None:
        raise NotFoundError(f"The stack {arguments.stack} has no REST API to post to.")
    reader = TraceReader(session.client("xray"))
    looks = Looks()
    with Console(stderr=True).status("Looking at the stack …") as status:
        deployment = inspect(session, pipeline, progress=lambda what: status.update(f"Looking at {what} …"))
        route, findings = route_of(deployment), list(diagnose(deployment))
        status.update("Posting …")
        since = time.time()
        answer = _send(connection, pipeline.api_url, body)
        trace = None
        if answer.accepted:
            trace = _wait(reader, answer.trace_id or "", route, arguments.timeout, status.update)
            status.update("Looking for the cause …")
        else:
            findings.append(_refused(route, answer))
        verdict = judge(route, trace, findings)
        if answer.accepted and not verdict.connected:
            findings += gather(session, looks, deployment, verdict, trace, since)
            verdict = judge(route, trace, findings)
    deployment = replace(deployment, unseen=(*deployment.unseen, *looks.unseen))
    if arguments.json:
        sys.stdout.write(f"{json.dumps(verdict_json(deployment, verdict, answer), indent=2)}\n")
    else:
        _show(deployment, pipeline.api_url, verdict, answer)
    return 0 if verdict.connected else 1


def _send(connection: Connection, url: str, body: bytes | JsonValue) -> Answer:
    """Post with a trace id of our own, which API Gateway keeps, so that the trace is found whatever it answers."""
    trace_id = new_trace_id()
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
    """The trace once it has come to its end, or what there is of it when the time is up."""
    arrived = 0

    def ended(trace: Trace) -> bool:
        nonlocal arrived
        arrived = progress_of(route, trace)
        return reaches_its_end(route, trace) and is_complete(trace)

    def progress(now: Progress) -> None:
        hops = f"{arrived} of {counted(len(route), 'hop')}"
        tell(f"{hops} of the trace {trace_id} after {duration(now.seconds)}, waiting {timeout} s at most …")

    try:
        return wait_for_traces(reader, [trace_id], ended, float(timeout), progress=progress)[0]
    except TracesIncompleteError as error:
        return error.traces[0] if error.traces else None


def _refused(route: Sequence[Hop], answer: Answer) -> Finding:
    told = " ".join(printable(answer.body).split())[:_SHOWN_LETTERS]
    first = route[0] if route else Hop(kind="stage", name="the API", depth=0, previous=None)
    return Finding(
        check="request-refused",
        kind=first.kind,
        name=first.name,
        text=f"The API answered {answer.status}: {told or 'nothing'}.",
        fix="Send a body it takes (--body, --file), with credentials it admits (execute-api:Invoke)."
        if answer.status < _SERVER_ERROR
        else f"Look into the ingest function's log, and at `traced-pipeline trace {answer.trace_id}`.",
    )


def _show(deployment: Deployment, url: str, verdict: Verdict, answer: Answer) -> None:
    console = Console(highlight=False)
    console.print(
        Text(f"{answer.status} in {duration(answer.seconds)} from {url}\nTrace {answer.trace_id}\n"), soft_wrap=True
    )
    ascii_only = not console.encoding.startswith("utf")
    console.print(verdict_text(deployment, verdict, width=console.width, ascii_only=ascii_only), soft_wrap=True)


def _seconds(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return number
