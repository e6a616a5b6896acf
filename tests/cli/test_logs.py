from __future__ import annotations

import json
import re
from pathlib import Path

import boto3
import pytest
from traced_pipeline_cli.__main__ import main
from traced_pipeline_cli.aws.logs import FunctionLogs, fetch_logs
from traced_pipeline_cli.traces.parse import parse_traces

from tests.support import samples

from .fake_aws import FakeAws

GROUP = "/aws/pipeline/worker"


def answer(number: int = 1) -> samples.Document:
    """A trace of one function whose segment names no log group."""
    made = samples.Answer(number, start=samples.EPOCH + number)
    made.function(samples.WORKER, None, 0.0, 0.2, [])
    return made.json()


def event(second: float, message: str, stream: str = "one") -> samples.Document:
    return {"timestamp": int((samples.EPOCH + second) * 1000), "message": message, "logStreamName": stream}


def fetched(*answers: samples.Document) -> FunctionLogs:
    found = fetch_logs(boto3.Session(region_name="us-east-1"), parse_traces(answers))
    assert list(found) == [samples.WORKER]
    return found[samples.WORKER]


def test_lines_are_found_by_request_id_and_trace_id(aws: FakeAws) -> None:
    first, second = answer(1), answer(2)
    aws.log_groups = {samples.WORKER: GROUP}
    aws.logs = {
        GROUP: [
            event(1.0, json.dumps({"requestId": "request-1", "message": "by request"})),
            event(1.1, f"by trace {first['Id']}\n"),
            event(1.2, "another's request-9"),
            event(2.1, "request-2 of the second"),
        ]
    }
    logs = fetched(first, second)
    assert logs.group == GROUP
    assert logs.problem is None
    assert [(line.message, line.trace_ids) for line in logs.lines] == [
        ('{"requestId": "request-1", "message": "by request"}', (first["Id"],)),
        (f"by trace {first['Id']}", (first["Id"],)),
        ("request-2 of the second", (second["Id"],)),
    ]
    assert logs.lines[0].time == pytest.approx(samples.EPOCH + 1.0)


@pytest.mark.parametrize(
    "start",
    [
        "START RequestId: request-{} Version: $LATEST",
        '{{"type":"platform.start","record":{{"requestId":"request-{}","version":"$LATEST"}}}}',
    ],
)
def test_lines_without_an_id_belong_to_the_invocation_their_stream_is_at(aws: FakeAws, start: str) -> None:
    aws.log_groups = {samples.WORKER: GROUP}
    aws.page = 1
    aws.logs = {
        GROUP: [
            event(1.00, "before it", "one"),
            event(1.01, start.format(1), "one"),
            event(1.02, start.format(77), "two"),
            event(1.03, "mine", "one"),
            event(1.04, "another's", "two"),
            event(1.05, start.format(78), "one"),
            event(1.06, "the next one's", "one"),
        ]
    }
    assert [line.message for line in fetched(answer()).lines] == [start.format(1), "mine"]


def worked(number: int) -> tuple[samples.Document, str]:
    """A trace of one message, of a batch of several, and the id of its segment."""
    made = samples.Answer(number, start=samples.EPOCH + 1)
    [delivery] = samples.to_the_queue(made)
    segment = samples.bridged_worker(made, delivery)
    return made.json(), segment["id"]


def line_of(answer: samples.Document, segment: str | None, message: str, **more: str) -> str:
    """A line in Lambda's JSON format, with the fields that the bridge gives it."""
    fields = {"message_id": message, "xray_trace_id": answer["Id"]} | ({"segment_id": segment} if segment else {})
    own = {"requestId": "r-1", "lambda_xray_trace_id": samples.Answer(99).trace_id}
    return json.dumps({"message": f"about {message}", **own, **fields, **more})


def of_the_worker(*answers: samples.Document) -> dict[str, tuple[tuple[str, ...], str | None]]:
    """What the lines of the worker belong to, by their texts."""
    found = fetch_logs(boto3.Session(region_name="us-east-1"), parse_traces(answers))[samples.WORKER]
    return {json.loads(line.message)["message"]: (line.trace_ids, line.segment_id) for line in found.lines}


def test_messages_of_one_invocation_have_their_own_lines(aws: FakeAws) -> None:
    (first, one), (second, two), (third, three) = worked(1), worked(2), worked(3)
    outside = {"message": "of the invocation", "requestId": "r-1", "xray_trace_id": samples.Answer(99).trace_id}
    aws.log_groups = {samples.WORKER: GROUP, samples.INGEST: "/in"}
    aws.logs = {
        "/in": [],
        GROUP: [
            event(1.5, line_of(first, one, "m-1")),
            event(1.5, line_of(second, two, "m-2")),
            event(1.5, line_of(third, three, "m-3")),
            event(1.5, json.dumps({**outside, "lambda_xray_trace_id": samples.Answer(99).trace_id})),
            event(1.5, line_of({"Id": samples.Answer(77).trace_id}, None, "unsampled")),
            event(1.5, line_of(first, "mine", "own segment id")),
        ],
    }
    shared = ((first["Id"], second["Id"]), None)
    assert of_the_worker(first, second) == {
        "about m-1": ((first["Id"],), one),
        "about m-2": ((second["Id"],), two),
        "about own segment id": ((first["Id"],), None),
        "of the invocation": shared,
    }


