"""A CDK app: the reference pipeline in other modes, one of OpenTelemetry, one watched, one with options."""

from pathlib import Path

from aws_cdk import App, CfnOutput, RemovalPolicy, Stack
from constructs import Construct
from traced_pipeline import Handler, IngestOptions, Instrumentation, TopicOptions, TracedPipeline, WorkerOptions

from app import OrdersStack
from tests.support.end_to_end import watched, with_options

_MODES = {"Unbridged": "off", "Linked": "linked"}


def main() -> None:
    """Synthesizes a stack a mode, with its name first, for an account that has API Gateway's role for logs."""
    app = App(context={"sampling": "all", "account_logging_role": "existing"})
    for name, bridge in _MODES.items():
        scope = Construct(app, name)
        scope.node.set_context("bridge", bridge)
        OrdersStack(scope, "Pipeline")
    _spans(Stack(app, "Spans"))
    watched.build(Stack(app, "Watched"))
    with_options.build(Stack(app, "WithOptions"))
    app.synth()


def _spans(stack: Stack) -> None:
    """A pipeline of OpenTelemetry, whose worker has spans of its own; SNS may send segments by the other stacks."""
    orders = TracedPipeline(
        stack,
        "Orders",
        ingest=IngestOptions(path="/orders"),
        topic=TopicOptions(trace_permission="none"),
        worker=WorkerOptions(handler=Handler(Path(__file__).parent / "spans")),
        instrumentation=Instrumentation.open_telemetry(annotations=["order.id"]),
        removal_policy=RemovalPolicy.DESTROY,
    )
    CfnOutput(stack, "ApiUrl", value=orders.url)


if __name__ == "__main__":
    main()
