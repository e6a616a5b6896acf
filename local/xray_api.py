"""The X-Ray API: one function per operation, spoken to by unchanged AWS SDKs.

Source: X-Ray API Reference, 2016-04-12.
"""

import json
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from local import segments
from local.filters import FilterError, compile_filter
from local.graph import services
from local.policies import PolicyError, ResourcePolicy
from local.summaries import Summary, summarize
from local.trace_settings import Settings, SettingsError
from local.xray import XRay

logger = logging.getLogger("local.xray")

Body = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, str, dict[str, str], bytes, dict[str, list[str]]], Awaitable[Response]]

# BatchGetTraces: "Array Members: Maximum number of 5 items".
_MAX_TRACE_IDS = 5
# That the time frame of GetTraceSummaries may span 24 hours at most is assumed for every TimeRangeType.
_MAX_WINDOW_SECONDS = 24 * 3600
_SUMMARIES_PER_PAGE = 100


class ApiError(Exception):
    """An error answer.

    Attributes:
        code: The exception's name in the X-Ray API.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Api:
    """The operations, over one state."""

    def __init__(self, xray: XRay) -> None:
        self._xray = xray
        settings = Settings(xray)
        self._operations: dict[str, Callable[[Body], Body]] = {
            "TraceSegments": self._put_trace_segments,
            "TelemetryRecords": lambda _body: {},
            "Traces": self._batch_get_traces,
            "TraceSummaries": self._get_trace_summaries,
            "TraceGraph": self._get_trace_graph,
            "PutResourcePolicy": self._put_resource_policy,
            "DeleteResourcePolicy": self._delete_resource_policy,
            "ListResourcePolicies": self._list_resource_policies,
            "SamplingTargets": self._get_sampling_targets,
            **settings.operations(),
        }

    async def handle(
        self, _method: str, path: str, _headers: dict[str, str], body: bytes, _query: dict[str, list[str]]
    ) -> Response:
        """Answer one request; the caller has been authenticated and authorized."""
        operation = self._operations.get(path.strip("/"))
        try:
            answer = (operation or _unknown(path))(_parse(body))
        except (ApiError, PolicyError, SettingsError) as problem:
            headers = {"Content-Type": "application/json", "x-amzn-ErrorType": problem.code}
            return 400, headers, json.dumps({"__type": problem.code, "Message": str(problem)}).encode()
        return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()

    def _put_trace_segments(self, body: Body) -> Body:
        unprocessed: list[Body] = []
        for text in _strings(body, "TraceSegmentDocuments"):
            document = segments.parse(text)
            if isinstance(document, segments.Rejection):
                logger.warning("PutTraceSegments: document refused: %s", document.message)
                unprocessed.append(
                    {
                        **({"Id": document.entity_id} if document.entity_id else {}),
                        "ErrorCode": document.code,
                        "Message": document.message,
                    }
                )
            else:
                self._xray.traces.put(document)
        return {"UnprocessedTraceSegments": unprocessed}

    def _batch_get_traces(self, body: Body) -> Body:
        wanted = list(dict.fromkeys(_strings(body, "TraceIds")))
        if not wanted or len(wanted) > _MAX_TRACE_IDS:
            raise ApiError(
                "InvalidRequestException", f"TraceIds has {len(wanted)} ids, 1 to {_MAX_TRACE_IDS} are expected"
            )
        found = [summary for trace_id in wanted if (summary := self._summary(trace_id))]
        # Ids without a trace are left out and are not "unprocessed" (assumed; the API names no other place for them).
        return {"Traces": [_trace(summary) for summary in found], "UnprocessedTraceIds": []}

    def _get_trace_summaries(self, body: Body) -> Body:
        start, end = (_time(body, field) for field in ("StartTime", "EndTime"))
        if end < start or end - start > _MAX_WINDOW_SECONDS:
            raise ApiError(
                "InvalidRequestException",
                f"StartTime {start} and EndTime {end} must be in order, at most 24 hours apart",
            )
        try:
            matches = compile_filter(str(body.get("FilterExpression") or ""))
        except FilterError as problem:
            raise ApiError("InvalidRequestException", str(problem)) from None
        summaries = [summary for trace_id in self._xray.traces.trace_ids() if (summary := self._summary(trace_id))]
        chosen = [summary for summary in summaries if start <= summary.start <= end and matches(summary)]
        page, token = _page(chosen, body.get("NextToken"))
        return {
            "TraceSummaries": [summary.render() for summary in page],
            "ApproximateTime": time.time(),
            "TracesProcessedCount": len(summaries),
            **({"NextToken": token} if token else {}),
        }

    def _get_trace_graph(self, body: Body) -> Body:
        found = [self._summary(trace_id) for trace_id in _strings(body, "TraceIds")]
        return {"Services": services([summary for summary in found if summary])}

    def _put_resource_policy(self, body: Body) -> Body:
        policy = self._xray.policies.put(
            name=_string(body, "PolicyName"),
            document=_string(body, "PolicyDocument"),
            revision=body.get("PolicyRevisionId"),
        )
        return {"ResourcePolicy": _policy(policy)}

    def _delete_resource_policy(self, body: Body) -> Body:
        self._xray.policies.delete(name=_string(body, "PolicyName"), revision=body.get("PolicyRevisionId"))
        return {}

    def _list_resource_policies(self, _body: Body) -> Body:
        return {"ResourcePolicies": [_policy(policy) for policy in self._xray.policies.all()]}

    def _get_sampling_targets(self, body: Body) -> Body:
        documents: list[Body] = []
        unknown: list[Body] = []
        for statistics in body.get("SamplingStatisticsDocuments") or []:
            name = str(statistics.get("RuleName"))
            rule = self._xray.rules.get(name)
            if rule is None:
                unknown.append({"RuleName": name, "ErrorCode": "404", "Message": f"There is no sampling rule {name!r}"})
                continue
            documents.append(
                {
                    "RuleName": name,
                    "FixedRate": rule.fixed_rate,
                    "ReservoirQuota": rule.reservoir_size,
                    "ReservoirQuotaTTL": time.time() + 10,
                    "Interval": 10,
                }
            )
        modified = max(rule.modified_at for rule in self._xray.rules.all())
        return {
            "SamplingTargetDocuments": documents,
            "LastRuleModification": modified,
            "UnprocessedStatistics": unknown,
        }

    def _summary(self, trace_id: str) -> Summary | None:
        found = self._xray.traces.segments(trace_id)
        return summarize(trace_id=trace_id, segments=found) if found else None


def _unknown(path: str) -> Callable[[Body], Body]:
    raise ApiError("InvalidRequestException", f"X-Ray operation {path} is not part of the local AWS")


def _trace(summary: Summary) -> Body:
    return {
        "Id": summary.trace_id,
        "Duration": round(summary.duration, 3),
        "LimitExceeded": False,
        "Segments": [{"Id": segment["id"], "Document": json.dumps(segment)} for segment in summary.segments],
    }


def _policy(policy: ResourcePolicy) -> Body:
    return {
        "PolicyName": policy.name,
        "PolicyDocument": policy.document,
        "PolicyRevisionId": str(policy.revision),
        "LastUpdatedTime": policy.updated_at,
    }


def _page(summaries: list[Summary], token: object) -> tuple[list[Summary], str | None]:
    first = int(str(token)) if token and str(token).isdigit() else 0
    last = first + _SUMMARIES_PER_PAGE
    return summaries[first:last], str(last) if last < len(summaries) else None


def _parse(body: bytes) -> Body:
    try:
        parsed = json.loads(body or b"{}")
    except ValueError as problem:
        raise ApiError("InvalidRequestException", f"The request's body is not JSON: {problem}") from None
    if not isinstance(parsed, dict):
        raise ApiError("InvalidRequestException", "The request's body is not a JSON object")
    return parsed


def _string(body: Body, field: str) -> str:
    value = body.get(field)
    if not isinstance(value, str) or not value:
        raise ApiError("InvalidRequestException", f"{field} is {value!r}, a string is expected")
    return value


def _strings(body: Body, field: str) -> list[str]:
    value = body.get(field)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ApiError("InvalidRequestException", f"{field} is not a list of strings")
    return value


def _time(body: Body, field: str) -> float:
    value = body.get(field)
    if not isinstance(value, int | float):
        raise ApiError("InvalidRequestException", f"{field} is {value!r}, seconds since 1970 are expected")
    return float(value)
