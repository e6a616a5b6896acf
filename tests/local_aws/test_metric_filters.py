"""Metric filters of the local AWS: which events a pattern takes, and the metric that is made of them."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.filter_patterns import PatternError, compile_pattern, value_at
from tests.support.account import Account

_EVENT = {
    "logger": "shop",
    "took": 12.5,
    "status": 404,
    "ok": True,
    "none": None,
    "user": {"name": "Ann"},
    "l": [{"n": 7}],
}


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        '{ $.logger = "shop" }',
        "{ $.logger = shop }",
        '{ $.logger = "sh*" }',
        "{ $.took = * }",
        "{ $.took > 12 && $.took <= 12.5 }",
        "{ $.status = 4* }",
        "{ $.status = 404 }",
        "{ $.status != 200 }",
        "{ $.ok IS TRUE }",
        "{ $.none IS NULL }",
        "{ $.missing NOT EXISTS }",
        "{ $.user.name EXISTS }",
        "{ $.l[0].n = 7 }",
        '{ ($.logger = "shop") && ($.took = *) && ($.status = 404) }',
        "{ $.status = 200 || $.status = 404 && $.took > 1 }",
        "{ ($.status = 200 || $.status = 404) && $.took > 1 }",
        "shop",
        '"user" took',
        "shop -missing",
        "?missing ?shop",
    ],
)
def test_a_pattern_takes_an_event(pattern: str) -> None:
    assert compile_pattern(pattern)(json.dumps(_EVENT))


@pytest.mark.parametrize(
    "pattern",
    [
        '{ $.logger = "other" }',
        "{ $.missing = * }",
        "{ $.missing != 1 }",
        "{ $.took > 12.5 }",
        "{ $.status = 5* }",
        "{ $.ok IS FALSE }",
        "{ $.took NOT EXISTS }",
        "{ $.user = Ann }",
        "{ ($.status = 200 || $.status = 404) && $.took > 20 }",
        "missing",
        "shop -user",
        "?missing ?other",
    ],
)
def test_a_pattern_leaves_an_event(pattern: str) -> None:
    assert not compile_pattern(pattern)(json.dumps(_EVENT))


def test_a_pattern_of_json_takes_no_other_line() -> None:
    assert not compile_pattern("{ $.missing NOT EXISTS && $.logger = * }")("no JSON")
    assert value_at("$.took", "no JSON") is None
    assert value_at("$.user.name", json.dumps(_EVENT)) == "Ann"


@pytest.mark.parametrize(
    "pattern", ["{ $.a = }", "{ $.a }", "{ a = 1 }", "{ $.a = 1", "{ $.a > b }", "{ $.a IS 1 }", "[a, b]", "%a%"]
)
def test_a_pattern_that_is_not_understood_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        compile_pattern(pattern)


def test_a_metric_is_made_of_the_events_that_a_filter_takes(aws: Account) -> None:
    logs, name = aws.client("logs"), f"filtered-{uuid.uuid4().hex[:8]}"
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="one")
    transformation: dict[str, Any] = {"metricName": "Took", "metricNamespace": name, "metricValue": "$.took"}
    with pytest.raises(ClientError, match="not modelled"):
        logs.put_metric_filter(
            logGroupName=name, filterName="odd", filterPattern="[a]", metricTransformations=[transformation]
        )
    logs.put_metric_filter(
        logGroupName=name,
        filterName="took",
        filterPattern='{ ($.logger = "shop") && ($.took = *) }',
        metricTransformations=[{**transformation, "unit": "Milliseconds"}],
    )
    lines = [{"logger": "shop", "took": 10}, {"logger": "shop", "took": 30}, {"logger": "other", "took": 99}]
    lines += [{"logger": "shop", "took": "no number"}]
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": json.dumps(line)} for line in lines]
    logs.put_log_events(logGroupName=name, logStreamName="one", logEvents=events)
    [datapoint] = aws.client("cloudwatch").get_metric_statistics(
        Namespace=name,
        MetricName="Took",
        StartTime=time.time() - 600,
        EndTime=time.time() + 60,
        Period=3600,
        Statistics=["SampleCount", "Sum", "Maximum"],
    )["Datapoints"]
    assert (datapoint["SampleCount"], datapoint["Sum"], datapoint["Maximum"]) == (2, 40, 30)
    assert datapoint["Unit"] == "Milliseconds"
