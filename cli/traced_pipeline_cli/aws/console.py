"""Where a trace is shown in the X-Ray console, for a colleague who has only that."""

from __future__ import annotations

from dataclasses import dataclass

from ..traces.model import Trace
from .endpoints import is_of_aws, partition_of
from .xray import service_filter

# https://docs.aws.amazon.com/xray/latest/devguide/xray-console-deeplinks.html; for China,
# https://docs.amazonaws.cn/en_us/xray/latest/devguide/xray-console-deeplinks.html; for GovCloud,
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-optimized_AMI.html links to that console.
_HOSTS = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}


@dataclass(frozen=True, kw_only=True)
class ConsoleLink:
    """A trace in the X-Ray console.

    Attributes:
        url: The address of the trace.
        filter_expression: What finds the traces of the same service in the console's search; None where the trace has
            no segment that names it.
    """

    url: str
    filter_expression: str | None


def console_link(endpoint: str, region: str, trace_id: str, trace: Trace | None) -> ConsoleLink | None:
    """Returns where a trace is shown; None on a local AWS and in partitions whose console's address is not documented.

    Args:
        endpoint: The endpoint of the X-Ray client.
        region: Its Region.
        trace_id: The trace's id.
        trace: The trace, where it is known.
    """
    host = _HOSTS.get(partition_of(region)) if is_of_aws(endpoint) else None
    if host is None:
        return None
    first = (
        min(trace.segments, key=lambda segment: (bool(segment.parent_id), segment.start), default=None)
        if trace
        else None
    )
    return ConsoleLink(
        url=f"https://{host}/xray/home?region={region}#/traces/{trace_id}",
        filter_expression=None if first is None else service_filter(first.name),
    )
