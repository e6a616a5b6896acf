"""The trace of a request to a service that sends a segment of its own; AppSync and Step Functions say where from."""

import time
from dataclasses import dataclass, field, replace
from typing import Any

from local.propagation.header import TraceHeader, new_entity_id, new_trace_id
from local.xray.sampling.rules import Request
from local.xray.state import XRay

Fields = dict[str, Any]


@dataclass(kw_only=True)
class ServiceTrace:
    """A request under way, and what the service's segment holds of it.

    Attributes:
        request: The request, as sampling rules look at it.
        header: The request's header with the decision, `0` or `1`; its Parent is the caller's.
        segment_id: Id of the service's segment.
        start: When the request came, in seconds since 1970.
        calls: The subsegments of what the service has called.
    """

    request: Request
    header: TraceHeader
    segment_id: str = field(default_factory=new_entity_id)
    start: float = field(default_factory=time.time)
    calls: list[Fields] = field(default_factory=list)

    @property
    def sampled(self) -> bool:
        """Whether the service sends its segment."""
        return self.header.sampled == "1"

    def segment(self, **fields: object) -> Fields:
        """Returns the service's segment, ended now.

        Args:
            fields: What the service writes beside the fields that all have.
        """
        return {
            "id": self.segment_id,
            "name": self.request.service_name,
            "trace_id": self.header.root,
            **({"parent_id": self.header.parent} if self.header.parent else {}),
            "start_time": self.start,
            "end_time": time.time(),
            "origin": self.request.service_type,
            "resource_arn": self.request.resource_arn,
            **fields,
            "subsegments": self.calls,
        }


def begin(xray: XRay, header: str | None, request: Request) -> ServiceTrace:
    """Begins the trace of a request: by the caller's decision, or by the sampling rules where the caller has none.

    Args:
        xray: The state.
        header: The caller's header, as it came.
        request: What the rules decide by.
    """
    known = TraceHeader.parse(header)
    if known and known.sampled in ("0", "1"):
        return ServiceTrace(request=request, header=known)
    sampled = xray.rules.decide(request).sampled
    known = known or TraceHeader(root=new_trace_id())
    return ServiceTrace(request=request, header=replace(known, sampled="1" if sampled else "0"))
