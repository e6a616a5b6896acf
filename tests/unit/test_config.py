"""The settings: read once, wrong values refused with words that help."""

import os
import re
import subprocess
import sys
from typing import Any

import pytest
from trace_bridge import ConfigurationError, continue_trace, sqs_handler

from harness.local_aws import ROOT as CHECKOUT
from tests.support.bridge import Settings
from tests.support.lambda_events import header, record, trace_id
from tests.support.lambda_process import Process


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        ("ENABLED", "false", False),
        ("INSTRUMENT", "Off", False),
        ("IGNORE_HOSTS", "a.example, *.B.example", ("a.example", "*.b.example")),
        ("HTTP_QUERY", "yes", True),
        ("ON_UNDECIDED", "follow_lambda", "follow_lambda"),
        ("UNDECIDED_RATE", "0.5", 0.5),
        ("EMITTER", "api", "api"),
        ("QUEUE_SEGMENT", "always", "always"),
        ("IN_PROGRESS", "yes", True),
        ("MAX_WORKERS", "8", 8),
        ("RESERVE_MS", "0", 0),
        ("RAISE_IF_ALL_FAILED", "false", False),
        ("ENVELOPE", "sns", "sns"),
        ("NAME", "orders", "orders"),
        ("MAX_TRACE_AGE_DAYS", "30", 30),
        ("LOGS", "datadog", "datadog"),
        ("MESSAGE_LOG", "on", True),
        ("ENGINE", "otel", "otel"),
        ("OTEL_RELATION", "link", "link"),
        ("OTEL_ANNOTATIONS", "order.id, customer", ("order.id", "customer")),
    ],
)
def test_every_setting_is_read(variable: str, text: str, value: Any) -> None:
    field = variable.lower()
    settings = Settings.from_environment({f"TRACE_BRIDGE_{variable}": f" {text} "})
    assert getattr(settings, field) == value
    assert settings.changed(**{field: getattr(Settings(), field)}) == Settings()


