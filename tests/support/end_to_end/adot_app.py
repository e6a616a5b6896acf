"""A CDK app: a pipeline whose functions run with AWS's distribution of OpenTelemetry (ADOT), one worker a relation.

The context value `taps` has further variables for its functions as JSON, by their roles: `ingest`, `parent` and `link`.
"""

import json
import sysconfig
from pathlib import Path
from typing import cast

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from traced_pipeline import IngestOptions, SamplingOptions, TracedPipeline, WorkerOptions

from harness.local_aws import ROOT

_LAYER = Path(__file__).parent / "adot_layer"
_ADOT = ROOT / ".venv-adot"


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
            table=dynamodb.Table(
                stack,
                "Linked",
                partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
                billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            ),
        ),
    )
    layer = lambda_.LayerVersion(stack, "Layer", code=lambda_.Code.from_asset(str(_LAYER)))
    for function in (orders.ingest_function, orders.worker_function, linking.function):
        cast("lambda_.Function", function).add_layers(layer)
    CfnOutput(stack, "ApiUrl", value=orders.url)
    app.synth()


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
