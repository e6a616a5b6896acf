"""What X-Ray records of a pipeline, and how it groups the traces."""

from __future__ import annotations

from dataclasses import dataclass

from .words import ChecksWords


@dataclass(frozen=True, kw_only=True)
class SamplingOptions(ChecksWords):
    """How many of the API's requests X-Ray records: a sampling rule of its own.

    Attributes:
        rate: Fraction of the requests beyond the reservoir that is recorded, 0 to 1. Default: 0.05.
        reservoir: Requests per second that are recorded before the rate applies. Default: 1.
        priority: 1 to 9999; of the rules that match a request, the one with the lowest number applies. Default: 1000.
        path: The requests' path, with `*` and `?` as wildcards, at most 128 characters. Default: all.
        method: The requests' HTTP method, at most 10 characters. Default: all.
    """

    rate: float = 0.05
    reservoir: int = 1
    priority: int = 1000
    path: str = "*"
    method: str = "*"


@dataclass(frozen=True, kw_only=True)
class TraceGroupOptions(ChecksWords):
    """A group of traces in X-Ray, with metrics of its own.

    Attributes:
        filter_expression: Which traces belong to the group. Default: those that pass the pipeline's API.
            https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html
        insights: Whether X-Ray looks for anomalies in the group. Default: on.
        notifications: Whether X-Ray sends the anomalies to EventBridge; needs `insights`. Default: off.
    """

    filter_expression: str | None = None
    insights: bool = True
    notifications: bool = False
