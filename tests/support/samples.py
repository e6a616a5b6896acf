"""BatchGetTraces answers of one pipeline, with the fields and shapes that X-Ray's own answers have."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import count
from typing import Any

Document = dict[str, Any]
EPOCH = 1_763_900_000.0
ACCOUNT = "123456789012"
STAGE = "Orders/prod"
INGEST = "TracedPipeline-OrdersIngestFunction1A2B3C4D-x7GkQpLmZ0aB"
TOPIC = "TracedPipeline-OrdersTopic9F8E7D6C-bYtRwQ12ZxCv"
QUEUE = "TracedPipeline-OrdersWorkerQueue5A6B7C8D-mNbVcXzLkJhG"
WORKER = "TracedPipeline-OrdersWorkerFunction0F1E2D3C-pOiUyTrEwQaS"
TABLE = "TracedPipeline-OrdersTable7C6D5E4F-1QAZ2WSX3EDC"
AUDIT_QUEUE = "TracedPipeline-OrdersAuditQueue11223344-AaBbCcDdEeFf"
AUDIT_WORKER = "TracedPipeline-OrdersAuditFunction55667788-GgHhIiJjKkLl"
PATH = [STAGE, INGEST, TOPIC, QUEUE, WORKER, TABLE]


class Answer:
    """Gathers the documents of one trace; ids are made from the trace's number, so they are the same in every run."""

    def __init__(self, number: int, *, start: float = EPOCH) -> None:
        self.number = number
        self.trace_id = f"1-{int(start):08x}-{number:024x}"
        self.start = start
        self.documents: list[Document] = []
        self._ids = count(1)

    def id(self) -> str:
        return f"{self.number:08x}{next(self._ids):08x}"

    def span(self, name: str, begin: float, end: float, **fields: Any) -> Document:
        return {
            "id": self.id(),
            "name": name,
            "start_time": self.start + begin,
            "end_time": self.start + end,
            **fields,
        }

    def segment(self, name: str, origin: str, begin: float, end: float, **fields: Any) -> Document:
        document = self.span(name, begin, end, trace_id=self.trace_id, origin=origin, **fields)
        self.documents.append(document)
        return document

    def inferred(self, parent: Document, name: str, origin: str) -> Document:
        begin, end = parent["start_time"] - self.start, parent["end_time"] - self.start
        aws = {**parent["aws"], "resource_names": [name]}
        return self.segment(name, origin, begin, end, parent_id=parent["id"], inferred=True, aws=aws)

    def function(self, name: str, parent_id: str | None, begin: float, end: float, inside: list[Document]) -> Document:
        """The two segments Lambda sends for an invocation; returns the function's own."""
        arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"
        service = self.segment(
            name, "AWS::Lambda", begin, end, resource_arn=arn, aws={"request_id": f"request-{self.number}"}
        )
        service["http"] = {"response": {"status": 200}}
        if parent_id:
            service["parent_id"] = parent_id
        invocation = self.span("Invocation", begin + 0.012, end - 0.003, aws={"function_arn": arn}, subsegments=inside)
        overhead = self.span("Overhead", end - 0.002, end - 0.001, aws={"function_arn": arn})
        return self.segment(
            name,
            "AWS::Lambda::Function",
            begin + 0.01,
            end - 0.001,
            parent_id=service["id"],
            aws={"account_id": ACCOUNT, "function_arn": arn, "resource_names": [name]},
            subsegments=[invocation, overhead],
        )

    def call(self, name: str, begin: float, end: float, **aws: Any) -> Document:
        return self.span(
            name,
            begin,
            end,
            namespace="aws",
            aws={"region": "us-east-1", **aws},
            http={"response": {"status": 200}},
        )

    def table(self, parent: Document) -> Document:
        return self.inferred(parent, TABLE, "AWS::DynamoDB::Table")

    def json(self) -> Document:
        begin = min(document["start_time"] for document in self.documents)
        end = max(document["end_time"] for document in self.documents)
        return {
            "Id": self.trace_id,
            "Duration": round(end - begin, 3),
            "LimitExceeded": False,
            "Segments": [{"Id": document["id"], "Document": json.dumps(document)} for document in self.documents],
        }


