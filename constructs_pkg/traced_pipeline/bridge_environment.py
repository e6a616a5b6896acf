"""The environment variables that the constructs set and the bridge reads.

A copy of a part of `trace_bridge`'s own list, since the constructs do not import the bridge: a constant has the same
name and value in both.
"""

PREFIX = "TRACE_BRIDGE_"

ENABLED = "TRACE_BRIDGE_ENABLED"
ENGINE = "TRACE_BRIDGE_ENGINE"
ENVELOPE = "TRACE_BRIDGE_ENVELOPE"
HANDLER = "TRACE_BRIDGE_HANDLER"
OTEL_ANNOTATIONS = "TRACE_BRIDGE_OTEL_ANNOTATIONS"
OTEL_RELATION = "TRACE_BRIDGE_OTEL_RELATION"
QUEUE_SEGMENT = "TRACE_BRIDGE_QUEUE_SEGMENT"

XRAY_DAEMON_ADDRESS = "AWS_XRAY_DAEMON_ADDRESS"
XRAY_TRACING_NAME = "AWS_XRAY_TRACING_NAME"
