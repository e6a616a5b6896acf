"""The operations of Transaction Search: its switches, and the retrieval of traces from the spans' log group.

Source: X-Ray API Reference, "StartTraceRetrieval" and its neighbours.
"""

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from ministack.core.responses import new_uuid

from local.xray.operations.traces import render_trace
from local.xray.otlp.span import w3c_trace_id, xray_trace_id
from local.xray.request import ApiError, Body, page, string, strings, time_range
from local.xray.service_graph import draw
from local.xray.state import XRay
from local.xray.summaries import Summaries, Summary
from local.xray.transaction_search import RULE_NAME, Destination, SpansRefusedError

# Members of StartTraceRetrieval, ListRetrievedTraces and RetrievedTrace in the API's model.
_MAX_TRACE_IDS = 100
_TRACES_PER_PAGE = 5
_SPANS_PER_TRACE = 100
# "Retrievals will time out after 60 minutes"; how long one runs is assumed, and short here.
_RUNNING_SECONDS = 0.5
_TIMEOUT_SECONDS = 3600.0
_W3C = re.compile(r"[0-9a-f]{32}")


@dataclass(kw_only=True)
class _Retrieval:
    trace_ids: list[str]
    start: float
    end: float
    started_at: float
    cancelled: bool = False

    @property
    def status(self) -> str:
        passed = time.time() - self.started_at
        if self.cancelled:
            return "CANCELLED"
        if passed > _TIMEOUT_SECONDS:
            return "TIMEOUT"
        return "COMPLETE" if passed >= _RUNNING_SECONDS else "RUNNING"


