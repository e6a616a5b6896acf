import ast
import subprocess
from pathlib import Path

import pytest

from harness.local_aws import PYTHON, ROOT
from local import ministack_contract

PACKAGES = ("ministack", "ministack.core", "ministack.services", "ministack.services.cloudformation")


def test_every_private_name_is_still_there() -> None:
    run = subprocess.run(
        [PYTHON, "-m", "local", "--check-names"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert "ministack.services.sns._fanout" in run.stdout.splitlines()


def used_names(path: Path) -> set[str]:
    """The names of MiniStack's modules that one of ours reads or replaces."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules: dict[str, str] = {}
    used: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "ministack":
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                # A module is used by its attributes, anything else by itself.
                if alias.name.islower() and not alias.name.startswith("_") and node.module in PACKAGES:
                    modules[alias.asname or alias.name] = full
                else:
                    used.add(full)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            used.add(f"{modules[node.value.id]}.{node.attr}")
    return used


def test_no_name_is_used_that_is_not_listed() -> None:
    listed = {str(name) for name in ministack_contract.REQUIRED}
    # An attribute of a listed class is listed with it.
    listed |= {name.rsplit(".", 1)[0] for name in listed if name.endswith("._spawn")}
    used = {name for path in (ROOT / "local").rglob("*.py") for name in used_names(path)}
    assert len(used) > 30
    assert used - listed == set()


def test_a_name_that_is_gone_is_named_with_what_to_do() -> None:
    gone = [
        ministack_contract.Name(module="json", path="no_such_name"),
        ministack_contract.Name(module="no_such_module", path="thing"),
        ministack_contract.Name(module="json", path="dumps", parameters=("value",)),
        ministack_contract.Name(module="string", path="digits", text=("abc",)),
        ministack_contract.Name(module="json", path="loads", parameters=("s",)),
    ]
    with pytest.raises(ministack_contract.NamesGoneError) as problem:
        ministack_contract.check(gone)
    message = str(problem.value)
    assert "json.no_such_name: gone" in message
    assert "no_such_module.thing: module no_such_module cannot be imported" in message
    assert "json.dumps: parameters are obj, expected value" in message
    assert "string.digits: does not hold 'abc' any more" in message
    assert "json.loads" not in message
    assert f"Install ministack=={ministack_contract.VERSION}" in message
