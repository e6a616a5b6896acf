"""What GetTraceSummaries says of a trace, computed from its assembled segments."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from local.xray.calls import account_of, key_of, services
from local.xray.document_tree import Document, walk
from local.xray.root_causes import RootCauses
from local.xray.store import TraceStore

# "X-Ray indexes up to 50 annotations per trace": X-Ray Developer Guide, "Concepts", "Annotations and metadata".
_MAX_ANNOTATIONS = 50


@dataclass(frozen=True, kw_only=True)
class Summary:
    """One trace, as filter expressions see it.

    Attributes:
        start: Seconds since 1970 of its first segment.
        end: Seconds since 1970 of its last closed segment.
        root: The segment without a parent in the trace; the first one if several.
        senders: By which subsegment a message was sent whose consumer's trace is linked, by that trace's id.
        revision: How often the trace has changed.
    """

    trace_id: str
    segments: tuple[Document, ...]
    start: float
    end: float
    root: Document
    senders: Mapping[str, str] = field(default_factory=dict)
    revision: int = 1

    @property
    def duration(self) -> float:
        """Seconds from the first start to the last end."""
        return self.end - self.start

    @property
    def response_time(self) -> float:
        """Seconds the root segment took."""
        return float(self.root.get("end_time", self.end)) - float(self.root["start_time"])

    @property
    def fault(self) -> bool:
        """Whether the root segment failed with a 5xx: `HasFault` of the X-Ray API Reference, "TraceSummary"."""
        return bool(self.root.get("fault"))

    @property
    def error(self) -> bool:
        """Whether the root segment failed with a 4xx: `HasError`."""
        return bool(self.root.get("error"))

    @cached_property
    def throttle(self) -> bool:
        """Whether any segment was throttled: `HasThrottle`, "one or more of the segment documents has a 429"."""
        return any(entity.get("throttle") for segment in self.segments for entity in walk(segment))

    @cached_property
    def partial(self) -> bool:
        """Whether a segment is still in progress: `IsPartial`."""
        return any(segment.get("in_progress") for segment in self.segments)

    @cached_property
    def annotations(self) -> dict[str, list[tuple[str | float | bool, Document]]]:
        """Every indexed annotation of the trace by key, with the segment it comes from."""
        annotations: dict[str, list[tuple[str | float | bool, Document]]] = {}
        for segment in self.segments:
            for entity in walk(segment):
                for key, value in (entity.get("annotations") or {}).items():
                    # "Fields can have string, number, or Boolean values (no objects or arrays)".
                    indexed = isinstance(value, str | int | float)
                    if indexed and sum(map(len, annotations.values())) < _MAX_ANNOTATIONS:
                        annotations.setdefault(key, []).append((value, segment))
        return annotations

    @cached_property
    def services(self) -> list[Document]:
        """The trace's services as `ServiceId`s, each once."""
        unique = {key_of(segment): service_id(segment) for segment in services(self.segments)}
        return list(unique.values())

    @cached_property
    def root_causes(self) -> dict[str, list[dict[str, Any]]]:
        """Where its faults and errors began and what took its time, as the fields of a summary."""
        causes = RootCauses(self.segments, self.root)
        return {
            "FaultRootCauses": causes.of("fault"),
            "ErrorRootCauses": causes.of("error"),
            "ResponseTimeRootCauses": causes.of_response_time(),
        }

    def ancestors(self, entity_id: str) -> set[str]:
        """Returns the ids of everything a segment or subsegment descends from, its own included."""
        ancestors: set[str] = set()
        current: str | None = entity_id
        while current and current not in ancestors:
            ancestors.add(current)
            current = self._parents.get(current)
        return ancestors

    @cached_property
    def _parents(self) -> dict[str, str]:
        parents = {segment["id"]: str(segment.get("parent_id", "")) for segment in self.segments}
        for segment in self.segments:
            for entity in walk(segment):
                parents.update({part["id"]: entity["id"] for part in entity.get("subsegments") or []})
        return parents

    @property
    def http(self) -> dict[str, Any]:
        """Method, URL, status and client of the root segment's request."""
        return http_of(self.root)

    def render(self) -> dict[str, Any]:
        """Writes the `TraceSummary` of the X-Ray API."""
        names = {"url": "HttpURL", "status": "HttpStatus", "method": "HttpMethod", "user_agent": "UserAgent"}
        names["client_ip"] = "ClientIp"
        users: dict[str, list[Document]] = {}
        for segment in self.segments:
            if segment.get("user"):
                users.setdefault(str(segment["user"]), []).append(service_id(segment))
        return {
            "Id": self.trace_id,
            "StartTime": self.start,
            "Duration": round(self.duration, 3),
            "ResponseTime": round(self.response_time, 3),
            "HasFault": self.fault,
            "HasError": self.error,
            "HasThrottle": self.throttle,
            "IsPartial": self.partial,
            "Http": {names[key]: value for key, value in self.http.items() if key in names},
            "Annotations": {
                key: [
                    {"AnnotationValue": _annotation(value), "ServiceIds": [service_id(segment)]}
                    for value, segment in values
                ]
                for key, values in self.annotations.items()
            },
            "Users": [{"UserName": name, "ServiceIds": services} for name, services in users.items()],
            "ServiceIds": self.services,
            "EntryPoint": service_id(self.root),
            "ResourceARNs": [{"ARN": arn} for arn in self.values("resource_arn")],
            "InstanceIds": [{"Id": value} for value in self.values("instance_id")],
            "AvailabilityZones": [{"Name": value} for value in self.values("availability_zone")],
            **self.root_causes,
            "Revision": self.revision,
        }

    def values(self, key: str) -> list[str]:
        """Returns the values of one field of the segments, each once: of the segment, or of its `aws.ec2`."""
        values = [
            segment.get(key) or ((segment.get("aws") or {}).get("ec2") or {}).get(key) for segment in self.segments
        ]
        return list(dict.fromkeys(str(value) for value in values if value))


