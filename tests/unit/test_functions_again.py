"""One `subsegment` object entered while it is open: each time is recorded, and ends when its own block does."""

from concurrent.futures import wait
from threading import Barrier

import pytest
from trace_bridge import TracedThreadPoolExecutor, continue_trace, subsegment

from tests.support.lambda_events import LambdaContext
from tests.support.lambda_process import Process
from tests.support.otel_spans import Spans, id_of, parent_id_of
from tests.support.sampled_message import SAMPLED, recorded_calls, recorded_message, run_in_message, tree


def test_inside_of_itself_it_is_recorded_below(process: Process) -> None:
    step = subsegment("step")

    def work() -> None:
        with step, step as inner:
            inner.put_annotation("depth", 2)
        with step, subsegment("other"):
            pass

    run_in_message(work)
    assert [list(tree({"subsegments": [call]}).items()) for call in recorded_calls(process)] == [
        [("step", {"step": {}})],
        [("step", {"other": {}})],
    ]
    document = recorded_message(process)
    [first, second] = document["subsegments"]
    assert first["subsegments"][0]["annotations"] == {"depth": 2}
    assert document["end_time"] >= second["start_time"] >= first["end_time"] >= first["subsegments"][0]["end_time"]


def test_an_exception_marks_all_that_it_leaves(process: Process) -> None:
    step = subsegment("step")
    with pytest.raises(ValueError, match="odd"), continue_trace(SAMPLED, LambdaContext()), step, step:
        raise ValueError("odd")
    [outer] = recorded_calls(process)
    assert outer["fault"] is True
    assert outer["subsegments"][0]["fault"] is True


@pytest.mark.parametrize("first_out", ["first", "second"])
def test_in_two_threads_each_ends_its_own(process: Process, first_out: str) -> None:
    step, entered, left = subsegment("step"), Barrier(2, timeout=30), Barrier(2, timeout=30)

    def enter(name: str) -> None:
        if name == "second":
            entered.wait()
        with step as own:
            own.put_annotation("thread", name)
            if name == "first":
                entered.wait()
            if name != first_out:
                left.wait()
            with subsegment(f"of the {name}"):
                pass
        if name == first_out:
            left.wait()

    def work() -> None:
        with TracedThreadPoolExecutor(2) as pool:
            wait([pool.submit(enter, name) for name in ("first", "second")])

    run_in_message(work)
    below = {call["annotations"]["thread"]: tree(call) for call in recorded_calls(process)}
    assert below == {name: {f"of the {name}": {}} for name in ("first", "second")}


def test_as_spans_of_opentelemetry_each_ends(spans: Spans) -> None:
    step = subsegment("step")
    with continue_trace(SAMPLED, LambdaContext()), step, step:
        pass
    inner, outer, message = spans.all()
    assert [span.name for span in (inner, outer)] == ["step", "step"]
    assert [parent_id_of(span) for span in (inner, outer)] == [id_of(outer), id_of(message)]
