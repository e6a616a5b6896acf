"""The environment variables of the bridge that the constructs set, and the words they set them to.

A copy of a part of `trace_bridge`'s own list, since the constructs do not import the bridge. A variable has the same
name in both.
"""

ENABLED = "TRACE_BRIDGE_ENABLED"
ENVELOPE = "TRACE_BRIDGE_ENVELOPE"
HANDLER = "TRACE_BRIDGE_HANDLER"
QUEUE_SEGMENT = "TRACE_BRIDGE_QUEUE_SEGMENT"

OFF = "false"
"""For `ENABLED`: the bridge changes nothing."""

ENVELOPE_NONE = "none"
ENVELOPE_SNS = "sns"
"""For `ENVELOPE`: what stands around a message's body in the queue."""

QUEUE_SEGMENT_ALWAYS = "always"
"""For `QUEUE_SEGMENT`: the bridge draws the queue."""
