"""Orders that keep their order: one flag makes topic, queue and dead-letter queue FIFO.

Topic and queues look for duplicates in each message group alone, which lets more messages through.
The reference handlers take an item's id as its message group: what is sent about one order is processed in the order
it was sent in, different orders go on side by side.
"""

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_sns as sns
from constructs import Construct
from traced_pipeline import IngestOptions, TopicOptions, TracedPipeline


class Fifo(Stack):
    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        orders = TracedPipeline(
            self,
            "Orders",
            ingest=IngestOptions(path="/orders"),
            topic=TopicOptions(fifo=True, fifo_throughput_scope=sns.FifoThroughputScope.MESSAGE_GROUP),
        )
        CfnOutput(self, "ApiUrl", value=orders.url)


if __name__ == "__main__":
    app = App()
    Fifo(app, "Fifo")
    app.synth()
