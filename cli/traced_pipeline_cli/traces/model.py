"""X-Ray's segment documents as typed, immutable objects that lose no field.

The fields are those of https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html;
`links` is what Lambda writes where it links two traces
(https://docs.aws.amazon.com/xray/latest/devguide/xray-tracelinking.html).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = dict[str, JsonValue]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Link:
    """A reference from one span to a span of another trace; it does not connect the traces.

    Attributes:
        trace_id: The other trace.
        id: The span there.
        attributes: What X-Ray says of the reference, as it came.
        extra: Every other field.
    """

    trace_id: str
    id: str
    attributes: JsonObject
    extra: JsonObject

    @property
    def reference_type(self) -> str | None:
        """`parent` where the other span came first, `child` where this one did, or what else was said."""
        value = self.attributes.get("aws.xray.reserved.reference_type")
        return value if isinstance(value, str) else None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the service at the other end, as far as X-Ray gives them."""
        value = self.attributes.get("aws.xray.reserved.names")
        return tuple(name for name in value if isinstance(name, str)) if isinstance(value, list) else ()

    @property
    def type(self) -> str | None:
        """The type of the service at the other end, such as `AWS::Lambda`."""
        value = self.attributes.get("aws.xray.reserved.type")
        return value if isinstance(value, str) else None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Span:
    """What segments and subsegments have in common.

    Attributes:
        id: 16 hexadecimal digits, unique within the trace.
        trace_id: The trace it belongs to.
        name: The service's or call's name.
        start: Start, in seconds since the epoch.
        end: End, in seconds since the epoch; None while it is in progress.
        in_progress: Whether X-Ray still waits for the complete document.
        fault: Whether it failed on the server's side (5xx, an exception).
        error: Whether it failed on the client's side (4xx).
        throttle: Whether it was throttled (429).
        parent_id: The span that caused it; None for the first segment of a trace and for nested subsegments.
        namespace: `aws` for AWS calls, `remote` for others, None for the program's own work.
        annotations: Indexed key-value pairs.
        metadata: Not indexed data, by namespace.
        aws: What is known of the AWS resource.
        http: The HTTP request and response.
        cause: Why it failed: an object, or the id of the exception's span.
        links: References to other traces.
        subsegments: What was done within it, in the order it came.
        extra: Every field that is none of the above and none of the subclass's, as it came.
        raw: The whole document as it came.
    """

    id: str
    trace_id: str
    name: str
    start: float
    end: float | None
    in_progress: bool
    fault: bool
    error: bool
    throttle: bool
    parent_id: str | None
    namespace: str | None
    annotations: JsonObject
    metadata: JsonObject
    aws: JsonObject
    http: JsonObject
    cause: JsonValue
    links: tuple[Link, ...]
    subsegments: tuple[Subsegment, ...]
    extra: JsonObject
    raw: JsonObject

    @property
    def seconds(self) -> float | None:
        """How long it took; None while in progress, never negative."""
        return None if self.end is None else max(0.0, self.end - self.start)

    @property
    def own_fields(self) -> JsonObject:
        """The document without what is nested in it, every other field as it came."""
        return {key: value for key, value in self.raw.items() if key != "subsegments" or key in self.extra}

    def walk(self) -> Iterator[Span]:
        """Yield this span and every one nested in it, parents first."""
        todo: list[Span] = [self]
        while todo:
            span = todo.pop()
            yield span
            todo.extend(reversed(span.subsegments))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Subsegment(Span):
    """A call or a stretch of work within a segment."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Segment(Span):
    """One service's part of a trace.

    Attributes:
        origin: The type of resource that ran it, such as `AWS::Lambda::Function`; None where nobody said.
        inferred: Whether X-Ray made it from the caller's subsegment, since the service sent nothing.
        resource_arn: The resource's ARN.
        type: `subsegment` for a subsegment sent by itself whose parent is not in the trace, or None.
    """

    origin: str | None
    inferred: bool
    resource_arn: str | None
    type: str | None

    @property
    def resource_type(self) -> str:
        """The origin; without one, `remote` for what X-Ray inferred and `service` for what reported itself."""
        return self.origin or ("remote" if self.inferred else "service")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Trace:
    """All that X-Ray answered about one trace.

    Attributes:
        id: The trace id, `1-<8 hex>-<24 hex>`.
        duration: Seconds from the first start to the last end, by X-Ray's count; None where it gave none.
        limit_exceeded: Whether X-Ray dropped segments since the trace became too large.
        segments: The segments by start; subsegments sent by themselves are nested under their parents.
        documents: Every document as it came, also those of subsegments sent by themselves.
        extra: Every other field of the answer.
    """

    id: str
    duration: float | None
    limit_exceeded: bool
    segments: tuple[Segment, ...]
    documents: tuple[JsonObject, ...]
    extra: JsonObject

    def spans(self) -> Iterator[tuple[Segment, Span]]:
        """Yield every span with the segment it belongs to."""
        for segment in self.segments:
            for span in segment.walk():
                yield segment, span

    @property
    def start(self) -> float:
        """The first start, in seconds since the epoch; 0 for a trace without segments."""
        return min((segment.start for segment in self.segments), default=0.0)

    @property
    def end(self) -> float:
        """The last end known, in seconds since the epoch; 0 for a trace without segments."""
        return max((span.start if span.end is None else span.end for _, span in self.spans()), default=0.0)
