"""Folders of a user's that become assets."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import Stage
from constructs import IConstruct


def holds_output(scope: IConstruct, folder: Path) -> bool:
    """Tells whether a folder holds the app's working directory, or the one that the CDK copies assets to.

    The CDK would copy such a folder into itself, again and again.

    Args:
        scope: Any construct of the app.
        folder: The folder.
    """
    stage = Stage.of(scope)
    inside = [Path.cwd(), *([] if stage is None else [Path(stage.asset_outdir)])]
    return any(path.resolve().is_relative_to(folder.resolve()) for path in inside)
