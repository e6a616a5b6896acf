"""`python -m bench.spans`: what a message as a span costs, in the bridge and written by hand with OpenTelemetry.

Processor time is compared, of all threads, as a machine that does other work as well disturbs it least. Each figure is
the least of many rounds in which the contestants take turns, minus the bare handler measured beside them.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

from opentelemetry import trace
from opentelemetry.propagators.aws import AwsXRayPropagator
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

Handler = Callable[[dict[str, Any], object], object]

_ROUNDS = 60
_PROPAGATOR = AwsXRayPropagator()


class Context:
    """An invocation's context."""

    aws_request_id = "7f2a6f0e-0000-4000-8000-000000000000"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:worker"

    def get_remaining_time_in_millis(self) -> int:
        """Returns plenty."""
        return 30_000


class _Nowhere(SpanExporter):
    """Takes spans, and counts those of the bridge."""

    def __init__(self) -> None:
        self.of_the_bridge = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        for span in spans:
            if span.instrumentation_scope is not None and span.instrumentation_scope.name == "trace_bridge":
                self.of_the_bridge += 1
        return SpanExportResult.SUCCESS


def main() -> int:
    """Prints the ratios; 0 when every goal is met."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "TRACE_BRIDGE_", "OTEL_"))]:
        del os.environ[name]
    os.environ.update(
        AWS_LAMBDA_FUNCTION_NAME="worker",
        TRACE_BRIDGE_ENGINE="otel",
        _X_AMZN_TRACE_ID="Root=1-6b04d6c2-aaaaaaaaaaaaaaaaaaaaaaaa;Lineage=061379e8:0",
    )
    provider = TracerProvider(shutdown_on_exit=False)
    exporter = _Nowhere()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    goals: list[bool] = []
    for name, size, sampled, limit in (
        ("sampled, batch of 10", 10, "1", 1.1),
        ("unsampled, batch of 1,000", 1_000, "0", 0.3),
    ):
        by_hand, bridge = _measured(_event(size, sampled), size, provider)
        goals.append(bridge <= limit * by_hand)
        print(
            f"{'met ' if goals[-1] else 'MISSED'} {name}: {bridge:.1f} µs, by hand {by_hand:.1f} µs: "
            f"{bridge / by_hand:.2f} (at most {limit})"
        )
    if not exporter.of_the_bridge:
        sys.exit("the bridge recorded no spans: trace_bridge was imported before its variables were set")
    return 0 if all(goals) else 1


def _measured(event: dict[str, Any], size: int, provider: TracerProvider) -> tuple[float, float]:
    """Microseconds that a message adds: by hand, and in the bridge."""
    from trace_bridge import Message, sqs_handler

    @sqs_handler
    def bridge(message: Message) -> None:
        json.loads(message.body)

    tracer = provider.get_tracer("by hand")
    contestants: dict[str, Handler] = {
        "bare": _bare,
        "by hand": lambda batch, context: _by_hand(tracer, batch, context),
        "bridge": lambda batch, context: bridge(batch, cast("Any", context)),
    }
    repeats = max(1, 200 // size)
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(_ROUNDS):
        for name, handler in contestants.items():
            times[name].append(_seconds(handler, event, repeats) / repeats / size * 1e6)
    least = {name: min(taken) for name, taken in times.items()}
    return least["by hand"] - least["bare"], least["bridge"] - least["bare"]


def _seconds(handler: Callable[[dict[str, Any], Any], object], event: dict[str, Any], repeats: int) -> float:
    began = time.process_time()
    for _ in range(repeats):
        handler(event, Context())
    return time.process_time() - began


def _bare(event: dict[str, Any], _context: object) -> object:
    failed = []
    for record in event["Records"]:
        try:
            json.loads(record["body"])
        except Exception:  # noqa: BLE001 - as every handler of a batch has it
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def _by_hand(tracer: trace.Tracer, event: dict[str, Any], context: Any) -> object:
    """Does what the bridge does for a message, with OpenTelemetry's own propagator and context managers."""
    failed = []
    for record in event["Records"]:
        attributes, queue = record["attributes"], record["eventSourceARN"].rpartition(":")[2]
        sender = _PROPAGATOR.extract({"X-Amzn-Trace-Id": attributes["AWSTraceHeader"]})
        waited = int(attributes["ApproximateFirstReceiveTimestamp"]) - int(attributes["SentTimestamp"])
        try:
            with tracer.start_as_current_span(
                f"process {queue}",
                context=sender,
                kind=trace.SpanKind.CONSUMER,
                attributes={
                    "messaging.system": "aws_sqs",
                    "messaging.operation.name": "process",
                    "messaging.operation.type": "process",
                    "messaging.destination.name": queue,
                    "messaging.message.id": record["messageId"],
                    "faas.invocation_id": context.aws_request_id,
                    "aws.lambda.invoked_arn": context.invoked_function_arn,
                    "attempt": int(attributes["ApproximateReceiveCount"]),
                    "queue_ms": waited,
                },
            ):
                json.loads(record["body"])
        except Exception:  # noqa: BLE001 - as above
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def _event(size: int, sampled: str) -> dict[str, Any]:
    now = int(time.time())
    return {
        "Records": [
            {
                "messageId": f"message-{number}",
                "body": '{"number": 1}',
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:orders",
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": "1795478000000",
                    "ApproximateFirstReceiveTimestamp": "1795478000250",
                    "AWSTraceHeader": f"Root=1-{now:08x}-{number + 1:024x};Parent=53995c3f42cd8ad8;Sampled={sampled}",
                },
            }
            for number in range(size)
        ]
    }


if __name__ == "__main__":
    sys.exit(main())
