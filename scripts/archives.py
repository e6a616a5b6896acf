"""What a wheel and an sdist have to hold, and what they must not: read from the archives themselves."""

import re
import tarfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from email.parser import Parser
from pathlib import Path, PurePosixPath

_PATHS = re.compile(r"(^|[^A-Za-z0-9_.-])/(?:root/|home/[a-z]|Users/[A-Za-z])")
_LITTER = ("__pycache__", ".pyc", ".pyo", ".so", "node_modules", ".DS_Store", ".coverage", ".env")
_WANTED_FIELDS = ("Name", "Version", "Summary", "License-Expression", "License-File", "Author", "Keywords")


def wheel_files(wheel: Path) -> dict[str, bytes]:
    """The files of a wheel, by their paths."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


def sdist_files(sdist: Path) -> dict[str, bytes]:
    """The files of an sdist, by their paths below its one folder."""
    contents: dict[str, bytes] = {}
    with tarfile.open(sdist) as archive:
        for member in archive.getmembers():
            content = archive.extractfile(member)
            if content is not None:
                contents[member.name.partition("/")[2]] = content.read()
    return contents


def problems_of_wheel(
    files: Mapping[str, bytes], *, packages: Sequence[str], version: str, machine: Sequence[str] = ()
) -> Iterator[str]:
    """What is wrong with a wheel, a line each.

    Args:
        files: Its files.
        packages: The packages it has to hold, and no others.
        version: The version it has to have.
        machine: Texts that stand for this machine, such as the path of the checkout.
    """
    tops = {PurePosixPath(name).parts[0] for name in files}
    information = [top for top in tops if top.endswith(".dist-info")]
    if tops != {*packages, *information} or len(information) != 1:
        yield f"holds {', '.join(sorted(tops))}; expected {', '.join(packages)} and one .dist-info"
        return
    for package in packages:
        if f"{package}/py.typed" not in files:
            yield f"{package}/py.typed is missing, so that callers are not type-checked"
    if f"{information[0]}/licenses/LICENSE" not in files:
        yield "the LICENSE is missing"
    yield from _problems_of_metadata(files[f"{information[0]}/METADATA"].decode(), version)
    yield from _problems_of_content(files, machine)


def problems_of_sdist(files: Mapping[str, bytes], *, version: str, machine: Sequence[str] = ()) -> Iterator[str]:
    """What is wrong with an sdist, a line each; the arguments are those of `problems_of_wheel`."""
    for wanted in ("PKG-INFO", "LICENSE", "pyproject.toml"):
        if wanted not in files:
            yield f"{wanted} is missing"
    if "PKG-INFO" in files:
        yield from _problems_of_metadata(files["PKG-INFO"].decode(), version)
    yield from _problems_of_content(files, machine)


def console_scripts(files: Mapping[str, bytes]) -> list[str]:
    """The names of the commands that a wheel installs."""
    entry_points = [content.decode() for name, content in files.items() if name.endswith(".dist-info/entry_points.txt")]
    section = re.search(r"\[console_scripts\]\n((?:.+=.+\n?)*)", "".join(entry_points))
    return [line.partition("=")[0].strip() for line in section[1].splitlines()] if section else []


def _problems_of_metadata(text: str, version: str) -> Iterator[str]:
    metadata = Parser().parsestr(text)
    for name in _WANTED_FIELDS:
        if not metadata[name] and not (name == "Author" and metadata["Author-email"]):
            yield f"the metadata have no {name}"
    if metadata["Version"] != version:
        yield f"the version is {metadata['Version']}; expected {version}, as in pyproject.toml"
    if metadata["Requires-Python"] != ">=3.11":
        yield f"Requires-Python is {metadata['Requires-Python']}; expected >=3.11"


def _problems_of_content(files: Mapping[str, bytes], machine: Sequence[str]) -> Iterator[str]:
    for name, content in files.items():
        if any(part.endswith(_LITTER) for part in PurePosixPath(name).parts):
            yield f"{name} does not belong there"
        text = content.decode("utf-8", errors="ignore")
        if _PATHS.search(text) or any(own in text for own in machine):
            yield f"{name} holds a path of a machine"
