"""What a Python function logs is written as Lambda's runtime writes it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from typing import Any

import pytest
from awslambdaric.lambda_runtime_log_utils import JsonFormatter  # type: ignore[import-untyped]

from local.patches.lambda_ import runtime_logging
from tests.support.account import Account
from tests.support.local_aws.functions import archive, invoke
from tests.support.templates import ROOT
from tests.support.waiting import wait_for


def _failure() -> Any:
    try:
        json.loads("no JSON")
    except ValueError:
        return sys.exc_info()
    return None


class Odd:
    """Not for JSON."""

    def __str__(self) -> str:
        return "odd"


RECORDS: dict[str, dict[str, Any]] = {
    "plain": {"msg": "taken %s", "args": ("one",)},
    "fields of its own": {
        "msg": "taken",
        "xray_trace_id": "1-5e61292c-cc12",
        "order": {"total": 7},
        "dd.trace_id": "1",
    },
    "no text": {"msg": {"order": 7, "what": Odd()}},
    "no JSON": {"msg": "ä", "what": Odd(), "nothing": None},
    "an exception": {"msg": "failed", "exc_info": _failure()},
    "a level of its own": {"msg": "taken", "levelno": 25, "levelname": "NOTICE"},
    "in a task": {"msg": "taken", "taskName": "Task-1"},
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_line_in_json_is_that_of_awss_runtime_client(name: str) -> None:
    given = {"levelno": logging.INFO, "levelname": "INFO", "aws_request_id": "r-1", **RECORDS[name]}
    ours = runtime_logging.JsonFormatter().format(logging.makeLogRecord(given))
    theirs = JsonFormatter().format(logging.makeLogRecord(given))
    assert json.loads(ours) == {**json.loads(theirs), "timestamp": json.loads(ours)["timestamp"]}
    assert list(json.loads(ours)) == list(json.loads(theirs))


PROGRAM = """
import io, logging, sys
said = sys.stderr = sys.stdout = io.StringIO()
{set_up}
log = logging.getLogger("shop")
log.info("quiet")
log.warning("taken %s", "one")
sys.__stdout__.write(said.getvalue().strip())
"""
OURS = """
from local.patches.lambda_ import runtime_logging
runtime_logging.request_id = "r-1"
runtime_logging.set_up({format!r}, {level!r})
"""
THEIRS = """
from awslambdaric import bootstrap
from awslambdaric.lambda_runtime_log_utils import LogFormat
bootstrap._GLOBAL_AWS_REQUEST_ID = "r-1"
bootstrap._setup_logging(LogFormat.from_str({format!r}), {level!r}, bootstrap.StandardLogSink())
"""


@pytest.mark.parametrize(("log_format", "level"), [("Text", ""), ("JSON", "INFO"), ("JSON", "ERROR")])
def test_logging_is_set_up_as_by_awss_runtime_client(log_format: str, level: str) -> None:
    shown = []
    for set_up in (OURS, THEIRS):
        program = PROGRAM.format(set_up=set_up.format(format=log_format, level=level))
        ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
        shown.append(_timeless(ran.stdout))
    ours, theirs = shown
    assert ours == theirs


def _timeless(lines: str) -> list[Any]:
    """The lines without their times."""
    found: list[Any] = []
    for line in lines.splitlines():
        if line.startswith("{"):
            found.append({name: value for name, value in json.loads(line).items() if name != "timestamp"})
        else:
            found.append(["" if part.endswith("Z") else part for part in line.split("\t")])
    return found


CODE = """
import logging
def handler(event, context):
    logging.getLogger("shop").info("quiet", extra={"order": 7})
    logging.getLogger("shop").warning("loud", extra={"order": 7})
    raise ValueError("no price")
"""


@pytest.mark.parametrize("log_format", ["JSON", "Text"])
def test_a_functions_lines_are_in_its_format(aws: Account, stack: dict[str, str], log_format: str) -> None:
    functions, logs, name = aws.client("lambda"), aws.client("logs"), f"logs-{log_format}"
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=functions.get_function_configuration(FunctionName=stack["Ingest"])["Role"],
        Handler="index.handler",
        Code={"ZipFile": archive(index=CODE)},
        LoggingConfig={"LogFormat": log_format, "LogGroup": f"/logs/{log_format}"},
    )
    invoke(aws, name)
    events = wait_for(lambda: logs.filter_log_events(logGroupName=f"/logs/{log_format}")["events"])
    lines = [event["message"] for event in events]
    if log_format == "JSON":
        start, quiet, loud, failed, report = map(json.loads, lines)
        assert (start["type"], report["type"]) == ("platform.start", "platform.report")
        request_id = start["record"]["requestId"]
        assert (quiet["message"], quiet["level"], quiet["order"]) == ("quiet", "INFO", 7)
        assert (loud["message"], loud["level"], loud["requestId"]) == ("loud", "WARNING", request_id)
        assert (failed["errorType"], failed["errorMessage"], failed["level"]) == ("ValueError", "no price", "ERROR")
        assert "in handler" in "".join(failed["stackTrace"])
    else:
        start, loud, *_, failed, _end, report = lines
        request_id = start.split()[2]
        assert report.startswith(f"REPORT RequestId: {request_id}\tDuration: ")
        assert loud.split("\t")[0] == "[WARNING]"
        assert loud.split("\t")[2:] == [request_id, "loud"]
        assert failed == "[ERROR] ValueError: no price"
