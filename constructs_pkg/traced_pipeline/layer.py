"""The layer with the bridge, and the X-Ray SDK where that is asked for, assembled by copying what is installed."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from aws_cdk import FeatureFlags, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct, IConstruct

from .checks import Check, PipelineError
from .environments import refuse_other_region
from .layer_sources import without_docstrings
from .staging import check_assets, staging_folder

RUNTIMES = (
    lambda_.Runtime.PYTHON_3_11,
    lambda_.Runtime.PYTHON_3_12,
    lambda_.Runtime.PYTHON_3_13,
    lambda_.Runtime.PYTHON_3_14,
)
"""What the bridge is for."""

MOST_LAYERS = 5
"""How many layers a function takes: https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html."""

_LAYER_ID = "TraceBridgeLayer"
_LAYER_WITH_SDK_ID = "TraceBridgeLayerWithXRaySdk"
_BRIDGED = "traced-pipeline:bridged"
_LAYER_MAKES_VERSION = "@aws-cdk/aws-lambda:recognizeLayerVersion"
# What is copied, and the distribution whose licence travels with it.
_BRIDGE = {"trace_bridge": "trace-bridge"}
_XRAY_SDK = {"aws_xray_sdk": "aws-xray-sdk", "wrapt": "wrapt"}
# Compiled files fit one Python and one architecture; wrapt falls back to its Python code without them.
_COMPILED = ("*.pyc", "*.so", "*.pyd", "*.dylib", "*.dll")
# `trace_bridge.otel` needs OpenTelemetry's SDK, which the layer does not hold.
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "tests", ".*", "*.pyi", *_COMPILED, "otel")
_LICENCE_STARTS = ("license", "licence", "notice", "copying")


def bridge_layer(
    scope: Construct, given: str | lambda_.ILayerVersion | None, *, xray_sdk: bool
) -> lambda_.ILayerVersion:
    """Returns the layer with the bridge for a function.

    Args:
        scope: The function's construct.
        given: The layer that the options name. Default: that of the stack.
        xray_sdk: Whether the stack's layer is to hold the X-Ray SDK too.

    Raises:
        PipelineError: The layer cannot be made, or the one given is none or of another Region, or cannot be given the
            X-Ray SDK.
    """
    if given is None:
        return trace_bridge_layer(scope, xray_sdk=xray_sdk)
    if xray_sdk:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            "xray_sdk is True and bridge_layer is given, but the X-Ray SDK goes into the stack's own layer; leave out "
            "bridge_layer, or leave out xray_sdk and give a layer that holds the SDK",
        )
    if isinstance(given, str):
        made = scope.node.try_find_child(_LAYER_ID)
        if isinstance(made, lambda_.LayerVersion):
            return made
        given = lambda_.LayerVersion.from_layer_version_arn(scope, _LAYER_ID, given)
    # https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html
    refuse_other_region(
        scope, given, given.layer_version_arn, "layer", why="a function takes layers of its own Region only"
    )
    return given


def mark_bridged(function: lambda_.CfnFunction) -> None:
    """Notes that a function has the bridge's layer, wherever that comes from."""
    if not has_bridge(function):
        function.node.add_metadata(_BRIDGED, True)


def has_bridge(function: lambda_.CfnFunction) -> bool:
    """Tells whether a function was given the bridge's layer."""
    return any(entry.type == _BRIDGED for entry in function.node.metadata)


class TraceBridgeLayer:
    """The layer with the bridge: one per stack, shared by all the functions that these constructs make in it.

    It is for functions made in other ways: `function.add_layers(TraceBridgeLayer.of(function))`. Their handlers then
    import `trace_bridge`, and their roles need `xray:PutTraceSegments` and `xray:PutTelemetryRecords`. A function
    outside of the app needs `TraceBridgeLayer.of(stack).layer_version_arn`.
    """

    @staticmethod
    def of(scope: IConstruct, *, xray_sdk: bool = False) -> lambda_.ILayerVersion:
        """Returns the layer of a construct's stack, made on first use.

        Args:
            scope: Any construct of the stack, or the stack itself.
            xray_sdk: Whether the layer is to hold the X-Ray SDK too; a stack's layer with it is another one than that
                without. Default: no.

        Raises:
            PipelineError: A package that belongs into the layer is not installed.
        """
        return trace_bridge_layer(scope, xray_sdk=xray_sdk)


