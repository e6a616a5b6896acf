"""Several workers on one topic, each with its own queue, and each with the messages it wants.

A filter policy keeps a message out of a worker's queue; filter criteria let it into the queue, but not to the
function. Every branch a request takes is in the request's one trace.
"""

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct
from traced_pipeline import IngestOptions, TracedPipeline, WorkerOptions


class FanOut(Stack):
    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        orders = TracedPipeline(self, "Orders", ingest=IngestOptions(path="/orders"))
        large = sns.SubscriptionFilter.numeric_filter(greater_than_or_equal_to=1000)
        orders.add_worker(
            "Large",
            WorkerOptions(
                filter_policy_with_message_body={"amount": sns.FilterOrPolicy.filter(large)},
                table=self._table("LargeOrders"),
            ),
        )
        rush = lambda_.FilterCriteria.filter({"body": {"priority": lambda_.FilterRule.is_equal("rush")}})
        orders.add_worker("Rush", WorkerOptions(filters=[rush], table=self._table("RushOrders")))
        CfnOutput(self, "ApiUrl", value=orders.url)

    def _table(self, construct_id: str) -> dynamodb.TableV2:
        key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        return dynamodb.TableV2(self, construct_id, partition_key=key)


if __name__ == "__main__":
    app = App()
    FanOut(app, "FanOut")
    app.synth()
