"""Fetches traces from X-Ray, with Transaction Search or without."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from ..errors import CliError
from ..exit_status import ExitStatus
from ..traces.model import Trace
from ..traces.parse import parse_traces
from .error_messages import is_transient
from .transaction_search import Destination, retrieve, segment_destination

if TYPE_CHECKING:
    from types_boto3_xray import XRayClient

POLL_SECONDS = 1.0
"""How long to wait between two questions for traces that are not complete."""

# BatchGetTraces takes five ids at most: https://docs.aws.amazon.com/xray/latest/api/API_BatchGetTraces.html.
_BATCH = 5


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a wait for traces has come.

    Attributes:
        wanted: How many traces are waited for.
        found: How many X-Ray knows of.
        done: How many are as they should be.
        seconds: How long the wait has lasted.
    """

    wanted: int
    found: int
    done: int
    seconds: float


class TracesIncompleteError(CliError, TimeoutError):
    """The time was up before every trace was as it should be.

    Attributes:
        traces: What X-Ray has, complete or not, in the order asked for.
        missing: Ids X-Ray knows nothing of.
        unfinished: Ids of traces that are there and not as they should be.
    """

    exit_status = ExitStatus.NOT_FOUND

    def __init__(self, *, traces: Sequence[Trace], missing: Sequence[str], unfinished: Sequence[str]) -> None:
        self.traces, self.missing, self.unfinished = tuple(traces), tuple(missing), tuple(unfinished)
        parts = []
        if missing:
            parts.append(f"X-Ray knows nothing of {_some(missing)}")
        if unfinished:
            parts.append(f"{_some(unfinished)} did not become complete")
        super().__init__(f"The time for waiting is up: {'; '.join(parts)}.")


def _some(ids: Sequence[str]) -> str:
    shown = ", ".join(ids[:3])
    return f"trace {shown}" if len(ids) == 1 else f"{len(ids)} traces ({shown}{', …' if len(ids) > 3 else ''})"


def get_traces(client: XRayClient, trace_ids: Iterable[str]) -> list[Trace]:
    """Fetches traces by id; those X-Ray does not know are left out.

    With Transaction Search on, X-Ray finds only the traces it indexed
    (https://docs.aws.amazon.com/xray/latest/api/API_BatchGetTraces.html); `TraceReader` finds the others too.

    Args:
        client: The X-Ray client.
        trace_ids: The ids; the traces come back in their order.

    Raises:
        InvalidDocumentError: An answer holds something that is no segment document.
        botocore.exceptions.ClientError: X-Ray refused.
    """
    wanted = list(dict.fromkeys(trace_ids))
    answers: list[Mapping[str, object]] = []
    for index in range(0, len(wanted), _BATCH):
        pages = client.get_paginator("batch_get_traces").paginate(TraceIds=wanted[index : index + _BATCH])
        for page in pages:
            answers.extend(page.get("Traces", []))
    by_id = {trace.id: trace for trace in parse_traces(answers)}
    return [by_id[trace_id] for trace_id in wanted if trace_id in by_id and by_id[trace_id].segments]


class TraceReader:
    """Fetches traces wherever X-Ray has them: its index first, then, with Transaction Search on, its log group.

    Args:
        client: The X-Ray client.
    """

    def __init__(self, client: XRayClient) -> None:
        self._client = client

    @cached_property
    def destination(self) -> Destination | None:
        """Where X-Ray keeps segments; None where these credentials may not ask."""
        try:
            return segment_destination(self._client)
        except (ClientError, BotoCoreError):
            return None

    def get(self, trace_ids: Iterable[str]) -> list[Trace]:
        """Fetches traces by id, in their order; those that are nowhere are left out.

        Raises:
            InvalidDocumentError: An answer holds something that is no segment document.
            RetrievalError: X-Ray did not get them out of the log group.
            botocore.exceptions.ClientError: X-Ray refused.
        """
        wanted = list(dict.fromkeys(trace_ids))
        by_id = {trace.id: trace for trace in get_traces(self._client, wanted)}
        missing = [trace_id for trace_id in wanted if trace_id not in by_id]
        if missing and self.destination == "CloudWatchLogs":
            by_id |= {trace.id: trace for trace in retrieve(self._client, missing)}
        return [by_id[trace_id] for trace_id in wanted if trace_id in by_id]


