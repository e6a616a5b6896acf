"""A CDK app: a pipeline whose functions run with AWS's distribution of OpenTelemetry (ADOT).

Its worker has the sender as parent, and sends to Lambda's daemon; `Linking` does so with a link instead. Lambda records
neither `Exporting`, which sends spans to X-Ray's OTLP endpoint, nor `Segmenting`, which sends segment documents. The
context value `taps` has further variables for the functions as JSON, by their roles: `ingest`, `parent`, `link`, `otlp`
and `segments`.
"""

import json
import sysconfig
from pathlib import Path

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from traced_pipeline import IngestOptions, Instrumentation, SamplingOptions, TracedPipeline, WorkerOptions

from harness.local_aws import ROOT

_LAYER = Path(__file__).parent / "adot_layer"
_ADOT = ROOT / ".venv-adot"


def main() -> None:
    """Synthesizes the stack `Adot`."""
    app = App()
    stack = Stack(app, "Adot")
    taps: dict[str, dict[str, str]] = json.loads(app.node.get_context("taps"))
    layer = lambda_.LayerVersion(stack, "Layer", code=lambda_.Code.from_asset(str(_LAYER)))
    orders = TracedPipeline(
        stack,
        "Orders",
        ingest=IngestOptions(
            path="/orders",
            account_logging_role="none",
            environment=_variables(taps["ingest"]),
            instrumentation=Instrumentation.adot(layer),
        ),
        worker=WorkerOptions(
            tracing="linked", environment=_variables(taps["parent"]), instrumentation=Instrumentation.adot(layer)
        ),
        sampling=SamplingOptions(rate=1),
    )
    orders.add_worker(
        "Linking",
        WorkerOptions(
            tracing="linked",
            environment=_variables(taps["link"]),
            instrumentation=Instrumentation.adot(layer, relation="link"),
            table=_table(stack, "Linked"),
        ),
    )
    orders.add_worker(
        "Exporting",
        WorkerOptions(
            environment=_variables(taps["otlp"]),
            instrumentation=Instrumentation.adot(layer, export="otlp"),
            table=_table(stack, "Exported"),
        ),
    )
    orders.add_worker(
        "Segmenting",
        WorkerOptions(
            environment=_variables(taps["segments"]),
            instrumentation=Instrumentation.adot(layer, export="segments"),
            table=_table(stack, "Segmented"),
        ),
    )
    CfnOutput(stack, "ApiUrl", value=orders.url)
    app.synth()


def _table(stack: Stack, name: str) -> dynamodb.Table:
    key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
    return dynamodb.Table(stack, name, partition_key=key, billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST)


def _variables(tap: dict[str, str]) -> dict[str, str]:
    paths = sysconfig.get_paths("venv", {"base": str(_ADOT), "platbase": str(_ADOT)})
    return {"ADOT_PACKAGES": paths["purelib"], **tap}


if __name__ == "__main__":
    main()
