"""Fetches traces where Transaction Search is on: then X-Ray keeps spans in a log group and indexes few of them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias

from botocore.exceptions import ClientError

from ..errors import CliError
from ..traces.model import Trace
from ..traces.parse import parse_traces

if TYPE_CHECKING:
    from types_boto3_xray import XRayClient

Destination: TypeAlias = Literal["XRay", "CloudWatchLogs"]
"""Where X-Ray writes what it is sent."""

# StartTraceRetrieval takes five ids at most: https://docs.aws.amazon.com/xray/latest/api/API_StartTraceRetrieval.html.
_BATCH = 5
_POLL_SECONDS = 1.0
_KEPT = timedelta(days=30)
_BEFORE = timedelta(minutes=5)
_UNDATED = timedelta(hours=24)


class RetrievalError(CliError):
    """X-Ray did not get the traces out of the log group."""


def segment_destination(client: XRayClient) -> Destination:
    """Where X-Ray puts segments: `CloudWatchLogs` where Transaction Search is on and its switch is through.

    https://docs.aws.amazon.com/xray/latest/api/API_GetTraceSegmentDestination.html

    Raises:
        botocore.exceptions.ClientError: AWS refused.
    """
    return "CloudWatchLogs" if _destination(client) == ("CloudWatchLogs", "ACTIVE") else "XRay"


def chosen_destination(client: XRayClient) -> Destination:
    """Where X-Ray puts segments, or is about to, while a switch is not through.

    https://docs.aws.amazon.com/xray/latest/api/API_GetTraceSegmentDestination.html

    Raises:
        botocore.exceptions.ClientError: AWS refused.
    """
    return "CloudWatchLogs" if _destination(client)[0] == "CloudWatchLogs" else "XRay"


def _destination(client: XRayClient) -> tuple[str | None, str | None]:
    try:
        answer = client.get_trace_segment_destination()
    except ClientError as error:
        # What does not know the operation, a local AWS, has no Transaction Search.
        if error.response["Error"].get("Code") in ("InvalidRequestException", "UnknownOperationException"):
            return "XRay", "ACTIVE"
        raise
    return answer.get("Destination"), answer.get("Status")


def retrieve(client: XRayClient, trace_ids: Iterable[str], *, timeout: float = 60.0) -> list[Trace]:
    """Get traces out of Transaction Search's log group; those not there are left out.

    https://docs.aws.amazon.com/xray/latest/api/API_ListRetrievedTraces.html

    Args:
        client: The X-Ray client.
        trace_ids: The ids.
        timeout: Seconds to wait for each five of them.

    Raises:
        RetrievalError: X-Ray gave up, or the time was up.
        botocore.exceptions.ClientError: X-Ray refused.
    """
    wanted = list(dict.fromkeys(trace_ids))
    answers: list[Mapping[str, object]] = []
    for index in range(0, len(wanted), _BATCH):
        answers.extend(_retrieved(client, wanted[index : index + _BATCH], timeout))
    return [trace for trace in parse_traces(answers) if trace.segments]


def _retrieved(client: XRayClient, trace_ids: Sequence[str], timeout: float) -> list[Mapping[str, object]]:
    now = datetime.now(UTC)
    token = client.start_trace_retrieval(
        TraceIds=list(trace_ids), StartTime=min(_begun(trace_id, now) for trace_id in trace_ids) - _BEFORE, EndTime=now
    ).get("RetrievalToken", "")
    ends = time.monotonic() + timeout
    while True:
        answer = client.list_retrieved_traces(RetrievalToken=token, TraceFormat="XRAY")
        status = answer.get("RetrievalStatus")
        if status == "COMPLETE":
            break
        if status in ("FAILED", "CANCELLED", "TIMEOUT"):
            raise RetrievalError(f"X-Ray could not get the traces out of Transaction Search's log group: {status}.")
        if time.monotonic() > ends:
            client.cancel_trace_retrieval(RetrievalToken=token)
            raise RetrievalError(
                f"X-Ray is still searching for the traces in Transaction Search's log group after {timeout:g} s."
            )
        time.sleep(_POLL_SECONDS)
    traces: list[Mapping[str, object]] = []
    while True:
        traces += [_as_trace(trace) for trace in answer.get("Traces", [])]
        if not (following := answer.get("NextToken")):
            return traces
        answer = client.list_retrieved_traces(RetrievalToken=token, TraceFormat="XRAY", NextToken=following)


def _as_trace(trace: Mapping[str, object]) -> Mapping[str, object]:
    """Returns a retrieved trace in the shape of BatchGetTraces; in X-Ray's format its spans are segment documents."""
    return {"Segments" if key == "Spans" else key: value for key, value in trace.items()}


def _begun(trace_id: str, now: datetime) -> datetime:
    """When a trace began by its id; random ids, which X-Ray takes too, say nothing, so the last day is searched."""
    begun = datetime.fromtimestamp(int(trace_id.split("-")[1], 16), UTC)
    return begun if now - _KEPT < begun <= now + _BEFORE else now - _UNDATED
