"""The OTLP endpoint: spans by HTTP.

Sources: CloudWatch User Guide, "OTLP Endpoints", and its "Troubleshooting" for the message where Transaction Search is
off; OpenTelemetry Protocol Specification 1, "OTLP/HTTP Response", for the answers. A refusal's body is a `Status` with
a `message`, as the collector prints those of AWS; its HTTP status, 400, is assumed but where users have reported it.
"""

import json
import zlib
from collections.abc import Mapping
from typing import Literal, get_args

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from local.xray.otlp.decode import Batch, MalformedError, from_json, from_protobuf
from local.xray.otlp.limits import MAX_BODY_BYTES, call_problem
from local.xray.span_intake import SpanIntake
from local.xray.transaction_search import TransactionSearch

PATH = "v1/traces"
"""The endpoint's path, without the first slash."""

Response = tuple[int, dict[str, str], bytes]
_Encoding = Literal["application/x-protobuf", "application/json"]
_GZIP_BITS = 16 + zlib.MAX_WBITS
_SEARCH_IS_OFF = (
    "The OTLP API is supported with CloudWatch Logs as a Trace Segment Destination. Please enable the CloudWatch Logs "
    "destination for your traces using the UpdateTraceSegmentDestination API"
)


class _RefusedError(Exception):
    """The call is refused as a whole."""


class OtlpEndpoint:
    """The endpoint, over one state.

    Args:
        search: Says whether Transaction Search is on.
        intake: Where spans go.
    """

    def __init__(self, search: TransactionSearch, intake: SpanIntake) -> None:
        self._search = search
        self._intake = intake

    def respond(self, headers: Mapping[str, str], body: bytes) -> Response:
        """Answers one request, whose caller has been authorized.

        Args:
            headers: By their names in lower case.
            body: As it was sent.
        """
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        encoding: _Encoding = "application/json" if media_type == "application/json" else "application/x-protobuf"
        try:
            _check_media_type(media_type)
            refused = self._take(_plain(body, headers.get("content-encoding", "")), encoding)
        except (_RefusedError, MalformedError) as problem:
            answer = _refusal(str(problem), encoding)
            return 400, {"Content-Type": encoding, "x-amzn-ErrorType": "InvalidRequestException"}, answer
        return 200, {"Content-Type": encoding}, _acceptance(refused, encoding)

    def _take(self, body: bytes, encoding: _Encoding) -> list[str]:
        """Takes in the spans of a request; returns why some were refused."""
        if not self._search.keeps_spans:
            raise _RefusedError(_SEARCH_IS_OFF)
        batch: Batch = from_json(body) if encoding == "application/json" else from_protobuf(body)
        if problem := call_problem(batch.spans):
            raise _RefusedError(problem)
        return [*batch.refused, *self._intake.take(batch.spans)]


def _check_media_type(media_type: str) -> None:
    if media_type not in get_args(_Encoding):
        raise _RefusedError(f"Content-Type is {media_type!r}; {' or '.join(get_args(_Encoding))} is expected")


def _plain(body: bytes, encoding: str) -> bytes:
    """Returns a body without its compression, read no further than the limit."""
    match encoding.strip().lower():
        case "" | "identity" | "none":
            plain = body
        case "gzip":
            plain = _unzipped(body)
        case other:
            raise _RefusedError(f"Content-Encoding is {other!r}; gzip or none is expected")
    if len(plain) > MAX_BODY_BYTES:
        raise _RefusedError(f"the request has more than {MAX_BODY_BYTES} bytes uncompressed")
    return plain


def _unzipped(body: bytes) -> bytes:
    reader = zlib.decompressobj(_GZIP_BITS)
    try:
        plain = reader.decompress(body, MAX_BODY_BYTES + 1)
    except zlib.error as problem:
        raise _RefusedError(f"the body is not gzip ({problem})") from None
    if not reader.eof and len(plain) <= MAX_BODY_BYTES:
        raise _RefusedError("the body is not gzip (it is cut off)")
    return plain


def _acceptance(refused: list[str], encoding: _Encoding) -> bytes:
    """Writes the answer to a call that was taken in, in part or wholly."""
    message = "; ".join(refused)
    if encoding == "application/json":
        part = {"partialSuccess": {"rejectedSpans": str(len(refused)), "errorMessage": message}} if refused else {}
        return json.dumps(part).encode()
    response = ExportTraceServiceResponse()
    if refused:
        response.partial_success.rejected_spans = len(refused)
        response.partial_success.error_message = message
    return response.SerializeToString()


def _refusal(message: str, encoding: _Encoding) -> bytes:
    if encoding == "application/json":
        return json.dumps({"__type": "InvalidRequestException", "message": message}).encode()
    # `google.rpc.Status`, which OTLP answers with, has its message at the same place as a span's own status.
    return Status(message=message).SerializeToString()
