"""A program that takes the bridge's main paths, with nothing but boto3 and the bridge beside it.

Arguments: the X-Ray SDK, `loaded` or `refused`; the folder of the reference handlers. The environment is that of a
Lambda function, with the addresses of a daemon and of services.
"""

import importlib
import json
import os
import runpy
import sys
import threading
from pathlib import Path
from typing import Any

TRACE = "1-{began:08x}-{number:024x}"
SENDER = "0123456789abcdef"


class Context:
    """An invocation's context."""

    aws_request_id = "7f2a6f0e-0000-4000-8000-000000000000"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:worker"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


class RefusedSdk:
    """Fails the program where anything tries to import the X-Ray SDK, or what that alone needs."""

    def find_spec(self, name: str, *_: object) -> None:
        if name.partition(".")[0] in ("aws_xray_sdk", "wrapt"):
            raise AssertionError(f"{name} was imported")


def message(number: int, body: object, began: int) -> dict[str, Any]:
    """Returns a record of a message with a sampled trace of its own, begun at that second."""
    trace = TRACE.format(began=began, number=number)
    return {
        "messageId": f"message-{number}",
        "receiptHandle": f"handle-{number}",
        "body": json.dumps(body),
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:orders",
        "attributes": {
            "AWSTraceHeader": f"Root={trace};Parent={SENDER};Sampled=1",
            "ApproximateReceiveCount": "1",
            "SentTimestamp": str(began * 1000),
            "ApproximateFirstReceiveTimestamp": str(began * 1000 + 250),
        },
    }


def main(sdk: str, handlers: Path, began: int) -> None:
    """Handles messages in every way there is; writes what came of it, and which of the refused packages are loaded."""
    if sdk == "loaded":
        importlib.import_module("aws_xray_sdk.core")
    else:
        sys.meta_path.insert(0, RefusedSdk())
    import boto3
    import trace_bridge

    @trace_bridge.sqs_handler
    def handler(received: trace_bridge.Message) -> None:
        boto3.client("dynamodb").put_item(TableName="orders", Item={"id": {"S": received.message_id}})
        if received.json()["number"] == 2:
            raise ValueError("no such customer")

    context, answers = Context(), []
    answers.append(handler({"Records": [message(n, {"number": n}, began) for n in (1, 2)]}, context))
    with trace_bridge.continue_trace(message(3, {}, began), context) as segment:
        segment.put_annotation("customer", "Ann")
    stop = threading.Event()
    sqs: Any = boto3.client("sqs")
    trace_bridge.poll(f"{os.environ['AWS_ENDPOINT_URL_SQS']}/1/orders", lambda _: stop.set(), client=sqs, stop=stop)
    for name, event in {
        "ingest": {"headers": {"Content-Type": "application/json"}, "body": '{"id": "a"}'},
        "worker": {"Records": [message(5, {"id": "a"}, began)]},
    }.items():
        answers.append(runpy.run_path(str(handlers / name / "app.py"))["handler"](event, context))
    loaded = sorted({name.partition(".")[0] for name in sys.modules} & {"aws_xray_sdk", "wrapt"})
    outcomes = [answer.get("batchItemFailures", answer.get("statusCode")) for answer in answers]
    sys.stdout.write(json.dumps({"outcomes": outcomes, "loaded": loaded}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
