"""Moves dead-letter messages back to where they belong, with their trace headers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from ..aws.error_messages import describe, is_transient
from ..deployment.model import Queue
from ..errors import CliError
from ..exit_status import ExitStatus
from ..interrupts import telling, uninterrupted
from .message import LAMBDA_ATTRIBUTES, DeadLetterMessage
from .queues import DeadLetterQueue

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import MessageAttributeValueTypeDef, MessageSystemAttributeValueTypeDef

_POLL_SECONDS = 0.5
_BADLY = {"FAILED": "failed", "CANCELLED": "was cancelled"}
_ENDED = ("COMPLETED", *_BADLY)


class RedriveError(CliError):
    """Messages could not be moved, and are where they were."""

    exit_status = ExitStatus.NO


class DuplicatedError(RedriveError):
    """A message was resent and could not be deleted, so that it is in both queues."""


@dataclass(frozen=True, kw_only=True)
class Move:
    """What SQS's move task did.

    Attributes:
        moved: How many messages it moved, about.
        status: Its last known status, such as `COMPLETED` or `RUNNING`.
    """

    moved: int
    status: str


@dataclass
class Outcome:
    """What was done with one queue's messages.

    Attributes:
        place: The dead-letter queue.
        moved: How many SQS's move task moved, about.
        resent: How many were resent.
        running: Whether the move task goes on.
        remaining: Those that remain in the dead-letter queue since it is not known where they belong, by id.
        traces: The traces of the messages, in order.
    """

    place: DeadLetterQueue
    moved: int = 0
    resent: int = 0
    running: bool = False
    remaining: dict[str, DeadLetterMessage] = field(default_factory=dict)
    traces: dict[str, None] = field(default_factory=dict)


def resend_message(client: SQSClient, place: Queue, message: DeadLetterMessage, source_queue: Queue) -> None:
    """Sends a message to the queue it belongs to, with its trace header, then deletes it.

    SQS's own move task refuses messages that no queue put where they are:
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html.

    Args:
        client: The SQS client.
        place: The dead-letter queue.
        message: The message, held.
        source_queue: The queue.

    Raises:
        DuplicatedError: It was sent, and could not be deleted.
        botocore.exceptions.ClientError: It could not be sent.
    """
    send = partial(client.send_message, QueueUrl=source_queue.url, MessageBody=message.body)
    group = message.attributes.get("MessageGroupId")
    if source_queue.arn.endswith(".fifo"):
        # The message's first deduplication id may be within the five minutes in which SQS drops a second message of it.
        send = partial(send, MessageDeduplicationId=f"redrive-{message.message_id}")
        group = group or message.message_id
    if group is not None:
        # On a standard queue the group is that of a fair queue.
        send = partial(send, MessageGroupId=group)
    if message.header is not None:
        traced: MessageSystemAttributeValueTypeDef = {"DataType": "String", "StringValue": message.header}
        send = partial(send, MessageSystemAttributes={"AWSTraceHeader": traced})
    with uninterrupted():
        send(MessageAttributes=_own_attributes(message))
        try:
            client.delete_message(QueueUrl=place.url, ReceiptHandle=message.receipt)
        except (ClientError, BotoCoreError) as error:
            raise DuplicatedError(
                f"The message {message.message_id} was sent to {source_queue.name}, but could not be deleted "
                f"from {place.name}, so that it is in both. Delete it there before the next redrive. "
                f"{describe(error)}"
            ) from error


def _own_attributes(message: DeadLetterMessage) -> dict[str, MessageAttributeValueTypeDef]:
    """Returns the sender's attributes, without those Lambda added."""
    added = LAMBDA_ATTRIBUTES if message.origin == "function" else frozenset()
    return {
        name: {"DataType": attribute.type, "BinaryValue": attribute.value}
        if isinstance(attribute.value, bytes)
        else {"DataType": attribute.type, "StringValue": attribute.value}
        for name, attribute in message.message_attributes.items()
        if name not in added
    }


def move_back(
    client: SQSClient, place: Queue, *, timeout: float, progress: Callable[[int, int], None] = lambda _, __: None
) -> Move:
    """Lets SQS move messages back to the queues that put them where they are.

    Args:
        client: The SQS client.
        place: The dead-letter queue.
        timeout: Seconds to wait for the task's end; it goes on by itself afterwards.
        progress: Called with how many were moved and how many are to be.

    Raises:
        RedriveError: The task failed, or was cancelled.
        botocore.exceptions.ClientError: SQS refused the task.
    """
    client.start_message_move_task(SourceArn=place.arn)
    ends = time.monotonic() + timeout
    task: Mapping[str, Any] = {}
    with telling(lambda: f"SQS's move task of {place.name} goes on by itself."):
        while True:
            task = _latest_task(client, place) or task
            status, moved = task.get("Status", "RUNNING"), task.get("ApproximateNumberOfMessagesMoved", 0)
            progress(moved, task.get("ApproximateNumberOfMessagesToMove", moved))
            if status in _ENDED or time.monotonic() > ends:
                break
            time.sleep(_POLL_SECONDS)
    if (ended := _BADLY.get(status)) is not None:
        reason = f": {task.get('FailureReason', 'no reason given')}" if status == "FAILED" else ""
        raise RedriveError(
            f"SQS's move task of {place.name} {ended} after {moved} messages{reason}. "
            "The other messages are where they were; --resend sends them by this command instead."
        )
    return Move(moved=moved, status=status)


def _latest_task(client: SQSClient, place: Queue) -> Mapping[str, Any]:
    """Returns how far a queue's latest move task has come; an empty mapping where that cannot be read just now."""
    try:
        tasks = client.list_message_move_tasks(SourceArn=place.arn, MaxResults=1).get("Results", [])
    except (ClientError, BotoCoreError) as error:
        if not is_transient(error):
            raise
        return {}
    return tasks[0] if tasks else {}


def sorted_by_way(
    messages: Sequence[DeadLetterMessage], *, resend: bool
) -> tuple[list[DeadLetterMessage], list[DeadLetterMessage]]:
    """Which messages SQS's task can move, and which have to be sent.

    Args:
        messages: The messages.
        resend: Whether all are to be sent.
    """
    movable = [message for message in messages if message.origin == "queue" and not resend]
    return movable, [message for message in messages if message not in movable]
