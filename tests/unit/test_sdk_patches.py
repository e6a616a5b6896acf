"""Beside the X-Ray SDK's patches, whichever is loaded first: each test is a program of its own."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from harness.local_aws import ROOT as CHECKOUT
from tests.support.lambda_events import header, record, trace_id
from tests.support.lambda_process import Process

ROOT = trace_id(3)
SAMPLED = record(trace=header(ROOT))

pytestmark = pytest.mark.program


def _message(process: Process) -> dict[str, Any]:
    (document,) = process.documents_of(ROOT)
    return document


def _program(text: str, **environment: str) -> str:
    """Runs a program in a process of its own, since patches are the process's."""
    base = {key: value for key, value in os.environ.items() if not key.startswith("_X_AMZN")}
    variables = {
        **base,
        "AWS_LAMBDA_FUNCTION_NAME": "worker",
        "LAMBDA_TASK_ROOT": "/var/task",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        **environment,
    }
    ran = subprocess.run([sys.executable, "-c", text], cwd=CHECKOUT, env=variables, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


_HANDLE = f"""
import json, sys
record = json.loads({json.dumps(SAMPLED)!r})
class Context:
    aws_request_id = "r"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:worker"
    def get_remaining_time_in_millis(self): return 30000
"""

_PATCHED = """
import botocore.session
from botocore.config import Config
FIRST
SECOND
once = Config(retries={"total_max_attempts": 1})
client = botocore.session.get_session().create_client("dynamodb", endpoint_url="URL", config=once)
@trace_bridge.sqs_handler
def handler(message):
    client.delete_item(TableName="orders", Key={"id": {"S": "1"}})
handler({"Records": [record]}, Context())
"""


def _patched(first: str, second: str, process: Process) -> str:
    return _HANDLE + _PATCHED.replace("FIRST", first).replace("SECOND", second).replace("URL", process.services.url)


_BRIDGE_FIRST = "import trace_bridge\ntrace_bridge.instrument()"
_SDK_FIRST = "from aws_xray_sdk.core import patch\npatch(['botocore', 'boto3'])"


@pytest.mark.parametrize(("first", "second"), [(_BRIDGE_FIRST, _SDK_FIRST), (_SDK_FIRST, _BRIDGE_FIRST)])
def test_beside_the_sdks_own_patch_a_call_is_recorded_once(process: Process, first: str, second: str) -> None:
    _program(_patched(first, second, process))
    (call,) = _message(process)["subsegments"]
    assert call["aws"]["operation"] == "DeleteItem"
    (sent,) = process.services.headers("DynamoDB_20120810.DeleteItem")
    assert sent is not None
    assert f"Root={ROOT};Parent={call['id']};Sampled=1" in sent


@pytest.mark.parametrize(
    ("library", "call"),
    [
        ("requests", "import requests; requests.post(url, timeout=5)"),
        ("httpx", "import httpx; httpx.post(url)"),
        ("httplib", "from urllib.request import urlopen; urlopen(url, data=b'').close()"),
    ],
)
def test_http_calls_patched_by_the_sdk_land_in_the_message(process: Process, library: str, call: str) -> None:
    text = (
        _HANDLE
        + f"""
import trace_bridge
from aws_xray_sdk.core import patch
patch([{library!r}])
url = "{process.services.url}/called"
@trace_bridge.sqs_handler
def handler(message):
    {call}
handler({{"Records": [record]}}, Context())
"""
    )
    _program(text)
    called = _message(process)["subsegments"]
    assert {subsegment["namespace"] for subsegment in called} == {"remote"}


def test_queries_of_sql_that_the_sdk_records_land_below_what_makes_them(process: Process) -> None:
    text = (
        _HANDLE
        + """
import sqlite3
import trace_bridge
from aws_xray_sdk.core import patch, xray_recorder
patch(["sqlite3"])
database = sqlite3.connect(":memory:")
@trace_bridge.sqs_handler
def handler(message):
    with trace_bridge.subsegment("look up"):
        assert database.execute("SELECT 1").fetchall() == [(1,)]
    with xray_recorder.in_subsegment("by hand") as query:
        query.set_sql({"sanitized_query": "SELECT ?"})
unsampled = {**record, "messageId": "unsampled"}
unsampled["attributes"] = {"AWSTraceHeader": record["attributes"]["AWSTraceHeader"].replace("Sampled=1", "Sampled=0")}
print(handler({"Records": [record, unsampled]}, Context()))
"""
    )
    assert _program(text) == "{'batchItemFailures': []}"
    looked_up, by_hand = _message(process)["subsegments"]
    (query,) = looked_up["subsegments"]
    assert (query["namespace"], query["sql"]["database_type"]) == ("remote", "sqlite3")
    assert by_hand["sql"] == {"sanitized_query": "SELECT ?"}


def test_the_sdk_loaded_inside_a_message_is_routed(process: Process) -> None:
    text = (
        _HANDLE
        + """
import trace_bridge
@trace_bridge.sqs_handler
def handler(message):
    from aws_xray_sdk.core import xray_recorder
    xray_recorder.current_segment().put_annotation("late", True)
assert "aws_xray_sdk.core" not in sys.modules
print(handler({"Records": [record]}, Context()))
"""
    )
    assert _program(text) == "{'batchItemFailures': []}"
    assert _message(process)["annotations"]["late"] is True


def test_disabling_the_sdk_turns_everything_off(process: Process) -> None:
    _program(_patched("import trace_bridge", "", process), AWS_XRAY_SDK_ENABLED="false")
    assert process.documents() == []
    (sent,) = process.services.headers("DynamoDB_20120810.DeleteItem")
    assert sent is None


def test_importing_touches_nothing() -> None:
    text = """
import logging, sys
logging.basicConfig(level=1, stream=sys.stdout)
import botocore.client
calls = botocore.client.BaseClient._make_api_call
import trace_bridge
assert botocore.client.BaseClient._make_api_call is calls
print("aws_xray_sdk" in sys.modules, "botocore.session" in sys.modules)
"""
    assert _program(text) == "False False"
