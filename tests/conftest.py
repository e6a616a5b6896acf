"""Every test runs in a closed environment: nothing of the user's shell leads to a real account."""

import gc
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from harness.environment import close_own_environment
from harness.local_aws import ROOT
from tests.support.measured import Measuring

# How fast a machine makes an example is not what these tests are about.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")

close_own_environment(Path(tempfile.gettempdir()) / "traced-pipeline-tests-home")

os.environ.setdefault("JSII_RUNTIME_PACKAGE_CACHE_ROOT", str(ROOT / ".setup" / "jsii"))
_node_path = ROOT / ".setup" / "node-path"
if "JSII_NODE" not in os.environ and _node_path.exists():
    node = _node_path.read_text(encoding="utf-8")
    os.environ["JSII_NODE"] = f"{node}/node"
    os.environ["PATH"] = os.pathsep.join([str(ROOT / ".venv/bin"), node, os.environ["PATH"]])


_measuring = Measuring()


def pytest_configure(config: pytest.Config) -> None:
    """Refuses to write snapshots from several processes: their tests write parts of the same pages."""
    if os.environ.get("UPDATE_SNAPSHOTS") and config.getoption("numprocesses", default=None):
        raise pytest.UsageError("UPDATE_SNAPSHOTS is set: run pytest without -n, since the tests write the same files")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuses tests that are named after an object's address: each process of a test run would name them otherwise."""
    named = [item.nodeid for item in items if " at 0x" in item.nodeid]
    if named:
        raise pytest.UsageError(f"give these cases ids that are the same in every process: {named}")


def pytest_collection_finish() -> None:
    """Spares the garbage collector all that the test modules have loaded, which stays to the end."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    """Counts for the coverage of a package what tests of that package run."""
    _measuring.before(item.nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Replaces `--dist loadfile`; what shares a deployment is not spread over processes."""
    if config.getoption("dist") != "loadfile":
        return None
    from tests.support.scheduling import Scheduling

    return Scheduling(config, log)
