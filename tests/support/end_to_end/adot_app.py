"""A CDK app: a pipeline whose functions run with AWS's distribution of OpenTelemetry (ADOT).

Its worker has the sender as parent, and sends to Lambda's daemon. `Linking` does so with a link instead, `Exporting`
with the sender as parent to X-Ray's OTLP endpoint. The context value `taps` has further variables for the functions as
JSON, by their roles: `ingest`, `parent`, `link` and `otlp`.
"""

import json
import sysconfig
from pathlib import Path
from typing import cast

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from traced_pipeline import IngestOptions, SamplingOptions, TracedPipeline, WorkerOptions

from harness.local_aws import ROOT

_LAYER = Path(__file__).parent / "adot_layer"
_ADOT = ROOT / ".venv-adot"
_BY_OTLP = {
    "OTEL_TRACES_EXPORTER": "otlp",
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://xray.us-east-1.amazonaws.com/v1/traces",
    # Lambda does not record the invocation, so its own span is not to begin a trace.
    "OTEL_TRACES_SAMPLER": "parentbased_always_off",
}


def main() -> None:
    """Synthesizes the stack `Adot`."""
    app = App()
    stack = Stack(app, "Adot")
    taps: dict[str, dict[str, str]] = json.loads(app.node.get_context("taps"))
    orders = TracedPipeline(
        stack,
        "Orders",
        ingest=IngestOptions(path="/orders", account_logging_role="none", environment=_variables(taps["ingest"])),
        worker=WorkerOptions(tracing="linked", environment=_variables(taps["parent"])),
        sampling=SamplingOptions(rate=1),
    )
    linking = orders.add_worker(
        "Linking",
        WorkerOptions(
            tracing="linked",
            environment=_variables(taps["link"]) | {"TRACE_BRIDGE_OTEL_RELATION": "link"},
            table=_table(stack, "Linked"),
        ),
    )
    exporting = orders.add_worker(
        "Exporting",
        WorkerOptions(environment=_variables(taps["otlp"]) | _BY_OTLP, table=_table(stack, "Exported")),
    )
    exporting.function.add_to_role_policy(iam.PolicyStatement(actions=["xray:PutSpans"], resources=["*"]))
    layer = lambda_.LayerVersion(stack, "Layer", code=lambda_.Code.from_asset(str(_LAYER)))
    for function in (orders.ingest_function, orders.worker_function, linking.function, exporting.function):
        cast("lambda_.Function", function).add_layers(layer)
    CfnOutput(stack, "ApiUrl", value=orders.url)
    app.synth()


def _table(stack: Stack, name: str) -> dynamodb.Table:
    key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
    return dynamodb.Table(stack, name, partition_key=key, billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST)


def _variables(tap: dict[str, str]) -> dict[str, str]:
    paths = sysconfig.get_paths("venv", {"base": str(_ADOT), "platbase": str(_ADOT)})
    return {
        "AWS_LAMBDA_EXEC_WRAPPER": "/opt/otel-instrument",
        "ADOT_PACKAGES": paths["purelib"],
        "TRACE_BRIDGE_ENGINE": "otel",
        **tap,
    }


if __name__ == "__main__":
    main()
