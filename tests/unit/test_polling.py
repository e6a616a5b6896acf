"""Outside of Lambda: `poll`, through a real client of boto3's making."""

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    MetadataRetrievalError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
)
from botocore.parsers import ResponseParserError
from trace_bridge import ConfigurationError, Message, poll

from tests.support import bridge
from tests.support.lambda_events import SENDER, header, record, trace_id
from tests.support.lambda_process import Process
from tests.support.trace_headers import HEADERS, ROOT
from tests.support.waiting import wait_for

QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/orders"
FIFO = f"{QUEUE}.fifo"


def _message(number: int, trace: str | None = None, **more: str) -> dict[str, Any]:
    """A message as `receive_message` returns it."""
    return {
        "MessageId": f"message-{number}",
        "ReceiptHandle": f"handle-{number}",
        "Body": f'{{"number": {number}}}',
        "Attributes": record(number, trace=trace, **more)["attributes"],
    }


class Queue:
    """What SQS answers, and what it was asked."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.client = process.own_client("sqs")
        self.stop = threading.Event()
        self.messages: list[dict[str, Any]] = []
        self.receives: list[tuple[int, dict[str, Any]]] = []
        process.services.answer = self._answer

    def _answer(self, _path: str, body: Any) -> tuple[int, dict[str, Any]]:
        if "WaitTimeSeconds" not in body:
            return 200, {}
        if self.receives:
            return self.receives.pop(0)
        given, self.messages = self.messages, []
        if not given:
            self.stop.set()
        return 200, {"Messages": given}

    def of(self, operation: str) -> list[dict[str, Any]]:
        """What the calls of an operation said."""
        calls = list(self.process.services.calls)
        return [body for _, headers, body in calls if headers.get("x-amz-target", "").endswith(f".{operation}")]

    def deleted(self) -> list[str]:
        return [body["ReceiptHandle"] for body in self.of("DeleteMessage")]

    def run(self, handler: Callable[[Message], object], **options: Any) -> None:
        poll(options.pop("url", QUEUE), handler, client=self.client, stop=self.stop, wait_seconds=0, **options)


@pytest.fixture
def queue(process: Process) -> Iterator[Queue]:
    """The process of a container on ECS, and its queue."""
    process.invoked(None)
    for name in ("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_LOG_GROUP_NAME", "LAMBDA_TASK_ROOT"):
        process.monkeypatch.delenv(name)
    process.monkeypatch.setenv("ECS_CONTAINER_METADATA_URI_V4", "http://127.0.0.1/v4")
    process.monkeypatch.setenv("AWS_XRAY_TRACING_NAME", "consumer")
    bridge.set_polling_pause(process.monkeypatch, 0.01)
    bridge.forget_invocation()
    yield Queue(process)
    bridge.forget_invocation()


@pytest.mark.parametrize("has_daemon", [True, False], ids=["daemon", "no daemon"])
@pytest.mark.parametrize("kind", HEADERS)
def test_matrix(process: Process, queue: Queue, kind: str, has_daemon: bool) -> None:
    if not has_daemon:
        process.monkeypatch.delenv("AWS_XRAY_DAEMON_ADDRESS")
        process.new_emitter()
    sent, recorded, wire = HEADERS[kind]
    queue.messages = [_message(1, sent), _message(2)]
    table = process.client("dynamodb")
    queue.run(lambda _message: table.delete_item(TableName="orders", Key={"id": {"S": "1"}}))
    mine = [document for document in process.documents() if document["trace_id"] == ROOT]
    assert len(mine) == recorded == len(process.documents())
    call = ""
    if recorded:
        (segment,) = mine
        assert (segment["name"], segment["origin"]) == ("consumer", "AWS::ECS::Container")
        assert segment.get("parent_id") == (None if kind == "sampled without parent" else SENDER)
        call = segment["subsegments"][0]["id"]
        assert bool(process.daemon.documents()) == has_daemon
    headers = process.services.headers("DynamoDB_20120810.DeleteItem")
    if wire == "-":
        assert headers == [None, None]
    else:
        assert sorted(map(str, headers)) == sorted([wire.format(root=ROOT, id=call), "None"])
    assert queue.deleted() == ["handle-1", "handle-2"]


def test_it_asks_for_what_the_trace_needs(queue: Queue) -> None:
    queue.run(lambda _message: None, max_messages=5, visibility_seconds=60)
    (asked,) = queue.of("ReceiveMessage")
    assert asked["MessageSystemAttributeNames"] == ["All"]
    assert (asked["MaxNumberOfMessages"], asked["VisibilityTimeout"]) == (5, 60)


def test_only_what_succeeded_is_deleted(process: Process, queue: Queue) -> None:
    queue.messages = [_message(number, header(trace_id(number))) for number in (1, 2, 3)]

    def handler(message: Message) -> None:
        if message.message_id == "message-2":
            raise KeyError("two")

    queue.run(handler)
    assert queue.deleted() == ["handle-1", "handle-3"]
    assert queue.of("ChangeMessageVisibility") == []
    assert [document.get("fault", False) for document in process.documents()] == [False, True, False]


def test_an_async_handler_and_several_workers(process: Process, queue: Queue) -> None:
    queue.messages = [_message(number, header(trace_id(number))) for number in range(1, 5)]
    together = threading.Barrier(4, timeout=10)
    queue.run(lambda _message: together.wait(), max_workers=4)
    assert sorted(queue.deleted()) == [f"handle-{number}" for number in range(1, 5)]

    done = []

    async def handler(message: Message) -> None:
        done.append(message.message_id)

    queue.stop.clear()
    queue.messages = [_message(9, header(trace_id(9)))]
    queue.run(handler)
    assert done == ["message-9"]
    assert len(process.documents()) == 5


@pytest.mark.waits
def test_a_message_stays_hidden_while_it_is_worked_on(queue: Queue) -> None:
    queue.messages = [_message(1), _message(2)]

    def handler(_message: Message) -> None:
        wait_for(lambda: len(queue.of("ChangeMessageVisibility")) >= 2, what="the extension")

    queue.run(handler, visibility_seconds=3, max_workers=2)
    extended = queue.of("ChangeMessageVisibility")
    assert {call["ReceiptHandle"] for call in extended} == {"handle-1", "handle-2"}
    assert {call["VisibilityTimeout"] for call in extended} == {3}


def test_behind_a_failure_of_a_group_nothing_runs_and_the_rest_goes_back(queue: Queue) -> None:
    queue.messages = [_message(number, MessageGroupId="a") for number in (1, 2)] + [_message(3, MessageGroupId="b")]
    ran = []

    def handler(message: Message) -> None:
        ran.append(message.message_id)
        if message.message_id == "message-1":
            raise ValueError

    queue.run(handler, url=FIFO)
    assert ran == ["message-1", "message-3"]
    assert queue.deleted() == ["handle-3"]
    assert [(call["ReceiptHandle"], call["VisibilityTimeout"]) for call in queue.of("ChangeMessageVisibility")] == [
        ("handle-2", 0)
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_after_the_message_under_way(queue: Queue, number: signal.Signals) -> None:
    before = signal.getsignal(number)
    queue.messages = [_message(1), _message(2), _message(3)]
    queue.run(lambda _message: signal.raise_signal(number))
    assert queue.deleted() == ["handle-1"]
    assert [call["ReceiptHandle"] for call in queue.of("ChangeMessageVisibility")] == ["handle-2", "handle-3"]
    assert len(queue.of("ReceiveMessage")) == 1
    assert signal.getsignal(number) is before


def test_in_a_thread_it_leaves_the_signals_alone(queue: Queue) -> None:
    before = signal.getsignal(signal.SIGTERM)
    seen: list[object] = []
    queue.messages = [_message(1)]
    thread = threading.Thread(
        target=queue.run, args=[lambda _message: seen.append(signal.getsignal(signal.SIGTERM))], daemon=True
    )
    thread.start()
    thread.join(20)
    assert seen == [before]


@pytest.mark.parametrize(
    "refusal",
    [(500, {"__type": "InternalError"}), (400, {"__type": "ThrottlingException"}), (403, {"__type": "OverLimit"})],
    ids=lambda refusal: str(refusal[1]["__type"]),
)
def test_what_passes_is_tried_again(queue: Queue, refusal: Any, caplog: pytest.LogCaptureFixture) -> None:
    queue.receives = [refusal, refusal]
    queue.messages = [_message(1)]
    queue.run(lambda _message: None)
    assert queue.deleted() == ["handle-1"]
    assert caplog.text.count("no messages could be received, trying again in") == 2


def test_a_network_that_fails_is_tried_again(process: Process, queue: Queue, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    reachable, process.services.url = process.services.url, url
    queue.client = process.client("sqs")
    process.services.url = reachable
    thread = threading.Thread(target=queue.run, args=[lambda _message: None])
    thread.start()
    wait_for(lambda: "trying again" in caplog.text, what="the second attempt")
    queue.stop.set()
    thread.join(20)
    assert not thread.is_alive()


def test_what_does_not_pass_is_raised(queue: Queue) -> None:
    queue.receives = [(403, {"__type": "AccessDenied", "message": "no"})]
    with pytest.raises(ClientError, match="AccessDenied"):
        queue.run(lambda _message: None)


@pytest.mark.parametrize(
    "error",
    [NoCredentialsError(), PartialCredentialsError(provider="env", cred_var="secret"), NoRegionError()],
    ids=lambda error: type(error).__name__,
)
def test_what_no_second_attempt_mends_is_an_error_at_once(queue: Queue, error: Exception) -> None:
    queue.client.meta.events.register("before-sign", _raising(error))
    with pytest.raises(type(error)):
        queue.run(lambda _message: None)


@pytest.mark.parametrize(
    "error",
    [
        CredentialRetrievalError(provider="container", error_msg="no answer"),
        MetadataRetrievalError(error_msg="no answer"),
        ResponseParserError("no JSON"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_credentials_that_are_late_are_waited_for(
    queue: Queue, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    raising = _raising(error, times=2)
    queue.client.meta.events.register("before-sign.sqs.ReceiveMessage", raising)
    queue.messages = [_message(1)]
    queue.run(lambda _message: None)
    assert queue.deleted() == ["handle-1"]
    assert caplog.text.count("trying again in") == 2


def _raising(error: Exception, times: int = 1_000) -> Callable[..., None]:
    left = [error] * times

    def raises(**_: object) -> None:
        if left:
            raise left.pop()

    return raises


def test_messages_of_which_all_failed_raise_nothing(queue: Queue) -> None:
    queue.messages = [_message(1)]
    queue.run(lambda message: message.record["missing"])
    queue.stop.clear()
    queue.messages = [_message(2)]
    queue.run(lambda _message: None)
    assert queue.deleted() == ["handle-2"]


async def _work(message: Message) -> None:
    if message.message_id == "message-1":
        raise SystemExit(3)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("handler", [_work, lambda message: _work(message)], ids=["async def", "lambda"])
def test_only_what_was_awaited_to_its_end_is_deleted(queue: Queue, handler: Any, workers: int) -> None:
    queue.messages = [_message(1), _message(2)]
    queue.run(handler, max_workers=workers)
    assert queue.deleted() == ["handle-2"]


def test_a_lock_of_the_module_works_from_call_to_call(queue: Queue) -> None:
    lock, batches = asyncio.Lock(), [[_message(3), _message(4)]]

    async def handler(_message: Message) -> None:
        async with lock:
            await asyncio.sleep(0.001)
        if batches:
            queue.messages = batches.pop()

    queue.messages = [_message(1), _message(2)]
    queue.run(handler, max_workers=2)
    assert sorted(queue.deleted()) == [f"handle-{number}" for number in (1, 2, 3, 4)]


def test_a_handler_that_changes_its_message_does_not_change_what_is_deleted(queue: Queue) -> None:
    queue.messages = [_message(1), _message(2)]
    queue.run(lambda message: message.record.clear())  # type: ignore[attr-defined] # what is tested
    assert queue.deleted() == ["handle-1", "handle-2"]


def test_a_message_that_cannot_be_deleted_is_told(queue: Queue, caplog: pytest.LogCaptureFixture) -> None:
    answer = queue.process.services.answer

    def refuse_deletes(path: str, body: Any) -> tuple[int, dict[str, Any]]:
        if set(body) == {"QueueUrl", "ReceiptHandle"}:
            return 400, {"__type": "ReceiptHandleIsInvalid"}
        return answer(path, body)

    queue.process.services.answer = refuse_deletes
    queue.messages = [_message(1)]
    queue.run(lambda _message: None)
    assert "message message-1 will be delivered again" in caplog.text


def test_its_own_calls_belong_to_no_trace(process: Process, queue: Queue) -> None:
    queue.messages = [_message(1, header(ROOT))]
    queue.run(lambda _message: None)
    sent = {
        headers["x-amz-target"]: headers.get("x-amzn-trace-id")
        for _, headers, _ in process.services.calls
        if "x-amz-target" in headers
    }
    assert sent == {"AmazonSQS.ReceiveMessage": None, "AmazonSQS.DeleteMessage": None}
    (document,) = process.documents()
    assert "subsegments" not in document


@pytest.mark.parametrize(
    ("vendor", "origin"), [("Amazon EC2", "AWS::EC2::Instance"), ("QEMU", None)], ids=["EC2", "elsewhere"]
)
def test_the_origin_is_where_it_runs(process: Process, queue: Queue, vendor: str, origin: str | None) -> None:
    process.monkeypatch.delenv("ECS_CONTAINER_METADATA_URI_V4")
    bridge.set_machine_vendor(process.monkeypatch, vendor)
    process.has_origin = origin is not None
    queue.messages = [_message(1, header(ROOT))]
    queue.run(lambda _message: None)
    (document,) = process.documents()
    assert document.get("origin") == origin


def test_a_client_is_made_where_none_is_given(process: Process, queue: Queue) -> None:
    process.monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", process.services.url)
    queue.messages = [_message(1)]
    poll(QUEUE, lambda _message: None, stop=queue.stop)
    assert queue.deleted() == ["handle-1"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_messages": 11}, "max_messages is 11; expected a number from 1 to 10"),
        ({"visibility_seconds": 1}, "visibility_seconds is 1; expected a number from 3 to 43200"),
        ({"max_workers": 0}, "max_workers is 0"),
        ({"on_undecided": "keep"}, "on_undecided is 'keep'"),
        ({"envelope": "SNS"}, "envelope is 'SNS'; expected one of 'none', 'sns'"),
        ({"url": None}, "queue_url is None; expected the URL of a queue, https://sqs"),
        ({"url": ""}, "queue_url is ''; expected the URL"),
        ({"url": "orders"}, "queue_url is 'orders'; expected the URL"),
    ],
)
def test_a_wrong_argument_is_refused_before_anything_is_received(
    queue: Queue, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        queue.run(lambda _message: None, **arguments)
    assert queue.of("ReceiveMessage") == []
