"""A worker that calls other services than SNS and DynamoDB: each call is in the message's trace.

It reads a secret, invokes a function, stores an object, sends an event and starts a state machine. Behind the last four
the trace goes on: in the app that holds all examples, to the stacks of `uploads.py`, `event_bus.py` and
`state_machine.py`.
"""

from pathlib import Path

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct
from traced_pipeline import FunctionOptions, Handler, IngestOptions, TracedFunction, TracedPipeline, WorkerOptions

HANDLERS = Path(__file__).parent / "handlers"


class OtherCalls(Stack):
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bucket: s3.IBucket,
        bus: events.IEventBus,
        machine: stepfunctions.IStateMachine,
    ) -> None:
        super().__init__(scope, construct_id)
        secret = secretsmanager.Secret(self, "Secret")
        check = TracedFunction(
            self, "Check", options=FunctionOptions(handler=Handler(HANDLERS / "check", "app.handler"))
        ).function
        orders = TracedPipeline(
            self,
            "Orders",
            ingest=IngestOptions(path="/orders"),
            worker=WorkerOptions(
                handler=Handler(HANDLERS / "other_calls", "app.handler"),
                environment={
                    "SECRET_ARN": secret.secret_arn,
                    "CHECK_FUNCTION": check.function_name,
                    "BUCKET_NAME": bucket.bucket_name,
                    "BUS_NAME": bus.event_bus_name,
                    "MACHINE_ARN": machine.state_machine_arn,
                },
            ),
        )
        worker = orders.worker_function
        secret.grant_read(worker)
        check.grant_invoke(worker)
        bucket.grant_put(worker)
        bus.grant_put_events_to(worker)
        machine.grant_start_execution(worker)
        CfnOutput(self, "ApiUrl", value=orders.url)


class Targets(Stack):
    """A bucket, a bus and a state machine with nothing behind them."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.bucket = s3.Bucket(self, "Bucket", enforce_ssl=True)
        self.bus = events.EventBus(self, "Bus")
        done = stepfunctions.DefinitionBody.from_chainable(stepfunctions.Succeed(self, "Done"))
        self.machine = stepfunctions.StateMachine(self, "Machine", definition_body=done, tracing_enabled=True)


if __name__ == "__main__":
    app = App()
    targets = Targets(app, "Targets")
    OtherCalls(app, "OtherCalls", bucket=targets.bucket, bus=targets.bus, machine=targets.machine)
    app.synth()
