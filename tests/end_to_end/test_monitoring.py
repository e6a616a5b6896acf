"""The saved queries, run on the logs of the deployed reference pipeline; the alarm on what could not be processed."""

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from traced_pipeline.saved_queries import lines_of_trace
from traced_pipeline_cli.aws.http import new_trace_id

from tests.support.end_to_end.deployed import Deployed
from tests.support.end_to_end.following import start, whole_trace
from tests.support.lambda_events import record
from tests.support.waiting import wait_for

Line = dict[str, Any]
_HOUR_SECONDS = 3600


def groups_of(pipeline: Deployed) -> list[str]:
    """The log groups that the saved queries search: those of both functions."""
    functions = pipeline.client("lambda")
    configurations = [functions.get_function_configuration(FunctionName=n) for n in pipeline.pipeline.functions]
    return [configuration["LoggingConfig"]["LogGroup"] for configuration in configurations]


def query(pipeline: Deployed, trace_id: str) -> list[str]:
    """What the saved query finds of a trace."""
    logs = pipeline.client("logs")
    now = int(time.time())
    started = logs.start_query(
        logGroupNames=groups_of(pipeline),
        startTime=now - _HOUR_SECONDS,
        endTime=now + _HOUR_SECONDS,
        queryString=lines_of_trace(trace_id),
    )
    results = logs.get_query_results(queryId=started["queryId"])["results"]
    return [field["value"] for row in results for field in row if field["field"] == "@message"]


def lines(pipeline: Deployed) -> Iterator[Line]:
    """All that both functions have logged in JSON, read without a query."""
    pages = pipeline.client("logs").get_paginator("filter_log_events")
    for group in groups_of(pipeline):
        for page in pages.paginate(logGroupName=group):
            for event in page["events"]:
                try:
                    line = json.loads(event["message"])
                except ValueError:
                    continue
                if isinstance(line, dict):
                    yield line


def of_trace(pipeline: Deployed, trace_id: str) -> list[str]:
    """The messages of those lines that say they are of a trace."""
    return sorted(str(line["message"]) for line in lines(pipeline) if line.get("xray_trace_id") == trace_id)


def queried(pipeline: Deployed, trace_id: str) -> list[str]:
    """The messages of the lines that the saved query finds."""
    return sorted(str(json.loads(line)["message"]) for line in query(pipeline, trace_id))


@pytest.fixture(scope="module")
def failed(bridged: Deployed) -> list[str]:
    """The traces of a batch of ten messages that the worker cannot process.

    Lambda is given the batch as its event source mapping gives it, since how many messages a poll finds is chance.
    """
    traces = [new_trace_id() for _ in range(10)]
    (worker,) = [name for name in bridged.pipeline.functions if "Worker" in name]
    records = [_record(number, trace_id) for number, trace_id in enumerate(traces)]
    bridged.client("lambda").invoke(FunctionName=worker, Payload=json.dumps({"Records": records}))
    wait_for(lambda: all(of_trace(bridged, trace_id) for trace_id in traces), what="the errors of all messages")
    return traces


def _record(number: int, trace_id: str) -> dict[str, Any]:
    header = f"Root={trace_id};Parent={uuid.uuid4().hex[:16]};Sampled=1"
    return {**record(number, trace=header), "body": "no JSON"}


def test_the_lines_of_a_request_are_those_of_both_functions(bridged: Deployed) -> None:
    trace_id = start(bridged, {"id": f"watched-{uuid.uuid4().hex}", "customer": "ann", "amount": 1})
    whole_trace(bridged, trace_id)
    wait_for(lambda: len(of_trace(bridged, trace_id)) >= 2, what="the lines of both functions")
    found = queried(bridged, trace_id)
    assert found == of_trace(bridged, trace_id)
    assert [any(word in line for line in found) for word in ("is published", "is done")] == [True, True]


def test_the_lines_of_each_message_of_a_batch_are_its_own(bridged: Deployed, failed: list[str]) -> None:
    for trace_id in failed:
        found = queried(bridged, trace_id)
        assert found == of_trace(bridged, trace_id)
        assert ["is not JSON" in line for line in found] == [True]
        others = set(failed) - {trace_id}
        assert not [line for line in query(bridged, trace_id) if any(other in line for other in others)]


def test_the_messages_came_in_one_batch(bridged: Deployed, failed: list[str]) -> None:
    requests = [line["requestId"] for line in lines(bridged) if line.get("xray_trace_id") in failed]
    assert (len(requests), len(set(requests))) == (10, 1)


def test_the_query_is_the_one_that_is_saved() -> None:
    trace_id = new_trace_id()
    assert f'"{trace_id}"' in lines_of_trace(trace_id)
    assert "00000000-000000000000000000000000" not in lines_of_trace(trace_id)


def test_the_pipelines_alarm_is_on_its_dead_letter_queue(bridged: Deployed) -> None:
    alarms = bridged.client("cloudwatch").describe_alarms()["MetricAlarms"]
    queues = {d["Value"] for alarm in alarms for d in alarm["Dimensions"] if d["Name"] == "QueueName"}
    (dead_letters,) = [url.rsplit("/", 1)[-1] for url in bridged.pipeline.queues if "DeadLetter" in url]
    assert dead_letters in queues
