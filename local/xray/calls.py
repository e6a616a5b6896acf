"""Who called whom in a trace: the relations that the service graph and `edge()` are made of.

Source: X-Ray Developer Guide, "Concepts", "Service graph": a node is one name and type; an edge's figures are those
of the caller's subsegment, a node's those of its own segments.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from local.xray.document_tree import Document, walk
from local.xray.inference import node_name

_MESSAGING = ("AWS::SQS::Queue", "AWS::SNS")


@dataclass(frozen=True, kw_only=True, order=True)
class NodeKey:
    """What makes a node of the graph one: name and type; the type is empty where nothing gives one."""

    name: str
    type: str


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request that reached a node.

    Attributes:
        caller: The node it came from; `None` for the client's request, and where the caller sent nothing.
        called: The node it reached.
        segment: The called node's segment.
        request: The caller's subsegment; `None` without one, and where a queue or topic stands between.
        caller_account: The account the caller says it is of.
        awaited: Whether the caller waited for the answer: not so for a message's consumer.
    """

    caller: NodeKey | None
    called: NodeKey
    segment: Document
    request: Document | None
    caller_account: str | None = None
    awaited: bool = True


def key_of(segment: Document) -> NodeKey:
    """Returns the node a segment belongs to."""
    kind = segment.get("origin") or ("remote" if segment.get("inferred") else "")
    return NodeKey(name=node_name(segment), type=kind)


def account_of(segment: Document) -> str | None:
    """Returns the account a segment says it is of; `None` where it says nothing."""
    account = (segment.get("aws") or {}).get("account_id")
    return str(account) if account else None


def services(segments: Sequence[Document]) -> Iterator[Document]:
    """Returns the segments; a subsegment sent by itself whose parent never came is nobody's node."""
    return (segment for segment in segments if segment.get("type") != "subsegment")


def calls(segments: Sequence[Document]) -> Iterator[Call]:
    """Returns every request of a trace, by the parent ids of its segments.

    A consumer's segment that continues from the subsegment by which a message was sent stands behind the inferred
    queue or topic: X-Ray Developer Guide, "Amazon SQS and AWS X-Ray", draws producer, queue, consumer.
    """
    owners = {
        entity["id"]: (segment, None if entity is segment else entity)
        for segment in segments
        for entity in walk(segment)
    }
    brokers = {
        segment["parent_id"]: segment
        for segment in segments
        if segment.get("inferred") and segment.get("origin") in _MESSAGING
    }
    for segment in services(segments):
        called, parent_id = key_of(segment), segment.get("parent_id", "")
        caller, request = owners.get(parent_id, (None, None))
        broker = None if segment.get("inferred") else brokers.get(parent_id)
        caller = broker or caller
        yield Call(
            caller=key_of(caller) if caller else None,
            called=called,
            segment=segment,
            request=None if broker else request,
            caller_account=account_of(caller) if caller else None,
            awaited=broker is None,
        )
