"""Consuming a queue outside of Lambda: in a container on ECS, or on EC2."""

from __future__ import annotations

import logging
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, cast

from ._bridge import trace_batch
from ._config import (
    ENVELOPES,
    ON_UNDECIDED,
    ConfigurationError,
    checked_choice,
    checked_number,
)
from ._instrument import instrument
from ._lanes import Batch
from ._logs import trace_logs
from ._message import Message
from ._scope import aside
from ._sdk_joining import join_sdk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import FrameType

    from ._config import Envelope, OnUndecided
    from ._lanes import MessageHandler

_log = logging.getLogger("trace_bridge")
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0
# What the codes of AWS's throttling errors have in them: ThrottlingException, RequestThrottled, OverLimit, …
_TRANSIENT = ("Throttl", "TooManyRequests", "LimitExceeded", "OverLimit")


class SqsClient(Protocol):
    """What is used of boto3's `sqs` client."""

    def receive_message(self, **arguments: Any) -> Mapping[str, Any]:
        """Receives messages: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html."""

    def delete_message(self, **arguments: Any) -> Any:
        """Deletes a message: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html."""

    def change_message_visibility(self, **arguments: Any) -> Any:
        """Sets how long a message stays hidden.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
        """


def poll(
    queue_url: str,
    handler: MessageHandler,
    *,
    client: SqsClient | None = None,
    max_messages: int = 10,
    wait_seconds: int = 20,
    visibility_seconds: int = 30,
    max_workers: int = 1,
    envelope: Envelope | None = None,
    on_undecided: OnUndecided | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Receives messages and runs the handler once for each, in the message's own trace, until it is stopped.

    A message is deleted when its handler returns, and comes back after its visibility timeout when it raises. While
    it is worked on, its visibility is extended. SIGTERM and SIGINT (where this is the main thread) or `stop` end it:
    messages under way are finished, those received but not begun go back to the queue at once. ECS sends SIGTERM
    and waits 30 seconds by default: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/graceful-shutdown.html.

    Args:
        queue_url: URL of the queue; one that ends in `.fifo` is worked on in the order of its message groups.
        handler: The function, `def` or `async def`, as for `sqs_handler`.
        client: A `sqs` client of boto3. Default: one is made from the environment.
        max_messages: Messages a call, 1 to 10.
        wait_seconds: Long polling: seconds a call waits for a message, 0 to 20. Stopping may take as long.
        visibility_seconds: Seconds a message stays hidden, extended every third of it; 3 to 43,200.
        max_workers: How many messages are worked on at once.
        envelope: As for `Message`.
        on_undecided: As for `continue_trace`.
        stop: Ends the loop when set. Default: only the signals do.

    Raises:
        ConfigurationError: An argument has a value that means nothing.
        botocore.exceptions.ClientError: SQS refuses to give messages (no such queue, access denied).
        botocore.exceptions.BotoCoreError: SQS cannot be asked (no credentials, no Region). Failures of the network, of
            the source of credentials, and throttling are tried again, with growing pauses.
    """
    _check_queue_url(queue_url)
    workers = int(checked_number("max_workers", max_workers, 1, 1000))
    arguments = {
        "QueueUrl": queue_url,
        "MaxNumberOfMessages": checked_number("max_messages", max_messages, 1, 10),
        "WaitTimeSeconds": checked_number("wait_seconds", wait_seconds, 0, 20),
        "VisibilityTimeout": checked_number("visibility_seconds", visibility_seconds, 3, 43_200),
        "MessageSystemAttributeNames": ["All"],
        "MessageAttributeNames": ["All"],
    }
    if on_undecided is not None:
        checked_choice("on_undecided", on_undecided, ON_UNDECIDED)
    if envelope is not None:
        checked_choice("envelope", envelope, ENVELOPES)
    instrument()
    trace_logs()
    join_sdk()
    sqs = client or _make_client()
    stopping = stop or threading.Event()
    with _signals_set(stopping):
        while not stopping.is_set():
            messages = _receive(sqs, arguments, stopping)
            with _kept_hidden(sqs, queue_url, messages, visibility_seconds) as hidden, trace_batch():
                batch = Batch(
                    messages,
                    None,
                    fifo=queue_url.endswith(".fifo"),
                    on_undecided=on_undecided,
                    envelope=envelope,
                    may_begin=lambda: not stopping.is_set(),
                    on_done=hidden.delete,
                )
                batch.run(handler, workers=workers)
            hidden.return_to_queue(batch.not_begun())


def _check_queue_url(queue_url: object) -> None:
    if not isinstance(queue_url, str) or not queue_url.startswith(("https://", "http://")):
        raise ConfigurationError(
            f"queue_url is {queue_url!r}; expected the URL of a queue, https://sqs.<Region>.amazonaws.com/<account>/<name>"
        )


def _make_client() -> SqsClient:
    from botocore.session import get_session

    return cast("SqsClient", get_session().create_client("sqs"))


def _receive(sqs: SqsClient, arguments: Mapping[str, Any], stopping: threading.Event) -> list[Any]:
    """Returns the next messages; an empty list when there are none or it is time to stop."""
    from botocore.exceptions import ClientError

    pause = _FIRST_PAUSE_SECONDS
    while not stopping.is_set():
        try:
            with aside():
                return list(sqs.receive_message(**arguments).get("Messages") or [])
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
            code = error.response.get("Error", {}).get("Code", "")
            if status < 500 and not any(word in code for word in _TRANSIENT):
                raise
            _log.warning("no messages could be received, trying again in %g s: %s", pause, error)
        except _passing_errors() as error:
            _log.warning("no messages could be received, trying again in %g s: %s", pause, error)
        stopping.wait(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
    return []


def _passing_errors() -> tuple[type[Exception], ...]:
    """Returns the failures that pass by themselves: of the network, of the source of credentials, answers cut off."""
    from botocore import exceptions
    from botocore.parsers import ResponseParserError

    return (
        exceptions.ConnectionError,
        exceptions.HTTPClientError,
        exceptions.IncompleteReadError,
        exceptions.CredentialRetrievalError,
        exceptions.MetadataRetrievalError,
        ResponseParserError,
    )


class _Hidden:
    """The messages of one call, kept hidden from other consumers until they are done."""

    def __init__(self, sqs: SqsClient, queue_url: str, messages: list[Any], seconds: int) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._seconds = seconds
        self._lock = threading.Lock()
        # Taken before a handler may change its message.
        self._message_ids = {id(message): Message(message).message_id for message in messages}
        self._handles = {id(message): Message(message).receipt_handle for message in messages}
        self._open = dict(self._handles)
        self.over = threading.Event()

    def extend(self) -> None:
        """Keeps extending until `over`."""
        while not self.over.wait(self._seconds / 3):
            with self._lock:
                handles = list(self._open.values())
            for handle in handles:
                self._try("extended", self._sqs.change_message_visibility, handle, VisibilityTimeout=self._seconds)

    def delete(self, message: Any) -> None:
        """Deletes a message that is done."""
        with self._lock:
            handle = self._open.pop(id(message), None)
        message_id = self._message_ids[id(message)]
        self._try(f"deleted (message {message_id} will be delivered again)", self._sqs.delete_message, handle)

    def return_to_queue(self, messages: list[Any]) -> None:
        """Shows messages that were never begun to other consumers at once."""
        for message in messages:
            handle = self._handles[id(message)]
            self._try("returned to the queue", self._sqs.change_message_visibility, handle, VisibilityTimeout=0)

    def _try(self, what: str, call: Callable[..., Any], handle: str | None, **more: int) -> None:
        try:
            with aside():
                call(QueueUrl=self._queue_url, ReceiptHandle=handle, **more)
        except Exception as error:  # noqa: BLE001 - what a call can raise must not end the loop; the message comes again
            _log.warning("a message could not be %s: %s", what, error)


@contextmanager
def _kept_hidden(sqs: SqsClient, queue_url: str, messages: list[Any], seconds: int) -> Iterator[_Hidden]:
    hidden = _Hidden(sqs, queue_url, messages, seconds)
    thread = threading.Thread(target=hidden.extend, name="trace-bridge-visibility", daemon=True)
    if messages:
        thread.start()
    try:
        yield hidden
    finally:
        hidden.over.set()
        if messages:
            thread.join()


@contextmanager
def _signals_set(stopping: threading.Event) -> Iterator[None]:
    """Has SIGTERM and SIGINT set the event; puts the handlers that were there back at the end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
