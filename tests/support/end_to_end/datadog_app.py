"""A CDK app: a pipeline whose log lines go to a function in place of Datadog's Forwarder."""

from pathlib import Path

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from traced_pipeline import DatadogForwarding, IngestOptions, TracedPipeline, WorkerOptions

_HANDLER = Path(__file__).parent / "datadog"


def main() -> None:
    """Synthesizes the stack `Forwarded`."""
    app = App()
    stack = Stack(app, "Forwarded")
    orders = TracedPipeline(stack, "Orders", ingest=IngestOptions(path="/orders"))
    log_group = logs.LogGroup(stack, "ForwarderLogs")
    forwarder = lambda_.Function(
        stack,
        "Forwarder",
        code=lambda_.Code.from_asset(str(_HANDLER)),
        handler="app.handler",
        runtime=lambda_.Runtime.PYTHON_3_13,
        log_group=log_group,
    )
    DatadogForwarding(stack, "Datadog", pipeline=orders, forwarder=forwarder, env="test")
    orders.add_worker("Audit", WorkerOptions(table=orders.table))
    CfnOutput(stack, "ApiUrl", value=orders.url)
    CfnOutput(stack, "ForwarderLogGroup", value=log_group.log_group_name)
    app.synth()


if __name__ == "__main__":
    main()
