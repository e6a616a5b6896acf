"""Where a handler's folder names the third-party packages it needs."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .checks import Check, PipelineError

REQUIREMENTS = "requirements.txt"
PROJECT = "pyproject.toml"
_UV_LOCK = "uv.lock"
# Files whose versions only their own tool reads, and how it writes a requirements file.
_OF_OTHER_TOOLS = {
    "poetry.lock": "poetry export --output requirements.txt",
    "pdm.lock": "pdm export --prod --output requirements.txt",
    "Pipfile.lock": "pipenv requirements > requirements.txt",
    "Pipfile": "pipenv requirements > requirements.txt",
    "pylock.toml": "the tool that wrote it",
}
_LEAVE_OUT = "or install the packages into the folder yourself and give Handler(..., install_requirements=False)"


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """What a folder needs.

    Attributes:
        source: The file that says so.
        lines: The lines of a requirements file; None where `source` is one, or uv has to be asked.
        needs_uv: Whether only uv can tell them.
        locked: Whether the versions are settled, as far as the format can tell.
    """

    source: Path
    lines: tuple[str, ...] | None = None
    needs_uv: bool = False
    locked: bool = True


def dependencies_of(folder: Path) -> Dependencies | None:
    """Finds out what a handler's folder needs; None where it names nothing.

    A `requirements.txt` wins over `uv.lock`, and that over the dependencies of `pyproject.toml`.

    Raises:
        PipelineError: They are named in a way that cannot be read here.
    """
    requirements = folder / REQUIREMENTS
    if requirements.is_file():
        return Dependencies(source=requirements)
    for name, export in _OF_OTHER_TOOLS.items():
        if (folder / name).is_file():
            raise _unread(folder / name, f"which only its own tool reads; export it ({export})")
    project = _read(folder / PROJECT)
    if (folder / _UV_LOCK).is_file():
        return Dependencies(source=folder / _UV_LOCK, needs_uv=True)
    if _table(_table(project, "tool"), "poetry").get("dependencies"):
        raise _unread(folder / PROJECT, "in the table of Poetry; export them (poetry export --output requirements.txt)")
    metadata = _table(project, "project")
    dynamic = metadata.get("dynamic")
    if isinstance(dynamic, list) and "dependencies" in dynamic:
        raise _unread(folder / PROJECT, "where a build makes them (dynamic); write them into requirements.txt")
    named = metadata.get("dependencies")
    if not isinstance(named, list) or not named:
        return None
    if _table(_table(project, "tool"), "uv").get("sources"):
        # An index may hold other packages of the same names.
        return Dependencies(source=folder / PROJECT, needs_uv=True)
    return Dependencies(source=folder / PROJECT, lines=tuple(str(line) for line in named), locked=False)


def _unread(file: Path, why: str) -> PipelineError:
    return PipelineError(Check.REQUIREMENTS, f"the dependencies of the handler are in {file}, {why}, {_LEAVE_OUT}")


def _read(project: Path) -> Mapping[str, object]:
    if not project.is_file():
        return {}
    try:
        return tomllib.loads(project.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PipelineError(
            Check.REQUIREMENTS, f"{project} cannot be read as TOML: {error}; correct it, {_LEAVE_OUT}"
        ) from error


def _table(parent: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = parent.get(name)
    return value if isinstance(value, Mapping) else {}
