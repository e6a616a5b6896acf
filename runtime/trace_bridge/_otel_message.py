"""What the spans of messages and their exporter agree on, and how ids are written in each other's form."""

ATTEMPT = "trace_bridge.attempt"
QUEUE_MS = "trace_bridge.queue_ms"
MESSAGE_ID = "messaging.message.id"
INVOCATION_ID = "faas.invocation_id"
INVOKED_ARN = "aws.lambda.invoked_arn"

_LAST_64_BITS = 0xFFFF_FFFF_FFFF_FFFF


def no_parent(trace_number: int) -> int:
    """Returns what stands for the id of a parent where a message's header names none.

    OpenTelemetry cannot continue a trace without a parent: the trace's own last digits take its place.
    """
    return trace_number & _LAST_64_BITS or 1


def xray_trace_id(trace_id: int) -> str:
    """Returns a trace id as X-Ray writes it, `1-<8 hex digits>-<24 hex digits>`.

    X-Ray takes ids whose first part is no time as well:
    https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-traceids
    """
    digits = f"{trace_id:032x}"
    return f"1-{digits[:8]}-{digits[8:]}"
