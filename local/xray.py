"""X-Ray's state: one account, one Region."""

import threading
from dataclasses import dataclass, field

from local.policies import ResourcePolicies
from local.sampling import FunctionSampling, SamplingRules
from local.store import TraceStore


@dataclass(frozen=True, kw_only=True)
class Group:
    """One trace group.

    Attributes:
        name: The group's name.
        arn: The group's ARN.
        filter_expression: Which traces belong to it; empty for all.
        insights: Whether insights are switched on.
        notifications: Whether insights are to be sent to EventBridge.
    """

    name: str
    arn: str
    filter_expression: str = ""
    insights: bool = False
    notifications: bool = False


class Groups:
    """The account's trace groups."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._groups: dict[str, Group] = {}

    def put(self, group: Group) -> None:
        """Add a group, or put it in the place of the one of the same ARN."""
        with self._lock:
            self._groups[group.arn] = group

    def find(self, key: str) -> Group | None:
        """Find a group by name or ARN."""
        with self._lock:
            return next((group for group in self._groups.values() if key in (group.name, group.arn)), None)

    def delete(self, key: str) -> Group | None:
        """Take a group away by name or ARN; `None` if there is none."""
        group = self.find(key)
        with self._lock:
            return self._groups.pop(group.arn, None) if group else None

    def all(self) -> list[Group]:
        """Every group, by name."""
        with self._lock:
            return sorted(self._groups.values(), key=lambda group: group.name)


@dataclass(frozen=True, kw_only=True)
class XRay:
    """Everything X-Ray knows."""

    traces: TraceStore = field(default_factory=TraceStore)
    rules: SamplingRules = field(default_factory=SamplingRules)
    functions: FunctionSampling = field(default_factory=FunctionSampling)
    policies: ResourcePolicies = field(default_factory=ResourcePolicies)
    groups: Groups = field(default_factory=Groups)
