"""mypy reads the types of every module of the CDK that is used here, and says where it would not."""

import tomllib
from pathlib import Path

import pytest

from scripts.followed_types import followed, unfollowed_attributes, unfollowed_types

ROOT = Path(__file__).resolve().parents[2]

PYPROJECT = """
[[tool.mypy.overrides]]
module = ["aws_cdk.*"]
follow_imports = "error"

[[tool.mypy.overrides]]
module = ["aws_cdk.interfaces.*", "aws_cdk.aws_sqs"]
follow_imports = "normal"
"""


def _module(folder: Path, name: str, *imports: str) -> None:
    lines = "".join(f"    import {module} as _{number}\n" for number, module in enumerate(imports))
    package = folder.joinpath(*name.split("."))
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(f"import typing\n\nif typing.TYPE_CHECKING:\n{lines or '    pass'}\n")


def test_modules_whose_types_are_in_those_that_are_read_are_named_once(tmp_path: Path) -> None:
    _module(tmp_path, "aws_cdk.aws_sqs", "aws_cdk.aws_kms", "aws_cdk.interfaces.aws_kms", "aws_cdk.aws_iam")
    _module(tmp_path, "aws_cdk.aws_kms", "aws_cdk.aws_iam", "aws_cdk.aws_sqs")
    _module(tmp_path, "aws_cdk.aws_iam", "aws_cdk.aws_kms")
    _module(tmp_path, "aws_cdk.aws_ecs", "aws_cdk.aws_ec2")
    unread = list(unfollowed_types(followed(PYPROJECT), tmp_path))
    assert unread == ["aws_cdk.aws_iam", "aws_cdk.aws_kms"]


@pytest.mark.parametrize(
    ("source", "unread"),
    [
        ("import aws_cdk\naws_cdk.aws_ecs.Cluster", [("aws_cdk.aws_ecs", 2)]),
        ("import aws_cdk as cdk\n\ncdk.aws_ecs.Cluster", [("aws_cdk.aws_ecs", 3)]),
        ("import aws_cdk as cdk\ncdk.aws_sqs.Queue\ncdk.Stack()", []),
    ],
)
def test_modules_reached_as_attributes_are_named_with_their_line(source: str, unread: list[tuple[str, int]]) -> None:
    assert list(unfollowed_attributes(followed(PYPROJECT), source)) == unread


def test_an_import_of_what_is_not_read_is_an_error_to_mypy() -> None:
    overrides = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["overrides"]
    [cdk] = [override for override in overrides if override["module"] == ["aws_cdk.*"]]
    assert cdk == {"module": ["aws_cdk.*"], "follow_imports": "error"}
