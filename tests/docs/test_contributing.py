"""CONTRIBUTING.md: every module and folder of its map is there."""

import re

import pytest

from scripts.pages import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MAP = TEXT.partition("### Where to look")[2].partition("\n## ")[0]


def _places() -> dict[str, list[str]]:
    """The modules and folders of the map's answers, by the room under whose heading they stand."""
    places: dict[str, list[str]] = {}
    room = ""
    for line in MAP.splitlines():
        cells = line.strip("|").split("|")
        if heading := re.match(r"\| \*\*.*?\*\* \(`([^`]+)`", line):
            room = heading.group(1)
        elif room and len(cells) == 2:
            names = re.findall(r"(?<!\[)`([a-z_/.*]+)`", cells[1])
            places.setdefault(room, []).extend(names)
    return places


PLACES = [(room, name) for room, names in _places().items() for name in names]


def test_the_map_leads_into_every_package() -> None:
    rooms = {room for room, _ in PLACES}
    assert rooms == {"constructs_pkg/traced_pipeline/", "runtime/trace_bridge/", "cli/traced_pipeline_cli/", "local/"}
    assert len(PLACES) > 50


@pytest.mark.parametrize(("room", "name"), PLACES, ids=[f"{room}{name}" for room, name in PLACES])
def test_every_place_of_the_map_is_there(room: str, name: str) -> None:
    folder = ROOT / room
    module, _, member = name.partition(".")
    if "*" in name:
        assert list(folder.glob(f"{name}.py"))
    elif name.endswith("/"):
        assert (folder / name).is_dir()
    else:
        path = folder / f"{module}.py"
        assert path.exists() or (folder / module).is_dir()
        assert not member or f"def {member}(" in path.read_text(encoding="utf-8")


def test_every_path_named_elsewhere_is_there() -> None:
    named = re.findall(r"`((?:tests|scripts|docs|local|runtime|cli|constructs_pkg|harness)/[\w./]*)`", TEXT)
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []
