"""Three ways to trace a worker, side by side behind one topic.

The pipeline's own worker goes on in each message's trace. `Audit` runs a handler that knows nothing of traces, once
for each message (`zero_code`). `Linked` keeps Lambda's own trace of the invocation beside the messages' traces.
"""

from pathlib import Path

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct
from traced_pipeline import Handler, IngestOptions, TopicOptions, TracedPipeline, WorkerOptions

HANDLERS = Path(__file__).parent / "handlers"


class WorkerModes(Stack):
    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        orders = TracedPipeline(
            self,
            "Orders",
            ingest=IngestOptions(path="/orders"),
            topic=TopicOptions(trace_permission="none"),  # the account has it: account.py
        )
        audit = Handler(HANDLERS / "audit", "app.handler")
        orders.add_worker("Audit", WorkerOptions(handler=audit, zero_code=True, table=self._table("AuditLog")))
        orders.add_worker("Linked", WorkerOptions(tracing="linked", table=self._table("Copies")))
        CfnOutput(self, "ApiUrl", value=orders.url)

    def _table(self, construct_id: str) -> dynamodb.TableV2:
        key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        return dynamodb.TableV2(self, construct_id, partition_key=key)


if __name__ == "__main__":
    app = App()
    WorkerModes(app, "WorkerModes")
    app.synth()