def trace_bridge_layer(scope: IConstruct, *, xray_sdk: bool) -> lambda_.LayerVersion:
    """Returns the layer of a construct's stack, made on first use.

    Args:
        scope: Any construct of the stack, or the stack itself.
        xray_sdk: Whether it holds the X-Ray SDK too.

    Raises:
        PipelineError: A package that belongs into the layer is not installed, or the stack takes no assets.
    """
    stack = Stack.of(scope)
    check_assets(stack, "the bridge's layer", instead="give bridge_layer the ARN of a layer version that holds it")
    layer_id = _LAYER_WITH_SDK_ID if xray_sdk else _LAYER_ID
    existing = stack.node.try_find_child(layer_id)
    if isinstance(existing, lambda_.LayerVersion):
        return existing
    with staging_folder(stack) as folder:
        assemble(folder, xray_sdk=xray_sdk)
        return lambda_.LayerVersion(
            stack,
            layer_id,
            code=lambda_.Code.from_asset(str(folder)),
            description="trace_bridge with the X-Ray SDK" if xray_sdk else "trace_bridge",
            compatible_runtimes=list(RUNTIMES),
            compatible_architectures=[lambda_.Architecture.ARM_64, lambda_.Architecture.X86_64],
        )


def publish_with_layer(function: lambda_.Function, layer: lambda_.ILayerVersion) -> None:
    """Lets a layer that changed publish a new version of a function, which an alias then moves to.

    The CDK does so by itself only with the feature flag `@aws-cdk/aws-lambda:recognizeLayerVersion`.
    """
    content = layer.node.try_find_child("Code")
    if isinstance(content, s3_assets.Asset) and not FeatureFlags.of(function).is_enabled(_LAYER_MAKES_VERSION):
        function.invalidate_version_based_on(content.asset_hash)


def assemble(folder: Path, *, xray_sdk: bool = False) -> None:
    """Copies the layer's content into an empty folder: `python/` and `licenses/`.

    Args:
        folder: The folder.
        xray_sdk: Whether the layer holds the X-Ray SDK beside the bridge. Default: no.

    Raises:
        PipelineError: A package or its licence is not found.
    """
    for package, distribution in (_BRIDGE | _XRAY_SDK if xray_sdk else _BRIDGE).items():
        source = _source_of(package)
        copy = _condense if package in _BRIDGE else _link_or_copy
        shutil.copytree(source, folder / "python" / package, ignore=_LEFT_OUT, copy_function=copy)
        target = folder / "licenses" / distribution
        target.mkdir(parents=True)
        for licence in _licences_of(distribution, source):
            shutil.copyfile(licence, target / licence.name)


def _condense(source: str, target: str) -> None:
    text = Path(source).read_text(encoding="utf-8")
    condensed = without_docstrings(text) if source.endswith(".py") else text
    Path(target).write_text(condensed, encoding="utf-8", newline="\n")


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


def _licences_of(distribution: str, package: Path) -> list[Path]:
    """Finds the licence files that a wheel's installation left beside its package, or those of its project's folder."""
    information = package.parent.glob(f"{distribution.replace('-', '_')}-*.dist-info")
    licences = [path for folder in information for path in folder.rglob("*") if _is_licence(path)]
    if not licences and (package.parent / "pyproject.toml").is_file():
        licences = [path for path in package.parent.iterdir() if _is_licence(path)]
    if not licences:
        raise PipelineError(
            Check.LAYER_PACKAGE,
            f"the licence of {distribution!r} is not found, but must travel with it in the layer; "
            f"install the distribution {distribution!r} from a wheel",
        )
    return sorted(licences)


def _is_licence(path: Path) -> bool:
    return path.name.lower().startswith(_LICENCE_STARTS) and path.is_file()
