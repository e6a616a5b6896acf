"""An alarm's state is the one in the tables of the CloudWatch User Guide.

"Configuring how CloudWatch alarms treat missing data" shows, for five datapoints of which three are evaluated, the
state for each way to treat missing ones; X breaches, 0 does not, - is missing.
"""

from __future__ import annotations

import pytest

from local.alarm_states import Rule, evaluate

_TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
_THREE_OF_THREE = """
    0 - X - X | OK OK OK OK
    0 - - - - | OK OK OK OK
    - - - - - | INSUFFICIENT_DATA RETAINED ALARM OK
    0 X X - X | ALARM ALARM ALARM ALARM
    - - - - X | INSUFFICIENT_DATA RETAINED ALARM OK
    X - - - - | ALARM RETAINED ALARM OK
"""
_TWO_OF_THREE = """
    0 - X - X | ALARM ALARM ALARM ALARM
    0 0 X 0 X | ALARM ALARM ALARM ALARM
    0 - X - - | OK OK ALARM OK
    - - - - 0 | OK OK ALARM OK
    - - - - X | INSUFFICIENT_DATA RETAINED ALARM OK
    - - - X - | ALARM RETAINED ALARM OK
"""


def _cases(table: str, datapoints: int) -> list[tuple[str, int, str, str]]:
    rows = [line.split("|") for line in table.strip().splitlines()]
    return [
        (points.strip(), datapoints, missing, state)
        for points, states in rows
        for missing, state in zip(_TREATMENTS, states.split(), strict=True)
    ]


@pytest.mark.parametrize(
    ("points", "datapoints", "missing", "expected"), [*_cases(_THREE_OF_THREE, 3), *_cases(_TWO_OF_THREE, 2)]
)
@pytest.mark.parametrize("before", ["OK", "ALARM"])
def test_the_state_is_that_of_the_guides_tables(
    points: str, datapoints: int, missing: str, expected: str, before: str
) -> None:
    rule = Rule(threshold=0, comparison="GreaterThanThreshold", periods=3, datapoints=datapoints, missing=missing)
    values = [{"0": 0.0, "X": 1.0, "-": None}[point] for point in points.split()]
    assert len(values) == rule.range
    assert evaluate(rule, values, before).state == (before if expected == "RETAINED" else expected)


@pytest.mark.parametrize(
    ("comparison", "at", "above"),
    [
        ("GreaterThanThreshold", "OK", "ALARM"),
        ("GreaterThanOrEqualToThreshold", "ALARM", "ALARM"),
        ("LessThanThreshold", "OK", "OK"),
        ("LessThanOrEqualToThreshold", "ALARM", "OK"),
    ],
)
def test_a_datapoint_at_the_threshold_breaches_as_the_comparison_says(comparison: str, at: str, above: str) -> None:
    rule = Rule(threshold=5, comparison=comparison, periods=1, datapoints=1, missing="missing")
    assert [evaluate(rule, [None, None, value], "OK").state for value in (5.0, 6.0)] == [at, above]


def test_the_reason_names_the_datapoints_and_the_threshold() -> None:
    rule = Rule(threshold=900, comparison="GreaterThanThreshold", periods=5, datapoints=3, missing="notBreaching")
    reason = evaluate(rule, [None, None, None, 950, 899, 960, 970], "OK").reason
    assert "3 out of the last 4 datapoints [950, 899, 960, 970] were greater than the threshold (900)" in reason
    assert "1 missing ones are treated as notBreaching" in reason
    assert "No datapoints were received for 7 periods" in evaluate(rule, [None] * 7, "OK").reason
