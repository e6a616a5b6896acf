"""Continues each SQS message's own AWS X-Ray trace inside its consumer."""

from ._batch import sqs_handler
from ._bridge import continue_trace, trace_batch
from ._config import ConfigurationError
from ._counters import Counters, counters
from ._failures import BatchFailedError
from ._header import TraceHeader
from ._instrument import instrument
from ._message import Message
from ._polling import poll
from ._producer import traced_entry
from ._segment import MessageSegment
from ._state import VERSION
from ._threads import TracedThreadPoolExecutor

__all__ = [
    "VERSION",
    "BatchFailedError",
    "ConfigurationError",
    "Counters",
    "Message",
    "MessageSegment",
    "TraceHeader",
    "TracedThreadPoolExecutor",
    "continue_trace",
    "counters",
    "instrument",
    "poll",
    "sqs_handler",
    "trace_batch",
    "traced_entry",
]
