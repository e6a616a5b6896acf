"""Where a trace is in the X-Ray console: https://docs.aws.amazon.com/xray/latest/devguide/xray-console-deeplinks.html."""

from __future__ import annotations

import json

import pytest
from traced_pipeline_cli.__main__ import main
from traced_pipeline_cli.aws.console import console_link
from traced_pipeline_cli.render.console import console_text
from traced_pipeline_cli.traces.parse import parse_trace

from tests.support import samples

from .fake_aws import FakeAws

TRACE = parse_trace(samples.bridged())


@pytest.mark.parametrize(
    ("region", "domain", "host"),
    [
        ("eu-central-1", "amazonaws.com", "console.aws.amazon.com"),
        ("cn-northwest-1", "amazonaws.com.cn", "console.amazonaws.cn"),
        ("us-gov-west-1", "amazonaws.com", "console.amazonaws-us-gov.com"),
    ],
)
def test_each_partition_has_a_console_of_its_own(region: str, domain: str, host: str) -> None:
    found = console_link(f"https://xray.{region}.{domain}", region, TRACE.id, TRACE)
    assert found is not None
    assert found.url == f"https://{host}/xray/home?region={region}#/traces/{TRACE.id}"
    assert found.filter_expression == 'service("Orders/prod")'
    shown = console_text(found).plain
    assert found.url in shown
    assert found.filter_expression in shown


def test_a_trace_that_was_not_recorded_has_an_address_and_no_filter() -> None:
    found = console_link("https://xray.eu-west-1.amazonaws.com", "eu-west-1", TRACE.id, None)
    assert found is not None
    assert found.filter_expression is None
    assert "filter" not in console_text(found).plain


def test_a_local_aws_and_a_partition_of_unknown_console_have_none(
    aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    assert console_link("http://127.0.0.1:4566", "us-east-1", TRACE.id, TRACE) is None
    assert console_link("https://xray.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1", TRACE.id, TRACE) is None
    aws.add(samples.bridged())
    assert main(["trace", TRACE.id]) == 0
    assert "console" not in capsys.readouterr().out
    assert main(["trace", TRACE.id, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["result"]["traces"][0]["console"] is None
