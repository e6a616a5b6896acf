"""Continues each SQS message's own AWS X-Ray trace inside its consumer.

The modules, in layers: each imports its own layer and those above it in this list. What a worker needs before its first
message is imported when its handler is decorated, the rest when it is first needed.

Base: what knows nothing of messages.
    _environment: the names of the environment variables, the words for on and off, and what finds log lines
    _config: the settings, read and checked
    _state: the settings of this process, and the version
    _header: the trace header, parsed and written
    _annotations: which annotations X-Ray takes, and what a link is
    _json: JSON of whatever a handler puts on a segment
    _errors: exceptions as segment documents describe them
    _counts: counts the messages recorded and the documents sent or lost
    _counters: the counters, as an application reads them
    _failures: the exceptions that the bridge itself raises
    _forks: what a forked process begins anew
    _hooks: libraries met where the application loads them, and functions put around their methods
    _aws_parameters: which parameters of AWS calls are worth recording
    _safely: calls a function whose failure must not reach the handler
Record: one message's part of its trace.
    _invocation: what the messages of one invocation have in common
    _message: an SQS message, from Lambda or from boto3, and what the two shapes have where
    _event_bodies: bodies that EventBridge and S3 write
    _segment: the segment of a message
    _unrecorded: the segment of a message that is not sampled
    _document: segment documents, written as JSON
    _subsegment: the subsegment of an AWS call
    _http_subsegment: the subsegment of an HTTP call
    _own_subsegment: the subsegment of a function of the handler's own
    _links: the documents beside it: the wait in the queue, and the links in Lambda's own trace
    _scope: which message the running code belongs to
    _log_fields: the fields of a log line, Datadog's among them
Export: how documents reach X-Ray.
    _emitter: chooses between the daemon and `PutTraceSegments`
    _udp: the daemon
    _daemon_address: where the daemon listens
    _api: `PutTraceSegments`, in batches and in the background
    _upload: one call of `PutTraceSegments`, tried again where X-Ray throttles
    _back_off: when calls are withheld after a failure
    _client: makes the client of `_api`
    _signed_client: the usual client, which leaves to botocore what differs from call to call
    _kept_connections: its HTTP connections
    _trimming: cuts documents to the size that X-Ray takes
    _suppression: keeps the bridge's own calls out of every trace
Adapters: what the bridge works beside.
    _instrument: `instrument`
    _aws_calls: AWS calls of botocore
    _aiobotocore: those of aiobotocore
    _library_headers: the trace headers that libraries write on them
    _http, _http_clients: HTTP calls of requests, urllib3, urllib, httpx and aiohttp
    _http_hosts, _http_neighbours: which of them are left alone, and which are recorded by others
    _place, _places: where the work under way is recorded
    _engine: the protocol of an engine: what messages are recorded as
    _engines: which engine records the messages
    _xray_engine: the engine for X-Ray
    _otel_engine, _otel_segment, _otel_place: the engine for OpenTelemetry
    _otel_message: what spans of messages have beyond the conventions
    _otel_flush: flushes the application's tracer provider
    _sdk_joining, _sdk, _sdk_entities, _sdk_calls: the X-Ray SDK, where the application loads it
    _threads: threads of other libraries' making that stay in their message
    _executor: `TracedThreadPoolExecutor`
    _logs: log records that know their message
    _powertools: Powertools' Logger, where the application loads it
    otel: `XRaySpanExporter`, which sends OpenTelemetry's spans to X-Ray, and a tracer provider with it; a package
Consumers: what continues a message's trace and runs its handler.
    _tracer: begins and ends the segments of messages
    _message_log: the same, and writes a log line for each message
    _bridge: `continue_trace` and `trace_batch`
    _batch: `sqs_handler`
    _running: the batch of an invocation, run, sent and answered
    _functions: `subsegment` and `capture`
    auto: the handler of the zero-code mode
    _polling: `poll`
    _producer: `traced_entry`
    _lanes: the messages of a batch, in order or side by side
    _reserve: how much time has to be left to begin a message
    _events: which events are batches of SQS messages
    _results: waits for what a handler returned
    _loop, _workers: the event loop and the threads that handlers run in

The environment variables: `TRACE_BRIDGE_ENABLED`, `TRACE_BRIDGE_INSTRUMENT`, `TRACE_BRIDGE_IGNORE_HOSTS`,
`TRACE_BRIDGE_HTTP_QUERY`, `TRACE_BRIDGE_ON_UNDECIDED`, `TRACE_BRIDGE_UNDECIDED_RATE`, `TRACE_BRIDGE_EMITTER`,
`TRACE_BRIDGE_QUEUE_SEGMENT`, `TRACE_BRIDGE_IN_PROGRESS`, `TRACE_BRIDGE_MAX_WORKERS`, `TRACE_BRIDGE_RESERVE_MS`,
`TRACE_BRIDGE_RAISE_IF_ALL_FAILED`, `TRACE_BRIDGE_ENVELOPE`, `TRACE_BRIDGE_NAME`, `TRACE_BRIDGE_MAX_TRACE_AGE_DAYS`,
`TRACE_BRIDGE_LOGS`, `TRACE_BRIDGE_MESSAGE_LOG`, `TRACE_BRIDGE_ENGINE`, `TRACE_BRIDGE_OTEL_RELATION`,
`TRACE_BRIDGE_OTEL_ANNOTATIONS` and `TRACE_BRIDGE_HANDLER` are the bridge's own; `AWS_XRAY_SDK_ENABLED`,
`AWS_XRAY_DAEMON_ADDRESS` and `AWS_XRAY_TRACING_NAME` are the X-Ray SDK's; `_X_AMZN_TRACE_ID`,
`AWS_LAMBDA_FUNCTION_NAME`, `AWS_LAMBDA_LOG_GROUP_NAME` and `AWS_LAMBDA_RUNTIME_API` are set by Lambda,
`ECS_CONTAINER_METADATA_URI_V4` and `ECS_CONTAINER_METADATA_URI` by ECS.
"""

