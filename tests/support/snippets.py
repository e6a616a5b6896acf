"""Snippets of documents and docstrings, run as a project's app."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from aws_cdk import Stack

Run: TypeAlias = Callable[[str, str], list[Stack]]
"""What the fixture `run` gives: it takes a snippet and its name, and returns the stacks of the snippet's app."""
