"""X-Ray's state: one account, one Region."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from local.environment import ACCOUNT, REGION
from local.xray.otlp.records import Record
from local.xray.resource_policies import ResourcePolicies
from local.xray.sampling.rules import FunctionSampling, SamplingRules
from local.xray.span_log import SpanLog
from local.xray.store import TraceStore
from local.xray.tags import Tags
from local.xray.transaction_search import TransactionSearch


@dataclass(frozen=True, kw_only=True)
class Group:
    """One trace group.

    Attributes:
        name: The group's name.
        arn: The group's ARN.
        filter_expression: Which traces belong to it; empty for all.
        insights: Whether insights are switched on.
        notifications: Whether insights are to be sent to EventBridge.
        changed_at: Seconds since 1970 when another filter expression took the place of the first; `None` if none did.
    """

    name: str
    arn: str
    filter_expression: str = ""
    insights: bool = False
    notifications: bool = False
    changed_at: float | None = None


DEFAULT_GROUP = "Default"
"""The group that is always there, whose name is reserved, and that holds every trace."""


class Groups:
    """The account's trace groups; `Default` is always among them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        default = Group(name=DEFAULT_GROUP, arn=f"arn:aws:xray:{REGION}:{ACCOUNT}:group/{DEFAULT_GROUP}")
        self._groups: dict[str, Group] = {default.arn: default}

    def put(self, group: Group) -> None:
        """Adds a group, or replaces the one of the same ARN."""
        with self._lock:
            self._groups[group.arn] = group

    def find(self, key: str) -> Group | None:
        """Finds a group by name or ARN."""
        with self._lock:
            return next((group for group in self._groups.values() if key in (group.name, group.arn)), None)

    def delete(self, key: str) -> Group | None:
        """Removes a group by name or ARN; `None` if there is none."""
        group = self.find(key)
        with self._lock:
            return self._groups.pop(group.arn, None) if group else None

    def all(self) -> list[Group]:
        """Returns every group, by name."""
        with self._lock:
            return sorted(self._groups.values(), key=lambda group: group.name)


class XRay:
    """Everything X-Ray knows.

    Attributes:
        search: Transaction Search, and which traces are indexed.
        spans: The spans of Transaction Search.
        traces: The traces.
        rules: The sampling rules, and what is decided by them.
        functions: Lambda's own sampling.
        policies: The resource policies.
        groups: The groups.
        tags: The tags of groups and rules.

    Args:
        may_write_spans: Says whether CloudWatch Logs lets X-Ray write the spans of Transaction Search.
        write_spans: Writes records to their log group.
    """

    def __init__(
        self,
        may_write_spans: Callable[[], bool] = lambda: False,
        write_spans: Callable[[Sequence[Record]], None] = lambda _records: None,
    ) -> None:
        self.search = TransactionSearch(may_write_spans)
        self.spans = SpanLog(write_spans, is_on=lambda: self.search.keeps_spans)
        self.traces = TraceStore(begun=self.search.begin, came=self.spans.put_document)
        self.rules = SamplingRules()
        self.functions = FunctionSampling()
        self.policies = ResourcePolicies()
        self.groups = Groups()
        self.tags = Tags()

    def is_taggable(self, arn: str) -> bool:
        """Tells whether an ARN is that of a group or a sampling rule, the resources that have tags."""
        _, rule, name = arn.partition(":sampling-rule/")
        group = self.groups.find(arn)
        return self.rules.get(name) is not None if rule else group is not None and group.arn == arn
