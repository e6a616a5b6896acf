"""Stacks around constructs."""

from __future__ import annotations

from aws_cdk import Stack
from constructs import IConstruct


def outermost_stack(construct: IConstruct) -> Stack:
    """Returns the stack that is deployed by itself: that of a construct, or the one around its nested stack."""
    stack = Stack.of(construct)
    while stack.nested_stack_parent is not None:
        stack = stack.nested_stack_parent
    return stack
