from __future__ import annotations

import boto3
import pytest
from traced_pipeline_cli.aws.xray import Progress, TracesIncompleteError, get_traces, wait_for_traces
from traced_pipeline_cli.traces.build_graph import build_map
from traced_pipeline_cli.traces.graph_model import TraceMap

from tests.support import samples

from .fake_aws import FakeAws


def test_traces_come_in_chunks_of_five_and_in_pages(aws: FakeAws) -> None:
    answers = [samples.bridged(number) for number in range(1, 13)]
    aws.add(*answers)
    ids = [answer["Id"] for answer in answers]
    client = boto3.client("xray", region_name="us-east-1")
    assert [trace.id for trace in get_traces(client, [*ids, "1-00000000-000000000000000000000000"])] == ids
    assert [len(asked) for asked in aws.asked] == [5, 5, 3]


def test_waiting_asks_only_for_what_is_not_done(aws: FakeAws) -> None:
    early, late = samples.bridged(1), samples.bridged(2)
    aws.add(early)
    aws.on_ask = lambda times: aws.add(late) if times == 2 else None
    seen: list[Progress] = []
    client = boto3.client("xray", region_name="us-east-1")
    found = wait_for_traces(client, [late["Id"], early["Id"]], lambda _: True, 20, progress=seen.append, interval=0.01)
    assert [trace.id for trace in found] == [late["Id"], early["Id"]]
    assert aws.asked == [[late["Id"], early["Id"]], [late["Id"]]]
    assert [(now.wanted, now.found, now.done) for now in seen] == [(2, 1, 1), (2, 2, 2)]


def test_waiting_ends_and_says_what_is_missing(aws: FakeAws) -> None:
    there = samples.unbridged(1)[0]
    aws.add(there)
    missing = "1-00000000-000000000000000000000000"
    client = boto3.client("xray", region_name="us-east-1")
    with pytest.raises(TracesIncompleteError, match="did not become complete") as raised:
        wait_for_traces(client, [there["Id"], missing], _whole, 0.05, interval=0.01)
    assert [trace.id for trace in raised.value.traces] == [there["Id"]]
    assert raised.value.missing == (missing,)
    assert raised.value.unfinished == (there["Id"],)


def _whole(trace: object) -> bool:
    found: TraceMap = build_map([trace])  # type: ignore[list-item]
    return found.traces[0].ends_in_table
