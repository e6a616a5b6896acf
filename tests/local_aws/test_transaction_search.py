"""Transaction Search: switched on, BatchGetTraces finds indexed traces only, and retrieval finds the others."""

import datetime as dt
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.account import Account
from tests.support.local_aws.xray import put, spans_policy
from tests.support.waiting import wait_for

NOW = time.time()


@pytest.fixture
def search(aws: Account) -> Iterator[Any]:
    """X-Ray's client, with Transaction Search on and nothing indexed."""
    logs, xray = aws.client("logs"), aws.client("xray")
    logs.put_resource_policy(policyName="spans", policyDocument=spans_policy())
    assert xray.update_trace_segment_destination(Destination="CloudWatchLogs")["Destination"] == "CloudWatchLogs"
    wait_for(lambda: xray.get_trace_segment_destination()["Status"] == "ACTIVE")
    index(xray, 0)
    yield xray
    index(xray, 1)
    xray.update_trace_segment_destination(Destination="XRay")
    logs.delete_resource_policy(policyName="spans")


def index(xray: Any, percentage: float) -> None:
    xray.update_indexing_rule(Name="Default", Rule={"Probabilistic": {"DesiredSamplingPercentage": percentage}})


def trace(number: int, *, segments: int = 1) -> list[dict[str, Any]]:
    trace_id = f"1-{int(NOW):08x}-{number:024x}"
    return [
        {"name": "shop", "id": f"{n + 1:016x}", "trace_id": trace_id, "start_time": NOW, "end_time": NOW + 1}
        for n in range(segments)
    ]


def retrieve(xray: Any, *trace_ids: str, start: float = NOW - 60) -> dict[str, list[str]]:
    """Retrieve traces; the ids of their spans by trace."""
    begin = dt.datetime.fromtimestamp(start, dt.UTC)
    token = xray.start_trace_retrieval(
        TraceIds=list(trace_ids), StartTime=begin, EndTime=begin + dt.timedelta(minutes=10)
    )["RetrievalToken"]
    first = xray.list_retrieved_traces(RetrievalToken=token)
    assert (first["RetrievalStatus"], first["Traces"]) == ("RUNNING", [])
    wait_for(lambda: xray.list_retrieved_traces(RetrievalToken=token)["RetrievalStatus"] == "COMPLETE")
    spans: dict[str, list[str]] = {}
    more: dict[str, str] = {}
    while True:
        answer = xray.list_retrieved_traces(RetrievalToken=token, TraceFormat="XRAY", **more)
        assert len(answer["Traces"]) <= 5
        for found in answer["Traces"]:
            assert len(found["Spans"]) <= 100
            for span in found["Spans"]:
                assert json.loads(span["Document"])["id"] == span["Id"]
            spans.setdefault(found["Id"], []).extend(span["Id"] for span in found["Spans"])
        if "NextToken" not in answer:
            return spans
        more = {"NextToken": answer["NextToken"]}


def test_it_takes_a_policy_of_cloudwatch_logs(aws: Account) -> None:
    xray = aws.client("xray")
    assert xray.get_trace_segment_destination()["Destination"] == "XRay"
    with pytest.raises(ClientError, match=r"AccessDeniedException.*PutLogEvents on the aws/spans Log Group"):
        xray.update_trace_segment_destination(Destination="CloudWatchLogs")
    assert xray.get_trace_segment_destination()["Destination"] == "XRay"
    with pytest.raises(RuntimeError, match=r"aws/spans.*HandlerErrorCode: AccessDenied"):
        aws.deploy("search-denied", {"Resources": {"S": {"Type": "AWS::XRay::TransactionSearchConfig"}}})


