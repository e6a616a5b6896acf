"""Looks at the deployed configuration, one call at a time; a look that is refused is noted, and the rest goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from .error_messages import describe

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Unread:
    """A read of the configuration that was refused or failed; what it would have shown is unknown.

    Attributes:
        what: What was read.
        reason: Why it could not be read.
        of: What it would have shown: part of the `route` a request takes, or a `cause` of a break.
    """

    what: str
    reason: str
    of: Literal["route", "cause"] = "cause"


class Looks:
    """The looks of one run.

    Attributes:
        unseen: What was refused or failed, in order, each once.
    """

    def __init__(self) -> None:
        self.unseen: list[Unread] = []

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
            note = Unread(what=what, reason=describe(error), of=of)
            if note not in self.unseen:
                self.unseen.append(note)
            return None
