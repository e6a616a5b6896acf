"""SNS: duplicates, for which a FIFO topic looks in the whole topic or in a message group, and its queues again.

Sources: SNS Developer Guide, "Amazon SNS message deduplication for FIFO topics": "Message deduplication applies to an
entire Amazon SNS FIFO topic when the topic attribute FifoThroughputScope is set to Topic. When the topic attribute
FifoThroughputScope is set to MessageGroup, message deduplication applies to each individual message group", and the
deduplication id goes to the queues. SQS API Reference, "SendMessage": a queue accepts a message with an id that it
knows, and does not deliver it; `DeduplicationScope` says where it looks.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ministack.services import sns, sqs

Fields = dict[str, Any]

_SCOPE, _OF_GROUP = "FifoThroughputScope", "MessageGroup"
# In no message group's id: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
_BETWEEN = "\n"


def install() -> None:
    """Has topics look for duplicates where they are to."""
    # MiniStack knows a message by its deduplication id alone. Until it is fanned out, the group is a part of that.
    _install_publish()
    _install_batch()
    _install_fanout()


@contextmanager
def unless_duplicate(queue_arn: str, group: str, deduplication_id: str) -> Iterator[bool]:
    """Gives whether a FIFO queue has not seen a message that SNS delivers, and has it remember one that arrives.

    Args:
        queue_arn: The queue's ARN.
        group: The message's group; empty where it has none.
        deduplication_id: Its deduplication id; likewise.

    Raises:
        Exception: What the block raises; the queue then remembers nothing.
    """
    queue = sqs._queue_by_arn(queue_arn)
    if queue is None or not queue["is_fifo"] or not deduplication_id:
        yield True
        return
    sqs._prune_dedup(queue)
    known = queue["dedup_cache"]
    key = deduplication_id
    if queue["attributes"].get("DeduplicationScope") == "messageGroup":
        key = f"{group}:{deduplication_id}"
    if key in known:
        yield False
        return
    before = len(queue["messages"])
    yield True
    if len(queue["messages"]) > before:
        message = queue["messages"][-1]
        known[key] = {"expire": time.time() + sqs._DEDUP_WINDOW_S, "id": message["id"], "seq": message["seq"]}


def _install_publish() -> None:
    publish = sns.publish_internal

    def publish_in_scope(topic_arn: str, message: Any, *args: Any, **kwargs: Any) -> Any:
        text = message if isinstance(message, str) else json.dumps(message)
        given = str(kwargs.get("message_deduplication_id") or "")
        known_by = _known_by(topic_arn, str(kwargs.get("message_group_id") or ""), given, text)
        return publish(topic_arn, message, *args, **{**kwargs, "message_deduplication_id": known_by})

    sns.publish_internal = publish_in_scope


def _install_batch() -> None:
    parse = sns._parse_batch_entries

    def parse_entries(params: Fields) -> list[Fields]:
        topic_arn = str(sns._normalize_arn(sns._p(params, "TopicArn")))
        return [
            {
                **entry,
                "message_dedup_id": _known_by(
                    topic_arn,
                    entry.get("message_group_id") or "",
                    entry.get("message_dedup_id") or "",
                    entry.get("message") or "",
                ),
            }
            for entry in parse(params)
        ]

    sns._parse_batch_entries = parse_entries


def _install_fanout() -> None:
    fanout = sns._fanout

    def fan_out(*args: Any, **kwargs: Any) -> None:
        known_by = str(kwargs.get("message_dedup_id") or "")
        fanout(*args, **{**kwargs, "message_dedup_id": known_by.rpartition(_BETWEEN)[2]})

    sns._fanout = fan_out


def _known_by(topic_arn: str, group: str, deduplication_id: str, message: str) -> str:
    """Returns what a message is known by in its topic; the deduplication id as it came where that is all."""
    topic = sns._topic_by_arn_any_scope(topic_arn)
    if topic is None or not group or topic["attributes"].get(_SCOPE) != _OF_GROUP:
        return deduplication_id
    try:
        own = sns._resolve_dedup_id(topic, {"MessageDeduplicationId": deduplication_id}, message)
    except ValueError:
        return deduplication_id  # MiniStack refuses it for that
    return f"{group}{_BETWEEN}{own}"
