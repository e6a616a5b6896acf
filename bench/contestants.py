"""The handlers that are compared: each does the same work, and traces it in its own way."""

import json
import os
import socket
import time
from collections.abc import Callable, Mapping
from functools import partial
from types import MethodType
from typing import Any

import botocore.session
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.context import Context as SdkContext
from aws_xray_sdk.core.models.segment import Segment
from aws_xray_sdk.core.models.trace_header import TraceHeader as SdkTraceHeader
from aws_xray_sdk.ext.boto_utils import inject_header
from aws_xray_sdk.ext.botocore.patch import _xray_traced_botocore
from botocore.awsrequest import AWSResponse
from botocore.client import BaseClient
from botocore.config import Config
from botocore.endpoint import Endpoint
from trace_bridge import Message, instrument, sqs_handler
from wrapt import FunctionWrapper

from tests.support import bridge

Handler = Callable[[dict[str, Any], object], object]
# As they are before `instrument()`.
_MAKE_API_CALL = BaseClient._make_api_call  # noqa: SLF001 - every call's one way
_PREPARE_REQUEST = Endpoint.prepare_request
_PUT = {"TableName": "orders", "Item": {"id": {"S": "1"}, "customer": {"S": "Ann"}}}


class _Raw:
    """A body that is there already."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> list[bytes]:
        """Yields the body."""
        return [self._body]


def _answered(client: Any) -> Any:
    """Returns a client whose calls are answered before they leave the process."""
    client.meta.events.register(
        "before-send", lambda request, **_: AWSResponse(request.url, 200, {"x-amzn-RequestId": "r"}, _Raw(b"{}"))
    )
    return client


def _client(service: str) -> Any:
    return _answered(
        botocore.session.get_session().create_client(service, config=Config(retries={"total_max_attempts": 1}))
    )


def makers(address: tuple[str, int], *, call: bool) -> dict[str, Handler]:
    """Returns the contestants by name.

    Args:
        address: Where the daemon listens.
        call: Whether each message makes one DynamoDB call.
    """
    bridge.emit_to_daemon(bridge.UdpEmitter(address, buffer_bytes=1 << 40))
    instrument()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    plain = partial(_put, _without_tracing(_client("dynamodb"))) if call else _nothing
    by_sdk = partial(_put, _patched_by_sdk(_client("dynamodb"))) if call else _nothing
    return {
        "bare": partial(_bare, plain),
        "floor": partial(_floor, plain, sock, address),
        "sdk": partial(_sdk_by_hand, by_sdk, SdkContext()),
        "bridge": bridged(partial(_put, _client("dynamodb")) if call else _nothing),
    }


def _nothing() -> None:
    pass


def _put(client: Any) -> None:
    client.put_item(**_PUT)


def _without_tracing(client: Any) -> Any:
    """Returns a client as it is before anything patches botocore."""
    endpoint = client._endpoint  # noqa: SLF001 - there is no other way to it
    type(client)._make_api_call = _MAKE_API_CALL  # noqa: SLF001 - as above
    endpoint.prepare_request = MethodType(_PREPARE_REQUEST, endpoint)
    return client


def _patched_by_sdk(client: Any) -> Any:
    """Returns a client with the SDK's own patch of botocore on it alone."""
    endpoint = _without_tracing(client)._endpoint  # noqa: SLF001 - as above
    type(client)._make_api_call = FunctionWrapper(_MAKE_API_CALL, _xray_traced_botocore)  # noqa: SLF001 - as above
    endpoint.prepare_request = FunctionWrapper(endpoint.prepare_request, inject_header)
    return client


def _bare(call: Callable[[], None], event: Mapping[str, Any], _context: object) -> None:
    for record in event["Records"]:
        json.loads(record["body"])
        call()


def _floor(
    call: Callable[[], None], sock: socket.socket, address: tuple[str, int], event: Mapping[str, Any], context: Any
) -> None:
    """Does what any tracing of a message has to do: header, ids, a dict, `json.dumps` and one `sendto`."""
    for record in event["Records"]:
        fields = dict(part.split("=", 1) for part in record["attributes"]["AWSTraceHeader"].split(";"))
        began = time.time()
        json.loads(record["body"])
        call()
        if fields["Sampled"] != "1":
            continue
        document = {
            "name": "worker",
            "id": os.urandom(8).hex(),
            "trace_id": fields["Root"],
            "parent_id": fields["Parent"],
            "start_time": began,
            "end_time": time.time(),
            "origin": "AWS::Lambda::Function",
            "resource_arn": context.invoked_function_arn,
            "service": {"runtime": "CPython", "runtime_version": "3.11"},
            "aws": {
                "request_id": context.aws_request_id,
                "function_arn": context.invoked_function_arn,
                "account_id": "123456789012",
                "cloudwatch_logs": [{"log_group": "/aws/lambda/worker"}],
            },
            "annotations": {"message_id": record["messageId"], "attempt": 1, "queue_ms": 250},
            "metadata": {"trace_bridge": {"queue": record["eventSourceARN"]}},
        }
        sock.sendto(b'{"format":"json","version":1}\n' + json.dumps(document).encode(), address)


def _sdk_by_hand(call: Callable[[], None], sdk_context: SdkContext, event: Mapping[str, Any], context: Any) -> None:
    """Makes a segment of the X-Ray SDK for each record, in a context of its own, as people write it."""
    before = xray_recorder.context
    xray_recorder.context = sdk_context
    try:
        for record in event["Records"]:
            header = SdkTraceHeader.from_header_str(record["attributes"]["AWSTraceHeader"])
            segment = Segment("worker", traceid=header.root, parent_id=header.parent, sampled=header.sampled == 1)
            segment.origin = "AWS::Lambda::Function"
            segment.resource_arn = context.invoked_function_arn
            segment.set_aws(
                {
                    "request_id": context.aws_request_id,
                    "function_arn": context.invoked_function_arn,
                    "account_id": context.invoked_function_arn.split(":")[4],
                    "cloudwatch_logs": [{"log_group": "/aws/lambda/worker"}],
                }
            )
            segment.set_service({"runtime": "CPython", "runtime_version": "3.11"})
            attributes = record["attributes"]
            segment.put_annotation("message_id", record["messageId"])
            segment.put_annotation("attempt", int(attributes["ApproximateReceiveCount"]))
            waited = int(attributes["ApproximateFirstReceiveTimestamp"]) - int(attributes["SentTimestamp"])
            segment.put_annotation("queue_ms", waited)
            segment.put_metadata("queue", record["eventSourceARN"], "trace_bridge")
            sdk_context.put_segment(segment)
            try:
                json.loads(record["body"])
                call()
            finally:
                segment.close()
                if segment.sampled:
                    xray_recorder.emitter.send_entity(segment)
                sdk_context.clear_trace_entities()
    finally:
        xray_recorder.context = before


def bridged(call: Callable[[], None]) -> Handler:
    """Returns the handler of the bridge, which makes a call in each message."""

    @sqs_handler
    def handle(message: Message) -> None:
        message.json()
        call()

    return handle  # type: ignore[return-value] # takes any context here