from typing import TYPE_CHECKING

from ._state import VERSION  # reads the settings: a wrong one is reported at import

if TYPE_CHECKING:
    from ._batch import sqs_handler
    from ._bridge import continue_trace, trace_batch
    from ._config import ConfigurationError
    from ._counters import Counters, counters
    from ._executor import TracedThreadPoolExecutor
    from ._failures import BatchFailedError
    from ._functions import capture, subsegment
    from ._header import TraceHeader
    from ._instrument import instrument
    from ._log_fields import log_fields
    from ._logs import trace_logs
    from ._message import Message
    from ._polling import poll
    from ._producer import traced_entry
    from ._segment import MessageSegment

__all__ = [
    "VERSION",
    "BatchFailedError",
    "ConfigurationError",
    "Counters",
    "Message",
    "MessageSegment",
    "TraceHeader",
    "TracedThreadPoolExecutor",
    "capture",
    "continue_trace",
    "counters",
    "instrument",
    "log_fields",
    "poll",
    "sqs_handler",
    "subsegment",
    "trace_batch",
    "trace_logs",
    "traced_entry",
]

if not TYPE_CHECKING:  # a type checker would take any name for one of the package's
    from importlib import import_module
    from typing import Any

    _MODULES = {
        "BatchFailedError": "_failures",
        "ConfigurationError": "_config",
        "Counters": "_counters",
        "Message": "_message",
        "MessageSegment": "_segment",
        "TraceHeader": "_header",
        "TracedThreadPoolExecutor": "_executor",
        "capture": "_functions",
        "continue_trace": "_bridge",
        "counters": "_counters",
        "instrument": "_instrument",
        "log_fields": "_log_fields",
        "poll": "_polling",
        "sqs_handler": "_batch",
        "subsegment": "_functions",
        "trace_batch": "_bridge",
        "trace_logs": "_logs",
        "traced_entry": "_producer",
    }
    """The module of each name. Imported when it is first asked for: a worker needs two of them at its start."""

    def __getattr__(name: str) -> Any:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f".{_MODULES[name]}", __name__), name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
