"""A pipeline with what AWS has added to topics, event sources and functions, as far as the local AWS deploys it.

Of an event source it takes the pollers, the metrics and the key of the filters, and does nothing with them.
"""

from dataclasses import replace
from pathlib import Path

from aws_cdk import CfnOutput, RemovalPolicy, Size, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from traced_pipeline import Handler, IngestOptions, TopicOptions, TracedPipeline, WorkerOptions

LARGEST = 1_048_576
_FOLDER = Path(__file__).parent / "options"


def build(stack: Stack) -> None:
    """Adds the pipeline, and a further worker that starts from a snapshot; all functions are invoked by aliases."""
    key = kms.Key(stack, "Key", enable_key_rotation=True, removal_policy=RemovalPolicy.DESTROY)
    worker = WorkerOptions(
        handler=Handler(_FOLDER / "worker"),
        environment_encryption=key,
        layers=[lambda_.LayerVersion(stack, "Tools", code=lambda_.Code.from_asset(str(_FOLDER / "layer")))],
        filters=[lambda_.FilterCriteria.filter({"body": {"amount": [{"exists": True}]}})],
        filter_encryption=key,
        event_source_metrics=True,
    )
    mine = iam.Role(stack, "Mine", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    orders = TracedPipeline(
        stack,
        "Orders",
        ingest=IngestOptions(
            path="/orders",
            environment={"MAX_BODY_SIZE": str(LARGEST)},
            message_group="customer",
            live_alias=True,
            role=mine,
        ),
        topic=TopicOptions(trace_permission="none", max_message_size=LARGEST),
        worker=replace(
            worker,
            environment={"WORKER": "first"},
            minimum_pollers=2,
            maximum_pollers=20,
            ephemeral_storage_size=Size.gibibytes(1),
            live_alias=True,
        ),
        removal_policy=RemovalPolicy.DESTROY,
    )
    orders.add_worker(
        "Audit",
        replace(
            worker,
            environment={"WORKER": "audit"},
            table=orders.table,
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS,
        ),
    )
    CfnOutput(stack, "ApiUrl", value=orders.url)
