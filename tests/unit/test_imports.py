"""Meeting a library where the application loads it: after its import, once, and never in the import's way."""

import importlib
import importlib.resources
import inspect
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from wrapt.importer import register_post_import_hook

from tests.support import bridge

Library = Callable[..., str]


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    """Makes a library that can be imported, and gives its name."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made: list[str] = []

    def make(name: str, text: str = "loaded = True\n") -> str:
        (tmp_path / f"{name}.py").write_text(text)
        made.append(name)
        importlib.invalidate_caches()
        return name

    yield make
    for name in made:
        sys.modules.pop(name, None)


def test_a_library_is_met_right_after_its_import_and_once(library: Library) -> None:
    name, met = library("library_met_once"), []
    bridge.when_imported(name, lambda: met.append(sys.modules[name].loaded))
    assert met == []
    importlib.import_module(name)
    assert met == [True]
    importlib.reload(sys.modules[name])
    assert met == [True]


def test_a_library_that_is_loaded_is_met_at_once(library: Library) -> None:
    name, met = library("library_loaded"), []
    importlib.import_module(name)
    bridge.when_imported(name, lambda: met.append(name))
    assert met == [name]


def test_a_library_that_another_thread_is_importing_is_met_whole(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, released = threading.Event(), threading.Event()

    def halfway() -> None:
        begun.set()
        assert released.wait(30)

    monkeypatch.setattr(sys, "halfway", halfway, raising=False)
    name, met = library("library_half_loaded", "import sys\nsys.halfway()\nloaded = True\n"), []
    importing = threading.Thread(target=importlib.import_module, args=(name,))
    release = threading.Timer(0.1, released.set)
    importing.start()
    try:
        assert begun.wait(30)
        release.start()
        bridge.when_imported(name, lambda: met.append(sys.modules[name].loaded))
    finally:
        released.set()
        importing.join()
        release.join()
    assert met == [True]


def test_all_who_wait_are_called_and_a_failure_reaches_nobody(library: Library) -> None:
    name, met = library("library_awaited_twice"), []
    bridge.when_imported(name, lambda: 1 / 0)
    bridge.when_imported(name, lambda: met.append(name))
    assert importlib.import_module(name).loaded is True
    assert met == [name]


def test_a_library_that_fails_to_load_is_met_when_it_loads(library: Library) -> None:
    name, met = library("library_failing", "raise RuntimeError('not yet')\n"), []
    bridge.when_imported(name, lambda: met.append(name))
    with pytest.raises(RuntimeError, match="not yet"):
        importlib.import_module(name)
    assert met == []
    library("library_failing", "loaded = 'at last'\n")
    importlib.import_module(name)
    assert met == [name]


def test_a_library_that_is_not_installed_is_missing_as_before() -> None:
    bridge.when_imported("library_not_installed", lambda: None)
    with pytest.raises(ModuleNotFoundError, match="No module named 'library_not_installed'"):
        importlib.import_module("library_not_installed")


def test_a_library_keeps_its_own_loader(library: Library) -> None:
    name = library("library_with_source")
    bridge.when_imported(name, lambda: None)
    module = importlib.import_module(name)
    assert module.__spec__ is not None
    assert type(module.__loader__) is type(module.__spec__.loader) is importlib.machinery.SourceFileLoader
    assert inspect.getsource(module) == "loaded = True\n"


@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_hooks_of_other_libraries_are_called_too(library: Library, first: str) -> None:
    name, met = library(f"library_hooked_{first}"), []
    if first == "ours":
        bridge.when_imported(name, lambda: met.append("ours"))
    register_post_import_hook(lambda _module: met.append("theirs"), name)
    if first == "theirs":
        bridge.when_imported(name, lambda: met.append("ours"))
    importlib.import_module(name)
    assert sorted(met) == ["ours", "theirs"]


def test_what_a_library_imports_while_it_is_looked_for_is_met_too(library: Library) -> None:
    outer, inner, met = library("library_looked_for"), library("library_of_the_finder"), []

    class Finder:
        def find_spec(self, name: str, *_: object) -> None:
            if name == outer:
                importlib.import_module(inner)

    bridge.when_imported(outer, lambda: met.append(outer))
    bridge.when_imported(inner, lambda: met.append(inner))
    finder: Any = Finder()
    sys.meta_path.insert(1, finder)
    try:
        importlib.import_module(outer)
    finally:
        sys.meta_path.remove(finder)
    assert met == [inner, outer]
