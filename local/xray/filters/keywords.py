"""What the keywords of a filter expression read: of a trace, or within braces of one segment or call.

Source: X-Ray Developer Guide, "Use filter expressions", "Boolean keywords", "Number keywords", "String keywords":
"Simple keywords and operators find issues only at the trace level."
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.xray.calls import key_of
from local.xray.document_tree import Document
from local.xray.filters.comparisons import Kind
from local.xray.filters.tokens import Value
from local.xray.summaries import Summary, http_of


@dataclass(frozen=True, kw_only=True)
class View:
    """What an expression is tested against.

    Attributes:
        summary: The trace.
        entity: Within the braces of a service or an edge its segment, or the subsegment of the call; `None` outside.
        item: Within the braces of a root cause its service, entity or exception, by keyword.
    """

    summary: Summary
    entity: Document | None = None
    item: Mapping[str, Value] = field(default_factory=dict)

    @property
    def flags(self) -> dict[str, bool]:
        """The boolean keywords."""
        summary, entity = self.summary, self.entity
        if entity is None:
            marks = {"fault": summary.fault, "error": summary.error, "throttle": summary.throttle}
            partial, inferred = summary.partial, any(segment.get("inferred") for segment in summary.segments)
        else:
            marks = {name: bool(entity.get(name)) for name in ("fault", "error", "throttle")}
            partial, inferred = bool(entity.get("in_progress")), bool(entity.get("inferred"))
        root = entity is None or entity["id"] == summary.root["id"]
        return {**marks, "ok": not any(marks.values()), "partial": partial, "inferred": inferred, "root": root}

    @property
    def seconds(self) -> tuple[float, float]:
        """`responsetime` and `duration`."""
        if self.entity is None:
            return self.summary.response_time, self.summary.duration
        start = float(self.entity["start_time"])
        taken = float(self.entity.get("end_time") or start) - start
        return taken, taken

    @property
    def http(self) -> dict[str, Any]:
        """The HTTP request and response."""
        return self.summary.http if self.entity is None else http_of(self.entity)

    def texts(self, name: str) -> list[Value]:
        """Returns the values of a field that any segment may have."""
        if self.entity is None:
            return [*self.summary.values(name)]
        value = self.entity.get(name)
        return [str(value)] if value else []

    def names(self, *, types: bool) -> list[Value]:
        """Returns `name` or `type` of the service, or of every service of the trace."""
        segments = self.summary.segments if self.entity is None else (self.entity,)
        keys = [key_of(segment) for segment in segments]
        return [key.type if types else key.name for key in keys]


_HTTP = {"url": "url", "method": "method", "status": "status", "clientip": "client_ip", "useragent": "user_agent"}
_TEXTS = {
    "user": "user",
    "resource.arn": "resource_arn",
    "instance.id": "instance_id",
    "availabilityzone": "availability_zone",
}

FLAGS = ("fault", "error", "throttle", "ok", "partial", "inferred", "root")
"""The boolean keywords."""


def reader(word: str) -> Callable[[View], list[Value]] | None:
    """Returns what a number or string keyword reads; `None` for a word that is none."""
    name = word.lower()
    if name in ("responsetime", "duration"):
        return lambda view: [view.seconds[name == "duration"]]
    if name.startswith("http.") and (part := _HTTP.get(name.removeprefix("http."))):
        return lambda view: [view.http[part]] if part in view.http else []
    if field := _TEXTS.get(name):
        return lambda view: view.texts(field)
    if name in ("name", "type"):
        return lambda view: view.names(types=name == "type")
    return None


def kind_of(word: str) -> Kind:
    """Returns what a keyword holds that `reader` knows: a number or a text."""
    return "number" if word.lower() in ("responsetime", "duration", "http.status") else "text"
