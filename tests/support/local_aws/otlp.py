"""Spans as OTLP: written, sent to X-Ray's endpoint with a signature, or to a daemon."""

import base64
import secrets
import socket
import time
from typing import Any

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from tests.support.account import Account

PROTOBUF, JSON = "application/x-protobuf", "application/json"
_IDS = ("traceId", "spanId", "parentSpanId")
_HEADER = b'{"format":"json","version":1}\n'


def new_trace_id() -> str:
    """A trace id of W3C's form, whose first digits are the present time."""
    return f"{int(time.time()):08x}{secrets.token_hex(12)}"


def xray_id(trace_id: str) -> str:
    """Such an id, as X-Ray writes it."""
    return f"1-{trace_id[:8]}-{trace_id[8:]}"


def span(
    trace_id: str,
    *,
    span_id: str = "",
    kind: int = Span.SPAN_KIND_SERVER,
    ago: float = 1.0,
    attributes: dict[str, str] | None = None,
    **fields: Any,
) -> Span:
    """A span of a tenth of a second that began some seconds ago."""
    start = int((time.time() - ago) * 1e9)
    return Span(
        trace_id=bytes.fromhex(trace_id),
        span_id=bytes.fromhex(span_id or secrets.token_hex(8)),
        kind=kind,  # type: ignore[arg-type]
        start_time_unix_nano=start,
        end_time_unix_nano=start + 100_000_000,
        attributes=pairs(attributes or {}),
        **{"name": "GET /orders", **fields},
    )


def request(*spans: Span, resource: dict[str, str] | None = None) -> ExportTraceServiceRequest:
    """A request with spans of one resource."""
    of_resource = ResourceSpans(scope_spans=[ScopeSpans(spans=spans)])
    of_resource.resource.attributes.extend(pairs(resource or {"service.name": "shop"}))
    return ExportTraceServiceRequest(resource_spans=[of_resource])


def as_json(message: ExportTraceServiceRequest) -> Any:
    """A request in OTLP's JSON: ids as hexadecimal digits, enums as numbers."""

    def with_digits(value: Any, key: str = "") -> Any:
        match value:
            case dict():
                return {name: with_digits(inner, name) for name, inner in value.items()}
            case list():
                return [with_digits(inner) for inner in value]
            case str() if key in _IDS:
                return base64.b64decode(value).hex()
            case _:
                return value

    return with_digits(MessageToDict(message, use_integers_for_enums=True))


def pairs(attributes: dict[str, str]) -> list[KeyValue]:
    """Attributes, as OTLP has them."""
    return [KeyValue(key=key, value=AnyValue(string_value=value)) for key, value in attributes.items()]


def post(
    aws: Account,
    body: bytes,
    *,
    content_type: str = PROTOBUF,
    encoding: str | None = None,
    credentials: Credentials | None = None,
    host: str | None = None,
) -> tuple[int, bytes, dict[str, str]]:
    """Posts to the endpoint as AWS's exporters do, signed: status, body and headers of the answer.

    Args:
        aws: The account.
        body: What is posted.
        content_type: Its encoding.
        encoding: How it is compressed; None if it is not.
        credentials: Who signs. Default: the account's administrator.
        host: The host that is asked for. Default: the local AWS's own.
    """
    facts = aws.facts
    headers = {
        "Content-Type": content_type,
        **({"Content-Encoding": encoding} if encoding else {}),
        **({"Host": host} if host else {}),
    }
    signed = AWSRequest("POST", f"{facts.endpoint}/v1/traces", headers=headers, data=body)
    keys = credentials or Credentials(facts.access_key_id, facts.secret_access_key)
    SigV4Auth(keys, "xray", facts.region).add_auth(signed)
    with urllib3.PoolManager(ca_certs=facts.ca_bundle) as pool:
        answer = pool.request("POST", str(signed.url), body=body, headers=dict(signed.headers.items()))
    return answer.status, answer.data, dict(answer.headers)


def send(address: str, text: bytes | str) -> None:
    """Sends a datagram to a daemon: the header line, then the text."""
    host, port = address.split(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(_HEADER + (text.encode() if isinstance(text, str) else text), (host, int(port)))


def encoded(*spans: Span, sampled: bool = True) -> str:
    """What AWS's distribution of OpenTelemetry sends behind the header line."""
    return ("T1S" if sampled else "T1U") + base64.b64encode(request(*spans).SerializeToString()).decode()
