"""Tracing headers, and messages with the headers they carry."""

import json
from typing import Any

from tests.support.account import Account
from tests.support.waiting import wait_for

ROOT = "1-5759e988-bd862e3fe1be46a994272793"
PARENT = "53995c3f42cd8ad8"
SAMPLED = f"Root={ROOT};Parent={PARENT};Sampled=1"


def fields(header: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in header.split(";"))


def receive(sqs: Any, url: str, **options: Any) -> Any:
    def once() -> Any:
        answer = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["AWSTraceHeader"], **options)
        return (answer.get("Messages") or [None])[0]

    return wait_for(once)


def send_and_consume(aws: Account, stack: dict[str, str]) -> tuple[str, str]:
    """Let the traced producer's message be consumed; the two traces' ids."""
    _, seen, _ = aws.post(f"{stack['ApiId']}/traced/")
    producer = fields(seen["env"])
    sqs = aws.client("sqs", header=f"Root={producer['Root']};Parent={producer['Parent']};Sampled=1")
    sqs.send_message(QueueUrl=stack["ConsumedUrl"], MessageBody="x")
    message = receive(sqs, stack["ResultsUrl"])
    sqs.delete_message(QueueUrl=stack["ResultsUrl"], ReceiptHandle=message["ReceiptHandle"])
    consumer = fields(json.loads(message["Body"])["env"])
    assert (consumer["Sampled"], consumer["Root"] != producer["Root"]) == ("1", True)
    wait_for(lambda: by_origin(aws, consumer["Root"], "AWS::Lambda"))
    return producer["Root"], consumer["Root"]


def by_origin(aws: Account, trace_id: str, origin: str) -> Any:
    return next((found for found in aws.documents(trace_id) if found.get("origin") == origin), None)
