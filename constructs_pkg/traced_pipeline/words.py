"""Closed sets of words: a value outside of them is refused, never read as a default.

The words of an option are those of the `Literal` it is declared with. Arguments of constructors and methods are checked
with their types, by `option_checks.checks_arguments`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import get_type_hints

from .checks import Check, PipelineError
from .option_types import TypeHint, describe, matches, words_of


class ChecksWords:
    """Base of the options dataclasses: checks each field with a closed set of words when one is made."""

    def __post_init__(self) -> None:
        """Refuses a word that a field does not know.

        Raises:
            PipelineError: A field has a value that its type does not allow. A token is no word: what it stands for is
                known too late to decide by it.
        """
        options = type(self).__name__
        for name, hint in self._hints_with_words().items():
            check_word(f"{options}.{name}", getattr(self, name), hint)

    @classmethod
    @cache
    def _hints_with_words(cls) -> Mapping[str, TypeHint]:
        return {name: hint for name, hint in get_type_hints(cls).items() if words_of(hint)}


def check_word(name: str, value: object, hint: TypeHint) -> None:
    """Refuses a value that is none of the words, nor of the types beside them.

    Args:
        name: Name of the option or argument, for the message.
        value: The value.
        hint: The type it is declared with.

    Raises:
        PipelineError: The type does not allow the value.
    """
    if not matches(value, hint):
        raise PipelineError(Check.OPTION_VALUE, f"{name} is {value!r}, but must be {describe(hint)}")
