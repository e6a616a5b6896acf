"""`make dist`: wheels and sdists of all distributions in `build/dist`, each checked, installed alone, and tried.

A wheel is built from its sdist, as installers do that find no wheel. It is then installed with its dependencies into
an empty environment of its own, where a small program uses it.
"""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from scripts.archives import console_scripts, problems_of_sdist, problems_of_wheel, sdist_files, wheel_files
from scripts.installer import ROOT, SetupError, install_uv, progress, run
from scripts.pip_settings import read_pip_settings, uv_environment

DIST = ROOT / "build" / "dist"
_TRIED = ROOT / "build" / "dist-tried"

_SYNTHESIZES = """
from aws_cdk import App, Stack
from traced_pipeline import TracedPipeline
app = App(outdir="cdk.out")
TracedPipeline(Stack(app, "Shop"), "Orders")
app.synth()
"""
_CONTINUES = """
import trace_bridge
with trace_bridge.continue_trace({"messageId": "m", "body": "{}"}) as segment:
    assert not segment.sampled
"""
_DRAWS = """
import importlib.util
from traced_pipeline_cli.render.html.page import page_html
from traced_pipeline_cli.traces.build_graph import build_map
assert page_html(build_map([]), []).startswith("<!doctype html>")
assert importlib.util.find_spec("aws_cdk") is None
"""


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """One thing that can be installed.

    Attributes:
        folder: Where its pyproject.toml is, from the project's root.
        packages: The packages its wheel holds.
        program: What has to run where it alone is installed.
        extras: The extras it is tried with, such as `[cli]`.
        most_megabytes: How much its environment may hold at most, pip included; None for as much as it takes.
    """

    folder: str
    packages: tuple[str, ...]
    program: str
    extras: str = ""
    most_megabytes: int | None = None

    def project(self, key: str) -> str:
        """A field of its pyproject.toml, such as its `name`."""
        text = (ROOT / self.folder / "pyproject.toml").read_text(encoding="utf-8")
        return str(tomllib.loads(text)["project"][key])


DISTRIBUTIONS = (
    Distribution(folder="runtime", packages=("trace_bridge",), program=_CONTINUES),
    Distribution(folder="cli", packages=("traced_pipeline_cli",), program=_DRAWS, most_megabytes=100),
    Distribution(folder=".", packages=("traced_pipeline",), program=_SYNTHESIZES, extras="[cli]"),
)
"""All of them, each after those it depends on."""


class DistError(Exception):
    """A distribution is not as it should be; the message says which, and what is wrong."""


def main() -> int:
    """Builds, checks and tries all; 0 when nothing is wrong."""
    for folder in (DIST, _TRIED):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    try:
        wheels = {distribution: build(distribution, DIST) for distribution in DISTRIBUTIONS}
        constraints = _constraints(wheels)
        for distribution, wheel in wheels.items():
            with progress(f"{wheel.name} in an empty environment"):
                _try(distribution, wheel, constraints)
    except (DistError, SetupError) as error:
        print(f"make dist: {error}", file=sys.stderr)
        return 1
    for file in sorted(DIST.iterdir()):
        print(f"{file.relative_to(ROOT)}  {file.stat().st_size / 1000:.0f} kB")
    return 0


def build(distribution: Distribution, folder: Path) -> Path:
    """Builds and checks a distribution; gives its wheel.

    Args:
        distribution: Which.
        folder: Where sdist and wheel go.

    Raises:
        DistError: What was built is not as it should be.
    """
    name, version = distribution.project("name"), distribution.project("version")
    stem = f"{name.replace('-', '_')}-{version}"
    sdist = folder / f"{stem}.tar.gz"
    _hatch("sdist", ROOT / distribution.folder, folder)
    unpacked = folder / "unpacked"
    with tarfile.open(sdist) as archive:
        archive.extractall(unpacked, filter="data")
    _hatch("wheel", unpacked / stem, folder)
    shutil.rmtree(unpacked)
    wheel = folder / f"{stem}-py3-none-any.whl"
    machine = (str(ROOT), str(Path.home()))
    packages = distribution.packages
    problems = [f"{sdist.name}: {p}" for p in problems_of_sdist(sdist_files(sdist), version=version, machine=machine)]
    of_wheel = problems_of_wheel(wheel_files(wheel), packages=packages, version=version, machine=machine)
    problems += [f"{wheel.name}: {problem}" for problem in of_wheel]
    if problems:
        raise DistError("\n  ".join(["these archives are not as they should be:", *problems]))
    return wheel


def _hatch(target: str, source: Path, folder: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(folder)]
    built = subprocess.run(command, cwd=source, capture_output=True, text=True)
    if built.returncode:
        raise DistError(f"the {target} of {source} was not built: {built.stderr.strip()[-500:]}")


def _constraints(wheels: dict[Distribution, Path]) -> Path:
    """The versions that the project itself is tested with; ours are the wheels just built, whatever an index has."""
    locked = (ROOT / "requirements/base.txt").read_text(encoding="utf-8")
    lines = re.findall(r"^[^\s#]+==[^\s\\]+(?: ; [^\\\n]+)?", locked, re.MULTILINE)
    lines += [f"{distribution.project('name')} @ {wheel.as_uri()}" for distribution, wheel in wheels.items()]
    file = _TRIED / "constraints.txt"
    file.write_text("".join(f"{line.strip()}\n" for line in lines), encoding="utf-8")
    return file


def _try(distribution: Distribution, wheel: Path, constraints: Path) -> None:
    """Installs a wheel into an environment of its own, and uses it away from the checkout.

    Raises:
        SetupError: It could not be installed, or did not run.
        DistError: It takes more room than it may.
    """
    name = distribution.project("name")
    environment = _TRIED / name
    python = str(environment / "bin" / "python")
    run(f"{name}-venv", [sys.executable, "-m", "venv", str(environment)])
    wanted = [f"{name}{distribution.extras} @ {wheel.as_uri()}", "--constraint", str(constraints)]
    uv = install_uv()
    if uv is None:
        run(f"{name}-install", [python, "-m", "pip", "install", "--quiet", *wanted])
    else:
        settings = os.environ | uv_environment(read_pip_settings(python), os.environ)
        run(f"{name}-install", [str(uv), "pip", "install", "--quiet", "--python", python, *wanted], settings)
    run(f"{name}-check", [python, "-m", "pip", "check"])
    folder = _TRIED / f"{name}-work"
    folder.mkdir()
    (folder / "program.py").write_text(distribution.program, encoding="utf-8")
    run(f"{name}-program", ["sh", "-c", 'cd "$1" && exec "$2" -I program.py', "sh", str(folder), python])
    for script in console_scripts(wheel_files(wheel)):
        run(f"{name}-{script}", [str(environment / "bin" / script), "--help"])
    megabytes = sum(file.lstat().st_size for file in environment.rglob("*")) / 1_000_000
    if distribution.most_megabytes is not None and megabytes > distribution.most_megabytes:
        raise DistError(
            f"{name} takes {megabytes:.0f} MB installed alone; expected {distribution.most_megabytes} at most"
        )


if __name__ == "__main__":
    sys.exit(main())
