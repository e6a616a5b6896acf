"""Forks (prefork servers, multiprocessing): a child sends documents of its own, and leaves its parent's alone."""

import os
from collections.abc import Callable

number = 0
"""How many forks lie between the process that imported the bridge and this one: a child's is another."""


def process_number() -> int:
    """Returns the number of this process, to be compared with one remembered."""
    return number


def in_every_child(renew: Callable[[], None]) -> None:
    """Has a function called in every process forked from now on, before anything else runs there."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=renew)


def _forked() -> None:
    global number
    number += 1


in_every_child(_forked)
