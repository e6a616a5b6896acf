"""The bridge's environment variables that the command line looks for on deployed functions.

A copy of a part of `trace_bridge`'s own list, since the command line does not import the bridge: a constant has the
same name and value in both.
"""

ENABLED = "TRACE_BRIDGE_ENABLED"
INSTRUMENT = "TRACE_BRIDGE_INSTRUMENT"
EMITTER = "TRACE_BRIDGE_EMITTER"

XRAY_SDK_ENABLED = "AWS_XRAY_SDK_ENABLED"

OFF_WORDS = ("0", "false", "f", "no", "n", "off")
"""What a variable that is on or off may hold for off, in any case."""
