"""SNS: the tracing header on its way to the queues, and the topic's own segments.

Source: X-Ray Developer Guide, "Amazon SNS and AWS X-Ray"; SNS Developer Guide, "Active tracing in Amazon SNS":
SNS hands the publisher's header on. With `TracingConfig` Active it also sends a segment, if the header says
Sampled=1 and a resource policy of X-Ray admits the topic. It never decides about sampling itself.
"""

import itertools
import time
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import sns, sqs

from local import flow
from local.headers import TraceHeader, new_entity_id
from local.xray import XRay

Fields = dict[str, Any]


@dataclass(kw_only=True)
class _Delivery:
    """One message on its way to one queue; `arrived` once the queue has it."""

    header: str
    arrived: bool = False


@dataclass(kw_only=True)
class _TopicSegment:
    header: TraceHeader
    segment_id: str = field(default_factory=new_entity_id)
    start: float = field(default_factory=time.time)
    deliveries: list[Fields] = field(default_factory=list)


_sequence = itertools.count(1)
_delivery: ContextVar[_Delivery | None] = ContextVar("delivery", default=None)
_topic_segment: ContextVar[_TopicSegment | None] = ContextVar("topic_segment", default=None)


def install(xray: XRay) -> None:
    """Carry the publisher's header into the queues, and send the topic's segments."""
    fanout, deliver, complete = sns._fanout, sns._deliver_to_sqs, sqs._ensure_msg_fields

    def fan_out(topic_arn: str, message_id: str, *args: Any, **kwargs: Any) -> None:
        header = TraceHeader.parse(flow.inbound.get())
        active = header is not None and _active(xray, topic_arn, header)
        segment = _TopicSegment(header=header) if header and active else None
        with flow.using(_topic_segment, segment):
            fanout(topic_arn, message_id, *args, **kwargs)
        if segment:
            xray.traces.put(_document(segment, topic_arn, message_id))

    def deliver_to_queue(queue_arn: str, *args: Any, **kwargs: Any) -> None:
        segment = _topic_segment.get()
        header = TraceHeader.parse(flow.inbound.get())
        if header is None:
            # A malformed header would be refused by SQS; that SNS leaves it behind is assumed.
            deliver(queue_arn, *args, **kwargs)
            return
        subsegment_id, start = new_entity_id(), time.time()
        if segment:
            # Parent is the delivery's subsegment: assumed, as for every call of a traced service.
            header = replace(header, parent=subsegment_id)
        with flow.using(_delivery, _Delivery(header=header.render())) as delivery:
            deliver(queue_arn, *args, **kwargs)
        if segment:
            arrived = delivery is not None and delivery.arrived
            segment.deliveries.append(_subsegment(subsegment_id, start, queue_arn, arrived=arrived))

    def complete_message(message: Fields) -> None:
        complete(message)
        if message["group_id"] and message["seq"] is None:
            # SQS numbers every message of a FIFO queue; MiniStack those that SNS delivers not.
            message["seq"] = str(next(_sequence)).zfill(20)
        delivery = _delivery.get()
        if delivery:
            message["sys"].setdefault("AWSTraceHeader", delivery.header)
            delivery.arrived = True

    sns._fanout = fan_out
    sns._deliver_to_sqs = deliver_to_queue
    sqs._ensure_msg_fields = complete_message


def _active(xray: XRay, topic_arn: str, header: TraceHeader) -> bool:
    topic = sns._topic_by_arn_any_scope(topic_arn)
    if topic is None or topic["attributes"].get("TracingConfig") != "Active" or header.sampled != "1":
        return False
    return xray.policies.admits(
        service="sns.amazonaws.com",
        source_arn=topic_arn,
        source_account=topic_arn.split(":")[4],
        region=topic_arn.split(":")[3],
    )


def _document(segment: _TopicSegment, topic_arn: str, message_id: str) -> Fields:
    # No document shows a topic's segment; its fields are assumed from those of other services.
    failed = any(delivery.get("fault") for delivery in segment.deliveries)
    return {
        "id": segment.segment_id,
        "name": topic_arn.rsplit(":", 1)[-1],
        "trace_id": segment.header.root,
        **({"parent_id": segment.header.parent} if segment.header.parent else {}),
        "start_time": segment.start,
        "end_time": time.time(),
        "origin": "AWS::SNS",
        "resource_arn": topic_arn,
        "aws": {
            "operation": "Publish",
            "region": topic_arn.split(":")[3],
            "account_id": topic_arn.split(":")[4],
            "topic_arn": topic_arn,
            "message_id": message_id,
            "resource_names": [topic_arn.rsplit(":", 1)[-1]],
        },
        **({"fault": True} if failed else {}),
        "subsegments": segment.deliveries,
    }


def _subsegment(subsegment_id: str, start: float, queue_arn: str, *, arrived: bool) -> Fields:
    name = queue_arn.rsplit(":", 1)[-1]
    return {
        "id": subsegment_id,
        "name": "SQS",
        "namespace": "aws",
        "start_time": start,
        "end_time": time.time(),
        "http": {"response": {"status": 200 if arrived else 403}},
        "aws": {
            "operation": "SendMessage",
            "region": get_region(),
            "queue_url": sqs._queue_url_for_account(queue_arn.split(":")[4] or get_account_id(), name),
            "resource_names": [name],
        },
        **({} if arrived else {"fault": True}),
    }
