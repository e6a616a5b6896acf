"""What is refused says where."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aws_cdk import Stack
from traced_pipeline import (
    Check,
    FunctionOptions,
    IngestOptions,
    PipelineError,
    SamplingOptions,
    TracedFunction,
    TracedPipeline,
    TraceGroupOptions,
    WorkerOptions,
)

from tests.support.stacks import NewStack


def add_worker(stack: Stack) -> None:
    TracedPipeline(stack, "Orders").add_worker("Audit", WorkerOptions(batch_size=0))


@pytest.mark.parametrize(
    ("ask", "path"),
    [
        (add_worker, "Shop/Orders/Audit"),
        (lambda s: TracedFunction(s, "Work", options=FunctionOptions()), "Shop/Work"),
        (lambda s: TracedPipeline(s, "Orders", ingest=IngestOptions(method="GET")), "Shop/Orders/Ingest"),
        (lambda s: TracedPipeline(s, "Orders", sampling=SamplingOptions(rate=5)), "Shop/Orders"),
        (
            lambda s: TracedPipeline(s, "Orders", trace_group=TraceGroupOptions(insights=False, notifications=True)),
            "Shop/Orders",
        ),
    ],
)
def test_a_refusal_names_the_construct(new_stack: NewStack, ask: Callable[[Stack], object], path: str) -> None:
    with pytest.raises(PipelineError) as caught:
        ask(new_stack())
    assert caught.value.path == path
    assert str(caught.value).endswith(f" (at {path}) [{caught.value.check.value}]")


def test_options_refuse_before_there_is_a_construct() -> None:
    with pytest.raises(PipelineError) as caught:
        WorkerOptions(tracing="off")  # type: ignore[arg-type]
    assert caught.value.path == ""
    assert str(caught.value) == (
        "WorkerOptions.tracing is 'off', but must be 'continued', 'linked', 'unbridged' or None "
        f"[{Check.OPTION_VALUE.value}]"
    )
