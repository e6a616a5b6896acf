"""A GraphQL API of AppSync in front of a pipeline: a resolver's function publishes to the topic.

With X-Ray on, AppSync records the request and what its resolvers call, so that the trace begins at the API:
https://docs.aws.amazon.com/appsync/latest/devguide/x-ray-tracing.html. A resolver that calls SNS itself, as an HTTP
data source, needs no function; that AppSync propagates the trace there is not documented.
"""

from pathlib import Path

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_appsync as appsync
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct
from traced_pipeline import FunctionOptions, Handler, QueueWorker, TracedFunction, TracedTopic, WorkerOptions

HERE = Path(__file__).parent


class GraphQl(Stack):
    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        topic = TracedTopic(self, "Orders").topic
        publish = TracedFunction(
            self,
            "Publish",
            options=FunctionOptions(handler=Handler(HERE / "handlers" / "graphql", "app.handler")),
            environment={"TOPIC_ARN": topic.topic_arn},
        ).function
        topic.grant_publish(publish)
        api = appsync.GraphqlApi(
            self,
            "Api",
            name="graphql-orders",
            definition=appsync.Definition.from_file(str(HERE / "orders.graphql")),
            xray_enabled=True,
        )
        source = api.add_lambda_data_source("Publisher", publish)
        source.create_resolver("PlaceOrder", type_name="Mutation", field_name="placeOrder")
        key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        table = dynamodb.TableV2(self, "Placed", partition_key=key)
        QueueWorker(self, "Place", topic=topic, options=WorkerOptions(table=table))
        CfnOutput(self, "ApiId", value=api.api_id)
        CfnOutput(self, "GraphQlUrl", value=api.graphql_url)
        CfnOutput(self, "ApiKey", value=api.api_key or "")


if __name__ == "__main__":
    app = App()
    GraphQl(app, "GraphQl")
    app.synth()
