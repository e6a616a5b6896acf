"""Folders in which assets are put together before the CDK takes them over."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aws_cdk import BootstraplessSynthesizer, Stack, Stage
from constructs import IConstruct

from .checks import Check, PipelineError

_KEEP_ASSETS_IN_PLACE = "aws:cdk:disable-asset-staging"


@contextmanager
def staging_folder(scope: IConstruct) -> Iterator[Path]:
    """Yields an empty folder of this process's own, and removes it afterwards.

    The CDK copies an asset as soon as its resource is made, so that must happen within. Where it is set to leave
    assets in place (`cdk synth --no-staging`), the folder stays, in the output directory, and goes when that does.
    """
    if scope.node.try_get_context(_KEEP_ASSETS_IN_PLACE):
        yield Path(tempfile.mkdtemp(prefix="traced-pipeline-asset-", dir=_output_directory(scope)))
        return
    folder = Path(tempfile.mkdtemp(prefix="traced-pipeline-asset-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _output_directory(scope: IConstruct) -> Path | None:
    """Returns the folder that the CDK would copy assets to; None in a stack without an app, for the system's own."""
    stage = Stage.of(scope)
    if stage is None:
        return None
    folder = Path(stage.asset_outdir)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def check_assets(scope: IConstruct, what: str, *, instead: str) -> None:
    """Refuses an asset in a stack that takes none.

    https://docs.aws.amazon.com/cdk/v2/guide/customize-synth.html

    Args:
        scope: A construct of the stack.
        what: What would be the asset, for the message.
        instead: What to give in its place, for the message.

    Raises:
        PipelineError: The stack takes no assets.
    """
    stack = Stack.of(scope)
    if isinstance(stack.synthesizer, BootstraplessSynthesizer):
        raise PipelineError(
            Check.NO_ASSETS,
            f"{what} is an asset, but stack {stack.node.path}, with a BootstraplessSynthesizer, takes none; {instead}, "
            "or give the stack another synthesizer",
        )
