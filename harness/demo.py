"""`make demo`: the whole pipeline on this machine, and what its traces prove."""

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

import boto3
from rich.console import Console
from traced_pipeline_cli.aws.http import send
from traced_pipeline_cli.aws.logs import FunctionLogs, fetch_logs
from traced_pipeline_cli.aws.stack import Pipeline, find_pipeline
from traced_pipeline_cli.commands.output import write_whole
from traced_pipeline_cli.errors import CliError
from traced_pipeline_cli.render.html.page import page_html
from traced_pipeline_cli.render.svg.graph import map_svg
from traced_pipeline_cli.render.terminal_graph import map_text
from traced_pipeline_cli.render.terminal_waterfall import waterfall_text
from traced_pipeline_cli.traces.model import JsonValue

from harness.cdk import Cdk, CdkError
from harness.environment import close_own_environment
from harness.local_aws import ROOT, LocalAws, LocalAwsError, new_run_folder
from harness.progress import Progress
from harness.proof import NotProvenError, Proof, Request, prove_bridged, prove_broken

STACK = "TracedPipeline"
_SENDERS = 4


class DemoError(Exception):
    """The demo did not show what it has to; the message says what was missing."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the demo; 0 only when it showed what it has to."""
    parser = argparse.ArgumentParser(prog="make demo", description=main.__doc__)
    parser.add_argument("--bridge", default="on", choices=("on", "off"), help="off shows what AWS gives by itself")
    parser.add_argument(
        "--engine", default="xray", choices=("xray", "otel"), help="otel records spans of OpenTelemetry (default: xray)"
    )
    parser.add_argument("--requests", default=20, type=_positive, help="how many requests to send (default: 20)")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    folder = new_run_folder()
    try:
        summary = _run(folder, bridged=options.bridge == "on", engine=options.engine, requests=options.requests)
    except (DemoError, NotProvenError, LocalAwsError, CdkError, CliError, OSError) as error:
        print(f"the demo failed: {error}\nlogs: {folder}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"interrupted; everything is stopped. logs: {folder}", file=sys.stderr)
        return 130
    shutil.rmtree(folder, ignore_errors=True)
    print(summary)
    return 0


def _run(folder: Path, *, bridged: bool, engine: str, requests: int) -> str:
    progress = Progress(sys.stderr)
    with ExitStack() as running:
        with progress.step("starting the local AWS"):
            aws = running.enter_context(LocalAws(folder))
        close_own_environment(folder / "home", aws.facts)
        _check_account(aws)
        cdk = Cdk(aws)
        with progress.step("cdk bootstrap"):
            cdk.bootstrap()
        with progress.step("cdk deploy (the reference pipeline, unmodified)"):
            cdk.deploy(context={"sampling": "all", "bridge": "on" if bridged else "off", "engine": engine})
        pipeline = find_pipeline(boto3.client("cloudformation"), boto3.client("apigateway"), STACK)
        with progress.step(f"sending {requests} requests to {pipeline.api_url}"):
            sent = _send_all(pipeline, requests, ca_bundle=aws.facts.ca_bundle)
        with progress.step("waiting for their traces and items") as tell:
            prove = prove_bridged if bridged else prove_broken
            proof = prove(pipeline, sent, tell)
        logs = fetch_logs(boto3.Session(), proof.traces)
    for name, file in _draw(proof, logs, bridged=bridged).items():
        print(f"{name}: {os.path.relpath(file)}", file=sys.stderr)
    return proof.summary()


def _check_account(aws: LocalAws) -> None:
    """Makes sure of whom the requests reach before anything is deployed.

    Raises:
        DemoError: It is not the local AWS.
    """
    account = boto3.client("sts").get_caller_identity()["Account"]
    if account != aws.facts.account:
        raise DemoError(f"sts get-caller-identity answers account {account}, not the local {aws.facts.account}")


def _send_all(pipeline: Pipeline, count: int, *, ca_bundle: str) -> list[Request]:
    if pipeline.api_url is None:
        raise DemoError(f"the stack {pipeline.stack} has no API URL")
    url = pipeline.api_url
    session = boto3.Session()
    credentials, region = session.get_credentials(), session.region_name

    def send_one(number: int) -> Request:
        order: dict[str, JsonValue] = {"customer": f"customer-{number}", "amount": 10 + number}
        answer = send(url=url, body=order, credentials=credentials, region=region, verify=ca_bundle)
        body = answer.json()
        if not answer.accepted or not isinstance(body, dict) or not isinstance(body.get("id"), str):
            raise DemoError(f"request {number} was answered {answer.status}: {answer.body[:300]}")
        if answer.trace_id is None:
            raise DemoError(f"request {number} was answered without a trace id: {answer.body[:300]}")
        return Request(item_id=str(body["id"]), trace_id=answer.trace_id)

    with ThreadPoolExecutor(_SENDERS) as senders:
        return list(senders.map(send_one, range(count)))


def _draw(proof: Proof, logs: Mapping[str, FunctionLogs], *, bridged: bool) -> dict[str, Path]:
    """Draws the map on standard output and puts picture and page into `build/`, each whole or not at all."""
    console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    width = min(shutil.get_terminal_size((80, 24)).columns, 100)
    console.print(map_text(proof.trace_map, width=width))
    console.print(waterfall_text(proof.example, width=width))
    title = "One request, one trace" if bridged else "Without the bridge: one request, two traces"
    suffix = "" if bridged else "-bridge-off"
    files = {"picture": ROOT / f"build/trace-map{suffix}.svg", "page": ROOT / f"build/trace{suffix}.html"}
    write_whole(files["picture"], map_svg(proof.trace_map, title=title))
    write_whole(files["page"], page_html(proof.trace_map, proof.traces, logs=logs, title=title))
    return files


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