def to_the_queue(answer: Answer, queues: Sequence[str] = (QUEUE,)) -> list[Document]:
    """The first half of a request; returns the topic's delivery subsegments, one per queue."""
    call = answer.call("Lambda", 0.004, 0.118, operation="Invoke", resource_names=[INGEST])
    answer.segment(
        STAGE,
        "AWS::ApiGateway::Stage",
        0.0,
        0.12,
        http={
            "request": {
                "method": "POST",
                "url": "https://abc123.execute-api.us-east-1.amazonaws.com/prod/orders",
            },
            "response": {"status": 202},
        },
        aws={
            "xray": {"sampling_rule_name": "Orders"},
            "api_gateway": {"rest_api_id": "abc123", "stage": "prod"},
        },
        metadata={"default": {"request_id": "9f1c"}},
        annotations={"aws:api_id": "abc123", "aws:api_stage": "prod"},
        subsegments=[call],
    )
    arn = f"arn:aws:sns:us-east-1:{ACCOUNT}:{TOPIC}"
    publish = answer.call("SNS", 0.03, 0.09, operation="Publish", topic_arn=arn)
    answer.function(INGEST, call["id"], 0.006, 0.117, [publish])
    deliveries = [
        answer.call(
            "SQS",
            0.1,
            0.115,
            operation="SendMessage",
            queue_url=f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/{queue}",
        )
        for queue in queues
    ]
    answer.segment(TOPIC, "AWS::SNS", 0.05, 0.118, parent_id=publish["id"], resource_arn=arn, subsegments=deliveries)
    for delivery, queue in zip(deliveries, queues, strict=True):
        answer.inferred(delivery, queue, "AWS::SQS::Queue")
    return deliveries


def bridged_worker(
    answer: Answer, delivery: Document, name: str = WORKER, *, begin: float = 0.4, fault: bool = False
) -> Document:
    """What the bridge sends for one message."""
    put = answer.call("DynamoDB", begin + 0.01, begin + 0.03, operation="PutItem", table_name=TABLE)
    segment = answer.segment(
        name,
        "AWS::Lambda::Function",
        begin,
        begin + 0.04,
        parent_id=delivery["id"],
        aws={"function_arn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}", "request_id": "r-1"},
        annotations={"message_id": f"m-{answer.number}", "attempt": 1, "queue_ms": 285},
        subsegments=[put],
    )
    if fault:
        segment["fault"] = True
        segment["cause"] = {
            "exceptions": [{"id": "0011223344556677", "type": "ValueError", "message": "no <customer>"}]
        }
    answer.table(put)
    return segment


def bridged(number: int = 1) -> Document:
    """A request that is one trace."""
    answer = Answer(number, start=EPOCH + number)
    [delivery] = to_the_queue(answer)
    bridged_worker(answer, delivery)
    return answer.json()


def fan_out(number: int = 1) -> Document:
    """A request that two workers take."""
    answer = Answer(number, start=EPOCH + number)
    first, second = to_the_queue(answer, (QUEUE, AUDIT_QUEUE))
    bridged_worker(answer, first)
    bridged_worker(answer, second, AUDIT_WORKER, begin=0.9)
    return answer.json()


def unbridged(number: int = 1, *, linked: bool = False) -> list[Document]:
    """A request as AWS alone traces it: the worker's trace is another one, at most linked."""
    first = Answer(number, start=EPOCH + number)
    to_the_queue(first)
    second = Answer(number + 5000, start=EPOCH + number + 0.4)
    put = second.call("DynamoDB", 0.03, 0.05, operation="PutItem", table_name=TABLE)
    function = second.function(WORKER, None, 0.0, 0.09, [put])
    second.table(put)
    if linked:
        link(first, second, function)
    return [first.json(), second.json()]


def linked_worker(number: int = 1) -> list[Document]:
    """A bridged request whose worker is also traced by Lambda itself."""
    first = Answer(number, start=EPOCH + number)
    [delivery] = to_the_queue(first)
    bridged_worker(first, delivery)
    second = Answer(number + 5000, start=EPOCH + number + 0.38)
    function = second.function(WORKER, None, 0.0, 0.09, [])
    link(first, second, function)
    return [first.json(), second.json()]


def link(first: Answer, second: Answer, function: Document, worker: str = WORKER) -> None:
    """Lambda's references in both directions, from the ingest function's Invocation to the worker's."""
    ingest = next(d for d in first.documents if d["origin"] == "AWS::Lambda::Function" and d["name"] == INGEST)
    sending, receiving = ingest["subsegments"][0], function["subsegments"][0]
    sending["links"] = [_reference(second.trace_id, receiving["id"], "child", worker)]
    receiving["links"] = [_reference(first.trace_id, sending["id"], "parent", INGEST)]


def _reference(trace_id: str, span_id: str, kind: str, name: str) -> Document:
    prefix = "aws.xray.reserved."
    return {
        "trace_id": trace_id,
        "id": span_id,
        "attributes": {
            f"{prefix}reference_type": kind,
            f"{prefix}names": [name],
            f"{prefix}type": "AWS::Lambda",
        },
    }


def wide(count: int, *, services: int = 50) -> Document:
    """One trace of so many segments, each with some fields, of which every one calls up to four."""
    answer = Answer(1)
    segments = [answer.segment("entry", "AWS::ApiGateway::Stage", 0.0, 10.0)]
    for number in range(1, count):
        begin = number / count * 5
        parent = segments[(number - 1) // 4]
        annotations = {"number": number}
        segments.append(
            answer.segment(
                f"service-{number % services}",
                "AWS::ECS::Container",
                begin,
                begin + 3,
                parent_id=parent["id"],
                annotations=annotations,
                metadata={"default": {"payload": "x" * 200}},
            )
        )
    return answer.json()