class Summaries:
    """The summaries of a store's traces, each made again only when its trace has changed."""

    def __init__(self, traces: TraceStore) -> None:
        self._traces = traces
        self._known: dict[str, Summary] = {}
        self._ordered: tuple[int, list[Summary]] = (-1, [])

    def get(self, trace_id: str) -> Summary | None:
        """Returns the summary of a trace; `None` for an unknown one."""
        revision = self._traces.revision(trace_id)
        known = self._known.get(trace_id)
        if known is not None and known.revision == revision:
            return known
        segments = self._traces.segments(trace_id)
        if not segments:
            return None
        senders = self._traces.senders(trace_id)
        summary = summarize(trace_id=trace_id, segments=segments, senders=senders, revision=revision)
        self._known[trace_id] = summary
        return summary

    def all(self) -> list[Summary]:
        """Returns the summaries of all traces, the most recent first."""
        changes = self._traces.changes
        if self._ordered[0] != changes:
            summaries = [summary for trace_id in self._traces.trace_ids() if (summary := self.get(trace_id))]
            summaries.sort(key=lambda summary: (summary.start, summary.trace_id), reverse=True)
            self._ordered = changes, summaries
        return self._ordered[1]


def summarize(
    *, trace_id: str, segments: list[Document], senders: Mapping[str, str] | None = None, revision: int = 1
) -> Summary:
    """Summarizes one trace; `segments` must not be empty."""
    ids = {entity["id"] for segment in segments for entity in walk(segment)}
    root = next((segment for segment in segments if segment.get("parent_id") not in ids), segments[0])
    start = min(float(segment["start_time"]) for segment in segments)
    end = max(float(segment["end_time" if "end_time" in segment else "start_time"]) for segment in segments)
    return Summary(
        trace_id=trace_id,
        segments=tuple(segments),
        start=start,
        end=end,
        root=root,
        senders=senders or {},
        revision=revision,
    )


def http_of(segment: Document) -> dict[str, Any]:
    """Returns method, URL, client and status of what a segment or subsegment says of HTTP."""
    block = segment.get("http") or {}
    request, response = block.get("request") or {}, block.get("response") or {}
    return {**request, **({"status": response["status"]} if "status" in response else {})}


def service_id(segment: Document) -> Document:
    """Writes the `ServiceId` of a segment's node."""
    key, account = key_of(segment), account_of(segment)
    return {
        "Name": key.name,
        "Names": [key.name],
        **({"AccountId": account} if account else {}),
        **({"Type": key.type} if key.type else {}),
    }


def _annotation(value: str | float | bool) -> dict[str, str | float | bool]:
    match value:
        case bool():
            return {"BooleanValue": value}
        case int() | float():
            return {"NumberValue": value}
        case _:
            return {"StringValue": str(value)}
