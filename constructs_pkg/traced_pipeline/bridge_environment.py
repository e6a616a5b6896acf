"""The environment variables that the constructs set and the bridge reads, and what finds its log lines.

A copy of a part of `trace_bridge`'s own list, since the constructs do not import the bridge: a constant has the same
name and value in both.
"""

PREFIX = "TRACE_BRIDGE_"
OFF_WORDS = ("0", "false", "f", "no", "n", "off")

ENABLED = "TRACE_BRIDGE_ENABLED"
ENGINE = "TRACE_BRIDGE_ENGINE"
ENVELOPE = "TRACE_BRIDGE_ENVELOPE"
HANDLER = "TRACE_BRIDGE_HANDLER"
LOGS = "TRACE_BRIDGE_LOGS"
MESSAGE_LOG = "TRACE_BRIDGE_MESSAGE_LOG"
OTEL_ANNOTATIONS = "TRACE_BRIDGE_OTEL_ANNOTATIONS"
OTEL_RELATION = "TRACE_BRIDGE_OTEL_RELATION"
QUEUE_SEGMENT = "TRACE_BRIDGE_QUEUE_SEGMENT"

MESSAGE_LOGGER = "trace_bridge.messages"
"""What stands as `logger` in the log lines of messages, and in no others."""

XRAY_SDK_ENABLED = "AWS_XRAY_SDK_ENABLED"
XRAY_DAEMON_ADDRESS = "AWS_XRAY_DAEMON_ADDRESS"
XRAY_TRACING_NAME = "AWS_XRAY_TRACING_NAME"
