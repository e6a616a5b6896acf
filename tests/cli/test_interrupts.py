"""Ctrl-C, SIGTERM and errors amid a command: nothing is left half done, and the message says what was done."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from traced_pipeline_cli.__main__ import main
from traced_pipeline_cli.aws import http
from traced_pipeline_cli.aws.read_errors import Reads
from traced_pipeline_cli.commands import main as commands
from traced_pipeline_cli.commands import redrive, send, verify
from traced_pipeline_cli.dead_letters.message import DeadLetterMessage, held
from traced_pipeline_cli.dead_letters.queues import DeadLetterQueue, DeadLetterQueues
from traced_pipeline_cli.dead_letters.redrive import RedriveError, move_back, resend_message
from traced_pipeline_cli.interrupts import ended_like_ctrl_c, telling, uninterrupted

from tests.support import samples

from .deployments import DEAD, QUEUE, WHOLE, queue
from .fake_aws import FakeAws

Output = pytest.CaptureFixture[str]
PLACE = queue(DEAD, dead_letter_queue=None, attempts=None)
WORK = queue()


def ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


@dataclass
class FakeQueues:
    """A dead-letter queue and its source queue, as the SQS client answers for them.

    Attributes:
        dead: The dead-letter messages, by id.
        hidden: The ids of those that a reader holds.
        work: The bodies that were sent to the source queue.
        before: What happens while a call is under way, before it is answered.
        tasks: What `ListMessageMoveTasks` answers, one after the other.
    """

    dead: dict[str, str]
    hidden: set[str] = field(default_factory=set)
    work: list[str] = field(default_factory=list)
    before: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    tasks: list[dict[str, Any]] = field(default_factory=list)
    source: str | None = None

    def _called(self, operation: str) -> None:
        self.before.get(operation, lambda: None)()

    def receive_message(self, *, MaxNumberOfMessages: int, **_: object) -> dict[str, Any]:  # noqa: N803
        chosen = [name for name in self.dead if name not in self.hidden][:MaxNumberOfMessages]
        self.hidden |= set(chosen)
        self._called("receive")
        source = {} if self.source is None else {"DeadLetterQueueSourceArn": self.source}
        return {
            "Messages": [
                {"MessageId": name, "ReceiptHandle": name, "Body": self.dead[name], "Attributes": source}
                for name in chosen
            ]
        }

    def change_message_visibility_batch(self, *, Entries: list[dict[str, Any]], **_: object) -> None:  # noqa: N803
        self._called("put back")
        self.hidden -= {entry["ReceiptHandle"] for entry in Entries}

    def send_message(self, *, MessageBody: str, **_: object) -> None:  # noqa: N803
        self.work.append(MessageBody)
        self._called("send")

    def delete_message(self, *, ReceiptHandle: str, **_: object) -> None:  # noqa: N803
        del self.dead[ReceiptHandle]

    def start_message_move_task(self, **_: object) -> None:
        self._called("start")

    def list_message_move_tasks(self, **_: object) -> dict[str, Any]:
        self._called("list")
        return {"Results": [self.tasks.pop(0)] if self.tasks else []}


def bodies(number: int) -> dict[str, str]:
    return {f"m-{index}": f"body {index}" for index in range(number)}


def message(name: str) -> DeadLetterMessage:
    return DeadLetterMessage(
        message_id=name, receipt=name, body=f"body of {name}", attributes={}, message_attributes={}
    )


@pytest.mark.parametrize("operation", ["receive", "put back"])
def test_no_message_stays_hidden_after_ctrl_c(operation: str) -> None:
    presses = iter([ctrl_c])
    queues: Any = FakeQueues(bodies(25), before={operation: lambda: next(presses, lambda: None)()})
    with pytest.raises(KeyboardInterrupt), held(queues, PLACE.url, limit=100, reads=Reads()):
        pass
    assert queues.hidden == set()


def test_a_message_is_never_in_both_queues_after_ctrl_c() -> None:
    queues: Any = FakeQueues({"m-1": "body"}, before={"send": ctrl_c})
    with pytest.raises(KeyboardInterrupt):
        resend_message(queues, PLACE, message("m-1"), WORK)
    assert (queues.dead, len(queues.work)) == ({}, 1)


def test_a_second_ctrl_c_is_not_put_off() -> None:
    passed = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        ctrl_c()
        passed.append(1)
        ctrl_c()
        passed.append(2)
    assert passed == [1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_ends_the_process_is_like_ctrl_c(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), ended_like_ctrl_c():
        with uninterrupted():
            signal.raise_signal(number)
            done = True
        pytest.fail("it ends where the block is through")
    assert done
    assert signal.getsignal(number) is before


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ended_like_ctrl_c(), uninterrupted():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_sigterm_is_status_130(aws: FakeAws, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "connect", lambda **_: signal.raise_signal(signal.SIGTERM))
    assert main(["send", "TracedPipeline", "--json"]) == 130
    assert json.loads(capsys.readouterr().out)["error"] == {"status": 130, "message": "Interrupted."}


def test_nothing_is_told_where_nothing_was_done() -> None:
    with pytest.raises(ValueError, match="wrong") as error, telling(lambda: ""):
        raise ValueError("wrong")
    assert not hasattr(error.value, "__notes__")


@pytest.mark.parametrize("ends", [ctrl_c, lambda: ClientError({"Error": {"Code": "X", "Message": "Y"}}, "Z")])
def test_send_says_how_many_requests_were_answered(
    aws: FakeAws, capsys: Output, monkeypatch: pytest.MonkeyPatch, ends: Callable[[], Exception | None]
) -> None:
    def posting(**arguments: Any) -> http.Answer:
        if len(aws.posted) == 2 and (error := ends()) is not None:
            raise error
        return http.send(**arguments)

    monkeypatch.setattr(send, "send", posting)
    assert main(["send", "TracedPipeline", "--count", "5"]) in (4, 130)
    assert "Before that, 2 of 5 requests were answered; one more may" in capsys.readouterr().err


def test_verify_says_which_trace_it_waited_for(aws: FakeAws, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "_wait", lambda *_: ctrl_c())
    assert main(["verify", "TracedPipeline", "--region", "us-east-1"]) == 130
    trace_id = f"1-{int(samples.EPOCH):08x}-{1:024x}"
    said = capsys.readouterr().err
    follow = f"traced-pipeline trace {trace_id} --wait 30 --region us-east-1"
    assert f"traced-pipeline: Interrupted. The request was posted; follow its trace by `{follow}`.\n" in said


def test_verify_names_the_trace_of_a_request_that_was_not_answered(
    aws: FakeAws, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unanswered(**_: object) -> None:
        raise ReadTimeoutError(endpoint_url=aws.api_url)

    monkeypatch.setattr(verify, "send", unanswered)
    monkeypatch.setattr(verify, "new_trace_id", lambda: "1-6b096c0c-15527a00f01998d0deec1b25")
    assert main(["verify", "TracedPipeline"]) == 4
    follow = "traced-pipeline trace 1-6b096c0c-15527a00f01998d0deec1b25 --wait 30"
    assert f" The request may have been processed; follow its trace by `{follow}`.\n" in capsys.readouterr().err


@dataclass
class Redriving:
    """`redrive` on a dead-letter queue that the fake client answers for."""

    queues: FakeQueues
    complete: bool = True

    def run(self, monkeypatch: pytest.MonkeyPatch, *arguments: str, ask: bool = False) -> int:
        session: Any = SimpleNamespace(client=lambda _: self.queues)
        place = DeadLetterQueue(queue=PLACE, source_queues=(WORK,), subscriptions=(), subscribed_queues={})
        found = DeadLetterQueues(deployment=WHOLE, queues=(place,), log_groups={}, complete=self.complete)
        monkeypatch.setattr(commands, "connect", lambda **_: SimpleNamespace(session=session))
        monkeypatch.setattr(redrive, "find_parts", lambda *_, **__: SimpleNamespace(stack="S"))
        monkeypatch.setattr(redrive, "dead_letter_queues", lambda *_: found)
        return main(["redrive", "S", *([] if ask else ["--yes"]), *arguments])


def test_redrive_says_what_was_moved_before_ctrl_c(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    queues = FakeQueues(bodies(5))
    queues.before = {"send": lambda: ctrl_c() if len(queues.work) == 3 else None}
    assert Redriving(queues).run(monkeypatch) == 130
    assert capsys.readouterr().err == "traced-pipeline: Interrupted. Before that, dead: 3 messages resent.\n"
    assert (len(queues.dead), len(queues.work), queues.hidden) == (2, 3, set())


def test_redrive_says_what_was_moved_before_an_error(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    def denied() -> None:
        if len(queues.work) == 3:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "No."}}, "SendMessage")

    queues = FakeQueues(bodies(5), before={"send": denied})
    assert Redriving(queues).run(monkeypatch, "--json") == 4
    message = json.loads(capsys.readouterr().out)["error"]["message"]
    assert message.endswith("AWS says: No. Before that, dead: 2 messages resent.")
    assert queues.hidden == set()


def test_redrive_says_that_sqs_goes_on_after_ctrl_c(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    queues = FakeQueues(bodies(5), before={"list": ctrl_c}, source=QUEUE)
    assert Redriving(queues).run(monkeypatch) == 130
    assert capsys.readouterr().err == "traced-pipeline: Interrupted. SQS's move task of dead goes on by itself.\n"


def test_messages_are_resent_while_they_are_hidden(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    monkeypatch.setattr(redrive, "_RESEND_SECONDS", 0.0)
    read: list[int] = []
    queues = FakeQueues(bodies(5))
    queues.before = {"receive": lambda: read.append(len(queues.dead))}
    assert Redriving(queues).run(monkeypatch) == 0
    assert (queues.dead, len(queues.work)) == ({}, 5)
    assert {5, 4, 3, 2, 1} <= set(read), "once the time is nearly up, the others are put back and read again"


def test_a_move_task_is_followed_through_throttling() -> None:
    error = ClientError({"Error": {"Code": "RequestThrottled", "Message": ""}}, "ListMessageMoveTasks")
    errors = iter([error])

    def throttled() -> None:
        if (raised := next(errors, None)) is not None:
            raise raised

    tasks = [{"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": 2}]
    queues: Any = FakeQueues({}, before={"list": throttled}, tasks=tasks)
    assert move_back(queues, PLACE, timeout=20).moved == 2


def test_a_cancelled_move_task_does_not_go_on() -> None:
    queues: Any = FakeQueues({}, tasks=[{"Status": "CANCELLED", "ApproximateNumberOfMessagesMoved": 2}])
    with pytest.raises(RedriveError, match="was cancelled after 2 messages"):
        move_back(queues, PLACE, timeout=20)


class Typing:
    """A terminal at which somebody types."""

    def __init__(self, line: str | None) -> None:
        self._line = line

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        if self._line is None:
            raise KeyboardInterrupt
        return self._line


@pytest.mark.parametrize(("line", "status"), [(None, 130), ("", 1), ("n\n", 1), ("y\n", 0), ("YES\n", 0)])
def test_the_question_is_answered_or_not(
    monkeypatch: pytest.MonkeyPatch, capsys: Output, line: str | None, status: int
) -> None:
    queues = FakeQueues(bodies(1))
    monkeypatch.setattr("sys.stdin", Typing(line))
    assert Redriving(queues).run(monkeypatch, ask=True) == status
    assert len(queues.work) == (1 if status == 0 else 0)
    if status:
        assert "Nothing was moved." in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("number", [0, 3])
def test_what_could_not_be_read_is_not_taken_for_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: Output, number: int
) -> None:
    queues = FakeQueues(bodies(number))
    assert Redriving(queues, complete=False).run(monkeypatch) == 4
    assert len(queues.work) == number
    if number == 0:
        assert "Whether the stack S has dead-letter messages is not known." in capsys.readouterr().err
