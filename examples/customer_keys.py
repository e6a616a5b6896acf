"""Everything encrypted with keys of your own: one for topic, queues and table, one for logs."""

import os

from aws_cdk import App, CfnOutput, Environment, Stack
from aws_cdk import aws_kms as kms
from constructs import Construct
from traced_pipeline import IngestOptions, TableOptions, TopicOptions, TracedPipeline, WorkerOptions


class CustomerKeys(Stack):
    def __init__(self, scope: Construct, construct_id: str) -> None:
        # A table with a customer key needs to know its Region.
        super().__init__(scope, construct_id, env=Environment(region=os.environ.get("CDK_DEFAULT_REGION", "us-east-1")))
        data_key, log_key = self._key("DataKey"), self._key("LogKey")
        orders = TracedPipeline(
            self,
            "Orders",
            ingest=IngestOptions(path="/orders", log_key=log_key),
            topic=TopicOptions(key=data_key),
            worker=WorkerOptions(queue_key=data_key, log_key=log_key),
            table=TableOptions(key=data_key),
        )
        CfnOutput(self, "ApiUrl", value=orders.url)

    def _key(self, construct_id: str) -> kms.Key:
        return kms.Key(self, construct_id, enable_key_rotation=True)


if __name__ == "__main__":
    app = App()
    CustomerKeys(app, "CustomerKeys")
    app.synth()
