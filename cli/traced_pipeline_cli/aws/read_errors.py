"""API reads of the deployed configuration: one that is refused or fails is recorded, and the others go on."""

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


class Reads:
    """The API reads of one run.

    Attributes:
        unread: What could not be read, in order, each once.
    """

    def __init__(self) -> None:
        self.unread: list[Unread] = []

    def read(self, what: str, call: Callable[[], _T]) -> _T | None:
        """Returns what a call answers; None where it was refused or failed, which is recorded.

        Args:
            what: What is read, for the record.
            call: The call.

        Raises:
            botocore.exceptions.NoCredentialsError: There are no credentials to read with.
        """
        return self._read(what, call, "cause")

    def read_route(self, what: str, call: Callable[[], _T]) -> _T | None:
        """Returns the same for a call without whose answer the route of a request is not known."""
        return self._read(what, call, "route")

    def _read(self, what: str, call: Callable[[], _T], of: Literal["route", "cause"]) -> _T | None:
        try:
            return call()
        except (NoCredentialsError, PartialCredentialsError):
            raise
        except (ClientError, BotoCoreError) as error:
            note = Unread(what=what, reason=describe(error), of=of)
            if note not in self.unread:
                self.unread.append(note)
            return None
