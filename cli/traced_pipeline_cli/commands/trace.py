"""`traced-pipeline trace`: fetches traces and shows where they went."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from ..aws.console import ConsoleLink, console_link
from ..aws.logs import FunctionLogs, fetch_logs
from ..aws.session import Connection
from ..aws.stack import find_stage, stage_service
from ..aws.xray import TraceReader, TracesIncompleteError, latest, linked_trace_ids, wait_for_traces
from ..errors import NotFoundError
from ..exit_status import ExitStatus
from ..render.console import console_text
from ..render.html.page import page_html
from ..render.json import map_json
from ..render.svg.graph import map_svg
from ..render.terminal_graph import map_text
from ..render.terminal_waterfall import waterfall_text
from ..text import counted, printable, readable_name
from ..traces.build_graph import build_map
from ..traces.exceptions import Exceptions
from ..traces.failure_states import state_of
from ..traces.graph_model import TraceMap
from ..traces.model import Trace
from ..traces.summary import verdict
from .arguments import UsageError, add_api, aws_name, minutes, not_empty, positive, quoted, seconds
from .output import write_result, write_whole
from .streams import write_out
from .terminal import OutputConsole, progress

if TYPE_CHECKING:
    from types_boto3_xray import XRayClient

_TRACE_ID = re.compile(r"(?:.*Root=)?1-([0-9a-f]{8})-([0-9a-f]{24})(?:;.*)?|([0-9a-f]{8})([0-9a-f]{24})", re.IGNORECASE)
_COUNT = 1
_WITHIN = 60
_WATERFALLS = 3
# Fields of X-Ray's documents that say nothing about the way of a request; the others are worth a hint.
_DOCUMENTED = frozenset({"precursor_ids", "service", "sql", "traced", "type", "user"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "trace_ids",
        nargs="*",
        default=[],
        type=_trace_id,
        metavar="TRACE_ID",
        help="trace ids, also as a trace header or in the W3C form",
    )
    which.add_argument("--latest", type=aws_name, metavar="STACK", help="the latest traces of a stack's API instead")
    add_api(parser)
    parser.add_argument("--count", type=positive, metavar="N", help=f"with --latest: how many (default: {_COUNT})")
    parser.add_argument(
        "--within",
        type=minutes,
        metavar="MINUTES",
        help=f"with --latest: how far back to search (default: {_WITHIN})",
    )
    parser.add_argument(
        "--wait",
        type=seconds,
        default=0,
        metavar="SECONDS",
        help="wait for traces that are not there or not complete (default: no waiting)",
    )
    parser.add_argument("--no-links", action="store_true", help="leave out the traces that these are linked with")
    parser.add_argument("--details", action="store_true", help="show every field of every span")
    parser.add_argument("--svg", type=not_empty, metavar="FILE", help="write the map to a file, as a picture")
    parser.add_argument(
        "--html", type=not_empty, metavar="FILE", help="write map, waterfalls and logs to a page that opens offline"
    )
    parser.add_argument("--no-logs", action="store_true", help="with --html: leave out what the functions logged")
    parser.add_argument("--json", action="store_true", help="print the map and the documents as JSON")


def run(arguments: argparse.Namespace, connection: Connection) -> ExitStatus:
    """Fetches and shows traces."""
    _check(arguments)
    client = connection.session.client("xray")
    traces = _fetch(arguments, connection, client)
    trace_map = build_map(traces)
    links = {trace.id: console_link(client.meta.endpoint_url, connection.region, trace.id, trace) for trace in traces}
    consoles = {trace_id: link for trace_id, link in links.items() if link is not None}
    if arguments.svg is not None:
        write_whole(Path(arguments.svg), map_svg(trace_map))
    if arguments.html is not None:
        write_whole(Path(arguments.html), page_html(trace_map, traces, logs=_logs(arguments, connection, traces)))
    if arguments.json:
        write_result("trace", map_json(trace_map, traces, consoles))
        return ExitStatus.DONE
    show(OutputConsole(highlight=False), trace_map, traces, consoles, details=arguments.details)
    if arguments.svg is not None:
        write_out(f"The map is in {arguments.svg}.\n")
    if arguments.html is not None:
        write_out(f"The page is in {arguments.html}.\n")
    return ExitStatus.DONE


def _check(arguments: argparse.Namespace) -> None:
    """Refuses options that would have no effect.

    Raises:
        UsageError: There is one.
    """
    wrong = [f"--{name}" for name in ("api", "count", "within") if getattr(arguments, name) is not None]
    if arguments.latest is None and wrong:
        raise UsageError(f"argument {wrong[0]}: only allowed with argument --latest", command="trace")
    if arguments.no_logs and arguments.html is None:
        raise UsageError("argument --no-logs: only allowed with argument --html", command="trace")


def show(
    console: Console,
    trace_map: TraceMap,
    traces: list[Trace],
    consoles: Mapping[str, ConsoleLink],
    *,
    details: bool = False,
) -> None:
    """Shows the map, then the latest traces' waterfalls.

    Args:
        console: Where to.
        trace_map: The map.
        traces: Its traces.
        consoles: Where traces are shown in the X-Ray console, by trace id.
        details: Whether to show every field of every span.
    """
    ascii_only = not console.encoding.startswith("utf")
    _out(console, map_text(trace_map, width=console.width, ascii_only=ascii_only))
    _out(console, Text(f"\n{trace_map.summary()}", style="bold"))
    paths = {path.trace_id: path for path in trace_map.traces}
    shown = sorted(traces, key=lambda trace: trace.start)[-_WATERFALLS:]
    for trace in shown:
        _out(console, Text(f"\nTrace {trace.id}", style="bold"))
        console.print(Text(verdict(paths[trace.id], trace_map)))
        if (link := consoles.get(trace.id)) is not None:
            _out(console, console_text(link))
        _out(console, waterfall_text(trace, width=console.width, ascii_only=ascii_only))
        _exceptions(console, trace)
        if details:
            _details(console, trace)
        elif unknown := sorted({key for _, span in trace.spans() for key in span.extra} - _DOCUMENTED):
            console.print(
                Text(f"Further fields, shown by --details: {', '.join(map(printable, unknown))}", style="dim")
            )
    if others := sorted(traces, key=lambda trace: trace.start)[:-_WATERFALLS]:
        console.print(Text(f"\nThe other {counted(len(others), 'trace')}, by `traced-pipeline trace ID` or --json:"))
        for trace in reversed(others):
            _out(console, Text(f"{trace.id}  {verdict(paths[trace.id], trace_map)}"))


def _out(console: Console, text: Text) -> None:
    console.print(text, soft_wrap=True)


def _exceptions(console: Console, trace: Trace) -> None:
    """Says what the failed spans failed with, a line an exception; one that several spans hold, once."""
    exceptions = Exceptions(trace)
    shown: dict[str, None] = {}
    for segment, span in trace.spans():
        if state_of(span) is not None:
            for text in exceptions.of(span):
                shown.setdefault(f"{readable_name(segment.name)} failed: {printable(text)}")
    for line in shown:
        _out(console, Text(line, style="red"))


def _details(console: Console, trace: Trace) -> None:
    for segment, span in trace.spans():
        heading = span.name if span is segment else f"{segment.name} > {span.name}"
        _out(console, Text(f"\n{printable(heading)}", style="bold"))
        for line in json.dumps(span.own_fields, indent=2, ensure_ascii=False).splitlines()[1:-1]:
            _out(console, Text(printable(line)))


def _fetch(arguments: argparse.Namespace, connection: Connection, client: XRayClient) -> list[Trace]:
    reader = TraceReader(client)
    with progress("Asking X-Ray …") as tell:
        trace_ids: list[str] = list(arguments.trace_ids) or _latest_ids(arguments, connection)
        try:
            traces = wait_for_traces(
                reader,
                trace_ids,
                is_complete if arguments.wait else lambda _: True,
                float(arguments.wait),
                progress=lambda now: tell(f"{now.done} of {counted(now.wanted, 'trace')} complete …"),
            )
        except TracesIncompleteError as error:
            if error.missing:
                raise NotFoundError(_not_found(error.missing)) from error
            traces = list(error.traces)
        if not arguments.no_links:
            traces += reader.get(linked_trace_ids(traces))
    return traces


def _logs(arguments: argparse.Namespace, connection: Connection, traces: list[Trace]) -> dict[str, FunctionLogs] | None:
    if arguments.no_logs:
        return None
    with progress("Reading the functions' logs …"):
        return fetch_logs(connection.session, traces)


def is_complete(trace: Trace) -> bool:
    """Returns whether nothing in a trace is in progress and no parent is missing."""
    return all(not path.in_progress and not path.missing_parents for path in build_map([trace]).traces)


def _latest_ids(arguments: argparse.Namespace, connection: Connection) -> list[str]:
    apigateway = connection.session.client("apigateway")
    pipeline = find_stage(connection.session.client("cloudformation"), arguments.latest, api=arguments.api)
    service = stage_service(apigateway, pipeline)
    within = _WITHIN if arguments.within is None else arguments.within
    trace_ids = latest(
        connection.session.client("xray"),
        service,
        limit=_COUNT if arguments.count is None else arguments.count,
        within=timedelta(minutes=within),
    )
    if not trace_ids:
        raise NotFoundError(
            f"X-Ray has no trace of {service} from the last {counted(within, 'minute')}. Send a request "
            "(`traced-pipeline send`), search further back (--within), and see that the stage is traced and sampled; "
            "with Transaction Search on, only indexed traces are found this way, others by their id."
        )
    return trace_ids


def _not_found(trace_ids: Sequence[str]) -> str:
    named = f"trace {trace_ids[0]}" if len(trace_ids) == 1 else f"traces {', '.join(trace_ids)}"
    return (
        f"X-Ray knows nothing of the {named}. It shows a trace some seconds after the request (--wait 30), "
        "keeps it for 30 days, in one region and account (--region, --profile), and only where it was sampled."
    )


def _trace_id(text: str) -> str:
    match = _TRACE_ID.fullmatch(text.strip())
    if match is None:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is no trace id; one is 1-<8 hexadecimal digits>-<24 of them>")
    parts = [part.lower() for part in match.groups() if part is not None]
    return f"1-{parts[0]}-{parts[1]}"
