"""Batches in which nothing succeeded, and messages that were never begun: what Lambda gets and the log says."""

import re
import threading
from typing import Any
from unittest.mock import MagicMock

import pytest
from trace_bridge import BatchFailedError, ConfigurationError, Message, counters, sqs_handler

from tests.support import bridge
from tests.support.lambda_events import ACTIVE, LambdaContext, event, header, record, trace_id
from tests.support.lambda_process import Process


def _numbered(count: int, **more: Any) -> dict[str, Any]:
    return event(*(record(number, trace=header(trace_id(number)), **more) for number in range(1, count + 1)))


def _all_fail(message: Message) -> None:
    raise ValueError(message.message_id)


def test_a_batch_in_which_all_fail_raises_after_its_documents_left(process: Process) -> None:
    with pytest.raises(BatchFailedError) as raised:
        sqs_handler(_all_fail)(_numbered(3), LambdaContext())
    assert str(raised.value) == "all 3 messages of the batch failed: message-1, message-2, message-3"
    assert raised.value.message_ids == ("message-1", "message-2", "message-3")
    assert repr(raised.value.__cause__) == "ValueError('message-1')"
    assert counters().sent_api == len(process.documents()) == 3


def test_the_only_message_is_named(process: Process) -> None:
    with pytest.raises(BatchFailedError, match=r"^the only message of the batch failed: message-1$"):
        sqs_handler(_all_fail)(_numbered(1), LambdaContext())


def test_one_success_is_enough(process: Process) -> None:
    @sqs_handler
    def handler(message: Message) -> None:
        if message.message_id != "message-3":
            raise ValueError

    failed = [{"itemIdentifier": f"message-{number}"} for number in (1, 2)]
    assert handler(_numbered(3), LambdaContext()) == {"batchItemFailures": failed}


@pytest.mark.parametrize("sampled", ["0", "1"])
def test_a_failure_that_leaves_no_file_to_open_is_that_messages_alone(
    process: Process, sampled: str, caplog: pytest.LogCaptureFixture
) -> None:
    @sqs_handler
    def handler(message: Message) -> None:
        if message.message_id == "message-2":
            for module in ("_errors", "_log_fields"):
                bridge.fail_to_import(process.monkeypatch, module)
            raise OSError("too many open files")

    batch = event(*(record(number, trace=header(trace_id(number), sampled=sampled)) for number in (1, 2, 3)))
    assert handler(batch, LambdaContext()) == {"batchItemFailures": [{"itemIdentifier": "message-2"}]}
    assert "message message-2 failed: OSError: too many open files" in caplog.text


def test_the_batch_behind_one_that_could_not_link_its_traces_is_sent_before_it_ends(process: Process) -> None:
    handler = sqs_handler(Message.json)
    process.invoked(ACTIVE)
    process.set(emitter="api")
    with process.monkeypatch.context() as first:
        bridge.fail_to_import(first, "_links")
        handler(_numbered(1), LambdaContext())
    handler(_numbered(2), LambdaContext())
    assert counters().sent_api == 1 + 2 + 1


@pytest.mark.parametrize("how", ["argument", "setting"])
def test_it_can_be_turned_off(process: Process, how: str) -> None:
    if how == "setting":
        process.set(raise_if_all_failed=False)
    arguments: dict[str, Any] = {"raise_if_all_failed": False} if how == "argument" else {}
    answer = sqs_handler(**arguments)(_all_fail)(_numbered(1), LambdaContext())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
    with pytest.raises(ConfigurationError, match="raise_if_all_failed is 'no'; expected one of True, False"):
        sqs_handler(raise_if_all_failed="no")  # type: ignore[call-overload] # what is tested


def test_messages_never_begun_do_not_keep_the_error_back(process: Process) -> None:
    context = LambdaContext()

    @sqs_handler(reserve_ms=500)
    def handler(_message: Message) -> None:
        context.milliseconds = 400
        raise ValueError("no")

    with pytest.raises(BatchFailedError) as raised:
        handler(_numbered(3), context)
    assert raised.value.message_ids == ("message-1",)
    assert raised.value.not_begun == ("message-2", "message-3")
    assert str(raised.value) == (
        "1 of 3 messages failed and the others were not begun: message-1; not begun: message-2, message-3"
    )


