"""Sampling: who decides, once, whether a request is traced.

Source: X-Ray Developer Guide, "Configure sampling rules": rules are tried by priority, the first that matches
decides; its reservoir takes a fixed number of requests each second, then its rate applies. The default rule
takes one request a second and 5 percent of the rest.
"""

import random
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

_RANDOM = random.SystemRandom()


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a sampling rule looks at."""

    service_name: str
    service_type: str
    host: str
    http_method: str
    url_path: str
    resource_arn: str


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One sampling rule; the fields are those of `CreateSamplingRule`.

    Attributes:
        priority: 1 to 9999; the lowest number is tried first.
        fixed_rate: Fraction of the requests, 0 to 1, taken after the reservoir is used up.
        reservoir_size: Requests taken each second before the rate applies.
        boost: `SamplingRateBoost`, kept and returned; nothing here boosts a rate.
    """

    name: str
    priority: int
    fixed_rate: float
    reservoir_size: int
    service_name: str = "*"
    service_type: str = "*"
    host: str = "*"
    http_method: str = "*"
    url_path: str = "*"
    resource_arn: str = "*"
    attributes: dict[str, str] = field(default_factory=dict)
    boost: dict[str, Any] | None = None
    created_at: float = field(default_factory=time.time)
    modified_at: float = field(default_factory=time.time)

    def matches(self, request: Request) -> bool:
        """Tells whether every pattern matches; a rule with attributes matches no AWS service's request."""
        # "Attributes: segment attributes known when the sampling decision is made. API Gateway: not supported."
        pairs = (
            (self.service_name, request.service_name),
            (self.service_type, request.service_type),
            (self.host, request.host),
            (self.http_method, request.http_method),
            (self.url_path, request.url_path),
            (self.resource_arn, request.resource_arn),
        )
        return not self.attributes and all(_like(pattern, value) for pattern, value in pairs)


DEFAULT_RULE = Rule(name="Default", priority=10000, fixed_rate=0.05, reservoir_size=1)
"""One request each second, and 5 percent of the rest."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Whether one request is traced, and the rule that said so."""

    sampled: bool
    rule_name: str


class Reservoir:
    """Counts what was taken in the present second, for one rule or one function."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._second = 0
        self._taken = 0

    def take(self, *, size: int, rate: float) -> bool:
        """Takes one request: from the reservoir while it lasts, then by chance."""
        with self._lock:
            second = int(self._clock())
            if second != self._second:
                self._second, self._taken = second, 0
            if self._taken < size:
                self._taken += 1
                return True
        return _RANDOM.random() < rate


class SamplingRules:
    """The account's sampling rules; `Default` is always among them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: dict[str, Rule] = {DEFAULT_RULE.name: DEFAULT_RULE}
        self._reservoirs: dict[str, Reservoir] = {}
        self._decided: dict[str, tuple[int, int, float]] = {}
        self._deleted_at = 0.0

    @property
    def modified_at(self) -> float:
        """Seconds since 1970 of the last change of any rule."""
        return max(self._deleted_at, *(rule.modified_at for rule in self.all()))

    def put(self, rule: Rule) -> None:
        """Adds a rule, or replaces the one of the same name."""
        with self._lock:
            known = self._rules.get(rule.name)
            self._rules[rule.name] = replace(rule, created_at=known.created_at) if known else rule

    def get(self, name: str) -> Rule | None:
        """Returns the rule of that name; `None` if there is none."""
        with self._lock:
            return self._rules.get(name)

    def delete(self, name: str) -> Rule | None:
        """Removes a rule; the default rule stays."""
        with self._lock:
            if name == DEFAULT_RULE.name:
                return None
            self._deleted_at = time.time()
            return self._rules.pop(name, None)

    def all(self) -> list[Rule]:
        """Returns every rule, in the order they are tried; equal priorities by name."""
        with self._lock:
            return sorted(self._rules.values(), key=lambda rule: (rule.priority, rule.name))

    def decide(self, request: Request) -> Decision:
        """Decides by the first rule that matches."""
        rule = next((rule for rule in self.all() if rule.matches(request)), DEFAULT_RULE)
        with self._lock:
            reservoir = self._reservoirs.setdefault(rule.name, Reservoir())
        sampled = reservoir.take(size=rule.reservoir_size, rate=rule.fixed_rate)
        with self._lock:
            requests, taken, _last = self._decided.get(rule.name, (0, 0, 0.0))
            self._decided[rule.name] = requests + 1, taken + sampled, time.time()
        return Decision(sampled=sampled, rule_name=rule.name)

    def decided(self) -> dict[str, tuple[int, int, float]]:
        """Returns what was decided by each rule: requests, how many were taken, and when the last came."""
        with self._lock:
            return dict(self._decided)


class FunctionSampling:
    """Lambda's own decision, for invocations that bring none.

    Source: Lambda Developer Guide, "Visualize Lambda function invocations using AWS X-Ray": "one request per
    second and 5 percent of additional requests. You can't configure the sampling rate for your functions."
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reservoirs: dict[str, Reservoir] = {}

    def decide(self, function_arn: str) -> bool:
        """Decides for one invocation of one function."""
        with self._lock:
            reservoir = self._reservoirs.setdefault(function_arn, Reservoir())
        return reservoir.take(size=1, rate=0.05)


def _like(pattern: str, value: str) -> bool:
    # "Multi-character (*) and single-character (?) wildcards."
    expression = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern)
    return re.fullmatch(expression, value, re.IGNORECASE | re.DOTALL) is not None
