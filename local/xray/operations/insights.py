"""Insights: their four operations, of an account that has none.

Source: X-Ray API Reference, "GetInsightSummaries" and its neighbours; X-Ray Developer Guide, "Using X-Ray Insights":
X-Ray learns over time how often a service fails, and reports what is out of the ordinary. No document says how, so
nothing is ever found here: the list is empty, and an insight of any id is unknown.
"""

from collections.abc import Callable

from local.xray.request import ApiError, Body, time_range

FindGroup = Callable[[Body], object]
"""Looks for the group a request names; raises `ApiError` where there is none."""


def operations(find_group: FindGroup) -> dict[str, Callable[[Body], Body]]:
    """Returns the operations by their paths."""

    def summaries(body: Body) -> Body:
        time_range(body)
        if not body.get("GroupName") and not body.get("GroupARN"):
            raise ApiError("GroupName or GroupARN is expected")
        find_group(body)
        return {"InsightSummaries": []}

    return {
        "InsightSummaries": summaries,
        "Insight": _unknown,
        "InsightEvents": _unknown,
        "InsightImpactGraph": _unknown,
    }


def _unknown(body: Body) -> Body:
    raise ApiError(f"There is no insight {body['InsightId']!r}")
