"""Traces that Transaction Search keeps in its log group, and X-Ray has not indexed."""

from __future__ import annotations

import json
import time

import boto3
import pytest
from traced_pipeline_cli.__main__ import main
from traced_pipeline_cli.aws.transaction_search import RetrievalError, retrieve
from traced_pipeline_cli.aws.xray import TraceReader, wait_for_traces

from tests.support import samples

from .fake_aws import FakeAws

Output = pytest.CaptureFixture[str]


@pytest.fixture
def reader(aws: FakeAws) -> TraceReader:
    return TraceReader(boto3.client("xray", region_name="us-east-1"))


def test_what_is_not_indexed_comes_out_of_the_log_group(aws: FakeAws, reader: TraceReader) -> None:
    answers = [samples.bridged(number) for number in range(1, 9)]
    aws.destination = "CloudWatchLogs"
    aws.add(answers[0])
    aws.logged = {answer["Id"]: answer for answer in answers[1:]}
    ids = [answer["Id"] for answer in answers]
    found = reader.get([*ids, "1-00000000-000000000000000000000000"])
    assert [trace.id for trace in found] == ids
    assert [len(trace.segments) for trace in found] == [len(answer["Segments"]) for answer in answers]
    assert [len(retrieval["TraceIds"]) for retrieval in aws.retrievals] == [5, 3]


def test_without_transaction_search_nothing_is_retrieved(aws: FakeAws, reader: TraceReader) -> None:
    answer = samples.bridged()
    aws.logged = {answer["Id"]: answer}
    assert reader.get([answer["Id"]]) == []
    assert aws.retrievals == []
    assert reader.destination == "XRay"


def test_who_may_not_ask_for_the_destination_gets_what_is_indexed(aws: FakeAws, reader: TraceReader) -> None:
    answer = samples.bridged()
    aws.add(answer)
    aws.denied = {"GetTraceSegmentDestination"}
    assert [trace.id for trace in reader.get([answer["Id"], "1-00000000-000000000000000000000000"])] == [answer["Id"]]
    assert reader.destination is None


def test_the_time_looked_through_begins_before_the_trace(aws: FakeAws, reader: TraceReader) -> None:
    aws.destination = "CloudWatchLogs"
    begun = int(time.time()) - 3600
    reader.get([f"1-{begun:08x}-{1:024x}", f"1-{begun + 60:08x}-{2:024x}"])
    reader.get(["1-00000000-0123456789abcdef01234567"])
    dated, random = aws.retrievals
    assert dated["StartTime"] <= begun < time.time() - 3000 < dated["EndTime"]
    assert random["StartTime"] == pytest.approx(time.time() - 86_400, abs=600)


def test_a_retrieval_is_waited_for(aws: FakeAws, reader: TraceReader) -> None:
    answer = samples.bridged()
    aws.destination, aws.logged = "CloudWatchLogs", {answer["Id"]: answer}
    aws.statuses = ["SCHEDULED", "COMPLETE"]
    [trace] = wait_for_traces(reader, [answer["Id"]], lambda _: True, 20)
    assert trace.id == answer["Id"]


def test_a_retrieval_that_fails_or_does_not_end_is_said(aws: FakeAws) -> None:
    client = boto3.client("xray", region_name="us-east-1")
    aws.statuses = ["FAILED"]
    with pytest.raises(RetrievalError, match="log group: FAILED"):
        retrieve(client, [samples.bridged()["Id"]])
    aws.statuses = ["RUNNING"]
    with pytest.raises(RetrievalError, match="still searching for the traces"):
        retrieve(client, [samples.bridged()["Id"]], timeout=0)


def test_trace_shows_it(aws: FakeAws, capsys: Output) -> None:
    answer = samples.bridged()
    aws.destination, aws.logged = "CloudWatchLogs", {answer["Id"]: answer}
    assert main(["trace", answer["Id"], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["result"]["summary"] == "1 trace, 1 cluster, 6 nodes"
