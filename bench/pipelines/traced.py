"""The pipeline with this library."""

from aws_cdk import Stack
from traced_pipeline import Handler, IngestOptions, TracedPipeline, WorkerOptions


def build(stack: Stack, ingest: str, worker: str) -> None:
    """Adds the pipeline to a stack; the handlers' code is in the folders."""
    TracedPipeline(
        stack,
        "Orders",
        ingest=IngestOptions(handler=Handler(ingest)),
        worker=WorkerOptions(handler=Handler(worker)),
    )
