"""What programs rely on: JSON keys, check ids and exit statuses. contract.json changes by intent alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from traced_pipeline_cli.aws.console import ConsoleLink
from traced_pipeline_cli.aws.http import Answer
from traced_pipeline_cli.aws.read_errors import Unread
from traced_pipeline_cli.commands import output
from traced_pipeline_cli.commands.main import COMMANDS
from traced_pipeline_cli.dead_letters.causes import Evidence, Reason
from traced_pipeline_cli.dead_letters.message import DeadLetterMessage, Origin
from traced_pipeline_cli.dead_letters.queues import DeadLetterQueue
from traced_pipeline_cli.dead_letters.redrive import Outcome
from traced_pipeline_cli.deployment.expected_path import route_of
from traced_pipeline_cli.deployment.model import AccountPart
from traced_pipeline_cli.diagnosis.checks import Check
from traced_pipeline_cli.diagnosis.diagnose import diagnose
from traced_pipeline_cli.diagnosis.trace_parts import Status
from traced_pipeline_cli.diagnosis.verdict import judge
from traced_pipeline_cli.exit_status import ExitStatus
from traced_pipeline_cli.render.json import answer_json, map_json
from traced_pipeline_cli.render.json_dead_letters import failed_json, redrive_json
from traced_pipeline_cli.render.json_verdict import verdict_json
from traced_pipeline_cli.traces.build_graph import build_map
from traced_pipeline_cli.traces.model import JsonObject
from traced_pipeline_cli.traces.parse import parse_trace

from tests.support import samples

from .deployments import DEAD, QUEUE, queue, with_worker

CONTRACT = json.loads(Path(__file__).with_name("contract.json").read_text(encoding="utf-8"))
ACCOUNT = (AccountPart(name="sns_permission", word="create", text="none"),)
UNREAD = (Unread(what="a queue", reason="denied"),)
CONSOLE = ConsoleLink(url="https://console.aws.amazon.com/", filter_expression=None)
ANSWER = Answer(status=202, headers={}, body="{}", trace_id=None, seconds=0.1)
MESSAGE = DeadLetterMessage(
    message_id="m", receipt="r", body="{}", attributes={"DeadLetterQueueSourceArn": QUEUE}, message_attributes={}
)
PLACE = DeadLetterQueue(queue=queue(DEAD), source_queues=(queue(),), subscriptions=(), subscribed_queues={})


def keys(value: object, path: str = "") -> Iterator[str]:
    """The paths of an object's keys, such as `hops[].name`; what X-Ray sent is X-Ray's."""
    if path.endswith((".documents", ".extra")):
        return
    if isinstance(value, dict):
        for key, held in value.items():
            below = f"{path}.{key}" if path else key
            yield below
            yield from keys(held, below)
    elif isinstance(value, list):
        for held in value:
            yield from keys(held, f"{path}[]")


def of_send() -> JsonObject:
    return {"answers": [answer_json(ANSWER)]}


def of_trace() -> JsonObject:
    traces = [parse_trace(sample) for sample in samples.unbridged(linked=True)]
    return map_json(build_map(traces), traces, {trace.id: CONSOLE for trace in traces})


def of_verify() -> JsonObject:
    deployment = replace(with_worker(concurrency=0), unread=UNREAD, account=ACCOUNT)
    [cause] = diagnose(deployment)
    remark = replace(cause, name="another")
    return verdict_json(deployment, judge(route_of(deployment), None, (cause, remark)), ANSWER, CONSOLE)


def of_failed() -> JsonObject:
    reasons = {"m": Reason(text="", evidence="none", traced=None)}
    return failed_json("S", [(PLACE, [MESSAGE], reasons)], [queue()], UNREAD, 0.0)


def of_redrive() -> JsonObject:
    return redrive_json("S", [Outcome(place=PLACE)])


RESULTS: dict[str, Callable[[], JsonObject]] = {
    "send": of_send,
    "trace": of_trace,
    "verify": of_verify,
    "failed": of_failed,
    "redrive": of_redrive,
}


def test_every_command_is_in_the_contract() -> None:
    assert [command.name for command in COMMANDS] == list(RESULTS) == list(CONTRACT["results"])


@pytest.mark.parametrize("command", list(RESULTS))
def test_the_json_keys_of_a_result(command: str) -> None:
    assert sorted(set(keys(RESULTS[command]()))) == CONTRACT["results"][command]


def test_the_envelope(capsys: pytest.CaptureFixture[str]) -> None:
    output.write_result("send", None)
    result = json.loads(capsys.readouterr().out)
    output.write_error("send", status=ExitStatus.NO, message="")
    error = json.loads(capsys.readouterr().out)
    assert list(keys(result)) == CONTRACT["envelope"]["result"]
    assert list(keys(error)) == CONTRACT["envelope"]["error"]
    assert result["version"] == error["version"] == CONTRACT["envelope"]["version"]


def test_the_ids_of_the_checks() -> None:
    assert [check.value for check in Check] == CONTRACT["checks"]


def test_the_exit_statuses() -> None:
    assert {status.name: status.value for status in ExitStatus} == CONTRACT["exit_statuses"]


def test_the_words_in_results() -> None:
    found = {"status of a hop": get_args(Status), "origin": get_args(Origin), "evidence": get_args(Evidence)}
    assert {name: list(words) for name, words in found.items()} == CONTRACT["words"]
