"""The image that a container worker runs."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs
from constructs import IConstruct

from .asset_folders import is_of_the_app
from .checks import Check, PipelineError
from .container_options import ContainerWorkerOptions, CpuArchitecture
from .staging import check_assets

_PLATFORMS: dict[CpuArchitecture, ecr_assets.Platform] = {
    "X86_64": ecr_assets.Platform.LINUX_AMD64,
    "ARM64": ecr_assets.Platform.LINUX_ARM64,
}
# An image must not change because somebody ran its code.
_NOT_PART_OF_THE_IMAGE = ["**/__pycache__", "**/*.pyc", "**/.*_cache", "**/.DS_Store"]
_OF_A_REGISTRY = 'an image of a registry is given as ecs.ContainerImage.from_registry("...")'


def image_of(scope: IConstruct, options: ContainerWorkerOptions) -> ecs.ContainerImage:
    """Returns the image of a container worker; that of a folder is built by the CDK CLI when it deploys.

    Raises:
        PipelineError: No image is given, the folder does not exist or holds no `Dockerfile`, or the stack takes no
            assets.
    """
    if options.image is None:
        raise PipelineError(
            Check.IMAGE_MISSING,
            "a container worker needs an image; give ContainerWorkerOptions(image=...) a folder with a Dockerfile, or "
            "an ecs.ContainerImage",
        )
    if isinstance(options.image, ecs.ContainerImage):
        return options.image
    folder = Path(options.image).absolute()
    if folder.is_file():
        raise PipelineError(
            Check.IMAGE_FOLDER,
            f"image {str(options.image)!r} is a file; give the folder that holds the Dockerfile, or for one of "
            "another name ecs.ContainerImage.from_asset(folder, file=...)",
        )
    if not folder.is_dir():
        raise PipelineError(
            Check.IMAGE_FOLDER,
            f"image folder {str(options.image)!r} does not exist (looked for {folder}); give a folder with a "
            f"Dockerfile, absolute or relative to the working directory of the app; {_OF_A_REGISTRY}",
        )
    if is_of_the_app(scope, folder):
        raise PipelineError(
            Check.IMAGE_FOLDER,
            f"image folder {str(options.image)!r} is the working directory of the app, or holds the CDK's output, "
            "which would be copied into itself; put the Dockerfile and what it needs into a folder of their own, or "
            "give ecs.ContainerImage.from_asset(...) with an exclude that leaves the output out",
        )
    if not (folder / "Dockerfile").is_file():
        raise PipelineError(
            Check.IMAGE_FOLDER,
            f"image folder {str(options.image)!r} holds no Dockerfile; add one, or build the image elsewhere and give "
            "an ecs.ContainerImage",
        )
    check_assets(
        scope, f"image folder {str(options.image)!r}", instead="give ecs.ContainerImage.from_ecr_repository(...)"
    )
    return ecs.ContainerImage.from_asset(
        str(folder), platform=_PLATFORMS[options.cpu_architecture], exclude=_NOT_PART_OF_THE_IMAGE
    )
