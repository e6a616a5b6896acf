"""Without the X-Ray SDK the bridge does what it does beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

import pytest

from harness.local_aws import ROOT
from tests.support import main_paths
from tests.support.lambda_process import Process

pytestmark = pytest.mark.program


def answered(path: str, body: Any) -> tuple[int, dict[str, Any]]:
    """What the services answer: a message to whoever polls."""
    if isinstance(body, dict) and "MaxNumberOfMessages" in body:
        polled = main_paths.message(4, {}, int(time.time()))
        received = {"MessageId": "m", "ReceiptHandle": "h", "Body": "{}", "Attributes": polled["attributes"]}
        return 200, {"Messages": [received]}
    return 200, {}


def outline(document: dict[str, Any]) -> dict[str, Any]:
    """Returns what of a document says which message it is of, how it went, and which calls belong to it."""
    calls = [(call["name"], call["aws"]["operation"]) for call in document.get("subsegments", ())]
    tables = [call["aws"]["table_name"] for call in document.get("subsegments", ()) if call["name"] == "dynamodb"]
    return {
        "number": int(document["trace_id"][-24:], 16),
        "parent": document["parent_id"],
        "failed": document.get("fault", False),
        "calls": calls,
        "tables": tables,
    }


@pytest.fixture(params=["loaded", "refused"])
def sdk(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_main_path_is_recorded(process: Process, sdk: str) -> None:
    process.services.answer = answered
    services = {f"AWS_ENDPOINT_URL_{name}": process.services.url for name in ("DYNAMODB", "SNS", "SQS", "XRAY")}
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("_X_AMZN")},
        **services,
        "TABLE_NAME": "orders",
        "TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:orders",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    command = [sys.executable, "-P", main_paths.__file__, sdk, str(ROOT / "runtime/handlers"), str(int(time.time()))]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    printed = json.loads(ran.stdout)
    assert printed["outcomes"] == [[{"itemIdentifier": "message-2"}], 202, []]
    assert printed["loaded"] == (["aws_xray_sdk", "wrapt"] if sdk == "loaded" else [])
    put, publish = ("dynamodb", "PutItem"), ("sns", "Publish")
    assert sorted(map(outline, process.documents()), key=lambda outlined: int(outlined["number"])) == [
        _outlined(1, [put]),
        _outlined(2, [put], failed=True),
        _outlined(3, []),
        _outlined(4, []),
        _outlined(5, [put, publish]),
    ]


def _outlined(number: int, calls: list[tuple[str, str]], *, failed: bool = False) -> dict[str, Any]:
    tables = ["orders" for service, _ in calls if service == "dynamodb"]
    return {"number": number, "parent": main_paths.SENDER, "failed": failed, "calls": calls, "tables": tables}