def test_a_line_that_only_mentions_another_message_stays_its_own(aws: FakeAws) -> None:
    (first, one), (second, _) = worked(1), worked(2)
    aws.log_groups = {samples.WORKER: GROUP, samples.INGEST: "/in"}
    aws.logs = {"/in": [], GROUP: [event(1.5, line_of(first, one, "m-1", cause=f"see {second['Id']}"))]}
    assert of_the_worker(first, second) == {"about m-1": ((first["Id"],), one)}


def test_fields_of_the_applications_own_change_nothing(aws: FakeAws) -> None:
    first, _ = worked(1)
    aws.log_groups = {samples.WORKER: GROUP, samples.INGEST: "/in"}
    own = {"message": "own", "requestId": "r-1", "message_id": "17", "xray_trace_id": samples.Answer(99).trace_id}
    aws.logs = {"/in": [], GROUP: [event(1.5, json.dumps(own)), event(1.5, json.dumps({"message": "r-1", "a": [1]}))]}
    assert of_the_worker(first) == {"own": ((first["Id"],), None), "r-1": ((first["Id"],), None)}


def test_the_group_that_the_segments_name_is_believed(aws: FakeAws) -> None:
    made = samples.Answer(1)
    segment = made.function(samples.WORKER, None, 0.0, 0.2, [])
    segment["aws"]["cloudwatch_logs"] = [{"log_group": GROUP}]
    aws.logs = {GROUP: [event(0.1, "request-1")]}
    assert [line.message for line in fetched(made.json()).lines] == ["request-1"]


def test_only_the_time_of_the_traces_is_asked_for(aws: FakeAws) -> None:
    aws.log_groups = {samples.WORKER: GROUP}
    aws.logs = {GROUP: [event(-60, "request-1 long before"), event(60, "request-1 long after")]}
    logs = fetched(answer())
    assert logs.lines == ()
    assert logs.problem is not None
    assert "There are no lines" in logs.problem


@pytest.mark.parametrize(
    ("denied", "groups", "said"),
    [
        ({"FilterLogEvents"}, {samples.WORKER: GROUP}, "need the permission logs:FilterLogEvents"),
        ({"GetFunctionConfiguration"}, {}, "need the permission lambda:GetFunctionConfiguration"),
        (set(), {}, "Function not found"),
        (set(), {samples.WORKER: "/gone"}, "The specified log group does not exist"),
    ],
)
def test_what_cannot_be_fetched_is_reported(aws: FakeAws, denied: set[str], groups: dict[str, str], said: str) -> None:
    aws.log_groups, aws.denied, aws.logs = groups, denied, {GROUP: []}
    logs = fetched(answer())
    assert logs.lines == ()
    assert logs.problem is not None
    assert said in logs.problem


def test_a_function_of_another_region_is_reported(aws: FakeAws) -> None:
    found = fetch_logs(boto3.Session(region_name="eu-west-1"), parse_traces([answer()]))
    assert "The function is in us-east-1" in (found[samples.WORKER].problem or "")


def test_very_many_lines_are_cut_and_it_is_reported(aws: FakeAws) -> None:
    aws.log_groups = {samples.WORKER: GROUP}
    aws.page = 5_000
    aws.logs = {GROUP: [event(1.0, f"request-1 {number}") for number in range(12_000)]}
    logs = fetched(answer())
    assert len(logs.lines) == 5_000
    assert logs.problem == "Only the first 5,000 lines were fetched; there may be more."


def test_traces_without_functions_ask_for_nothing(aws: FakeAws) -> None:
    made = samples.Answer(1)
    made.segment("s", "AWS::ECS::Container", 0, 1)
    assert fetch_logs(boto3.Session(region_name="us-east-1"), parse_traces([made.json()])) == {}


def test_the_command_puts_the_logs_into_the_page(
    aws: FakeAws, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.add(answer())
    aws.log_groups = {samples.WORKER: GROUP}
    aws.logs = {GROUP: [event(1.0, "request-1 says hello")]}
    file = tmp_path / "new" / "page.html"
    assert main(["trace", answer()["Id"], "--html", str(file)]) == 0
    assert f"The page is in {file}." in capsys.readouterr().out
    assert _logs(file)[0]["lines"][0]["text"] == "request-1 says hello"
    assert main(["trace", answer()["Id"], "--html", str(file), "--no-logs"]) == 0
    assert _logs(file) == [{"group": None, "problem": "Logs were not fetched.", "lines": []}]
    aws.denied = {"FilterLogEvents"}
    assert main(["trace", answer()["Id"], "--html", str(file)]) == 0
    assert "logs:FilterLogEvents" in _logs(file)[0]["problem"]
    assert [path.name for path in file.parent.iterdir()] == ["page.html"]


def _logs(page: Path) -> list[samples.Document]:
    found = re.search(r'id="data">(.*?)</script>', page.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    logs: list[samples.Document] = json.loads(found.group(1))["logs"]
    return logs
