"""What the layer holds: the bridge, and the X-Ray SDK or OpenTelemetry beside it, copied from what is installed."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, TypeAlias

from .checks import Check, PipelineError
from .layer_sources import condensed

OpenTelemetryParts: TypeAlias = Literal["none", "exporter", "sdk"]

# What is copied, and the distribution whose licence travels with it.
_BRIDGE = {"trace_bridge": "trace-bridge"}
_XRAY_SDK = {"aws_xray_sdk": "aws-xray-sdk", "wrapt": "wrapt"}
# Distributions that share the package `opentelemetry` with others, and what they need.
_OPEN_TELEMETRY = (
    "opentelemetry-api",
    "opentelemetry-sdk",
    "opentelemetry-semantic-conventions",
    "typing-extensions",
)
_FIRST_WITHOUT_OTHER_NEEDS = (1, 45)
# Compiled files fit one Python and one architecture; wrapt falls back to its Python code without them.
_COMPILED = ("*.pyc", "*.so", "*.pyd", "*.dylib", "*.dll")
_COMPILED_OR_UNUSED = ("__pycache__", "tests", ".*", "*.pyi", *_COMPILED)
# The bridge's own part for OpenTelemetry's SDK, which few functions have.
_LEFT_OUT = (*_COMPILED_OR_UNUSED, "otel")
_LICENCE_STARTS = ("license", "licence", "notice", "copying")
# By which OpenTelemetry finds what its variables name.
_METADATA = ("METADATA", "entry_points.txt")


@dataclass(frozen=True, kw_only=True)
class LayerContent:
    """What the layer holds beside the bridge.

    Attributes:
        xray_sdk: Whether it holds the X-Ray SDK. Default: no.
        open_telemetry: What it holds for OpenTelemetry. `"exporter"`: the bridge's own part, where another layer brings
            the SDK; `"sdk"`: the SDK as well. Default: nothing.
    """

    xray_sdk: bool = False
    open_telemetry: OpenTelemetryParts = "none"

    @property
    def suffix(self) -> str:
        """The end of the layer's id, which differs by content."""
        ids = [name for name, _ in self._parts]
        return f"With{'And'.join(ids)}" if ids else ""

    @property
    def description(self) -> str:
        """What the layer's description says."""
        words = " and ".join(text for _, text in self._parts)
        return f"trace_bridge with {words}" if words else "trace_bridge"

    @property
    def _parts(self) -> list[tuple[str, str]]:
        """The parts beside the bridge, each by its name in an id and in a text."""
        parts = [("XRaySdk", "the X-Ray SDK")] if self.xray_sdk else []
        if self.open_telemetry == "exporter":
            parts.append(("SpanExporter", "its span exporter"))
        elif self.open_telemetry == "sdk":
            parts.append(("OpenTelemetry", "OpenTelemetry"))
        return parts


_BRIDGE_ALONE = LayerContent()


def assemble(folder: Path, content: LayerContent = _BRIDGE_ALONE) -> None:
    """Copies the layer's content into an empty folder: `python/` and `licenses/`.

    Args:
        folder: The folder.
        content: What it holds beside the bridge. Default: nothing.

    Raises:
        PipelineError: A package or its licence is not found.
    """
    left_out = _LEFT_OUT if content.open_telemetry == "none" else _COMPILED_OR_UNUSED
    for package, name in (_BRIDGE | _XRAY_SDK if content.xray_sdk else _BRIDGE).items():
        source = _source_of(package)
        copy = _condense if package in _BRIDGE else _link_or_copy
        shutil.copytree(
            source, folder / "python" / package, ignore=shutil.ignore_patterns(*left_out), copy_function=copy
        )
        _copy_licences(_licences_of(name, source), folder / "licenses" / name)
    if content.open_telemetry != "none":
        _write_entry_points(folder / "python")
    if content.open_telemetry == "sdk":
        for name in _OPEN_TELEMETRY:
            _copy_distribution(_open_telemetry(name), folder)


def _condense(source: str, target: str) -> None:
    text = Path(source).read_text(encoding="utf-8")
    content = condensed(text) if source.endswith(".py") else text
    Path(target).write_text(content, encoding="utf-8", newline="\n")


