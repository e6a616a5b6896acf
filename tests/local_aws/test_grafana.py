"""The calls of Grafana's X-Ray data source, with its parameters.

They are those of grafana/x-ray-datasource, pkg/datasource: getTrace, getTraceSummaries, getAnalytics, getServiceMap,
getAccounts, getGroups, getInsights, getTimeSeriesServiceStatistics and CheckHealth.
"""

import datetime as dt
import time
from typing import Any

import pytest

from tests.support.account import Account
from tests.support.local_aws.xray import put

# A day of its own, so that no other test's traces are counted.
BEGIN = float(int(time.time() - 20 * 86400))
COUNT = 250
FROM, TO = (dt.datetime.fromtimestamp(BEGIN + seconds, dt.UTC) for seconds in (-60, 1200))


def trace_id(number: int) -> str:
    return f"1-{int(BEGIN):08x}-{0x64AFA0000 + number:024x}"


@pytest.fixture(scope="module")
def xray(aws: Account) -> Any:
    """X-Ray's client, with many requests, every tenth of which failed in a service called."""
    for first in range(0, COUNT, 50):
        put(aws, *(_document(number) for number in range(first, first + 50)))
    return aws.client("xray")


def _document(number: int) -> dict[str, Any]:
    start, failed = BEGIN + number * 4, number % 10 == 0
    cause = {"exceptions": [{"id": f"{3:016x}", "type": "Gone", "message": "away"}]}
    call = {
        "id": f"{2:016x}",
        "name": "pay.example.com",
        "namespace": "remote",
        "start_time": start,
        "end_time": start + 0.9,
        **({"fault": True, "cause": cause} if failed else {}),
    }
    return {
        "id": f"{1:016x}",
        "name": "shop",
        "origin": "AWS::EC2::Instance",
        "trace_id": trace_id(number),
        "start_time": start,
        "end_time": start + 1,
        "user": "ann",
        "fault": failed,
        "aws": {"account_id": "111122223333"},
        "http": {"request": {"method": "GET", "url": "https://shop/"}, "response": {"status": 500 if failed else 200}},
        "subsegments": [call],
    }


def test_health_is_a_call_for_nothing(xray: Any) -> None:
    """CheckHealth asks for the groups."""
    assert "Default" in {group["GroupName"] for group in xray.get_groups()["Groups"]}


def test_one_trace_and_its_graph(xray: Any) -> None:
    (trace,) = xray.batch_get_traces(TraceIds=[trace_id(0)])["Traces"]
    assert trace["Id"] == trace_id(0)
    pages = xray.get_paginator("get_trace_graph").paginate(TraceIds=[trace_id(0)])
    assert {service["Name"] for page in pages for service in page["Services"]} == {"shop", "pay.example.com"}


def test_the_list_of_traces(xray: Any) -> None:
    pages = xray.get_paginator("get_trace_summaries").paginate(
        StartTime=FROM, EndTime=TO, FilterExpression='service("shop") { fault = true }'
    )
    found = [summary for page in pages for summary in page["TraceSummaries"]]
    assert len(found) == COUNT / 10
    assert {(one["Http"]["HttpMethod"], one["Http"]["HttpStatus"]) for one in found} == {("GET", 500)}


def test_the_service_map_of_the_default_group_and_its_accounts(xray: Any) -> None:
    pages = list(xray.get_paginator("get_service_graph").paginate(StartTime=FROM, EndTime=TO, GroupName="Default"))
    services = {
        service["Name"]: service for page in pages for service in page["Services"] if service["Type"] != "client"
    }
    assert services.keys() == {"shop", "pay.example.com"}
    assert services["shop"]["AccountId"] == "111122223333"


def test_analytics_counts_then_pages_through_four_quarters(xray: Any) -> None:
    """The count comes from the time series; the rate falls from one page to the next, under the same token."""
    series = xray.get_paginator("get_time_series_service_statistics").paginate(
        StartTime=FROM, EndTime=TO, GroupName="Default", Period=60
    )
    counted = sum(
        found["EdgeSummaryStatistics"]["TotalCount"] for page in series for found in page["TimeSeriesServiceStatistics"]
    )
    assert counted == COUNT
    quarter = (TO - FROM) / 4
    found: set[str] = set()
    for number in range(4):
        options: dict[str, Any] = {
            "StartTime": FROM + number * quarter,
            "EndTime": FROM + (number + 1) * quarter,
            "TimeRangeType": "Event",
            "Sampling": True,
        }
        answer = xray.get_trace_summaries(**options, SamplingStrategy={"Name": "FixedRate", "Value": 1.0})
        found |= {summary["Id"] for summary in answer["TraceSummaries"]}
        _check_causes(answer["TraceSummaries"])
        while token := answer.get("NextToken"):
            strategy = {"Name": "FixedRate", "Value": 0.5}
            answer = xray.get_trace_summaries(**options, SamplingStrategy=strategy, NextToken=token)
    assert len(found) == COUNT


def test_a_token_holds_when_the_rate_takes_its_trace_away(xray: Any) -> None:
    options: dict[str, Any] = {"StartTime": FROM, "EndTime": TO, "TimeRangeType": "Event", "Sampling": True}
    first = xray.get_trace_summaries(**options, SamplingStrategy={"Name": "FixedRate", "Value": 1.0})
    strategy = {"Name": "FixedRate", "Value": 0.0}
    rest = xray.get_trace_summaries(**options, SamplingStrategy=strategy, NextToken=first["NextToken"])
    assert rest["TraceSummaries"] == []


def _check_causes(summaries: list[Any]) -> None:
    """What the plugin reads of each without asking whether it is there."""
    for summary in summaries:
        for kind in ("ResponseTimeRootCauses", "ErrorRootCauses", "FaultRootCauses"):
            for cause in summary[kind]:
                assert all(service["Name"] and service["Type"] for service in cause["Services"])
                assert all(entity["Name"] for service in cause["Services"] for entity in service["EntityPath"])
        if summary["HasFault"]:
            (cause,) = summary["FaultRootCauses"]
            assert [service["Name"] for service in cause["Services"]] == ["shop", "pay.example.com"]
            assert cause["ClientImpacting"] is True


@pytest.mark.parametrize("options", [{}, {"States": ["ACTIVE"]}, {"States": ["CLOSED"]}])
def test_insights_of_every_group(xray: Any, options: dict[str, Any]) -> None:
    for group in xray.get_groups()["Groups"]:
        answer = xray.get_insight_summaries(StartTime=FROM, EndTime=TO, GroupName=group["GroupName"], **options)
        assert answer["InsightSummaries"] == []


@pytest.mark.parametrize(
    ("query", "kind"), [('service("shop")', "Service"), ('edge("shop", "pay.example.com")', "Edge")]
)
def test_a_time_series_of_a_service_or_an_edge(xray: Any, query: str, kind: str) -> None:
    pages = xray.get_paginator("get_time_series_service_statistics").paginate(
        StartTime=FROM, EndTime=TO, EntitySelectorExpression=query, Period=300
    )
    found = [statistics for page in pages for statistics in page["TimeSeriesServiceStatistics"]]
    figures = [statistics[f"{kind}SummaryStatistics"] for statistics in found]
    assert sum(one["TotalCount"] for one in figures) == COUNT
    assert sum(one["FaultStatistics"]["TotalCount"] for one in figures) == COUNT / 10
    assert all(one["TotalResponseTime"] > 0 for one in figures)
