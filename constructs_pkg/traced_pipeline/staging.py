"""Folders in which assets are put together before the CDK takes them over."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from constructs import IConstruct

_KEEP_ASSETS_IN_PLACE = "aws:cdk:disable-asset-staging"


@contextmanager
def staging_folder(scope: IConstruct) -> Iterator[Path]:
    """Give an empty folder of this process's own, and remove it afterwards.

    The CDK copies an asset as soon as its resource is made, so that must happen within. Where it is told to leave
    assets in place, the folder stays.
    """
    folder = Path(tempfile.mkdtemp(prefix="traced-pipeline-asset-"))
    try:
        yield folder
    finally:
        if not scope.node.try_get_context(_KEEP_ASSETS_IN_PLACE):
            shutil.rmtree(folder, ignore_errors=True)
