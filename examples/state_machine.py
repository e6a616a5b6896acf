"""A state machine that publishes: behind a worker that starts it, and before a worker of its own.

With tracing on, Step Functions records the execution in the trace of whoever starts it, and propagates the trace to
what its tasks call: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-xray-tracing.html
"""

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct
from traced_pipeline import QueueWorker, TracedTopic, WorkerOptions


class Fulfilment(Stack):
    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        topic = TracedTopic(self, "Packed").topic
        publish = {
            "Type": "Task",
            "Resource": "arn:aws:states:::sns:publish",
            "Parameters": {"TopicArn": topic.topic_arn, "Message.$": "States.JsonToString($)"},
        }
        self.machine = stepfunctions.StateMachine(
            self,
            "Pack",
            definition_body=stepfunctions.DefinitionBody.from_chainable(
                stepfunctions.CustomState(self, "Publish", state_json=publish)
            ),
            tracing_enabled=True,
        )
        topic.grant_publish(self.machine)
        key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        table = dynamodb.TableV2(self, "Parcels", partition_key=key)
        QueueWorker(self, "Send", topic=topic, options=WorkerOptions(table=table))
        CfnOutput(self, "MachineArn", value=self.machine.state_machine_arn)


if __name__ == "__main__":
    app = App()
    Fulfilment(app, "Fulfilment")
    app.synth()
