"""`make dist` and `make layer`: what they refuse to hand out, and that the layer's zip works where Lambda puts it."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from traced_pipeline.layer_content import LayerContent

from harness.local_aws import ROOT
from scripts import dist, layer
from scripts.archives import console_scripts, problems_of_sdist, problems_of_wheel

_METADATA = b"""Metadata-Version: 2.4
Name: shop
Version: 1.0
Summary: A shop.
Author: the shop contributors
License-Expression: Apache-2.0
License-File: LICENSE
Keywords: shop
Requires-Python: >=3.11
"""
_INFO = "shop-1.0.dist-info"
_WHEEL = {
    "shop/__init__.py": b"",
    "shop/py.typed": b"",
    f"{_INFO}/METADATA": _METADATA,
    f"{_INFO}/licenses/LICENSE": b"Apache",
    f"{_INFO}/entry_points.txt": b"[console_scripts]\nshop = shop:main\nshop-admin = shop:admin\n",
}
_SDIST = {"PKG-INFO": _METADATA, "LICENSE": b"Apache", "pyproject.toml": b"", "shop/__init__.py": b""}


def _of_wheel(**changed: bytes | None) -> list[str]:
    files = {name: content for name, content in (_WHEEL | changed).items() if content is not None}
    return list(problems_of_wheel(files, packages=["shop"], version="1.0", machine=["/checkout"]))


def test_a_wheel_as_it_should_be_passes() -> None:
    assert _of_wheel() == []
    assert console_scripts(_WHEEL) == ["shop", "shop-admin"]
    assert console_scripts({}) == []


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"tests/test_shop.py": b""}, f"holds shop, {_INFO}, tests; expected shop and one .dist-info"),
        ({"shop/py.typed": None}, "shop/py.typed is missing, so that callers are not type-checked"),
        ({f"{_INFO}/licenses/LICENSE": None}, "the LICENSE is missing"),
        ({f"{_INFO}/METADATA": _METADATA.replace(b"Keywords: shop\n", b"")}, "the metadata have no Keywords"),
        (
            {f"{_INFO}/METADATA": _METADATA.replace(b"Version: 1.0", b"Version: 1.1")},
            "the version is 1.1; expected 1.0, as in pyproject.toml",
        ),
        ({"shop/a.py": b"x = '/%s/ann/shop'" % b"home"}, "shop/a.py holds a path of a machine"),
        ({"shop/a.py": b"x = '/checkout/shop'"}, "shop/a.py holds a path of a machine"),
        ({"shop/__pycache__/a.cpython-311.pyc": b""}, "shop/__pycache__/a.cpython-311.pyc does not belong there"),
    ],
)
def test_a_wheel_that_is_not_as_it_should_be_is_refused(changed: dict[str, bytes | None], problem: str) -> None:
    assert problem in _of_wheel(**changed)


def test_an_sdist_without_its_licence_or_with_litter_is_refused() -> None:
    assert list(problems_of_sdist(_SDIST, version="1.0")) == []
    files = {name: content for name, content in _SDIST.items() if name != "LICENSE"} | {"node_modules/a.js": b""}
    assert list(problems_of_sdist(files, version="1.0")) == [
        "LICENSE is missing",
        "node_modules/a.js does not belong there",
    ]


def test_every_distribution_of_the_project_is_built() -> None:
    found = {path.parent for path in ROOT.glob("*/pyproject.toml")} | {ROOT}
    assert {ROOT / distribution.folder for distribution in dist.DISTRIBUTIONS} == found


def test_the_zip_of_the_layer_is_small(tmp_path: Path) -> None:
    layer.write(tmp_path / "layer.zip", LayerContent())
    assert (tmp_path / "layer.zip").stat().st_size < 100_000
    layer.write(tmp_path / "with_sdk.zip", LayerContent(xray_sdk=True))
    with zipfile.ZipFile(tmp_path / "with_sdk.zip") as archive:
        assert "python/aws_xray_sdk/__init__.py" in archive.namelist()
    layer.write(tmp_path / "with_otel.zip", LayerContent(open_telemetry="sdk"))
    assert (tmp_path / "with_otel.zip").stat().st_size < 600_000


def test_the_zip_of_the_layer_works_where_lambda_puts_it_and_is_the_same_each_time(tmp_path: Path) -> None:
    for name in ("one.zip", "two.zip"):
        layer.write(tmp_path / name, LayerContent())
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        archive.extractall(tmp_path / "opt")
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o100644}
    code = "import sys; sys.path.insert(0, sys.argv[1]); import trace_bridge; print(trace_bridge.__file__)"
    done = subprocess.run(
        [sys.executable, "-I", "-B", "-c", code, str(tmp_path / "opt/python")], capture_output=True, text=True
    )
    assert done.stdout.startswith(str(tmp_path / "opt/python")), done.stderr
