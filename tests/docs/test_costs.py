"""docs/costs.md: its tables are what the prices and the templates give now, and the prices are used as AWS does."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from traced_pipeline import FunctionOptions, SamplingOptions

from scripts import cost_tables
from scripts.cost_model import SECONDS_PER_MONTH, Workload, pipeline_lines, total_usd, tracing_lines
from scripts.costs import main, report
from scripts.pages import ROOT, between, put_between
from scripts.pipeline_resources import Resources, resources_of, stacks
from scripts.prices import load

PAGE = ROOT / "docs" / "costs.md"
PRICES = load()
TABLES: dict[str, Callable[[list[Resources]], str]] = {
    "traces": lambda _: cost_tables.traces_table(PRICES),
    "VPC": lambda _: cost_tables.vpc_table(PRICES),
    "pipeline": lambda _: cost_tables.pipeline_table(PRICES),
    "resources": cost_tables.resource_types_table,
    "without traffic": lambda made: cost_tables.fixed_table(made, PRICES),
    "an answer": lambda _: f"```text\n{report(Workload(requests=5_000_000), PRICES)}```\n",
    "assumptions": lambda _: cost_tables.assumptions_table(),
    "prices": lambda _: cost_tables.prices_table(PRICES),
}
_AN_ENTRY = """
region = "us-east-1"
[alarm]
what = "CloudWatch: alarms"
usd = 0.10
per = 1
unit = "alarm-month"
free_per_month = 10
source = "https://aws.amazon.com/cloudwatch/pricing/"
evidence = "the page"
read = 2026-11-27
"""


@pytest.fixture(scope="module")
def synthesized() -> list[Resources]:
    return stacks()


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_the_page_is_what_is_calculated_now(name: str, synthesized: list[Resources]) -> None:
    """To take over a change, set UPDATE_SNAPSHOTS=1."""
    made = TABLES[name](synthesized)
    if os.environ.get("UPDATE_SNAPSHOTS"):
        put_between(PAGE, name, made)
    assert between(PAGE, name) == made


def test_the_example_of_the_page_for_x_ray_prices_comes_out() -> None:
    # https://aws.amazon.com/xray/pricing/, example 1: 2,000 requests an hour, a tenth of them sampled, 31 days
    traces = Decimal(2_000 * 24 * 31) / 10
    recorded = PRICES["xray_trace_recorded"].cost_usd(traces, free_tier=True)
    insights = PRICES["xray_insights"].cost_usd(traces)
    assert [round(recorded, 2), round(insights, 2)] == [Decimal("0.24"), Decimal("0.15")]
    assert PRICES["xray_trace_read"].cost_usd(Decimal(155_000 + 620_000), free_tier=True) == 0


def test_the_reservoir_is_recorded_in_whole_and_the_rate_of_the_rest() -> None:
    assert Workload(requests=100 * SECONDS_PER_MONTH).traces == Decimal("5.95") * SECONDS_PER_MONTH
    assert Workload(requests=SECONDS_PER_MONTH // 2).traces == SECONDS_PER_MONTH // 2
    assert Workload(requests=1_000, reservoir=0, sampled=Decimal("0.1")).traces == 100


def test_linked_has_a_second_trace_for_each_invocation_with_a_sampled_message() -> None:
    def traces(work: Workload) -> Decimal:
        return next(line.units for line in tracing_lines(work) if line.price == "xray_trace_recorded")

    assert traces(Workload(requests=1_000)) == 1_000
    assert traces(Workload(requests=1_000, linked=True)) == 2_000
    assert traces(Workload(requests=1_000, linked=True, batch=Decimal(10))) == 1_100


def test_what_the_page_says_in_short_is_so() -> None:
    small, large = Workload(requests=1_000_000), Workload(requests=100_000_000)
    fractions = [
        total_usd(tracing_lines(work), PRICES) / total_usd([*tracing_lines(work), *pipeline_lines(work)], PRICES)
        for work in (small, large)
    ]
    assert small.traces == small.requests
    assert round(large.requests / large.traces) == 13
    assert 0.3 < fractions[0] < 0.4
    assert fractions[1] < 0.05
    upload = next(line for line in tracing_lines(small) if line.price == "lambda_duration")
    assert PRICES["lambda_duration"].cost_usd(upload.units) < Decimal("0.10")


def test_lines_and_metrics_of_messages_cost_only_what_is_on() -> None:
    work = Workload(requests=1_000_000)
    off, logged, measured = (
        total_usd(pipeline_lines(month), PRICES)
        for month in (work, replace(work, message_log=True), replace(work, message_log=True, message_metrics=True))
    )
    # half a gigabyte, ingested and stored; two metrics
    assert logged - off == Decimal("0.265")
    assert measured - logged == Decimal("0.60")


def test_what_is_free_of_a_price_is_free_once() -> None:
    lines = [*pipeline_lines(Workload(requests=1_000_000)), *tracing_lines(Workload(requests=1_000_000))]
    seconds = [line for line in lines if line.price == "lambda_duration"]
    assert len(seconds) == 2
    assert total_usd([*seconds, *seconds], PRICES, free_tier=True) == 0
    assert total_usd(seconds * 20, PRICES, free_tier=True) == (
        total_usd(seconds * 20, PRICES) - PRICES["lambda_duration"].cost_usd(Decimal(400_000))
    )


def test_the_assumptions_are_the_defaults_of_the_constructs() -> None:
    work, rule = Workload(requests=1), SamplingOptions()
    assert (work.reservoir, float(work.sampled)) == (rule.reservoir, rule.rate)
    assert work.memory_mb == FunctionOptions(handler=None).memory_size


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--requests", "-1"], "requests is -1; expected a number, at least 0"),
        (["--requests", "1", "--sampled", "5"], "sampled is 5; expected a number, at least 0, at most 1"),
        (["--requests", "1", "--sampled", "nan"], "sampled is NaN"),
        (["--requests", "1", "--batch", "0"], "batch is 0; expected a number, at least 1"),
        (["--requests", "1", "--indexed", "all"], "'all' is not a number"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_numbers_that_no_pipeline_has_are_refused(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_the_command_prints_what_the_page_shows(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--requests", "5000000", "--sampled", "0.05"]) == 0
    assert capsys.readouterr().out in between(PAGE, "an answer")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("usd = 0.10\n", "", r"lacks \['usd'\]"),
        ("usd = 0.10", 'usd = "0.10"', "usd is '0.10'; expected Decimal"),
        ("usd = 0.10", "usd = -0.10", "not below 0"),
        ("usd = 0.10", "usd = nan", "not below 0"),
        ("per = 1", "per = 0", "per is at least 1"),
        ("read = 2026-11-27", 'read = "today"', "read is 'today'; expected date"),
        ("read = 2026-11-27", "read = 2026-11-27\nregion = 1", r"has \['region'\]"),
        ("https://", "http://", "expected the https address of a page"),
        ('region = "us-east-1"', "", "expected the name of a Region"),
    ],
    ids=lambda value: "",
)
def test_a_price_that_lacks_something_is_refused(old: str, new: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "prices.toml"
    file.write_text(_AN_ENTRY)
    assert load(file)["alarm"].usd == Decimal("0.10")
    file.write_text(_AN_ENTRY.replace(old, new))
    with pytest.raises(ValueError, match=said):
        load(file)


def test_a_price_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="there is no price 'gold'; expected one of xray_trace_recorded"):
        PRICES["gold"]


def test_an_alarm_is_billed_by_its_metrics_and_one_of_high_resolution_is_refused() -> None:
    def alarm(properties: dict[str, object]) -> dict[str, object]:
        return {"Resources": {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}}}

    stat = {"MetricStat": {"Period": 60}}
    assert resources_of("", alarm({"Period": 60})).fixed["alarm"] == 1
    assert resources_of("", alarm({"Metrics": [{"Expression": "a / b"}, stat, stat]})).fixed["alarm"] == 2
    with pytest.raises(ValueError, match="high resolution"):
        resources_of("", alarm({"Period": 10}))


def test_a_dashboard_of_more_than_fifty_metrics_is_not_free(synthesized: list[Resources]) -> None:
    default, many = (
        next(made for made in synthesized if made.what == what)
        for what in ("with `PipelineMonitoring`", "with `PipelineMonitoring` and four workers")
    )
    assert default.dashboard_metrics <= 50 < many.dashboard_metrics
    rows = cost_tables.fixed_table([default, many], PRICES).splitlines()[2:]
    free = [Decimal(row.split(" | ")[-1].strip(" |$")) for row in rows]
    assert free[0] == 0
    assert free[1] >= PRICES["dashboard"].usd
