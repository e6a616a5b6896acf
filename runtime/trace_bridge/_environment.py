"""The environment variables that the bridge reads, what each of them may hold, and what finds its log lines.

The construct library and the command line have copies of what they need of this module, as they do not import the
bridge: a constant has the same name and the same value in each of them. Literals and names of others alone, so that
copies can be compared.
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
"""The application's own handler, which `trace_bridge.auto` runs: `module.function`."""

XRAY_SDK_ENABLED = "AWS_XRAY_SDK_ENABLED"
XRAY_DAEMON_ADDRESS = "AWS_XRAY_DAEMON_ADDRESS"
XRAY_TRACING_NAME = "AWS_XRAY_TRACING_NAME"
"""The X-Ray SDK's own variables: https://docs.aws.amazon.com/xray/latest/devguide/xray-sdk-python-configuration.html."""

LAMBDA_RUNTIME_API = "AWS_LAMBDA_RUNTIME_API"
LAMBDA_TRACE_HEADER = "_X_AMZN_TRACE_ID"
LAMBDA_FUNCTION_NAME = "AWS_LAMBDA_FUNCTION_NAME"
LAMBDA_LOG_GROUP_NAME = "AWS_LAMBDA_LOG_GROUP_NAME"
"""Set by Lambda: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html."""

ECS_METADATA_V4 = "ECS_CONTAINER_METADATA_URI_V4"
ECS_METADATA_V3 = "ECS_CONTAINER_METADATA_URI"
"""Set by ECS: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4.html."""

MESSAGE_LOGGER = "trace_bridge.messages"
"""What stands as `logger` in the log lines of messages, and in no others."""

ON_WORDS = ("1", "true", "t", "yes", "y", "on")
OFF_WORDS = ("0", "false", "f", "no", "n", "off")
"""What a variable that is on or off may hold, in any case; the X-Ray SDK reads its own by the same words."""

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
