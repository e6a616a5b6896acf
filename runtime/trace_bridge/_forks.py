"""Forks (prefork servers, multiprocessing): a child sends documents of its own, and leaves its parent's alone."""

import os
from collections.abc import Callable

_forks = 0


def process_number() -> int:
    """Returns how many forks lie between the process that imported the bridge and this one; a child's is another."""
    return _forks


def in_every_child(renew: Callable[[], None]) -> None:
    """Has a function called in every process forked from now on, before anything else runs there."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=renew)


def _forked() -> None:
    global _forks
    _forks += 1


in_every_child(_forked)