def wait_for_traces(
    client: XRayClient | TraceReader,
    trace_ids: Iterable[str],
    until: Callable[[Trace], bool],
    timeout: float,
    *,
    progress: Callable[[Progress], None] | None = None,
    interval: float = POLL_SECONDS,
) -> list[Trace]:
    """Fetches traces until each is as it should be.

    Args:
        client: The X-Ray client, or what fetches traces with it.
        trace_ids: The ids.
        until: Says of a trace whether it is as it should be.
        timeout: Seconds to wait at most.
        progress: Called after each round of questions.
        interval: Seconds between two rounds; only traces not yet as they should be are asked for again.

    Returns:
        The traces, in the order of their ids.

    Raises:
        TracesIncompleteError: The time was up; it holds what there is.
        botocore.exceptions.ClientError: X-Ray refused, or did not answer the first question or the last.
    """
    fetch = client.get if isinstance(client, TraceReader) else partial(get_traces, client)
    wanted = list(dict.fromkeys(trace_ids))
    begin = time.monotonic()
    by_id: dict[str, Trace] = {}
    done: set[str] = set()
    answered = False
    while True:
        unanswered: ClientError | BotoCoreError | None = None
        try:
            fetched = fetch(trace_id for trace_id in wanted if trace_id not in done)
        except (ClientError, BotoCoreError) as error:
            # What answered before will answer again; what never did would be waited for in vain.
            if not (answered and is_transient(error)):
                raise
            fetched, unanswered = [], error
        answered = True
        for trace in fetched:
            by_id[trace.id] = trace
            if until(trace):
                done.add(trace.id)
        passed = time.monotonic() - begin
        if progress is not None:
            progress(Progress(wanted=len(wanted), found=len(by_id), done=len(done), seconds=passed))
        if len(done) == len(wanted):
            return [by_id[trace_id] for trace_id in wanted]
        if passed + interval > timeout:
            if unanswered is not None:
                raise unanswered  # what is missing may be there by now
            raise TracesIncompleteError(
                traces=[by_id[trace_id] for trace_id in wanted if trace_id in by_id],
                missing=[trace_id for trace_id in wanted if trace_id not in by_id],
                unfinished=[trace_id for trace_id in wanted if trace_id in by_id and trace_id not in done],
            )
        time.sleep(interval)


def latest(client: XRayClient, service: str, *, limit: int = 1, within: timedelta = timedelta(hours=1)) -> list[str]:
    """The ids of the latest traces that passed a service, the latest first.

    Args:
        client: The X-Ray client.
        service: The service's name in X-Ray, such as `<API's name>/<stage>`.
        limit: How many ids at most.
        within: How far back to search.

    Raises:
        botocore.exceptions.ClientError: X-Ray refused.
    """
    now = datetime.now(UTC)
    pages = client.get_paginator("get_trace_summaries").paginate(
        StartTime=now - within, EndTime=now, FilterExpression=service_filter(service)
    )
    summaries = [summary for page in pages for summary in page.get("TraceSummaries", []) if "Id" in summary]
    # The id holds the second the trace began, which every summary has; the start time breaks ties.
    epoch = datetime.fromtimestamp(0, UTC)
    summaries.sort(key=lambda summary: (summary.get("StartTime", epoch), summary["Id"]), reverse=True)
    return [summary["Id"] for summary in summaries[:limit]]


def service_filter(service: str) -> str:
    """Returns the filter expression for the traces that passed a service.

    https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html
    """
    escaped = service.replace("\\", "\\\\").replace('"', '\\"')
    return f'service("{escaped}")'


def linked_trace_ids(traces: Iterable[Trace]) -> Iterator[str]:
    """The ids of other traces that these are linked with, each once."""
    own = list(traces)
    seen = {trace.id for trace in own}
    for trace in own:
        for _, span in trace.spans():
            for link in span.links:
                if link.trace_id and link.trace_id not in seen:
                    seen.add(link.trace_id)
                    yield link.trace_id
