"""The reference pipeline: orders come in over an API and end in a table.

Context values (`cdk synth -c name=value`); the first word of each is the default, and another word is refused:
    account_logging_role: `create`, `existing` or `none`; `make deploy` says which.
    bridge: `on`; `off` shows what AWS does by itself: the worker is traced, and the bridge is switched off; `linked`
        keeps Lambda's own trace of the worker, linked to the request's, beside the continued one.
    engine: `xray` records the functions' work as segments, `otel` as spans of OpenTelemetry.
    sampling: `default` leaves it to the account's rules; `all` records every request, for demonstrations.
"""

from collections.abc import Iterable
from typing import Any, Literal

from aws_cdk import App, CfnOutput, RemovalPolicy, Stack
from constructs import Construct
from traced_pipeline import IngestOptions, Instrumentation, SamplingOptions, TracedPipeline, WorkerOptions

ORDER_SCHEMA = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "required": ["customer", "amount"],
    "properties": {
        "id": {"type": "string", "minLength": 1, "maxLength": 256},
        "customer": {"type": "string", "minLength": 1, "maxLength": 200},
        "amount": {"type": "number", "minimum": 0},
    },
    "additionalProperties": False,
}


INSTRUMENTATIONS = {"xray": Instrumentation.xray(), "otel": Instrumentation.open_telemetry()}
WORKER_TRACING: dict[str, Literal["continued", "linked", "unbridged"]] = {
    "on": "continued",
    "off": "unbridged",
    "linked": "linked",
}


class OrdersStack(Stack):
    """The reference pipeline and where to reach its parts."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        bridge = self._word("bridge", WORKER_TRACING)
        engine = self._word("engine", INSTRUMENTATIONS)
        sampling = self._word("sampling", ("default", "all"))
        # The options refuse another word.
        logging_role: Any = self.node.try_get_context("account_logging_role") or "create"
        orders = TracedPipeline(
            self,
            "Orders",
            ingest=IngestOptions(
                path="/orders",
                schema=ORDER_SCHEMA,
                account_logging_role=logging_role,
                xray_sdk=engine == "xray",
            ),
            worker=WorkerOptions(tracing=WORKER_TRACING[bridge], xray_sdk=engine == "xray"),
            sampling=SamplingOptions(rate=1) if sampling == "all" else None,
            instrumentation=INSTRUMENTATIONS[engine],
            removal_policy=RemovalPolicy.DESTROY,
        )
        CfnOutput(self, "ApiUrl", value=orders.url)
        CfnOutput(self, "QueueUrl", value=orders.queue.queue_url)
        CfnOutput(self, "DeadLetterQueueUrl", value=orders.dead_letter_queue.queue_url)
        CfnOutput(self, "TableName", value=orders.table.table_name)

    def _word(self, name: str, words: Iterable[str]) -> str:
        """Returns a context value; the first word where it is not set."""
        known = list(words)
        value = str(self.node.try_get_context(name) or known[0])
        if value not in known:
            raise ValueError(f"the context value {name} is {value!r}; expected one of {', '.join(known)}")
        return value


if __name__ == "__main__":
    app = App()
    OrdersStack(app, "TracedPipeline")
    app.synth()
