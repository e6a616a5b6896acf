"""Dead-letter messages, and taking them out of a queue to read them without losing or hiding them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from ..aws.http import root_of
from ..aws.read_errors import Reads
from ..interrupts import uninterrupted

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import MessageTypeDef

HOLD_SECONDS = 120
"""How long a message that was read stays hidden if it cannot be put back."""

# ReceiveMessage gives ten at most: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html.
_BATCH = 10
# Long polling asks all of SQS's servers, so that an empty answer means an empty queue.
_POLL_SECONDS = 1
# What Lambda adds to what it puts into a function's own dead-letter queue:
# https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html.
LAMBDA_ATTRIBUTES = frozenset({"RequestID", "ErrorCode", "ErrorMessage"})

Origin = Literal["queue", "subscription", "function"]


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """One of the sender's attributes of a message.

    Attributes:
        type: Its type, such as `String` or `Number.int`.
        value: Its value; bytes where the type is `Binary`.
    """

    type: str
    value: str | bytes


@dataclass(frozen=True, kw_only=True)
class DeadLetterMessage:
    """A message in a dead-letter queue.

    Attributes:
        message_id: Its id.
        receipt: What it is put back or deleted by.
        body: Its body.
        attributes: SQS's own attributes.
        message_attributes: The sender's.
    """

    message_id: str
    receipt: str
    body: str
    attributes: Mapping[str, str]
    message_attributes: Mapping[str, Attribute]

    @property
    def source(self) -> str | None:
        """The ARN of the queue that put it there by its redrive policy; None where SNS or Lambda did."""
        return self.attributes.get("DeadLetterQueueSourceArn")

    @property
    def origin(self) -> Origin:
        """Who put it there. SQS names the queue it came from; Lambda adds attributes of its own; SNS does neither."""
        if self.source is not None:
            return "queue"
        return "function" if self.message_attributes.keys() >= LAMBDA_ATTRIBUTES else "subscription"

    @property
    def header(self) -> str | None:
        """Its trace header, as it came."""
        return self.attributes.get("AWSTraceHeader")

    @property
    def trace_id(self) -> str | None:
        """Its trace."""
        return root_of(self.header or "")

    @property
    def sent(self) -> float:
        """When it was sent, in seconds since the epoch; for a message of a FIFO queue, when it came here."""
        return int(self.attributes.get("SentTimestamp", "0")) / 1000

    @property
    def receives(self) -> int:
        """How often it was received by anyone, looks at it included."""
        return int(self.attributes.get("ApproximateReceiveCount", "0"))

    @property
    def error(self) -> str | None:
        """What Lambda says it failed with, in its own dead-letter queue."""
        return str(self.message_attributes["ErrorMessage"].value) if self.origin == "function" else None


@contextmanager
def held(
    client: SQSClient,
    queue_url: str,
    *,
    limit: int,
    reads: Reads,
    progress: Callable[[int], None] = lambda _: None,
) -> Iterator[list[DeadLetterMessage]]:
    """Takes messages out of a queue for as long as the block lasts; what is left of them is visible again at once.

    Args:
        client: The SQS client.
        queue_url: The dead-letter queue.
        limit: How many at most.
        reads: Where it is noted that messages could not be put back; they come back by themselves after two minutes.
        progress: Called with how many there are so far.

    Raises:
        botocore.exceptions.ClientError: AWS refused to give any.
    """
    messages: dict[str, DeadLetterMessage] = {}
    ends = time.monotonic() + HOLD_SECONDS / 2
    try:
        # What was received first must not come again while the rest is read.
        while len(messages) < limit and time.monotonic() < ends:
            # A batch whose answer is not waited for stays hidden.
            with uninterrupted():
                batch = [_parsed(received) for received in _received(client, queue_url, limit - len(messages))]
                messages |= {message.message_id: message for message in batch}
            if not batch:
                break
            progress(len(messages))
        yield list(messages.values())
    finally:
        receipts = [message.receipt for message in messages.values()]
        name = queue_url.rsplit("/", 1)[-1]
        with uninterrupted():
            for index in range(0, len(receipts), _BATCH):
                reads.read(
                    f"how to put messages back into {name} at once; they are visible again after {HOLD_SECONDS} s",
                    partial(_put_back, client, queue_url, receipts[index : index + _BATCH]),
                )


def _received(client: SQSClient, queue_url: str, limit: int) -> list[MessageTypeDef]:
    """Returns the messages of one read."""
    return client.receive_message(
        QueueUrl=queue_url,
        MaxNumberOfMessages=min(_BATCH, limit),
        MessageSystemAttributeNames=["All"],
        MessageAttributeNames=["All"],
        VisibilityTimeout=HOLD_SECONDS,
        WaitTimeSeconds=_POLL_SECONDS,
    ).get("Messages", [])


def _parsed(received: MessageTypeDef) -> DeadLetterMessage:
    attributes = {str(key): value for key, value in received.get("Attributes", {}).items()}
    return DeadLetterMessage(
        message_id=received.get("MessageId", ""),
        receipt=received.get("ReceiptHandle", ""),
        body=received.get("Body", ""),
        attributes=attributes,
        message_attributes={
            name: Attribute(
                type=value["DataType"],
                value=value["BinaryValue"] if "BinaryValue" in value else value.get("StringValue", ""),
            )
            for name, value in received.get("MessageAttributes", {}).items()
        },
    )


def _put_back(client: SQSClient, queue_url: str, receipts: Sequence[str]) -> None:
    # Entries that were deleted meanwhile are answered as failed, which is as it should be.
    client.change_message_visibility_batch(
        QueueUrl=queue_url,
        Entries=[
            {"Id": str(index), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
            for index, receipt in enumerate(receipts)
        ],
    )
