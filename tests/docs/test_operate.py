"""docs/operate.md: the resource types that CloudFormation must be allowed to make are those of real templates."""

from __future__ import annotations

import json
import os
from pathlib import Path

from aws_cdk import App, Stack
from aws_cdk import aws_iam as iam
from traced_pipeline import TracedPipeline

from scripts.draw_dashboard import PICTURE, picture
from scripts.pages import ROOT, between, put_between
from tests.support import rich
from tests.support.templates import synthesize

PAGE = ROOT / "docs" / "operate.md"
_NOT_CREATED = {"AWS::CDK::Metadata"}


def _types(stack: Stack) -> set[str]:
    return {resource["Type"] for resource in synthesize(stack).resources.values()} - _NOT_CREATED


def test_the_table_of_resource_types_is_that_of_the_templates(tmp_path: Path) -> None:
    """To take over a change, set UPDATE_SNAPSHOTS=1."""
    flags = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    plain, full = (Stack(App(outdir=str(tmp_path / name), context=flags), name) for name in ("Plain", "Full"))
    TracedPipeline(plain, "Orders")
    rich.build(full)
    always = _types(plain)
    made = "| always | with some options |\n|---|---|\n"
    made += f"| {_listed(always)} | {_listed(_types(full) - always)} |\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        put_between(PAGE, "resource types", made)
    assert between(PAGE, "resource types") == made


def test_the_picture_is_that_of_the_dashboard() -> None:
    """To take over a change, set UPDATE_SNAPSHOTS=1."""
    made = picture()
    if os.environ.get("UPDATE_SNAPSHOTS"):
        PICTURE.write_text(made, encoding="utf-8")
    assert PICTURE.read_text(encoding="utf-8") == made
    assert f"](images/{PICTURE.name})" in PAGE.read_text(encoding="utf-8")


def _listed(types: set[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(types))


def test_every_role_takes_the_permissions_boundary_of_an_app(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path))
    stack = Stack(app, "Shop")
    TracedPipeline(stack, "Orders")
    iam.PermissionsBoundary.of(app).apply(iam.ManagedPolicy.from_managed_policy_name(stack, "Boundary", "boundary"))
    roles = synthesize(stack).all("AWS::IAM::Role")
    assert len(roles) == 2
    assert all(role["PermissionsBoundary"] for role in roles.values())