def test_an_unindexed_trace_is_found_by_retrieval_alone(search: Any, aws: Account) -> None:
    (hidden,) = trace(0x5EA0)
    put(aws, hidden)
    assert search.batch_get_traces(TraceIds=[hidden["trace_id"]])["Traces"] == []
    start = dt.datetime.fromtimestamp(NOW - 1, dt.UTC)
    summaries = search.get_trace_summaries(StartTime=start, EndTime=start + dt.timedelta(seconds=5))["TraceSummaries"]
    assert hidden["trace_id"] not in {summary["Id"] for summary in summaries}
    assert retrieve(search, hidden["trace_id"]) == {hidden["trace_id"]: [hidden["id"]]}
    assert retrieve(search, hidden["trace_id"], start=NOW - 3600) == {}


def test_an_indexed_trace_is_found_by_both(search: Any, aws: Account) -> None:
    index(search, 100)
    (found,) = trace(0x5EA1)
    put(aws, found)
    assert [answer["Id"] for answer in search.batch_get_traces(TraceIds=[found["trace_id"]])["Traces"]] == [
        found["trace_id"]
    ]
    assert found["trace_id"] in retrieve(search, found["trace_id"])


def test_half_of_the_traces_are_indexed_whole(search: Any, aws: Account) -> None:
    index(search, 50)
    ids = []
    for number in range(0x5F00, 0x5F00 + 40):
        first, second = trace(number, segments=2)
        put(aws, first)
        put(aws, second)
        ids.append(first["trace_id"])
    sizes = [
        len(found["Segments"])
        for at in range(0, len(ids), 5)
        for found in search.batch_get_traces(TraceIds=ids[at : at + 5])["Traces"]
    ]
    assert 8 <= len(sizes) <= 32
    assert set(sizes) == {2}


def test_large_retrievals_come_in_pages(search: Any, aws: Account) -> None:
    large = trace(0x5EB0, segments=730)
    for at in range(0, len(large), 50):
        put(aws, *large[at : at + 50])
    assert retrieve(search, large[0]["trace_id"])[large[0]["trace_id"]] == [segment["id"] for segment in large]


def test_a_graph_of_what_was_retrieved_and_cancelling(search: Any, aws: Account) -> None:
    (segment,) = trace(0x5EC0)
    put(aws, segment)
    begin = dt.datetime.fromtimestamp(NOW - 60, dt.UTC)
    window = {"StartTime": begin, "EndTime": begin + dt.timedelta(minutes=10)}
    token = search.start_trace_retrieval(TraceIds=[segment["trace_id"]], **window)["RetrievalToken"]
    wait_for(lambda: search.get_retrieved_traces_graph(RetrievalToken=token)["RetrievalStatus"] == "COMPLETE")
    services = search.get_retrieved_traces_graph(RetrievalToken=token)["Services"]
    assert {(found["Service"]["Name"], found["Service"].get("Type")) for found in services} == {
        ("shop", None),
        ("shop", "client"),
    }
    search.cancel_trace_retrieval(RetrievalToken=token)
    assert search.list_retrieved_traces(RetrievalToken=token)["RetrievalStatus"] == "CANCELLED"
    with pytest.raises(search.exceptions.ResourceNotFoundException):
        search.list_retrieved_traces(RetrievalToken="unknown")


def test_a_stack_switches_it_on(aws: Account) -> None:
    logs, xray, stacks = aws.client("logs"), aws.client("xray"), aws.client("cloudformation")
    logs.put_resource_policy(policyName="spans", policyDocument=spans_policy())
    config = {"Type": "AWS::XRay::TransactionSearchConfig", "Properties": {"IndexingPercentage": 7}}
    outputs = aws.deploy("search", {"Resources": {"S": config}, "Outputs": {"Id": {"Value": {"Ref": "S"}}}})
    assert outputs == {"Id": "000000000000"}
    assert xray.get_trace_segment_destination()["Destination"] == "CloudWatchLogs"
    (rule,) = xray.get_indexing_rules()["IndexingRules"]
    assert rule["Rule"]["Probabilistic"]["DesiredSamplingPercentage"] == 7
    stacks.delete_stack(StackName="search")
    wait_for(lambda: xray.get_trace_segment_destination()["Destination"] == "XRay")
    logs.delete_resource_policy(policyName="spans")
    index(xray, 1)
