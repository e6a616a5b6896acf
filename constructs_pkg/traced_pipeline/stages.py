"""Stages of an app, at which the CDK's aspects stop."""

from __future__ import annotations

from aws_cdk import Stage
from constructs import IConstruct


def stages_below(scope: IConstruct) -> list[Stage]:
    """Returns the stages below a construct, those in other stages included.

    Args:
        scope: The construct; it is not among them.
    """
    return [stage for stage in scope.node.find_all() if isinstance(stage, Stage) and stage is not scope]
