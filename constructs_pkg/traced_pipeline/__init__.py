"""CDK constructs for pipelines whose X-Ray traces stay whole.

API Gateway → Lambda → SNS → SQS → Lambda → DynamoDB, traced wherever AWS supports it, with a bridge that
carries each message's own trace across the queue.

The names in `__all__` are the library's interface; its modules are not.
"""

from .account_tracing import AccountTracing
from .checks import Check, PipelineError
from .container_options import ContainerWorkerOptions
from .container_worker import ContainerWorker
from .datadog_forwarding import DatadogForwarding
from .dead_letter_worker import DeadLetterWorker
from .function import TracedFunction
from .function_options import FunctionOptions, Handler
from .ingest_api import IngestApi
from .ingest_options import IngestOptions
from .instrumentation import Instrumentation
from .layer import TraceBridgeLayer
from .monitoring_options import MonitoringOptions
from .pipeline import TracedPipeline
from .pipeline_monitoring import PipelineMonitoring
from .queue_options import QueueOptions
from .queue_worker import QueueWorker
from .sns_trace_permission import SnsTracePermission
from .table_options import TableOptions
from .topic import TracedTopic
from .topic_options import TopicOptions
from .trace_everything import TraceEverything, TraceFinding
from .trace_state import BridgeState, TraceState
from .tracing_options import SamplingOptions, TraceGroupOptions
from .worker_options import WorkerOptions

__all__ = [
    "AccountTracing",
    "BridgeState",
    "Check",
    "ContainerWorker",
    "ContainerWorkerOptions",
    "DatadogForwarding",
    "DeadLetterWorker",
    "FunctionOptions",
    "Handler",
    "IngestApi",
    "IngestOptions",
    "Instrumentation",
    "MonitoringOptions",
    "PipelineError",
    "PipelineMonitoring",
    "QueueOptions",
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
