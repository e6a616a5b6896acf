"""HTTP calls to hosts that are left alone: neither recorded nor given a header."""

from typing import Any

import pytest
from trace_bridge import ConfigurationError, instrument

from tests.support import bridge
from tests.support.http_clients import CLIENTS, Get
from tests.support.lambda_process import Process
from tests.support.sampled_message import recorded_calls, run_in_message
from tests.support.website import Website


def test_hosts_can_be_left_alone(process: Process, website: Website, get: Get) -> None:
    instrument(ignore_hosts=["127.0.0.1", "*.internal.example"])
    run_in_message(lambda: get(f"{website.url}/health"))
    assert recorded_calls(process) == []
    assert website.trace_headers("/health") == [None]


def test_hosts_to_leave_alone_are_a_setting(process: Process, website: Website) -> None:
    process.set(ignore_hosts=("127.0.0.1",))
    run_in_message(lambda: CLIENTS["requests"](website.url))
    assert recorded_calls(process) == []


@pytest.mark.parametrize("variable", ["AWS_LAMBDA_RUNTIME_API", "AWS_XRAY_DAEMON_ADDRESS"])
def test_the_ends_of_lambda_and_of_the_daemon_are_left_alone(
    process: Process, website: Website, get: Get, variable: str
) -> None:
    process.monkeypatch.setenv(variable, f"127.0.0.1:{website.port}")
    bridge.forget_ignored_hosts()
    run_in_message(lambda: get(f"{website.url}/2020-01-01/extension/register"))
    assert recorded_calls(process) == []
    assert website.trace_headers("/2020-01-01/extension/register") == [None]


@pytest.mark.parametrize(
    ("host", "ignored"),
    [
        ("169.254.169.254", True),
        ("169.254.170.2", True),
        ("fd00:ec2::254", True),
        ("example.com", True),
        ("api.example.com", False),
        ("a.b.example.org", True),
        ("example.org", False),
        ("localhost", False),
    ],
)
def test_which_hosts_are_left_alone(process: Process, website: Website, host: str, ignored: bool) -> None:
    instrument(ignore_hosts=("Example.com ", "*.example.org"))
    assert bridge.is_ignored_host(host) is ignored


@pytest.mark.parametrize("host", ["https://example.com", "example.com:80", "a/b", "", "*.*.com", 3])
def test_what_is_no_host_is_refused(process: Process, host: Any) -> None:
    with pytest.raises(ConfigurationError, match="expected a host"):
        instrument(ignore_hosts=[host])
    with pytest.raises(ConfigurationError, match="expected a list of hosts"):
        instrument(ignore_hosts="example.com")


def test_a_setting_that_is_no_host_turns_recording_off(caplog: pytest.LogCaptureFixture) -> None:
    settings = bridge.Settings.from_environment({"TRACE_BRIDGE_IGNORE_HOSTS": "a.example, https://b.example"})
    assert not settings.instrument
    assert "TRACE_BRIDGE_IGNORE_HOSTS names 'https://b.example'" in caplog.text
    assert bridge.Settings.from_environment({"TRACE_BRIDGE_IGNORE_HOSTS": "a.example, *.B.example"}).ignore_hosts == (
        "a.example",
        "*.b.example",
    )
