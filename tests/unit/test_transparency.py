"""A handler returns and raises in a message what it does without the bridge, whatever it does and imports."""

import json
import os
import subprocess
import sys
from functools import cache

import pytest

from harness.local_aws import ROOT as CHECKOUT

pytestmark = pytest.mark.program

PROGRAM = "tests.unit.transparency"
OWN = "Root=1-6b04d6c2-aaaaaaaaaaaaaaaaaaaaaaaa"
LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME": "worker", "LAMBDA_TASK_ROOT": "/var/task"}
PLACES = {
    "PassThrough": {**LAMBDA, "_X_AMZN_TRACE_ID": f"{OWN};Lineage=061379e8:0"},
    "Active": {**LAMBDA, "_X_AMZN_TRACE_ID": f"{OWN};Parent=53995c3f42cd8ad8;Sampled=1;Lineage=061379e8:0"},
    "container": {"AWS_XRAY_CONTEXT_MISSING": "RUNTIME_ERROR"},
}
FOR_WANT_OF_A_SEGMENT = (
    "SegmentNotFoundException",
    "FacadeSegmentMutationException",
    "object has no attribute 'put_",
)
Outcomes = dict[str, dict[str, list[str]]]


@cache
def outcomes(mode: str, place: str, imports: str) -> Outcomes:
    inherited = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR") if key in os.environ}
    environment = {
        **inherited,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "TRACE_BRIDGE_EMITTER": "udp",
        **PLACES[place],
    }
    command = [sys.executable, "-W", "ignore", "-m", PROGRAM, mode, imports]
    ran = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    outcomes: Outcomes = json.loads(ran.stdout.splitlines()[-1])
    return outcomes


def alone(place: str, imports: str) -> dict[str, list[str]]:
    """What becomes of the handlers beside the SDK, without the bridge."""
    return outcomes("sdk", place, "patched" if imports == "patched" else "sdk first")[""]


def lacks_a_segment(outcome: list[str]) -> bool:
    return any(word in " ".join(outcome) for word in FOR_WANT_OF_A_SEGMENT)


def meant(name: str, imports: str) -> list[str]:
    """What a handler comes to wherever the SDK has a segment to write to; at least it returns."""
    everywhere = (alone(place, imports)[name] for place in PLACES)
    return next((outcome for outcome in everywhere if not lacks_a_segment(outcome)), ["returned", "'done'"])


@pytest.mark.parametrize("place", PLACES)
def test_the_sdk_alone_changes_no_handler_that_does_not_use_it(place: str) -> None:
    bare = outcomes("bare", place, "")[""]
    assert {name: alone(place, "sdk first")[name] for name in bare} == bare


@pytest.mark.parametrize("imports", ["bridge first", "sdk first", "sdk in the handler", "patched"])
@pytest.mark.parametrize("place", PLACES)
def test_every_handler_does_in_a_message_what_it_does_without_the_bridge(place: str, imports: str) -> None:
    without, wrong = alone(place, imports), []
    for header, handlers in outcomes("bridge", place, imports).items():
        assert handlers.keys() == without.keys()
        for name, outcome in handlers.items():
            expected = without[name]
            # The SDK's placeholders for what is not recorded never say that something has ended.
            may_succeed = lacks_a_segment(expected) or expected[1] == "AlreadyEndedException"
            if outcome != expected and not (may_succeed and outcome == meant(name, imports)):
                wrong.append(f"{header} header, {name}: {outcome} instead of {expected}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("place", PLACES)
def test_what_the_sdk_fails_at_for_want_of_a_segment_succeeds_in_a_message(place: str) -> None:
    failing = {name for name, outcome in alone(place, "sdk first").items() if lacks_a_segment(outcome)}
    assert "annotates_the_current_subsegment" in failing
    for handlers in outcomes("bridge", place, "sdk first").values():
        assert {name: handlers[name] for name in failing} == {name: meant(name, "sdk first") for name in failing}
