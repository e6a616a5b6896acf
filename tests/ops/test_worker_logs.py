"""Errors in the lines Lambda writes into a log, in both formats."""

from __future__ import annotations

import json

import pytest
from traced_pipeline_ops.worker_logs import error_in

REQUEST = "8f507cfc-example-4697-b07a-ac58fc914c95"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("START RequestId: 1 Version: $LATEST", None),
        ("[INFO]\t2026-11-25T15:00:00.000Z\t8f507cfc-e55e-4697-b07a-ac58fc914c95\tall is well", None),
        (
            "[ERROR]\t2026-11-25T15:00:00.000Z\t8f507cfc-e55e-4697-b07a-ac58fc914c95\tmessage m-1 failed: no",
            "message m-1 failed: no",
        ),
        ("[ERROR] KeyError: 'id'\nTraceback (most recent call last):", "KeyError: 'id'"),
        (
            "[ERROR] Runtime.ImportModuleError: Unable to import module 'app': No module named 'x'",
            "Runtime.ImportModuleError: Unable to import module 'app': No module named 'x'",
        ),
        (
            "2026-11-25T15:00:00.000Z 8f507cfc-e55e-4697-b07a-ac58fc914c95 Task timed out after 3.00 seconds",
            "Task timed out after 3.00 seconds",
        ),
        ("message m-1 failed: ValueError: no", "message m-1 failed: ValueError: no"),
        (json.dumps({"level": "INFO", "message": "all is well"}), None),
        (
            json.dumps({"level": "ERROR", "message": "message m-1 failed: no", "errorType": "ValueError"}),
            "message m-1 failed: no",
        ),
        (
            json.dumps(
                {"log_level": "ERROR", "errorType": "ValueError", "errorMessage": "no id", "requestId": REQUEST}
            ),
            "ValueError: no id",
        ),
        (
            json.dumps({"type": "platform.report", "record": {"status": "timeout", "requestId": REQUEST}}),
            "the invocation ended with timeout",
        ),
        (json.dumps({"type": "platform.report", "record": {"status": "success"}}), None),
        (json.dumps(["no", "object"]), None),
        ("", None),
    ],
)
def test_lines(line: str, expected: str | None) -> None:
    assert error_in(line) == expected
