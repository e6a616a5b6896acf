"""EventBridge: the tracing header of PutEvents on its way to the targets of rules.

Sources: EventBridge User Guide, "Amazon EventBridge integration with AWS X-Ray": the header of a PutEvents request, or
the entry's `TraceHeader`, which wins, goes to the targets; events of AWS services have none. EventBridge sends no
segment: its node is inferred from the caller's subsegment.
"""

import json
from typing import Any

from ministack.services import eventbridge

from local.patches import sns
from local.propagation import request_context

Fields = dict[str, Any]
_OF_AWS = "aws."
# EventBridge API Reference, "PutEvents", "Entries".
_MAX_ENTRIES = 10


def install() -> None:
    """Carries the header to the queues and topics that are targets."""
    _install_entries()
    _install_aws_events()
    _install_queue_target()


def _install_entries() -> None:
    put = eventbridge._put_events

    def put_events(data: Fields, *args: Any, **kwargs: Any) -> Any:
        entries = data.get("Entries") or []
        if len(entries) > _MAX_ENTRIES or not any(entry.get("TraceHeader") for entry in entries):
            return put(data, *args, **kwargs)
        bodies: list[Fields] = []
        for entry in entries:
            header = entry.get("TraceHeader") or request_context.inbound.get()
            with request_context.using(request_context.inbound, header):
                status, headers, body = put({**data, "Entries": [entry]}, *args, **kwargs)
            bodies.append(json.loads(body))
        merged = {
            "FailedEntryCount": sum(answer["FailedEntryCount"] for answer in bodies),
            "Entries": [result for answer in bodies for result in answer["Entries"]],
        }
        return status, headers, json.dumps(merged).encode()

    eventbridge._put_events = put_events


def _install_aws_events() -> None:
    dispatch = eventbridge._dispatch_event

    def dispatch_event(event: Fields, *args: Any, **kwargs: Any) -> Any:
        of_aws = str(event.get("Source", "")).startswith(_OF_AWS)
        header = None if of_aws else request_context.inbound.get()
        with request_context.using(request_context.inbound, header):
            return dispatch(event, *args, **kwargs)

    eventbridge._dispatch_event = dispatch_event


def _install_queue_target() -> None:
    deliver = eventbridge._dispatch_to_sqs

    def deliver_to_queue(*args: Any, **kwargs: Any) -> None:
        with sns.delivering(request_context.inbound.get()):
            deliver(*args, **kwargs)

    eventbridge._dispatch_to_sqs = deliver_to_queue
