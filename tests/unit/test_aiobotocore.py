"""AWS calls of aiobotocore, which pins another botocore and so has an environment of its own."""

import json
import os
import subprocess
from typing import Any

import pytest

from harness.local_aws import ROOT as CHECKOUT
from tests.support.lambda_events import OWN_TRACE, header, record, trace_id
from tests.support.lambda_process import Process
from tests.support.segment_validator import entities

pytestmark = pytest.mark.peers
ROOT = trace_id(17)
PYTHON = CHECKOUT / ".venv-aiobotocore" / "bin" / "python"
DELETE = "DynamoDB_20120810.DeleteItem"

CALLS = """
import asyncio, json, os
import aiobotocore.session
from aiobotocore.config import AioConfig
from aiobotocore.httpsession import AIOHTTPSession
from aiobotocore.httpxsession import HttpxSession
from botocore.exceptions import ClientError
session = aiobotocore.session.get_session()
def client(kind):
    config = AioConfig(http_session_cls=kind, retries={"total_max_attempts": 1})
    return session.create_client("dynamodb", endpoint_url=os.environ["URL"], config=config)
async def calls(kind=AIOHTTPSession):
    async with client(kind) as made:
        await made.delete_item(TableName="orders", Key={"id": {"S": "1"}})
        try: await made.delete_item(TableName="missing", Key={"id": {"S": "1"}})
        except ClientError as error: return type(error).__name__
"""
BRIDGE = """
import trace_bridge
class Context:
    aws_request_id = "r"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:worker"
    def get_remaining_time_in_millis(self): return 30000
@trace_bridge.sqs_handler
async def handler(message):
    assert await calls({kind}) == "ResourceNotFoundException"
    async with client({kind}) as made:
        async def one(name):
            async with trace_bridge.subsegment(name): await made.list_tables()
        await asyncio.gather(one("left"), one("right"))
assert handler({{"Records": [json.loads(os.environ["RECORD"])]}}, Context()) == {{"batchItemFailures": []}}
"""
SDK = """
from aws_xray_sdk.core import patch, xray_recorder
from aws_xray_sdk.core.async_context import AsyncContext
patch(["aiobotocore"])
async def everything():
    xray_recorder.configure(service="s", sampling=False, context=AsyncContext())
    xray_recorder.begin_segment("s", traceid=os.environ["OWN_TRACE"])
    await calls()
    xray_recorder.end_segment()
asyncio.run(everything())
"""


def _run(process: Process, program: str) -> None:
    assert PYTHON.exists(), "aiobotocore is not installed; run `make peers`"
    process.services.answer = lambda _path, body: (
        (400, {"__type": "ResourceNotFoundException", "message": "no table"})
        if isinstance(body, dict) and body.get("TableName") == "missing"
        else (200, {})
    )
    variables = {key: value for key, value in os.environ.items() if key not in ("LAMBDA_TASK_ROOT", "PYTHONPATH")}
    variables |= {
        "PYTHONPATH": str(CHECKOUT / "runtime"),
        "URL": process.services.url,
        "RECORD": json.dumps(record(trace=header(ROOT))),
        "OWN_TRACE": OWN_TRACE,
    }
    ran = subprocess.run([PYTHON, "-c", CALLS + program], env=variables, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr


def _calls(process: Process, trace: str) -> list[dict[str, Any]]:
    documents = [document for document in process.documents() if document["trace_id"] == trace]
    return [entity for document in documents for entity in entities(document) if entity.get("namespace") == "aws"]


@pytest.mark.parametrize("kind", ["AIOHTTPSession", "HttpxSession"])
def test_a_call_is_recorded_once_below_what_makes_it(process: Process, kind: str) -> None:
    _run(process, BRIDGE.format(kind=kind))
    (document,) = process.documents_of(ROOT)
    assert [below["name"] for below in document["subsegments"]] == ["dynamodb", "dynamodb", "left", "right"]
    for name in ("left", "right"):
        (own,) = (below for below in document["subsegments"] if below["name"] == name)
        assert [call["name"] for call in own["subsegments"]] == ["dynamodb"]
    done, refused = _calls(process, ROOT)[:2]
    assert (done["aws"]["operation"], done["aws"]["table_name"]) == ("DeleteItem", "orders")
    assert refused["error"]
    assert process.services.headers(DELETE) == [
        f"Root={ROOT};Parent={call['id']};Sampled=1;Lineage=061379e8:0" for call in (done, refused)
    ]


def test_a_call_is_recorded_as_the_sdks_own_patch_records_it(process: Process) -> None:
    process.trace_of_the_sdk = OWN_TRACE
    _run(process, SDK)
    _run(process, BRIDGE.format(kind="AIOHTTPSession"))
    theirs, ours = _calls(process, OWN_TRACE), _calls(process, ROOT)[:2]
    assert len(theirs) == 2
    for their, our in zip(theirs, ours, strict=True):
        assert our["aws"] == their["aws"]
        assert our["http"] == their["http"]
        assert [our.get(flag) for flag in ("name", "error", "namespace")] == [
            their.get(flag) for flag in ("name", "error", "namespace")
        ]


def test_beside_the_sdks_patch_the_sdk_records_the_call(process: Process) -> None:
    _run(
        process, "from aws_xray_sdk.core import patch\npatch(['aiobotocore'])\n" + BRIDGE.format(kind="AIOHTTPSession")
    )
    calls = _calls(process, ROOT)
    assert len(calls) == 4
    assert all("parent_id" in call for call in calls)
