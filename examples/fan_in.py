"""Two topics, one queue: a worker bills orders and refunds, and publishes invoices to a further topic.

Each customer is a message group, so that nobody waits for a customer with many orders (fair queues). Orders may be
larger than SNS's 256 KiB, up to what an item of DynamoDB has room for. What cannot be billed goes to the dead-letter
queue, where a worker of its own keeps it. All of it is in the request's one trace.
"""

from pathlib import Path

from aws_cdk import App, CfnOutput, Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct
from traced_pipeline import (
    Handler,
    IngestApi,
    IngestOptions,
    QueueWorker,
    TopicOptions,
    TracedPipeline,
    TracedTopic,
    WorkerOptions,
)

HANDLERS = Path(__file__).parent / "handlers"
LARGE = TopicOptions(max_message_size=1_048_576, trace_permission="none")  # the account has it: account.py
NORMAL = TopicOptions(trace_permission="none")


class FanIn(Stack):
    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        refunds = TracedTopic(self, "Refunds", options=NORMAL).topic
        invoices = TracedTopic(self, "Invoices", options=NORMAL).topic
        orders = TracedPipeline(
            self,
            "Orders",
            ingest=IngestOptions(path="/orders", message_group="customer"),
            topic=LARGE,
            worker=WorkerOptions(
                handler=Handler(HANDLERS / "billing"), publish_to=invoices, timeout=Duration.seconds(10)
            ),
        )
        IngestApi(
            self,
            "Returns",
            topic=refunds,
            options=IngestOptions(api=orders.api, path="/refunds", message_group="customer"),
        )
        orders.worker.add_topic(refunds)
        repair = Handler(HANDLERS / "repair")
        orders.add_dead_letter_worker("Repair", WorkerOptions(handler=repair, table=self._table("Unbilled")))
        QueueWorker(self, "Invoice", topic=invoices, options=WorkerOptions(table=self._table("Billed")))
        CfnOutput(self, "ApiUrl", value=orders.url)

    def _table(self, construct_id: str) -> dynamodb.TableV2:
        key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        return dynamodb.TableV2(self, construct_id, partition_key=key)


if __name__ == "__main__":
    app = App()
    FanIn(app, "FanIn")
    app.synth()
