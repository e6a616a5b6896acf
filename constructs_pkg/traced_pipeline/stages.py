"""Stages of an app, at which the CDK's aspects stop."""

from __future__ import annotations

from aws_cdk import Stack, Stage
from constructs import IConstruct


def stages_below(scope: IConstruct) -> list[Stage]:
    """Returns the stages below a construct, those in other stages included.

    Args:
        scope: The construct; it is not among them.
    """
    return [stage for stage in scope.node.find_all() if isinstance(stage, Stage) and stage is not scope]


def stacks_of(stage: Stage) -> list[Stack]:
    """Returns the stacks of a stage, but for nested stacks and for those of stages in it."""
    return [
        stack
        for stack in stage.node.find_all()
        if isinstance(stack, Stack) and stack.nested_stack_parent is None and Stage.of(stack) is stage
    ]
