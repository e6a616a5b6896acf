"""Whatever the options say: a template, or our own refusal; never an exception of jsii, the CDK or Python."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aws_cdk import App
from traced_pipeline import (
    DeadLetterWorker,
    FunctionOptions,
    IngestApi,
    IngestOptions,
    PipelineError,
    QueueWorker,
    SamplingOptions,
    TableOptions,
    TopicOptions,
    TracedFunction,
    TracedPipeline,
    TracedTopic,
    TraceGroupOptions,
    WorkerOptions,
)

from .random_options import WRONG, Scene, handler, queue, table, topic

SEED = int(os.environ.get("OPTIONS_SEED", "20261126"))
CONFIGURATIONS = 400
GROUPS = 8
# At synthesis the findings of all constructs come together, each with its path before it.
OURS = re.compile(r"\[traced-pipeline:[a-z-]+\]$")


def build(scene: Scene) -> None:
    """One of the constructs, with random options."""
    random, stack = scene.random, scene.stack

    def some(kind: type[Any], **needed: Callable[[Scene], object]) -> Any:
        if random.random() < 0.03:
            return random.choice(WRONG)
        given = scene.options(kind)
        return kind(**{name: make(scene) for name, make in needed.items() if name not in given}, **given)

    workers = (QueueWorker, QueueWorker, DeadLetterWorker)
    kind = random.choice((TracedPipeline, TracedPipeline, IngestApi, *workers, TracedFunction, TracedTopic))
    if kind is TracedTopic:
        TracedTopic(stack, "Orders", options=some(TopicOptions))
    elif kind is TracedFunction:
        TracedFunction(stack, "Orders", options=some(FunctionOptions, handler=handler))
    elif kind is IngestApi:
        made = IngestApi(stack, "Orders", topic=topic(scene), options=some(IngestOptions))
        if random.random() < 0.3:
            route: Any = {name: scene.value(name, str) for name in ("path", "method")}
            made.add_route(**route)
    elif kind is DeadLetterWorker:
        DeadLetterWorker(stack, "Orders", queue=queue(scene), options=some(WorkerOptions, table=table))
    elif kind is QueueWorker:
        worker = QueueWorker(stack, "Orders", topic=topic(scene), options=some(WorkerOptions, table=table))
        if random.random() < 0.3:
            worker.add_topic(topic(scene))
        if random.random() < 0.3:
            worker.add_dead_letter_worker("Repair", some(WorkerOptions, table=table))
    else:
        made_whole = TracedPipeline(
            stack,
            "Orders",
            ingest=some(IngestOptions),
            topic=random.choice((None, some(TopicOptions), topic(scene))),
            worker=some(WorkerOptions),
            table=random.choice((None, some(TableOptions), table(scene))),
            sampling=random.choice((None, some(SamplingOptions))),
            trace_group=random.choice((None, some(TraceGroupOptions))),
        )
        if random.random() < 0.3:
            made_whole.add_worker("Audit", some(WorkerOptions))


def foreign(error: BaseException) -> bool:
    """Whether an error of a synthesis says anything that this library did not say."""
    findings = [line for line in str(error).splitlines() if line.startswith("  [")]
    return not findings or not all(OURS.search(finding) for finding in findings)


def outcome(number: int, folder: Path, out: Path) -> str:
    # What is on disk is not what is tried here, and to copy it takes most of the time.
    context = {"aws:cdk:disable-asset-staging": True, "aws:cdk:bundling-stacks": []}
    app = App(outdir=str(out / str(number)), context=context)
    scene = Scene(Random(f"{SEED}-{number}"), app, folder)
    try:
        build(scene)
    except PipelineError:
        return "refused"
    except Exception as error:  # noqa: BLE001
        return f"configuration {number} of seed {SEED}: {type(error).__name__}: {error}"
    try:
        app.synth()
    except Exception as error:  # noqa: BLE001
        return f"synthesis of configuration {number} of seed {SEED}: {error}" if foreign(error) else "refused"
    return "made"


@pytest.mark.parametrize("group", range(GROUPS))
def test_a_template_or_a_refusal_of_ours(group: int, elsewhere: Path, tmp_path: Path) -> None:
    """To try other configurations, set OPTIONS_SEED."""
    print(f"seed {SEED}")  # noqa: T201
    Path("h.zip").touch()
    outcomes = [outcome(number, elsewhere, tmp_path) for number in range(group, CONFIGURATIONS, GROUPS)]
    strange = [said for said in outcomes if said not in ("made", "refused")]
    assert not strange, "\n".join(strange)
    # Neither is the exception: otherwise the configurations would try one half only.
    assert min(outcomes.count("made"), outcomes.count("refused")) > len(outcomes) // 10