def test_behind_a_failure_of_their_group_they_do_not_either(process: Process, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(BatchFailedError) as raised:
        sqs_handler(_all_fail)(_numbered(3, queue="orders.fifo", MessageGroupId="a"), LambdaContext())
    assert (raised.value.message_ids, raised.value.not_begun) == (("message-1",), ("message-2", "message-3"))
    assert (
        "2 of 3 messages were never begun: an earlier message of their message group failed; each is returned to the "
        "queue and has lost one attempt. Never begun: message-2, message-3"
    ) in caplog.messages


def test_where_nothing_was_begun_nothing_is_raised(process: Process) -> None:
    answer = sqs_handler(reserve_ms=500)(_all_fail)(_numbered(2), LambdaContext(400))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-1"}, {"itemIdentifier": "message-2"}]}


@pytest.mark.parametrize("workers", [1, 2])
def test_the_log_names_those_never_begun_and_what_to_change(
    process: Process, caplog: pytest.LogCaptureFixture, workers: int
) -> None:
    context, together = LambdaContext(), threading.Barrier(workers, timeout=20)

    @sqs_handler(reserve_ms=500, max_workers=workers)
    def handler(message: Message) -> None:
        together.wait()
        if message.message_id == "message-2":
            context.milliseconds = 400
        together.wait()

    handler(_numbered(4), context)
    [line_of_log] = [line for line in caplog.messages if "never begun" in line]
    assert line_of_log == (
        "2 of 4 messages were never begun: a message is begun with more than 500 ms left of the invocation's time, and "
        "the batch began with 30000 ms; each is returned to the queue and has lost one attempt. Give the function a "
        "smaller batch size or a longer time-out, or work on more messages at once (max_workers). "
        "Never begun: message-3, message-4"
    )


@pytest.mark.parametrize(
    ("time_out", "each", "messages", "begun"),
    [
        (30_000, 2_990, 10, 10),  # each takes less than its part of the construct's default time-out
        (30_000, 3_010, 10, 9),  # slightly more: the last is returned rather than cut off
        (30_000, 1, 10, 10),
        (3_000, 900, 10, 3),
        (3_000, 1_050, 10, 2),  # a third would not be done in time if it took as long as the others
        (3_000, 900, 2, 2),
        (900, 1, 10, 10),  # a time-out below a second is no reason never to begin
        (3_000, 2_900, 1, 1),
        (30_000, 20_000, 2, 1),
    ],
)
def test_a_message_is_begun_while_its_share_of_the_time_is_left(
    process: Process, time_out: int, each: int, messages: int, begun: int
) -> None:
    context, ran = LambdaContext(time_out), []

    @sqs_handler
    def handler(message: Message) -> None:
        ran.append(message.message_id)
        context.milliseconds -= each
        assert context.milliseconds > 0, "the invocation is cut off"

    handler(_numbered(messages), context)
    assert len(ran) == begun


def test_several_at_once_have_a_larger_share(process: Process) -> None:
    ran = []

    @sqs_handler(max_workers=10)
    def handler(message: Message) -> None:
        ran.append(message.message_id)

    handler(_numbered(10), LambdaContext(3_000))
    assert len(ran) == 10


def test_a_stand_in_for_the_context_is_enough_for_a_unit_test(process: Process) -> None:
    process.invoked(None)

    @sqs_handler
    def handler(_message: Message) -> None: ...

    for context in (MagicMock(), None, object()):
        assert handler(_numbered(3), context) == {"batchItemFailures": []}  # type: ignore[arg-type] # what is tested
    assert len(process.documents()) == 9
    assert all(not re.search("MagicMock", str(document)) for document in process.documents())


def test_a_handler_that_changes_its_record_changes_no_id(process: Process) -> None:
    @sqs_handler
    def handler(message: Message) -> None:
        del message.record["messageId"]  # type: ignore[attr-defined] # what is tested
        if message.json()["number"] == 2:
            raise ValueError

    assert handler(_numbered(2), LambdaContext()) == {"batchItemFailures": [{"itemIdentifier": "message-2"}]}


def test_what_is_no_function_is_refused_at_decoration() -> None:
    with pytest.raises(TypeError, match="the handler is str; expected a function of one Message"):
        sqs_handler("app.handler")  # type: ignore[call-overload] # what is tested
