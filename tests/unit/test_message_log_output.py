"""The line of a message as it leaves a process: under AWS's runtime client, in both of its formats, and without it."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from harness.local_aws import ROOT as CHECKOUT

pytestmark = pytest.mark.program

PROGRAM = """
import logging, os, sys
{setting_up}
from trace_bridge import continue_trace, trace_logs
trace_logs()
header = "Root=1-5e61292c-cc1229a4dfbeae1043928548;Parent=53995c3f42cd8ad8;Sampled=0"
with continue_trace({{"messageId": "m", "attributes": {{"AWSTraceHeader": header, "ApproximateReceiveCount": "2"}}}}):
    logging.getLogger("shop").warning("here")
os._exit(0)  # nothing is flushed here
"""
_LAMBDA = """
from awslambdaric import bootstrap
from awslambdaric.lambda_runtime_log_utils import LogFormat
sys.stdout = bootstrap.Unbuffered(sys.stdout)
bootstrap._setup_logging(LogFormat.from_str({format!r}), {level!r}, bootstrap.StandardLogSink())
"""
_IN_JSON = """logging.basicConfig(stream=sys.stdout, format='{"text": "%(message)s"}')"""
PLACES = {
    "Lambda, JSON": _LAMBDA.format(format="JSON", level="INFO"),
    "Lambda, Text": _LAMBDA.format(format="TEXT", level=""),
    "a container": "",
    "a container that logs in JSON": _IN_JSON,
}


@pytest.mark.parametrize("place", PLACES)
def test_the_line_is_one_json_object_of_its_own(place: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(setting_up=PLACES[place])],
        cwd=CHECKOUT,
        env={**os.environ, "TRACE_BRIDGE_MESSAGE_LOG": "true", "PYTHONUNBUFFERED": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    (line,) = [line for line in map(_json, ran.stdout.splitlines()) if line.get("logger") == "trace_bridge.messages"]
    assert (line["message_id"], line["xray_trace_id"]) == ("m", "1-5e61292c-cc1229a4dfbeae1043928548")
    assert (line["attempt"], line["outcome"], line["level"]) == (2, "done", "INFO")
    assert isinstance(line["duration_ms"], float)


def _json(line: str) -> dict[str, Any]:
    try:
        parsed: dict[str, Any] = json.loads(line)
    except ValueError:
        return {}
    return parsed
