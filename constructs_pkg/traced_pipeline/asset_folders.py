"""Folders of a user's that become assets."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import Stage
from constructs import IConstruct


def is_of_the_app(scope: IConstruct, folder: Path) -> bool:
    """Returns whether a folder is the app's working directory, or holds the one that the CDK copies assets to.

    The CDK would copy the latter into itself, again and again.

    Args:
        scope: Any construct of the app.
        folder: The folder.
    """
    here, stage = folder.resolve(), Stage.of(scope)
    if here == Path.cwd().resolve():
        return True
    return stage is not None and Path(stage.asset_outdir).resolve().is_relative_to(here)
