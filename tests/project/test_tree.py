"""The check of the tree: cycles, lazy ones included, and imports against the layers."""

from pathlib import Path

import pytest

from scripts.import_graph import against_layers, cycles, of_other_tests, package_graph


def _package(folder: Path, **modules: str) -> dict[str, dict[str, int]]:
    for name, text in {"__init__": "", **modules}.items():
        path = (folder / "shop" / name.replace("__in__", "/")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        (path.parent / "__init__.py").touch()
    return package_graph(folder, "shop")


@pytest.mark.parametrize(
    "back",
    [
        "from .orders import Order",
        "import shop.orders",
        "from . import orders",
        "def f():\n    from .orders import Order",
    ],
    ids=["a name", "absolute", "the module", "inside a function"],
)
def test_modules_that_import_each_other_are_found(tmp_path: Path, back: str) -> None:
    graph = _package(tmp_path, orders="from .prices import price", prices=back)
    assert cycles(graph) == [["shop.orders", "shop.prices"]]


def test_a_circle_of_three_is_found(tmp_path: Path) -> None:
    graph = _package(tmp_path, a="from . import b", b="from . import c", c="from . import a", d="from . import a")
    assert cycles(graph) == [["shop.a", "shop.b", "shop.c"]]


def test_imports_for_type_checkers_do_not_count(tmp_path: Path) -> None:
    typed = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .orders import Order\n"
    assert cycles(_package(tmp_path, orders="from .prices import price", prices=typed)) == []


def test_an_import_against_the_layers_is_found_with_its_line(tmp_path: Path) -> None:
    graph = _package(
        tmp_path, prices="\nfrom .drawing.page import show", drawing__in__page="from ..prices import price"
    )
    found = list(against_layers(graph, "shop", [["prices"], ["drawing"]]))
    assert found == [("shop.prices", 2, "must not import shop.drawing.page, which is in a higher layer")]


def test_a_module_without_a_layer_is_found(tmp_path: Path) -> None:
    graph = _package(tmp_path, prices="", orders="")
    assert list(against_layers(graph, "shop", [["prices"]])) == [
        ("shop.orders", 1, "stands in no layer; add it to LAYERS in scripts/layers.py")
    ]


@pytest.mark.parametrize(
    "taken",
    [
        "from .test_prices import price",
        "import shop.unit.test_prices",
        "def f():\n    from shop.unit.test_prices import price",
        "from .conftest import price",
    ],
)
def test_a_test_that_imports_another_test_is_found(tmp_path: Path, taken: str) -> None:
    graph = _package(tmp_path, unit__in__test_orders=taken, unit__in__test_prices="", unit__in__conftest="")
    [(module, _, problem)] = of_other_tests(graph, "support")
    assert module == "shop.unit.test_orders"
    assert problem.endswith("; what tests share stands in tests/support")


@pytest.mark.parametrize("taken", ["from shop.cli.samples import price", "from ..cli import samples"])
@pytest.mark.parametrize("by", ["support__in__pages", "unit__in__test_orders"])
def test_what_stands_in_the_folder_of_other_tests_is_not_shared(tmp_path: Path, by: str, taken: str) -> None:
    graph = _package(tmp_path, cli__in__samples="", **{by: taken})
    [(module, _, problem)] = of_other_tests(graph, "support")
    assert module == f"shop.{by.replace('__in__', '.')}"
    assert problem == "must not import shop.cli.samples; what tests share stands in tests/support"


def test_what_stands_in_the_own_folder_or_in_the_shared_one_is_imported(tmp_path: Path) -> None:
    taken = "from . import prices\nfrom shop.support.waiting import wait"
    graph = _package(tmp_path, unit__in__test_orders=taken, unit__in__prices="", support__in__waiting="")
    assert list(of_other_tests(graph, "support")) == []
