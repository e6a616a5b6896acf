"""One Node process and as few syntheses as possible: templates that many tests look at are made once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aws_cdk import App, Environment, Stack
from traced_pipeline import DatadogForwarding, TracedPipeline

from tests.support.datadog import whole_pipeline
from tests.support.stacks import NewStack
from tests.support.templates import ROOT, Synthesized, synthesize


@pytest.fixture(scope="session")
def context() -> dict[str, object]:
    """The feature flags of the reference app."""
    flags: dict[str, object] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return flags


@pytest.fixture
def new_app(tmp_path: Path, context: dict[str, object]) -> Callable[..., App]:
    def make(**extra: object) -> App:
        return App(outdir=str(tmp_path / "cdk.out"), context={**context, **extra})

    return make


@pytest.fixture
def new_stack(new_app: Callable[..., App]) -> NewStack:
    def make(name: str = "Shop", *, env: Environment | None = None, **extra: object) -> Stack:
        return Stack(new_app(**extra), name, env=env)

    return make


@pytest.fixture(scope="session")
def default_stack(tmp_path_factory: pytest.TempPathFactory, context: dict[str, object]) -> Stack:
    """A stack with nothing but `TracedPipeline(self, "Orders")`."""
    stack = Stack(App(outdir=str(tmp_path_factory.mktemp("default")), context=context), "Shop")
    TracedPipeline(stack, "Orders")
    return stack


@pytest.fixture(scope="session")
def default(default_stack: Stack) -> Synthesized:
    return synthesize(default_stack)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory with a handler folder, away from the checkout."""
    folder = tmp_path / "elsewhere" / "handlers" / "orders"
    folder.mkdir(parents=True)
    (folder / "app.py").write_text("def handler(event, context): ...\n")
    monkeypatch.chdir(folder.parents[1])
    yield folder


@pytest.fixture(scope="session")
def read_in_datadog(tmp_path_factory: pytest.TempPathFactory, context: dict[str, object]) -> DatadogForwarding:
    """A pipeline with workers of all kinds that is read in Datadog."""
    stack = Stack(App(outdir=str(tmp_path_factory.mktemp("datadog")), context=context), "Shop")
    return whole_pipeline(stack)


@pytest.fixture(scope="session")
def datadog_template(read_in_datadog: DatadogForwarding) -> Synthesized:
    return synthesize(Stack.of(read_in_datadog))
