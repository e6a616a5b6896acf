"""A REST API that publishes to the topic by itself, without a function in between.

The stage's segment is the beginning of the trace. API Gateway adds the tracing header to requests
(https://docs.aws.amazon.com/xray/latest/devguide/xray-services-apigateway.html); that it sends it to SNS as well is not
documented, and was not verified on AWS. Where it does not, the trace ends at the stage, and the message is processed
and not recorded. No validation, ids or error answers of your own: what a function is for.
"""

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct
from traced_pipeline import QueueWorker, TracedTopic, WorkerOptions


class StraightToTopic(Stack):
    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        topic = TracedTopic(self, "Orders").topic
        gateway = iam.Role(self, "Gateway", assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"))
        topic.grant_publish(gateway)
        form = f"Action=Publish&TopicArn=$util.urlEncode('{topic.topic_arn}')&Message=$util.urlEncode($input.body)"
        publish = apigateway.AwsIntegration(
            service="sns",
            path="/",
            integration_http_method="POST",
            options=apigateway.IntegrationOptions(
                credentials_role=gateway,
                passthrough_behavior=apigateway.PassthroughBehavior.NEVER,
                request_parameters={"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"},
                request_templates={"application/json": form},
                integration_responses=[
                    apigateway.IntegrationResponse(status_code="202", response_templates={"application/json": "{}"})
                ],
            ),
        )
        api = apigateway.RestApi(
            self,
            "Api",
            deploy_options=apigateway.StageOptions(tracing_enabled=True),
            cloud_watch_role=False,
        )
        api.root.add_resource("orders").add_method(
            "POST",
            publish,
            authorization_type=apigateway.AuthorizationType.IAM,
            method_responses=[apigateway.MethodResponse(status_code="202")],
        )
        key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        table = dynamodb.TableV2(self, "Placed", partition_key=key)
        QueueWorker(self, "Place", topic=topic, options=WorkerOptions(table=table))
        CfnOutput(self, "ApiUrl", value=f"{api.url}orders")


if __name__ == "__main__":
    app = App()
    StraightToTopic(app, "StraightToTopic")
    app.synth()
