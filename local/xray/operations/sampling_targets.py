"""GetSamplingTargets and GetSamplingStatisticSummaries: how services that sample themselves share a rule.

Source: X-Ray Developer Guide, "Using sampling rules with the X-Ray API": a service reports what it took in the last
ten seconds and gets a quota of the rule's reservoir in return. How X-Ray divides the reservoir is assumed: evenly
among the clients that have reported within the last half minute.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from local.xray.request import ApiError, Body
from local.xray.sampling.rules import SamplingRules

# Members of GetSamplingTargets in the API's model.
_MAX_DOCUMENTS = 25
_INTERVAL_SECONDS = 10
# "The quota is good for five minutes (indicated by the time to live) or until a new quota is assigned."
_QUOTA_SECONDS = 300
_CLIENT_SECONDS = 30.0


class SamplingTargets:
    """The two operations, over the account's rules."""

    def __init__(self, rules: SamplingRules, *, clock: Callable[[], float] = time.time) -> None:
        self._rules = rules
        self._clock = clock
        self._lock = threading.Lock()
        self._clients: dict[str, dict[str, float]] = {}
        self._summaries: dict[str, Body] = {}

    def operations(self) -> dict[str, Callable[[Body], Body]]:
        """Returns the operations by their paths."""
        return {"SamplingTargets": self._get_targets, "SamplingStatisticSummaries": lambda _body: self._get_summaries()}

    def _get_targets(self, body: Body) -> Body:
        statistics = body.get("SamplingStatisticsDocuments")
        if not isinstance(statistics, list) or len(statistics) > _MAX_DOCUMENTS:
            raise ApiError(f"SamplingStatisticsDocuments is not a list of at most {_MAX_DOCUMENTS} documents")
        targets: list[Body] = []
        unprocessed: list[Body] = []
        for document in statistics:
            name = str(document.get("RuleName"))
            if self._rules.get(name) is None:
                # "UnprocessedStatistics can include errors that indicate that a rule has been deleted."
                message = f"There is no sampling rule {name!r}"
                unprocessed.append({"RuleName": name, "ErrorCode": "404", "Message": message})
            else:
                targets.append(self._target(name, document))
        return {
            "SamplingTargetDocuments": targets,
            "LastRuleModification": self._rules.modified_at,
            "UnprocessedStatistics": unprocessed,
            "UnprocessedBoostStatistics": [],
        }

    def _target(self, name: str, document: Mapping[str, Any]) -> Body:
        rule, now = self._rules.get(name), self._clock()
        assert rule is not None  # noqa: S101 - the caller has just looked it up
        with self._lock:
            clients = self._clients.setdefault(name, {})
            clients[str(document.get("ClientID"))] = now
            present = sorted(client for client, seen in clients.items() if now - seen < _CLIENT_SECONDS)
            counts = {key: int(document.get(key) or 0) for key in ("RequestCount", "SampledCount", "BorrowCount")}
            known = self._summaries.get(name, {})
            self._summaries[name] = {
                "RuleName": name,
                "Timestamp": now,
                **{key: count + int(known.get(key, 0)) for key, count in counts.items()},
            }
        quota, remainder = divmod(rule.reservoir_size, len(present))
        return {
            "RuleName": name,
            "FixedRate": rule.fixed_rate,
            "ReservoirQuota": quota + (present.index(str(document.get("ClientID"))) < remainder),
            "ReservoirQuotaTTL": now + _QUOTA_SECONDS,
            "Interval": _INTERVAL_SECONDS,
        }

    def _get_summaries(self) -> Body:
        # Decisions of a stage count as well: API Gateway samples by the same rules.
        with self._lock:
            merged = {name: dict(summary) for name, summary in self._summaries.items()}
        for name, (requests, sampled, last) in self._rules.decided().items():
            known = merged.setdefault(
                name, {"RuleName": name, "Timestamp": 0.0, "RequestCount": 0, "SampledCount": 0, "BorrowCount": 0}
            )
            known["RequestCount"] += requests
            known["SampledCount"] += sampled
            known["Timestamp"] = max(known["Timestamp"], last)
        return {"SamplingStatisticSummaries": [merged[name] for name in sorted(merged)]}
