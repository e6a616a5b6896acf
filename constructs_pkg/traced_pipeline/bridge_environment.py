"""The environment variables of the bridge, what each of them may hold, and what finds its log lines.

A copy of a part of `trace_bridge`'s own list, since the constructs do not import the bridge: a constant has the same
name and value in both.
"""

PREFIX = "TRACE_BRIDGE_"

ENABLED = "TRACE_BRIDGE_ENABLED"
INSTRUMENT = "TRACE_BRIDGE_INSTRUMENT"
ON_UNDECIDED = "TRACE_BRIDGE_ON_UNDECIDED"
UNDECIDED_RATE = "TRACE_BRIDGE_UNDECIDED_RATE"
EMITTER = "TRACE_BRIDGE_EMITTER"
QUEUE_SEGMENT = "TRACE_BRIDGE_QUEUE_SEGMENT"
IN_PROGRESS = "TRACE_BRIDGE_IN_PROGRESS"
MAX_WORKERS = "TRACE_BRIDGE_MAX_WORKERS"
RESERVE_MS = "TRACE_BRIDGE_RESERVE_MS"
RAISE_IF_ALL_FAILED = "TRACE_BRIDGE_RAISE_IF_ALL_FAILED"
ENVELOPE = "TRACE_BRIDGE_ENVELOPE"
NAME = "TRACE_BRIDGE_NAME"
IGNORE_HOSTS = "TRACE_BRIDGE_IGNORE_HOSTS"
HTTP_QUERY = "TRACE_BRIDGE_HTTP_QUERY"
MAX_TRACE_AGE_DAYS = "TRACE_BRIDGE_MAX_TRACE_AGE_DAYS"
LOGS = "TRACE_BRIDGE_LOGS"
MESSAGE_LOG = "TRACE_BRIDGE_MESSAGE_LOG"
ENGINE = "TRACE_BRIDGE_ENGINE"
OTEL_RELATION = "TRACE_BRIDGE_OTEL_RELATION"
OTEL_ANNOTATIONS = "TRACE_BRIDGE_OTEL_ANNOTATIONS"
HANDLER = "TRACE_BRIDGE_HANDLER"

ON_WORDS = ("1", "true", "t", "yes", "y", "on")
OFF_WORDS = ("0", "false", "f", "no", "n", "off")
"""What a variable that is on or off may hold, in any case."""

SWITCHES = (ENABLED, INSTRUMENT, HTTP_QUERY, IN_PROGRESS, RAISE_IF_ALL_FAILED, MESSAGE_LOG)
"""Variables that are on or off."""

WORDS = {
    ON_UNDECIDED: ("drop", "sample", "follow_lambda"),
    EMITTER: ("auto", "udp", "api"),
    QUEUE_SEGMENT: ("never", "always"),
    ENVELOPE: ("none", "sns"),
    ENGINE: ("xray", "otel", "auto"),
    OTEL_RELATION: ("parent", "link"),
    LOGS: ("xray", "datadog", "off"),
}
"""Variables that hold one of these words."""

NUMBERS = {
    UNDECIDED_RATE: (0.0, 1.0),
    MAX_WORKERS: (1, 1000),
    RESERVE_MS: (0, 900_000),
    MAX_TRACE_AGE_DAYS: (1, 36_500),
}
"""Variables that hold a number between these two, which are included; a whole one where both are whole."""

TEXTS = (NAME, IGNORE_HOSTS, OTEL_ANNOTATIONS, HANDLER)
"""Variables that hold any other text."""

HOST = r"(\*\.)?[\w-]+(\.[\w-]+)*\.?|[0-9a-f:]*:[0-9a-f:.]*"
"""A host's name in lower case, with a star for its first part or not, or an address."""

MESSAGE_LOGGER = "trace_bridge.messages"
"""What stands as `logger` in the log lines of messages, and in no others."""

XRAY_SDK_ENABLED = "AWS_XRAY_SDK_ENABLED"
XRAY_DAEMON_ADDRESS = "AWS_XRAY_DAEMON_ADDRESS"
XRAY_TRACING_NAME = "AWS_XRAY_TRACING_NAME"
