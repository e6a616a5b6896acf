"""Looks at the deployed configuration, one call at a time; a look that is refused is noted, and the rest goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from .deployment import Unseen
from .failures import describe

_T = TypeVar("_T")


class Looks:
    """The looks of one run.

    Attributes:
        unseen: What was refused or failed, in order, each once.
    """

    def __init__(self) -> None:
        self.unseen: list[Unseen] = []

    def at(self, what: str, look: Callable[[], _T]) -> _T | None:
        """What a call answers; None where it was refused or failed.

        Args:
            what: What is looked at, for the note.
            look: The call.

        Raises:
            botocore.exceptions.NoCredentialsError: There is nobody to look.
        """
        return self._read(what, look, "cause")

    def along_route(self, what: str, look: Callable[[], _T]) -> _T | None:
        """The same for a call without whose answer the route of a request is not known."""
        return self._read(what, look, "route")

    def _read(self, what: str, look: Callable[[], _T], of: Literal["route", "cause"]) -> _T | None:
        try:
            return look()
        except (NoCredentialsError, PartialCredentialsError):
            raise
        except (ClientError, BotoCoreError) as error:
            note = Unseen(what=what, reason=describe(error), of=of)
            if note not in self.unseen:
                self.unseen.append(note)
            return None
