"""What GetTraceSummaries says of a trace, computed from its assembled segments."""

from dataclasses import dataclass
from typing import Any

from local.store import Document, walk


@dataclass(frozen=True, kw_only=True)
class Summary:
    """One trace, as filter expressions see it.

    Attributes:
        start: Seconds since 1970 of its first segment.
        end: Seconds since 1970 of its last closed segment.
        root: The segment without a parent in the trace; the first one if several.
    """

    trace_id: str
    segments: tuple[Document, ...]
    start: float
    end: float
    root: Document

    @property
    def duration(self) -> float:
        """Seconds from the first start to the last end."""
        return self.end - self.start

    @property
    def response_time(self) -> float:
        """Seconds the root segment took."""
        return float(self.root.get("end_time", self.end)) - float(self.root["start_time"])

    def has(self, flag: str) -> bool:
        """Tell whether any segment or subsegment is marked `error`, `fault` or `throttle`."""
        return any(entity.get(flag) for segment in self.segments for entity in walk(segment))

    @property
    def partial(self) -> bool:
        """Whether a segment is still in progress."""
        return any(segment.get("in_progress") for segment in self.segments)

    @property
    def annotations(self) -> dict[str, list[str | float | bool]]:
        """Every annotation of the trace, by key."""
        found: dict[str, list[str | float | bool]] = {}
        for segment in self.segments:
            for entity in walk(segment):
                for key, value in (entity.get("annotations") or {}).items():
                    found.setdefault(key, []).append(value)
        return found

    @property
    def services(self) -> list[Document]:
        """The trace's services: name, type and account, each once."""
        unique = {
            (segment["name"], segment.get("origin", "")): {
                "Name": segment["name"],
                "Names": [segment["name"]],
                **({"Type": segment["origin"]} if segment.get("origin") else {}),
            }
            for segment in self.segments
        }
        return list(unique.values())

    @property
    def http(self) -> dict[str, Any]:
        """Method, URL, status and client of the root segment's request."""
        block = self.root.get("http") or {}
        request, response = block.get("request") or {}, block.get("response") or {}
        return {**request, **({"status": response["status"]} if "status" in response else {})}

    def render(self) -> dict[str, Any]:
        """Write the `TraceSummary` of the X-Ray API."""
        http = self.http
        names = {"url": "HttpURL", "status": "HttpStatus", "method": "HttpMethod", "user_agent": "UserAgent"}
        names["client_ip"] = "ClientIp"
        return {
            "Id": self.trace_id,
            "StartTime": self.start,
            "Duration": round(self.duration, 3),
            "ResponseTime": round(self.response_time, 3),
            "HasFault": self.has("fault"),
            "HasError": self.has("error"),
            "HasThrottle": self.has("throttle"),
            "IsPartial": self.partial,
            "Http": {names[key]: value for key, value in http.items() if key in names},
            "Annotations": {
                key: [{"AnnotationValue": _annotation(value)} for value in values]
                for key, values in self.annotations.items()
            },
            "Users": [],
            "ServiceIds": self.services,
            "EntryPoint": self.services[0],
            "ResourceARNs": [
                {"ARN": arn} for arn in dict.fromkeys(s.get("resource_arn", "") for s in self.segments) if arn
            ],
            "Revision": len(self.segments),
        }


def summarize(*, trace_id: str, segments: list[Document]) -> Summary:
    """Summarize one trace; `segments` must not be empty."""
    ids = {entity["id"] for segment in segments for entity in walk(segment)}
    root = next((segment for segment in segments if segment.get("parent_id") not in ids), segments[0])
    start = min(float(segment["start_time"]) for segment in segments)
    end = max(float(segment["end_time" if "end_time" in segment else "start_time"]) for segment in segments)
    return Summary(trace_id=trace_id, segments=tuple(segments), start=start, end=end, root=root)


def _annotation(value: str | float | bool) -> dict[str, str | float | bool]:
    match value:
        case bool():
            return {"BooleanValue": value}
        case int() | float():
            return {"NumberValue": value}
        case _:
            return {"StringValue": str(value)}
