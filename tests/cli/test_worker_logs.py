"""Errors in the lines Lambda writes into a log, in both formats."""

from __future__ import annotations

import json
from typing import Any

import pytest
from traced_pipeline_cli.diagnosis.worker_logs import error_about, error_in

REQUEST = "8f507cfc-example-4697-b07a-ac58fc914c95"


NEVER_BEGUN = "2 of 10 messages were never begun: no time is left; each is returned. Never begun: m-1, m-2"


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
        (json.dumps({"level": "WARNING", "message": NEVER_BEGUN}), "never begun: no time is left"),
        (
            f"[WARNING]\t2026-11-25T15:00:00.000Z\t8f507cfc-e55e-4697-b07a-ac58fc914c95\t{NEVER_BEGUN}",
            "never begun: no time is left",
        ),
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


class _Client:
    """A log in which every line names message m-1."""

    def __init__(self, *lines: str) -> None:
        self._lines = lines

    def get_paginator(self, _name: str) -> Any:
        return self

    def paginate(self, **_: object) -> Any:
        return [{"events": [{"message": line} for line in self._lines]}]


def test_a_messages_own_reason_comes_before_an_error_that_names_all_of_its_batch() -> None:
    failed = json.dumps({"level": "ERROR", "message": "message m-1 failed: KeyError: 'id'"})
    batch = json.dumps(
        {"errorType": "BatchFailedError", "errorMessage": "all 2 messages of the batch failed: m-1, m-2"}
    )
    never_begun = json.dumps({"level": "WARNING", "message": NEVER_BEGUN})
    client: Any = _Client(failed, batch)
    assert error_about(client, "group", 0, "m-1") == "KeyError: 'id'"
    client = _Client(failed, batch, never_begun, batch)
    assert error_about(client, "group", 0, "m-1") == "never begun: no time is left"
    client = _Client(batch)
    assert error_about(client, "group", 0, "m-1") == "BatchFailedError: all 2 messages of the batch failed: m-1, m-2"
    client = _Client()
    assert error_about(client, "group", 0, "m-1") is None
