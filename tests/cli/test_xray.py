from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from traced_pipeline_cli.aws import xray
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


class Throttled:
    """A client whose questions are answered with these errors, or else by the real one."""

    def __init__(self, client: object, errors: dict[int, Exception]) -> None:
        self._client: Any = client
        self._errors = errors
        self.questions = 0

    def get_paginator(self, operation: str) -> object:
        self.questions += 1
        if (error := self._errors.get(self.questions)) is not None:
            raise error
        return self._client.get_paginator(operation)


def refused(code: str, status: int = 400) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "BatchGetTraces")


@pytest.mark.parametrize(
    "error",
    [
        refused("ThrottlingException"),
        refused("InternalFailure", 500),
        EndpointConnectionError(endpoint_url="https://x"),
    ],
)
def test_a_wait_outlasts_what_passes(aws: FakeAws, error: Exception) -> None:
    answer = samples.bridged()
    aws.on_ask = lambda times: aws.add(answer) if times == 2 else None
    client: Any = Throttled(boto3.client("xray", region_name="us-east-1"), {2: error})
    [trace] = wait_for_traces(client, [answer["Id"]], lambda _: True, 20, interval=0.01)
    assert (trace.id, client.questions) == (answer["Id"], 3)


def test_a_wait_that_ends_unanswered_takes_no_trace_for_missing(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xray, "time", SimpleNamespace(monotonic=itertools.count().__next__, sleep=lambda _: None))
    errors: dict[int, Exception] = dict.fromkeys(range(2, 1000), EndpointConnectionError(endpoint_url="https://x"))
    client: Any = Throttled(boto3.client("xray", region_name="us-east-1"), errors)
    with pytest.raises(EndpointConnectionError):
        wait_for_traces(client, ["1-00000000-000000000000000000000000"], lambda _: True, 10, interval=1)
    assert client.questions == 10


@pytest.mark.parametrize(
    ("question", "error"),
    [
        (1, refused("ThrottlingException")),
        (1, EndpointConnectionError(endpoint_url="https://x")),
        (2, refused("AccessDeniedException", 403)),
        (2, refused("ExpiredTokenException", 403)),
    ],
)
def test_a_wait_ends_with_what_does_not_pass(aws: FakeAws, question: int, error: Exception) -> None:
    client: Any = Throttled(boto3.client("xray", region_name="us-east-1"), {question: error})
    with pytest.raises(type(error)):
        wait_for_traces(client, ["1-00000000-000000000000000000000000"], lambda _: True, 20, interval=0.01)
    assert client.questions == question
