"""A bridged handler below Datadog's own: it works, and Datadog's trace is that of the first message."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.templates import ROOT

pytestmark = pytest.mark.peers
PEERS = ROOT / ".venv-peers" / "bin" / "python"
ROOT_ID = "1-5e61292c-cc1229a4dfbeae1043928548"
OF_XRAY = "6899143064054564168"
"""What Datadog calls that trace."""

Batch = list[tuple[str, int | None]]


def invoke(folder: Path, batch: Batch, **variables: str) -> dict[str, Any]:
    """Has Datadog's handler call ours with a batch of bodies and the trace ids that Datadog's tracer gave them."""
    ran = subprocess.run(
        [PEERS, "-m", "tests.comparison.datadog_wrapped", str(folder), json.dumps(batch)],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([str(ROOT / "runtime"), str(ROOT), str(folder)]),
            "AWS_LAMBDA_FUNCTION_NAME": "worker",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "DD_LAMBDA_HANDLER": "shop_app.handler",
            "DD_API_KEY": "none",
            "DD_FLUSH_TO_LOG": "true",
            "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
            "DD_REMOTE_CONFIGURATION_ENABLED": "false",
            "DD_TRACE_AGENT_URL": "http://127.0.0.1:9",
            "DD_TRACE_STARTUP_LOGS": "false",
            "TRACE_BRIDGE_EMITTER": "udp",
            "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:9",
            **variables,
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(next(line for line in ran.stdout.splitlines() if line.startswith('{"result"')))
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop_app.py").write_text("")  # which ddtrace looks for before the program has begun
    return tmp_path


def test_failed_messages_are_reported_as_without_it(folder: Path) -> None:
    found = invoke(folder, [("ok", None), ("fail", None)])
    assert found["result"] == {"batchItemFailures": [{"itemIdentifier": "m1"}]}


def test_the_whole_batch_is_in_the_trace_of_its_first_message(folder: Path) -> None:
    found = invoke(folder, [("ok", 111), ("ok", 222)])
    assert found["seen"] == [["m0", "111"], ["m1", "111"]]


def test_the_header_for_xray_makes_no_trace_of_datadogs(folder: Path) -> None:
    ((_, trace_id),) = invoke(folder, [("ok", None)])["seen"]
    assert trace_id not in (None, OF_XRAY, str(int(ROOT_ID.replace("-", "")[1:], 16)))


def test_lines_have_the_ids_of_datadogs_spans_if_its_tracer_writes_them(folder: Path) -> None:
    variables = {"DD_LOGS_INJECTION": "true", "TRACE_BRIDGE_LOGS": "datadog"}
    lines = invoke(folder, [("ok", 111), ("ok", 222)], **variables)["lines"]
    assert [line["dd.trace_id"] for line in lines] == ["111", "111"]
    assert [(line["message_id"], line["xray_trace_id"]) for line in lines] == [("m0", ROOT_ID), ("m1", ROOT_ID)]


def test_otherwise_they_have_those_of_the_trace_in_xray(folder: Path) -> None:
    variables = {"DD_LOGS_INJECTION": "false", "TRACE_BRIDGE_LOGS": "datadog"}
    lines = invoke(folder, [("ok", 111), ("ok", 222)], **variables)["lines"]
    assert [line["dd.trace_id"] for line in lines] == [OF_XRAY, OF_XRAY]
    assert all(int(line["dd.span_id"]) == int(line["segment_id"], 16) for line in lines)