def test_every_setting_has_a_case_here() -> None:
    (mark,) = test_every_setting_is_read.pytestmark
    assert {case[0].lower() for case in mark.args[1]} == Settings().as_dict().keys()


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("MAX_WORKERS", "many", "TRACE_BRIDGE_MAX_WORKERS is 'many'; expected a number from 1 to 1000"),
        ("MAX_WORKERS", "0", "TRACE_BRIDGE_MAX_WORKERS is 0; expected a number from 1 to 1000"),
        ("RESERVE_MS", "1s", "TRACE_BRIDGE_RESERVE_MS is '1s'; expected a number from 0 to 900000"),
        ("RAISE_IF_ALL_FAILED", "maybe", "TRACE_BRIDGE_RAISE_IF_ALL_FAILED is 'maybe'; expected true or false"),
        ("ENVELOPE", "SNS ", "TRACE_BRIDGE_ENVELOPE is 'SNS'; expected one of 'none', 'sns'"),
    ],
)
def test_a_wrong_value_of_what_decides_how_messages_run_is_refused(variable: str, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        Settings.from_environment({f"TRACE_BRIDGE_{variable}": text})


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("ENABLED", "perhaps", "TRACE_BRIDGE_ENABLED is 'perhaps'; expected true or false"),
        ("INSTRUMENT", "2", "TRACE_BRIDGE_INSTRUMENT is '2'; expected true or false"),
        (
            "ON_UNDECIDED",
            "keep",
            "TRACE_BRIDGE_ON_UNDECIDED is 'keep'; expected one of 'drop', 'sample', 'follow_lambda'",
        ),
        ("UNDECIDED_RATE", "1.5", "TRACE_BRIDGE_UNDECIDED_RATE is 1.5; expected a number from 0 to 1"),
        ("UNDECIDED_RATE", "nan", "TRACE_BRIDGE_UNDECIDED_RATE is nan; expected a number from 0 to 1"),
        ("EMITTER", "tcp", "TRACE_BRIDGE_EMITTER is 'tcp'; expected one of 'auto', 'udp', 'api'"),
        ("QUEUE_SEGMENT", "yes", "TRACE_BRIDGE_QUEUE_SEGMENT is 'yes'; expected one of 'never', 'always'"),
        ("IN_PROGRESS", "so", "TRACE_BRIDGE_IN_PROGRESS is 'so'; expected true or false"),
        ("ENGINE", "opentelemetry", "TRACE_BRIDGE_ENGINE is 'opentelemetry'; expected one of 'xray', 'otel', 'auto'"),
        ("OTEL_RELATION", "child", "TRACE_BRIDGE_OTEL_RELATION is 'child'; expected one of 'parent', 'link'"),
        ("LOGS", "json", "TRACE_BRIDGE_LOGS is 'json'; expected one of 'xray', 'datadog', 'off'"),
        ("MESSAGE_LOG", "json", "TRACE_BRIDGE_MESSAGE_LOG is 'json'; expected true or false"),
    ],
)
def test_a_wrong_value_of_what_concerns_tracing_alone_records_nothing_and_is_logged_once(
    variable: str, text: str, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings.from_environment({f"TRACE_BRIDGE_{variable}": text, "TRACE_BRIDGE_MAX_WORKERS": "3"})
    assert (settings.enabled, settings.instrument, settings.max_workers) == (False, False, 3)
    [line] = caplog.records
    assert line.levelname == "ERROR"
    assert line.getMessage() == f"nothing is recorded, messages are processed as if there were no bridge: {message}"


def test_several_wrong_values_are_logged_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    Settings.from_environment({"TRACE_BRIDGE_EMITTER": "tcp", "TRACE_BRIDGE_IN_PROGRESS": "so"})
    [line] = caplog.messages
    assert "TRACE_BRIDGE_EMITTER is 'tcp'" in line
    assert "TRACE_BRIDGE_IN_PROGRESS is 'so'" in line


def test_a_misspelt_name_is_logged_with_the_nearest_one(caplog: pytest.LogCaptureFixture) -> None:
    wrong = {"TRACE_BRIDGE_MAX_WORKER": "8", "TRACE_BRIDGE_HANDLERS": "a.b"}
    settings = Settings.from_environment(wrong | {"TRACE_BRIDGE_HANDLER": "a.b", "OTHER": "1"})
    assert settings == Settings()
    assert caplog.messages == [
        "TRACE_BRIDGE_HANDLERS is no setting of trace_bridge and is ignored; did you mean TRACE_BRIDGE_HANDLER?",
        "TRACE_BRIDGE_MAX_WORKER is no setting of trace_bridge and is ignored; did you mean TRACE_BRIDGE_MAX_WORKERS?",
    ]


def test_the_sdks_own_switch_with_an_unknown_value_stays_on(caplog: pytest.LogCaptureFixture) -> None:
    assert Settings.from_environment({"AWS_XRAY_SDK_ENABLED": "banana"}) == Settings()
    assert caplog.messages == [
        "AWS_XRAY_SDK_ENABLED is 'banana'; expected true or false, and taken for true as the X-Ray SDK does"
    ]


@pytest.mark.program
def test_it_is_raised_at_import_and_not_at_the_first_message() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", "import trace_bridge"],
        cwd=CHECKOUT,
        env={**os.environ, "TRACE_BRIDGE_MAX_WORKERS": "many"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1
    assert ran.stderr.strip().endswith("TRACE_BRIDGE_MAX_WORKERS is 'many'; expected a number from 1 to 1000")


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_variable_is_none(text: str) -> None:
    assert Settings.from_environment({"TRACE_BRIDGE_MAX_WORKERS": text}) == Settings()


def test_the_sdks_own_switch_turns_all_of_it_off() -> None:
    settings = Settings.from_environment({"AWS_XRAY_SDK_ENABLED": "False", "TRACE_BRIDGE_ENABLED": "true"})
    assert not settings.enabled
    assert not settings.instrument


def test_switched_off_a_message_is_processed_without_a_segment(process: Process) -> None:
    process.set(enabled=False)
    with continue_trace(record(trace=header(trace_id()))) as segment:
        assert segment.put_annotation("key", 1) is segment
        assert not segment.sampled
    assert process.documents() == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_workers": 0}, "max_workers is 0; expected a number from 1 to 1000"),
        ({"max_workers": True}, "max_workers is True; expected a number"),
        ({"reserve_ms": -1}, "reserve_ms is -1; expected a number from 0 to 900000"),
        ({"on_undecided": "keep"}, "on_undecided is 'keep'; expected one of 'drop', 'sample', 'follow_lambda'"),
    ],
)
def test_a_wrong_argument_is_refused_at_decoration(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        sqs_handler(**arguments)


def test_a_wrong_record_or_choice_is_told() -> None:
    with pytest.raises(TypeError, match="record is str; expected one record of a Lambda event"):
        continue_trace("message")  # type: ignore[arg-type] # what is tested
    with pytest.raises(TypeError, match="record is a whole Lambda event, with the key 'Records'; expected one of its"):
        continue_trace({"Records": [record()]})
    with pytest.raises(ConfigurationError, match="on_undecided is 'keep'"):
        continue_trace({}, on_undecided="keep")  # type: ignore[arg-type] # what is tested
