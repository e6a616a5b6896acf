"""CDK constructs for pipelines whose X-Ray traces stay whole.

API Gateway → Lambda → SNS → SQS → Lambda → DynamoDB, traced wherever AWS supports it, with a bridge that
carries each message's own trace across the queue.
"""

from .checks import Check, PipelineError
from .function import TracedFunction
from .ingest_api import IngestApi
from .layer import TraceBridgeLayer
from .options import (
    FunctionOptions,
    Handler,
    IngestOptions,
    SamplingOptions,
    TableOptions,
    TopicOptions,
    TraceGroupOptions,
    WorkerOptions,
)
from .pipeline import TracedPipeline
from .queue_worker import QueueWorker
from .topic import TracedTopic
from .trace_everything import TraceEverything, TraceFinding
from .trace_state import TraceState
from .tracing import SnsTracePermission

__all__ = [
    "Check",
    "FunctionOptions",
    "Handler",
    "IngestApi",
    "IngestOptions",
    "PipelineError",
    "QueueWorker",
    "SamplingOptions",
    "SnsTracePermission",
    "TableOptions",
    "TopicOptions",
    "TraceBridgeLayer",
    "TraceEverything",
    "TraceFinding",
    "TraceGroupOptions",
    "TraceState",
    "TracedFunction",
    "TracedPipeline",
    "TracedTopic",
    "WorkerOptions",
]
