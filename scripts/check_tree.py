"""Checks what linters do not: the floors between the packages, the lock files, and what must not be in the tree."""

import ast
import json
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

# Found by the line above when run as a file.
from scripts.contracts import differing_copies  # noqa: E402
from scripts.followed_types import followed, unfollowed_attributes, unfollowed_types  # noqa: E402
from scripts.import_graph import against_layers, cycles, of_other_tests, package_graph  # noqa: E402
from scripts.layers import ACYCLIC, LAYERS, MAY_NOT_IMPORT  # noqa: E402

_VENDOR = "cli/traced_pipeline_cli/render/html/assets/vendor"
VENDORED = {
    f"{_VENDOR}/dagre.min.js": ("@dagrejs/dagre", "dist/dagre.min.js"),
    f"{_VENDOR}/dagre.LICENSE": ("@dagrejs/dagre", "LICENSE"),
}
"""Copies of files of npm packages, each with its package and its path there."""

_PATHS = re.compile(r"(^|[^A-Za-z0-9_.-])(/root/|/home/[a-z]|/Users/[A-Za-z])")
_INDEX = re.compile(r"--(?:extra-)?index-url|--find-links[ =]+http|\"resolved\": *\"http")


def main() -> int:
    """Prints what is wrong, a line each; 0 when nothing is."""
    problems = [
        *_floors(),
        *_cycles(),
        *_layers(),
        *_helpers_of_tests(),
        *differing_copies(ROOT),
        *_unfollowed(),
        *_machine_traces(),
        *_locks(),
        *_versions(),
        *_vendored(),
    ]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def _floors() -> Iterator[str]:
    for folder, forbidden in MAY_NOT_IMPORT.items():
        for source in sorted((ROOT / folder).rglob("*.py")):
            for module, line in _imports(source):
                if module.partition(".")[0] in forbidden:
                    yield f"{source.relative_to(ROOT)}:{line}: {folder} must not import {module}"


def _cycles() -> Iterator[str]:
    for root, package in ACYCLIC:
        for circle in cycles(package_graph(ROOT / root, package)):
            yield f"{package}: these modules import each other in a circle: {', '.join(circle)}"


def _layers() -> Iterator[str]:
    for (root, package), layers in LAYERS.items():
        for module, line, problem in against_layers(package_graph(ROOT / root, package), package, layers):
            yield f"{module}:{line}: {problem}"


def _helpers_of_tests() -> Iterator[str]:
    for module, line, problem in of_other_tests(package_graph(ROOT, "tests"), "support"):
        yield f"{module}:{line}: {problem}"


def _unfollowed() -> Iterator[str]:
    modules = followed((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    fix = "add it to those with follow_imports in pyproject.toml"
    for module in unfollowed_types(modules, Path(sysconfig.get_path("purelib"))):
        yield f"pyproject.toml: mypy reads no types of {module}, which modules it reads import; {fix}"
    for source in _tracked():
        if source.suffix == ".py" and source.is_file():
            for module, line in unfollowed_attributes(modules, source.read_text(encoding="utf-8")):
                yield f"{source.relative_to(ROOT)}:{line}: mypy reads no types of {module}; {fix}"


def _imports(source: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((name.name, node.lineno) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, node.lineno


def _tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name]


def _machine_traces() -> Iterator[str]:
    for path in _tracked():
        if not path.is_file() or path == Path(__file__).resolve():
            continue
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(lines, 1):
            if _PATHS.search(line) or str(ROOT) in line:
                yield f"{path.relative_to(ROOT)}:{number}: a path of a machine"
            if _INDEX.search(line):
                yield f"{path.relative_to(ROOT)}:{number}: an address of a package index"


def _locks() -> Iterator[str]:
    for lock in sorted((ROOT / "requirements").glob("*.txt")):
        text = lock.read_text(encoding="utf-8")
        for entry in re.split(r"\n(?=\S)", text):
            if "==" in entry and "--hash=sha256:" not in entry:
                yield f"requirements/{lock.name}: {entry.split()[0]} has no hash"
    packages = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    wanted = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    for name, version in wanted.items():
        locked = packages[f"node_modules/{name}"]["version"]
        if version != locked:
            yield f"package.json wants {name} {version}, package-lock.json has {locked}"


def _versions() -> Iterator[str]:
    versions = {
        "pyproject.toml": _match("pyproject.toml", r'^version = "(.+)"'),
        "runtime/pyproject.toml": _match("runtime/pyproject.toml", r'^version = "(.+)"'),
        "cli/pyproject.toml": _match("cli/pyproject.toml", r'^version = "(.+)"'),
        "the extra [cli]": _match("pyproject.toml", r'"traced-pipeline-cli==(.+)"'),
        "the dependency on trace-bridge": _match("pyproject.toml", r'"trace-bridge==(.+)"'),
        "the extra [otel]": _match("pyproject.toml", r'"trace-bridge\[otel-sdk\]==(.+?)"'),
        "the extra [xray-sdk]": _match("pyproject.toml", r'"trace-bridge\[xray-sdk\]==(.+)"'),
        "trace_bridge/_state.py": _match("runtime/trace_bridge/_state.py", r'^VERSION = "(.+)"'),
    }
    if len(set(versions.values())) != 1:
        yield f"the versions differ: {versions}"


def _vendored() -> Iterator[str]:
    """Files taken from npm packages into ours have to be those of the locked packages, byte for byte."""
    package = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    for copy, (name, path) in VENDORED.items():
        original = ROOT / "node_modules" / name / path
        installed = json.loads((ROOT / "node_modules" / name / "package.json").read_text(encoding="utf-8"))["version"]
        if installed != package.get(name):
            yield f"node_modules has {name} {installed}, package.json wants {package.get(name)}"
        if (ROOT / copy).read_bytes() != original.read_bytes():
            yield f"{copy} differs from {path} of {name} {installed}; copy it anew"


def _match(path: str, pattern: str) -> str:
    match = re.search(pattern, (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
    return match.group(1) if match else "missing"


if __name__ == "__main__":
    sys.exit(main())
