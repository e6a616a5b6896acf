"""What AWS's distribution of OpenTelemetry sends to the daemon of a function, behind the daemon's header line.

Source: aws-opentelemetry-distro 0.21.0, amazon/opentelemetry/distro/otlp_udp_exporter.py: `T1S` (sampled) or `T1U` (not
sampled), or `M1` for metrics, then a request of OTLP in base64. Metrics are taken and dropped: those of Application
Signals are not modelled.
"""

import base64
import binascii

from local.xray.otlp.decode import MalformedError, from_protobuf
from local.xray.span_intake import SpanIntake

_SAMPLED, _UNSAMPLED, _METRICS = "T1S", "T1U", "M1"


def is_of_opentelemetry(text: str) -> bool:
    """Returns whether the text behind the header line is OpenTelemetry's, and none of X-Ray's documents."""
    return text.startswith((_SAMPLED, _UNSAMPLED, _METRICS))


def take(text: str, intake: SpanIntake) -> str | None:
    """Takes in what a datagram holds behind the header line.

    Returns:
        Why something was dropped; `None` if nothing was.
    """
    if text.startswith(_METRICS):
        return None
    prefix, encoded = text[: len(_SAMPLED)], text[len(_SAMPLED) :]
    try:
        batch = from_protobuf(base64.b64decode(encoded.strip(), validate=True))
    except (binascii.Error, ValueError) as problem:
        return f"what follows {prefix} is not base64 ({problem})"
    except MalformedError as problem:
        return f"what follows {prefix} is not OTLP: {problem}"
    refused = [*batch.refused, *intake.take(batch.spans, sampled=prefix == _SAMPLED)]
    return "; ".join(refused) or None
