"""SNS: the tracing header on its way to the subscribers, the topic's own segments, and what cannot be delivered.

Sources: X-Ray Developer Guide, "Amazon SNS and AWS X-Ray"; SNS Developer Guide, "Active tracing in Amazon SNS" and
"Amazon SNS dead-letter queues". SNS propagates the publisher's header. With `TracingConfig` Active it also sends a
segment, if the header says Sampled=1 and a resource policy of X-Ray admits the topic. It never decides about
sampling itself. A message that a queue's policy keeps out goes to the subscription's dead-letter queue at once.
"""

import itertools
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import sns, sqs

from local.patches import sns_deduplication
from local.propagation import request_context
from local.propagation.header import TraceHeader, new_entity_id
from local.xray.state import XRay

Fields = dict[str, Any]


@dataclass(kw_only=True)
class _Delivery:
    """One message on its way to one queue; `arrived` once the queue has it."""

    header: str | None
    fifo: bool
    arrived: bool = False


@dataclass(kw_only=True)
class _TopicSegment:
    header: TraceHeader
    start: float
    segment_id: str = field(default_factory=new_entity_id)
    answered: float = field(default_factory=time.time)
    deliveries: list[Fields] = field(default_factory=list)


_sequence = itertools.count(1)
_delivery: ContextVar[_Delivery | None] = ContextVar("delivery", default=None)
_topic_segment: ContextVar[_TopicSegment | None] = ContextVar("topic_segment", default=None)


@contextmanager
def delivering(header: str | None) -> Iterator[None]:
    """Lets what is put on a queue by another service than SNS have a tracing header, for the length of a block."""
    known = TraceHeader.parse(header)
    delivery = _Delivery(header=known.render() if known else None, fifo=False)
    with request_context.using(_delivery, delivery):
        yield


def install(xray: XRay) -> None:
    """Carries the publisher's header to the subscribers, and sends the topic's segments."""
    _install_fanout(xray)
    _install_queue_delivery()
    _install_function_delivery(xray)
    _install_arrival()


def _install_fanout(xray: XRay) -> None:
    fanout = sns._fanout

    def fan_out(topic_arn: str, message_id: str, *args: Any, **kwargs: Any) -> None:
        header = TraceHeader.parse(request_context.inbound.get())
        active = header is not None and _active(xray, topic_arn, header)
        start = request_context.received.get() or time.time()
        segment = _TopicSegment(header=header, start=start) if header and active else None
        with request_context.using(_topic_segment, segment):
            fanout(topic_arn, message_id, *args, **kwargs)
        if segment:
            xray.traces.put(_document(segment, topic_arn, message_id))

    sns._fanout = fan_out


def _install_queue_delivery() -> None:
    deliver = sns._deliver_to_sqs

    def deliver_to_queue(queue_arn: str, *args: Any, **kwargs: Any) -> None:
        segment = _topic_segment.get()
        # A malformed header would be refused by SQS; that SNS leaves it behind is assumed.
        header = TraceHeader.parse(request_context.inbound.get())
        subsegment_id, start = new_entity_id(), time.time()
        if segment and header:
            # Parent is the delivery's subsegment: assumed, as for every call of a traced service.
            header = replace(header, parent=subsegment_id)
        fifo = queue_arn.endswith(".fifo")
        delivery = _Delivery(header=header.render() if header else None, fifo=fifo)
        group, deduplication_id = kwargs.get("message_group_id", ""), kwargs.get("message_dedup_id", "")
        with sns_deduplication.unless_duplicate(queue_arn, group, deduplication_id) as is_new:
            if is_new:
                with request_context.using(_delivery, delivery):
                    deliver(queue_arn, *args, **kwargs)
            else:
                delivery.arrived = True
        if segment:
            segment.deliveries.append(_to_queue(subsegment_id, start, queue_arn, arrived=delivery.arrived))
        dead_letters = None if delivery.arrived else _dead_letter_queue(str(kwargs.get("topic_arn", "")), queue_arn)
        if dead_letters:
            # That the dead-letter message keeps the header of the delivery is assumed.
            with request_context.using(_delivery, _Delivery(header=delivery.header, fifo=fifo)):
                deliver(dead_letters, *args, **kwargs)

    sns._deliver_to_sqs = deliver_to_queue


