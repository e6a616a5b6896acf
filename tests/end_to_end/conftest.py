"""One local AWS a session, with pipelines that the real CDK CLI deploys there as the first test asks for them.

What is deployed has been validated by tests/synth, so that the CDK need not do it here.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cdk import Cdk
from harness.local_aws import LocalAws
from tests.support.end_to_end.copies import Copies
from tests.support.end_to_end.deployed import Deployed, Examples, deployed
from tests.support.end_to_end.ordinary import Ordinary, synthesize_ordinary

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def local_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A bootstrapped account. It is shared: a test that changes settings of the whole account starts its own."""
    with LocalAws(tmp_path_factory.mktemp("end-to-end")) as aws:
        Cdk(aws).bootstrap()
        yield aws


@pytest.fixture(scope="session")
def bridged(local_aws: LocalAws) -> Deployed:
    """The reference pipeline."""
    Cdk(local_aws, validate=False).deploy(context={"sampling": "all"})
    return deployed(local_aws, "TracedPipeline", assembly=local_aws.folder / "app.out")


@pytest.fixture(scope="session")
def modes(local_aws: LocalAws, bridged: Deployed) -> dict[str, Deployed]:
    """Pipelines in other modes, beside the reference pipeline, whose role for API Gateway's logs they use."""
    outputs = Cdk(local_aws, validate=False).deploy(app="python3 -m tests.support.end_to_end.modes", name="modes")
    assembly = local_aws.folder / "modes.out"
    return {
        mode: deployed(local_aws, stack, assembly=assembly)
        for stack in outputs
        for mode in ("Unbridged", "Linked", "Spans", "Watched", "WithOptions")
        if stack.startswith(mode)
    }


@pytest.fixture(scope="session")
def ordinary(local_aws: LocalAws, bridged: Deployed) -> Ordinary:
    """A pipeline of the CDK's own constructs, beside the first, whose role for API Gateway's logs it uses."""
    folder = local_aws.folder / "ordinary"
    synthesize_ordinary(folder)
    return Ordinary(aws=local_aws, assemblies=folder)


@pytest.fixture(scope="session")
def unbridged(modes: dict[str, Deployed]) -> Deployed:
    """The reference pipeline with the bridge off."""
    return modes["Unbridged"]


@pytest.fixture(scope="session")
def linked(modes: dict[str, Deployed]) -> Deployed:
    """The reference pipeline whose worker keeps Lambda's own trace, linked to the request's."""
    return modes["Linked"]


@pytest.fixture(scope="session")
def spans(modes: dict[str, Deployed]) -> Deployed:
    """A pipeline of OpenTelemetry, whose worker has spans of its own."""
    return modes["Spans"]


@pytest.fixture(scope="session")
def watched(modes: dict[str, Deployed]) -> Deployed:
    """A pipeline with alarms, which notify a queue, and saved queries."""
    return modes["Watched"]


@pytest.fixture(scope="session")
def with_options(modes: dict[str, Deployed]) -> Deployed:
    """A pipeline for the largest messages, with options of functions and event sources."""
    return modes["WithOptions"]


@pytest.fixture(scope="session")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Examples]:
    """All the examples, deployed as one app in an account of their own: they use up its X-Ray resource policies."""
    with LocalAws(tmp_path_factory.mktemp("examples")) as aws:
        Cdk(aws).bootstrap()
        Cdk(aws, validate=False).deploy(app="python3 -m examples", name="examples")
        yield Examples(aws=aws, assembly=aws.folder / "examples.out")


@pytest.fixture(scope="module")
def copies(bridged: Deployed) -> Iterator[Copies]:
    """Altered copies of the reference pipeline, for one module."""
    with Copies(bridged) as copies:
        yield copies
