"""The state of an alarm, from the datapoints of its metric.

Source: CloudWatch User Guide, "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data", whose
tables the tests hold this to.
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass

OK, ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"

# "CloudWatch attempts to retrieve a higher number of data points than the number specified as Evaluation Periods"; how
# many is not documented. In the guide's example there are five for three.
_MORE_DATAPOINTS = 2
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_IN_WORDS = {
    "GreaterThanThreshold": "greater than",
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When an alarm goes off.

    Attributes:
        threshold: What a datapoint is compared with.
        comparison: How, such as `GreaterThanThreshold`; one of a band, as anomaly detection has it, is not modelled.
        periods: How many datapoints are evaluated.
        datapoints: How many of them have to breach.
        missing: What a missing one is taken for: `breaching`, `notBreaching`, `ignore` or `missing`.
    """

    threshold: float
    comparison: str
    periods: int
    datapoints: int
    missing: str

    @property
    def range(self) -> int:
        """How many of the latest periods are looked at."""
        return self.periods + _MORE_DATAPOINTS

    @property
    def supported(self) -> bool:
        """Whether it can be evaluated here."""
        return self.comparison in _COMPARISONS


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an evaluation came to.

    Attributes:
        state: `OK`, `ALARM` or `INSUFFICIENT_DATA`.
        reason: Why, in words.
    """

    state: str
    reason: str


def evaluate(rule: Rule, datapoints: Sequence[float | None], state: str) -> Outcome:
    """Returns the state of an alarm.

    Args:
        rule: When the alarm goes off.
        datapoints: The metric's, one a period of the evaluation range, the oldest first; None for a missing one.
        state: The alarm's state up to now, which `ignore` keeps.
    """
    present = [point for point in datapoints if point is not None]
    evaluated = present[-rule.periods :]
    missing = rule.periods - len(evaluated)
    breaching = sum(_breaches(rule, point) for point in evaluated)
    if breaching >= rule.datapoints:
        new = ALARM
    elif missing == 0 or rule.missing == "notBreaching":
        new = OK
    elif rule.missing == "breaching":
        new = ALARM if breaching + missing >= rule.datapoints else OK
    elif any(not _breaches(rule, point) for point in evaluated):
        new = OK
    elif rule.missing == "ignore":
        new = state
    else:
        new = ALARM if _old_and_breaching(rule, datapoints) else INSUFFICIENT
    return Outcome(state=new, reason=_reason(rule, evaluated, breaching, missing))


def _breaches(rule: Rule, point: float) -> bool:
    return _COMPARISONS[rule.comparison](point, rule.threshold)


def _old_and_breaching(rule: Rule, datapoints: Sequence[float | None]) -> bool:
    """Returns whether the oldest datapoint, all of which breach, is at least as old as those that must breach.

    "Avoiding premature transitions to alarm state" in the User Guide.
    """
    ages = [age for age, point in enumerate(reversed(datapoints), start=1) if point is not None]
    return bool(ages) and max(ages) >= rule.datapoints


def _reason(rule: Rule, evaluated: Sequence[float], breaching: int, missing: int) -> str:
    threshold = f"the threshold ({rule.threshold:g})"
    if not evaluated:
        return f"No datapoints were received for {rule.range} periods; missing ones are treated as {rule.missing}."
    shown = ", ".join(f"{point:g}" for point in evaluated)
    filled = f"; {missing} missing ones are treated as {rule.missing}" if missing else ""
    return (
        f"Threshold Crossed: {breaching} out of the last {len(evaluated)} datapoints [{shown}] were "
        f"{_IN_WORDS[rule.comparison]} {threshold}, and {rule.datapoints} of {rule.periods} make an alarm{filled}."
    )