def _link_or_copy(source: str, target: str) -> None:
    # A link costs next to nothing; it cannot lead to another file system, nor to a file of somebody else's.
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _source_of(package: str) -> Path:
    spec = find_spec(package)
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        wanted = "trace-bridge[xray-sdk]" if package in _XRAY_SDK else "trace-bridge"
        raise PipelineError(
            Check.LAYER_PACKAGE,
            f"package {package!r} is not importable, but the functions' layer is made of it; "
            f"install {wanted} beside traced-pipeline",
        )
    return Path(places[0])


def _licences_of(name: str, package: Path) -> list[Path]:
    """Finds the licence files that a wheel's installation left beside its package, or those of its project's folder."""
    information = package.parent.glob(f"{name.replace('-', '_')}-*.dist-info")
    licences = [path for folder in information for path in folder.rglob("*") if _is_licence(path)]
    if not licences and (package.parent / "pyproject.toml").is_file():
        licences = [path for path in package.parent.iterdir() if _is_licence(path)]
    if not licences:
        raise _without_licence(name)
    return sorted(licences)


def _without_licence(name: str) -> PipelineError:
    return PipelineError(
        Check.LAYER_PACKAGE,
        f"the licence of {name!r} is not found, but must travel with it in the layer; "
        f"install the distribution {name!r} from a wheel",
    )


def _copy_licences(licences: list[Path], target: Path) -> None:
    target.mkdir(parents=True)
    for licence in licences:
        shutil.copyfile(licence, target / licence.name)


def _is_licence(path: Path) -> bool:
    return path.name.lower().startswith(_LICENCE_STARTS) and path.is_file()


def _write_entry_points(folder: Path) -> None:
    """Writes the bridge's metadata, as far as OpenTelemetry reads them."""
    try:
        installed = distribution("trace-bridge")
    except PackageNotFoundError as error:
        raise PipelineError(
            Check.LAYER_PACKAGE,
            "trace-bridge lies on the path without having been installed, but OpenTelemetry finds its exporter by the "
            "metadata of the installed distribution; install trace-bridge beside traced-pipeline",
        ) from error
    target = folder / f"trace_bridge-{installed.version}.dist-info"
    target.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: trace-bridge\nVersion: {installed.version}\n"
    (target / "METADATA").write_text(metadata, encoding="utf-8", newline="\n")
    entry_points = installed.read_text("entry_points.txt") or ""
    (target / "entry_points.txt").write_text(entry_points, encoding="utf-8", newline="\n")


def _open_telemetry(name: str) -> Distribution:
    try:
        installed = distribution(name)
    except PackageNotFoundError:
        installed = None
    if installed is None or (name == "opentelemetry-sdk" and _version(installed) < _FIRST_WITHOUT_OTHER_NEEDS):
        raise PipelineError(
            Check.LAYER_PACKAGE,
            f"{name} is {'not installed' if installed is None else installed.version}, but the functions' layer takes "
            "OpenTelemetry from 1.45 on; install traced-pipeline[otel]",
        )
    return installed


def _version(installed: Distribution) -> tuple[int, ...]:
    return tuple(int(part) for part in installed.version.split(".")[:2] if part.isdecimal())


def _copy_distribution(installed: Distribution, folder: Path) -> None:
    """Copies the modules, the metadata and the licences of a distribution, by its own list of files."""
    name, licences = installed.metadata["Name"], []
    for file in installed.files or ():
        source = Path(str(file.locate()))
        if ".." in file.parts or "__pycache__" in file.parts or not source.is_file():
            continue
        if file.parts[0].endswith(".dist-info"):
            if _is_licence(source):
                licences.append(source)
            if file.name not in _METADATA:
                continue
        elif source.suffix not in (".py", ".typed"):
            continue
        target = folder / "python" / file
        target.parent.mkdir(parents=True, exist_ok=True)
        _link_or_copy(str(source), str(target))
    if not licences:
        raise _without_licence(name)
    _copy_licences(sorted(licences), folder / "licenses" / name)
