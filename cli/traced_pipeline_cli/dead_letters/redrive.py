"""Moves dead letters back to where they belong, with their trace headers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from ..deployment.model import Queue
from ..errors import OpsError
from .message import LAMBDA_ATTRIBUTES, Letter

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import MessageAttributeValueTypeDef, MessageSystemAttributeValueTypeDef

_POLL_SECONDS = 0.5
_ENDED = ("COMPLETED", "FAILED", "CANCELLED")


class RedriveError(OpsError):
    """Letters could not be moved, and are where they were."""

    exit_status = 1


class DuplicatedError(RedriveError):
    """A letter was sent home and could not be deleted, so that it is in both queues."""


@dataclass(frozen=True, kw_only=True)
class Move:
    """What SQS's move task did.

    Attributes:
        moved: How many letters it moved, about.
        status: Its last known status, such as `COMPLETED` or `RUNNING`.
    """

    moved: int
    status: str


def send_home(client: SQSClient, place: Queue, letter: Letter, home: Queue) -> None:
    """Send a letter to the queue it belongs into, with its trace header, then delete it.

    SQS's own move task refuses letters that no queue put where they are:
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html.

    Args:
        client: The SQS client.
        place: The dead-letter queue.
        letter: The letter, held.
        home: The queue.

    Raises:
        DuplicatedError: It was sent, and could not be deleted.
        botocore.exceptions.ClientError: It could not be sent.
    """
    send = partial(client.send_message, QueueUrl=home.url, MessageBody=letter.body)
    if home.arn.endswith(".fifo"):
        # The letter's first deduplication id may be within the five minutes in which SQS drops a second message of it.
        group = letter.attributes.get("MessageGroupId", letter.message_id)
        send = partial(send, MessageGroupId=group, MessageDeduplicationId=f"redrive-{letter.message_id}")
    if letter.header is not None:
        traced: MessageSystemAttributeValueTypeDef = {"DataType": "String", "StringValue": letter.header}
        send = partial(send, MessageSystemAttributes={"AWSTraceHeader": traced})
    send(MessageAttributes=_own_attributes(letter))
    try:
        client.delete_message(QueueUrl=place.url, ReceiptHandle=letter.receipt)
    except ClientError as error:
        code = error.response["Error"].get("Code", "")
        raise DuplicatedError(
            f"The letter {letter.message_id} was sent to {home.name}, but could not be deleted from {place.name} "
            f"({code}), so that it is in both. Delete it there before the next redrive; sqs:DeleteMessage is needed."
        ) from error


def _own_attributes(letter: Letter) -> dict[str, MessageAttributeValueTypeDef]:
    """The sender's attributes, without those Lambda added."""
    added = LAMBDA_ATTRIBUTES if letter.origin == "function" else frozenset()
    return {
        name: {"DataType": attribute.type, "BinaryValue": attribute.value}
        if isinstance(attribute.value, bytes)
        else {"DataType": attribute.type, "StringValue": attribute.value}
        for name, attribute in letter.message_attributes.items()
        if name not in added
    }


def move_home(
    client: SQSClient, place: Queue, *, timeout: float, progress: Callable[[int, int], None] = lambda _, __: None
) -> Move:
    """Let SQS move letters back to the queues that put them where they are.

    Args:
        client: The SQS client.
        place: The dead-letter queue.
        timeout: Seconds to wait for the task's end; it goes on by itself afterwards.
        progress: Called with how many were moved and how many are to be.

    Raises:
        RedriveError: The task failed.
        botocore.exceptions.ClientError: SQS refused the task.
    """
    client.start_message_move_task(SourceArn=place.arn)
    ends = time.monotonic() + timeout
    while True:
        tasks = client.list_message_move_tasks(SourceArn=place.arn, MaxResults=1).get("Results", [])
        task = tasks[0] if tasks else {}
        status, moved = task.get("Status", "RUNNING"), task.get("ApproximateNumberOfMessagesMoved", 0)
        progress(moved, task.get("ApproximateNumberOfMessagesToMove", moved))
        if status in _ENDED or time.monotonic() > ends:
            break
        time.sleep(_POLL_SECONDS)
    if status == "FAILED":
        raise RedriveError(
            f"SQS's move task of {place.name} failed after {moved} letters: "
            f"{task.get('FailureReason', 'no reason given')}. "
            "The other letters are where they were; --resend sends them by this command instead."
        )
    return Move(moved=moved, status=status)


def sorted_by_way(letters: Sequence[Letter], *, resend: bool) -> tuple[list[Letter], list[Letter]]:
    """Which letters SQS's task can move, and which have to be sent.

    Args:
        letters: The letters.
        resend: Whether all are to be sent.
    """
    movable = [letter for letter in letters if letter.origin == "queue" and not resend]
    return movable, [letter for letter in letters if letter not in movable]