class Retrievals:
    """The operations, over one state."""

    def __init__(self, xray: XRay, summaries: Summaries) -> None:
        self._xray = xray
        self._summaries = summaries
        self._lock = threading.Lock()
        self._retrievals: dict[str, _Retrieval] = {}

    def operations(self) -> dict[str, Callable[[Body], Body]]:
        """Returns the operations by their paths."""
        return {
            "GetTraceSegmentDestination": lambda _body: self._destination(),
            "UpdateTraceSegmentDestination": self._update_destination,
            "GetIndexingRules": lambda _body: {"IndexingRules": [self._rule()]},
            "UpdateIndexingRule": self._update_rule,
            "StartTraceRetrieval": self._start,
            "ListRetrievedTraces": self._list,
            "GetRetrievedTracesGraph": self._graph,
            "CancelTraceRetrieval": self._cancel,
        }

    def _destination(self) -> Body:
        search = self._xray.search
        return {"Destination": search.switch.destination, "Status": search.status}

    def _update_destination(self, body: Body) -> Body:
        wanted: Destination
        match body.get("Destination"):
            case "XRay" | "CloudWatchLogs" as wanted:
                pass
            case other:
                raise ApiError(f"Destination is {other!r}, XRay or CloudWatchLogs is expected")
        try:
            self._xray.search.send_to(wanted)
        except SpansRefusedError as problem:
            raise ApiError(str(problem), code="AccessDeniedException") from None
        return self._destination()

    def _rule(self) -> Body:
        switch = self._xray.search.switch
        percentage = switch.percentage
        value = {"DesiredSamplingPercentage": percentage, "ActualSamplingPercentage": percentage}
        return {"Name": RULE_NAME, "ModifiedAt": switch.rule_changed_at, "Rule": {"Probabilistic": value}}

    def _update_rule(self, body: Body) -> Body:
        name = string(body, "Name")
        if name != RULE_NAME:
            raise ApiError(f"There is no indexing rule {name!r}", code="ResourceNotFoundException")
        wanted = ((body.get("Rule") or {}).get("Probabilistic") or {}).get("DesiredSamplingPercentage")
        if not isinstance(wanted, int | float) or not 0 <= wanted <= 100:
            raise ApiError(f"DesiredSamplingPercentage is {wanted!r}, 0 to 100 is expected")
        self._xray.search.index(float(wanted))
        return {"IndexingRule": self._rule()}

    def _start(self, body: Body) -> Body:
        start, end = time_range(body)
        retrieval = _Retrieval(
            trace_ids=[_xray_id(given) for given in strings(body, "TraceIds", most=_MAX_TRACE_IDS)],
            start=start,
            end=end,
            started_at=time.time(),
        )
        if not self._xray.search.has_spans:
            raise ApiError("There is no log group aws/spans", code="ResourceNotFoundException")
        token = new_uuid()
        with self._lock:
            self._retrievals[token] = retrieval
        return {"RetrievalToken": token}

    def _list(self, body: Body) -> Body:
        retrieval, wanted = self._retrieval(body), body.get("TraceFormat") or "XRAY"
        if wanted not in ("XRAY", "OTEL"):
            raise ApiError(f"TraceFormat is {wanted!r}, XRAY or OTEL is expected")
        answer: Body = {"RetrievalStatus": retrieval.status, "TraceFormat": wanted, "Traces": []}
        render = self._as_spans if wanted == "OTEL" else _as_documents
        parts = [part for summary in self._summaries_of(retrieval) for part in _parts(render(summary))]
        answer["Traces"], token = page(parts, size=_TRACES_PER_PAGE, token=body.get("NextToken"))
        return {**answer, **({"NextToken": token} if token else {})}

    def _as_spans(self, summary: Summary) -> Body:
        """Writes a trace in OpenTelemetry's format: its records in the log group."""
        records = self._xray.spans.records(summary.trace_id)
        spans = [{"Id": record["spanId"], "Document": json.dumps(record)} for record in records]
        return {"Id": w3c_trace_id(summary.trace_id), "Duration": round(summary.duration, 3), "Spans": spans}

    def _graph(self, body: Body) -> Body:
        retrieval = self._retrieval(body)
        services = [{"Service": service, "Links": []} for service in draw(self._summaries_of(retrieval))]
        return {"RetrievalStatus": retrieval.status, "Services": services}

    def _cancel(self, body: Body) -> Body:
        self._retrieval(body).cancelled = True
        return {}

    def _retrieval(self, body: Body) -> _Retrieval:
        token = string(body, "RetrievalToken")
        with self._lock:
            retrieval = self._retrievals.get(token)
        if retrieval is None:
            raise ApiError(f"There is no retrieval {token!r}", code="ResourceNotFoundException")
        return retrieval

    def _summaries_of(self, retrieval: _Retrieval) -> list[Summary]:
        # "When the RetrievalStatus is not COMPLETE, the API will return an empty response."
        if retrieval.status != "COMPLETE":
            return []
        spans = [trace_id for trace_id in retrieval.trace_ids if self._xray.search.in_spans(trace_id)]
        retrieved = [summary for trace_id in spans if (summary := self._summaries.get(trace_id))]
        return [summary for summary in retrieved if retrieval.start <= summary.start <= retrieval.end]


def _xray_id(trace_id: str) -> str:
    """Returns a trace id as X-Ray writes it; one of W3C's is taken as well (assumed)."""
    return xray_trace_id(trace_id) if _W3C.fullmatch(trace_id) else trace_id


def _as_documents(summary: Summary) -> Body:
    """Writes a trace in X-Ray's format: its segment documents."""
    trace = render_trace(summary)
    return {"Id": trace["Id"], "Duration": trace["Duration"], "Spans": trace["Segments"]}


def _parts(trace: Body) -> list[tuple[str, Body]]:
    """Returns a trace in pieces of as many spans as an answer may hold, each with its place as key."""
    spans = trace["Spans"]
    return [
        (f"{trace['Id']}/{first}", {**trace, "Spans": spans[first : first + _SPANS_PER_TRACE]})
        for first in range(0, len(spans), _SPANS_PER_TRACE)
    ]