def _install_function_delivery(xray: XRay) -> None:
    invoke = sns._deliver_to_lambda

    def deliver_to_function(function_arn: str, *args: Any) -> None:
        segment, header = _topic_segment.get(), request_context.inbound.get()
        if segment:
            subsegment_id = new_entity_id()
            header = replace(segment.header, parent=subsegment_id).render()
            # The topic's segment is on its way by now, so the delivery follows it as a document of its own.
            xray.traces.put(_to_function(segment, subsegment_id, function_arn))
        with request_context.using(request_context.inbound, header), request_context.using(_topic_segment, None):
            invoke(function_arn, *args)

    sns._deliver_to_lambda = deliver_to_function


def _install_arrival() -> None:
    complete = sqs._ensure_msg_fields

    def complete_message(message: Fields) -> None:
        complete(message)
        delivery = _delivery.get()
        if delivery:
            if delivery.fifo and message["seq"] is None:
                # SQS numbers every message of a FIFO queue; MiniStack those that SNS delivers not.
                message["seq"] = str(next(_sequence)).zfill(20)
            if delivery.header:
                message["sys"].setdefault("AWSTraceHeader", delivery.header)
            delivery.arrived = True

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
    # No document shows a topic's segment; its fields are assumed from those of other services. Of its times X-Ray's
    # Developer Guide says, "Amazon SNS and AWS X-Ray": "The myTopic segment represents the latency of the Amazon SNS
    # response to the publish request", and what lies between it and the SQS subsegment is the time spent in SNS.
    failed = any(delivery.get("fault") for delivery in segment.deliveries)
    return {
        "id": segment.segment_id,
        "name": topic_arn.rsplit(":", 1)[-1],
        "trace_id": segment.header.root,
        **({"parent_id": segment.header.parent} if segment.header.parent else {}),
        "start_time": segment.start,
        "end_time": segment.answered,
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


def _to_queue(subsegment_id: str, start: float, queue_arn: str, *, arrived: bool) -> Fields:
    name = queue_arn.rsplit(":", 1)[-1]
    url = sqs._queue_url_for_account(queue_arn.split(":")[4] or get_account_id(), name)
    return {
        "id": subsegment_id,
        "name": "SQS",
        "namespace": "aws",
        "start_time": start,
        "end_time": time.time(),
        "http": {"response": {"status": 200 if arrived else 403}},
        "aws": {"operation": "SendMessage", "region": get_region(), "queue_url": url, "resource_names": [url]},
        **({} if arrived else {"fault": True}),
    }


def _to_function(segment: _TopicSegment, subsegment_id: str, function_arn: str) -> Fields:
    # SNS invokes functions asynchronously, so the call is over as soon as Lambda has taken it (202).
    name, now = function_arn.split(":function:", 1)[-1].split(":")[0], time.time()
    return {
        "id": subsegment_id,
        "name": "Lambda",
        "type": "subsegment",
        "trace_id": segment.header.root,
        "parent_id": segment.segment_id,
        "namespace": "aws",
        "start_time": now,
        "end_time": now,
        "http": {"response": {"status": 202}},
        "aws": {"operation": "Invoke", "region": get_region(), "function_name": name, "resource_names": [name]},
    }


def _dead_letter_queue(topic_arn: str, endpoint: str) -> str | None:
    topic = sns._topic_by_arn_any_scope(topic_arn) or {}
    for subscription in topic.get("subscriptions") or []:
        policy = (subscription.get("attributes") or {}).get("RedrivePolicy")
        if subscription.get("endpoint") == endpoint and policy:
            target = (json.loads(policy) if isinstance(policy, str) else policy).get("deadLetterTargetArn")
            return str(target) if target else None
    return None
