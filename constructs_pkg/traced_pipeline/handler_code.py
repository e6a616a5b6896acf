"""From a handler to the code asset of its function."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import IConstruct

from .asset_folders import is_of_the_app
from .checks import Check, PipelineError, warn
from .dependencies import dependencies_of
from .function_options import Handler
from .requirements import install
from .staging import check_assets, staging_folder

# A folder's asset must not change because somebody ran its code.
_NOT_PART_OF_THE_CODE = ["**/__pycache__", "**/*.pyc", "**/.*_cache", "**/.DS_Store"]


@contextmanager
def function_code(
    scope: IConstruct,
    handler: Handler,
    *,
    runtime: lambda_.Runtime,
    architecture: lambda_.Architecture,
    layers: Sequence[lambda_.ILayerVersion],
) -> Iterator[lambda_.Code]:
    """Yields the code of a handler; its function is to be made within the context.

    Args:
        scope: The function's construct.
        handler: The handler.
        runtime: The function's Python.
        architecture: The function's architecture.
        layers: The function's layers beside the bridge's. What they hold is not known, and may be the entry point's
            module, as where a vendor's handler calls the function's own.

    Raises:
        PipelineError: The folder does not exist, the entry point is no `module.function`, neither the folder nor a
            layer can hold the module, or its requirements cannot be installed.
    """
    _check_entry_point(handler.entry_point)
    if isinstance(handler.code, lambda_.Code):
        yield handler.code
        return
    folder = Path(handler.code).absolute()
    _check_folder(scope, handler.code, folder)
    _check_module(handler, folder, in_layer=bool(layers))
    check_assets(
        scope,
        f"handler folder {str(handler.code)!r}",
        instead="give a Handler with lambda_.Code.from_bucket(...) or lambda_.Code.from_inline(...)",
    )
    # The CDK asks for no bundling where a stack is not going to be deployed.
    wanted = handler.install_requirements and Stack.of(scope).bundling_required
    dependencies = dependencies_of(folder) if wanted else None
    if dependencies is None:
        yield lambda_.Code.from_asset(str(folder), exclude=_NOT_PART_OF_THE_CODE)
        return
    if not dependencies.locked:
        warn(
            scope,
            Check.DEPENDENCIES_NOT_LOCKED,
            f"the packages are those of {dependencies.source}, whose versions are not settled: what is installed may "
            "differ from one synthesis to the next; add uv.lock or a requirements.txt, or acknowledge this if all "
            "versions are pinned there",
        )
    with staging_folder(scope) as staging:
        python = runtime.name.removeprefix("python")
        install(dependencies, staging, python=python, architecture=architecture.name)
        shutil.copytree(folder, staging, dirs_exist_ok=True)
        yield lambda_.Code.from_asset(str(staging), exclude=_NOT_PART_OF_THE_CODE)


def reference_handler(name: str) -> Handler:
    """Finds a handler that comes with this library.

    Args:
        name: `ingest` or `worker`.

    Raises:
        PipelineError: It is neither in the installed distribution nor in a checkout around it.
    """
    package = Path(__file__).resolve().parent
    places = [package / "reference_handlers", package.parents[1] / "runtime" / "handlers"]
    for place in places:
        if (place / name / "app.py").is_file():
            return Handler(place / name)
    raise PipelineError(
        Check.HANDLER_FOLDER,
        f"reference handler {name!r} is in none of {', '.join(str(place) for place in places)}; "
        "install traced-pipeline again, or give a handler of your own",
    )


def reference_publisher(name: str, topic: sns.ITopic | None) -> Handler:
    """Finds a handler that comes with this library, for publishing to a topic.

    Args:
        name: `ingest` or `worker`.
        topic: Where it publishes.

    Raises:
        PipelineError: The handler is not found, or the topic wants a deduplication id, which the handlers do not give.
    """
    if isinstance(topic, sns.Topic) and topic.fifo and not topic.content_based_deduplication:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"topic {topic.node.path} wants a deduplication id with every message, which the reference handler does "
            "not give; turn content_based_deduplication on, or give a handler of your own",
        )
    return reference_handler(name)


def _check_folder(scope: IConstruct, code: str | Path, folder: Path) -> None:
    if is_of_the_app(scope, folder):
        raise PipelineError(
            Check.HANDLER_FOLDER,
            f"handler folder {str(code)!r} is the working directory of the app, or holds the CDK's output, which "
            "would be copied into itself; put the function's code into a folder of its own, and give that",
        )
    if folder.is_file():
        raise PipelineError(
            Check.HANDLER_FOLDER,
            f"handler folder {str(code)!r} is a file; give the folder it was made of, or the archive as "
            f'Handler(lambda_.Code.from_asset("{folder.name}"), "app.handler")',
        )
    if not folder.is_dir():
        raise PipelineError(
            Check.HANDLER_FOLDER,
            f"handler folder {str(code)!r} does not exist (looked for {folder}); "
            "give a folder that is absolute or relative to the working directory of the app",
        )


def _check_entry_point(entry_point: str) -> None:
    module, dot, function = entry_point.rpartition(".")
    if not (dot and module and function.isidentifier()):
        raise PipelineError(
            Check.HANDLER_MODULE,
            f"entry point {entry_point!r} must be 'module.function', for example 'app.handler'",
        )


def _check_module(handler: Handler, folder: Path, *, in_layer: bool) -> None:
    name, _, function = handler.entry_point.rpartition(".")
    module = name.replace(".", "/")
    files = [path for path in (folder / f"{module}.py", folder / module / "__init__.py") if path.is_file()]
    if not files and in_layer:
        return
    if not files:
        raise PipelineError(
            Check.HANDLER_MODULE,
            f"entry point {handler.entry_point!r} needs {module}.py in {folder}, which does not hold it; "
            "correct the entry point or the folder, or give the function the layer that holds the module",
        )
    if not any(_may_hold(path, function) for path in files):
        raise PipelineError(
            Check.HANDLER_MODULE,
            f"entry point {handler.entry_point!r} needs a function {function!r}, a name that {files[0]} does not have; "
            "correct the entry point or the module",
        )


def _may_hold(module: Path, name: str) -> bool:
    """Returns whether a module may have a name: it is in the text, or comes by a way that the text does not show."""
    text = module.read_text(encoding="utf-8", errors="replace")
    return re.search(rf"\b{re.escape(name)}\b|\bimport\s+\*|\bglobals\b|\b__getattr__\b", text) is not None
