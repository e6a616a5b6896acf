"""Reading the fields of a request to the X-Ray API, and its error answers."""

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any, TypeVar

Body = dict[str, Any]
"""A request's or an answer's JSON object."""

T = TypeVar("T")


# The API's model has these statuses; every other error is a 400.
_STATUSES = {"ResourceNotFoundException": 404, "AccessDeniedException": 403}


class ApiError(Exception):
    """An error answer.

    Attributes:
        code: The exception's name in the X-Ray API.
        status: The answer's HTTP status.
    """

    def __init__(self, message: str, *, code: str = "InvalidRequestException") -> None:
        super().__init__(message)
        self.code = code
        self.status = _STATUSES.get(code, 400)


def parse(body: bytes) -> Body:
    """Reads a request's body; an empty one is an empty object.

    Raises:
        ApiError: It is not a JSON object.
    """
    try:
        parsed = json.loads(body or b"{}")
    except (ValueError, RecursionError) as problem:
        raise ApiError(f"The request's body is not JSON: {problem}") from None
    if not isinstance(parsed, dict):
        raise ApiError("The request's body is not a JSON object")
    return parsed


def string(body: Body, field: str) -> str:
    """Returns a string that must be there.

    Raises:
        ApiError: It is not, or empty.
    """
    value = body.get(field)
    if not isinstance(value, str) or not value:
        raise ApiError(f"{field} is {value!r}, a string is expected")
    return value


def strings(body: Body, field: str, *, most: int | None = None) -> list[str]:
    """Returns a list of strings that must be there, each string once.

    Raises:
        ApiError: It is not a list of strings, or of more than `most`.
    """
    value = body.get(field)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ApiError(f"{field} is not a list of strings")
    unique = list(dict.fromkeys(value))
    if most is not None and not 1 <= len(unique) <= most:
        raise ApiError(f"{field} has {len(unique)} ids, 1 to {most} are expected")
    return unique


def time_range(body: Body, *, longest: float | None = None) -> tuple[float, float]:
    """Returns StartTime and EndTime, in seconds since 1970.

    Raises:
        ApiError: One is missing, they are out of order, or more than `longest` seconds apart.
    """
    start, end = (_time(body, field) for field in ("StartTime", "EndTime"))
    if end < start or (longest is not None and end - start > longest):
        limit = "" if longest is None else f", at most {longest / 3600:g} hours apart"
        raise ApiError(f"StartTime {start} and EndTime {end} must be in order{limit}")
    return start, end


def page(items: Sequence[tuple[str, T]], *, size: int, token: object) -> tuple[list[T], str | None]:
    """Returns one page of items that are in order by unique keys.

    The token names the last key returned, so that items that come in between neither repeat nor hide others.

    Returns:
        The page, and the token of the next one; `None` after the last.

    Raises:
        ApiError: `token` was not handed out with a page of these items.
    """
    first = 0
    if token:
        keys = [key for key, _ in items]
        last_key = decoded(token)
        if last_key not in keys:
            raise ApiError(f"NextToken {token!r} is not one this operation has handed out")
        first = keys.index(last_key) + 1
    chosen = items[first : first + size]
    more = first + size < len(items)
    return [item for _, item in chosen], token_of(chosen[-1][0]) if more and chosen else None


def token_of(key: str) -> str:
    """Returns the token of the page that begins behind a key."""
    return base64.urlsafe_b64encode(key.encode()).decode()


def decoded(token: object) -> str:
    """Returns the key a token was made of; empty for what is no token."""
    try:
        return base64.urlsafe_b64decode(str(token).encode()).decode()
    except (binascii.Error, ValueError):
        return ""


def _time(body: Body, field: str) -> float:
    value = body.get(field)
    if not isinstance(value, int | float):
        raise ApiError(f"{field} is {value!r}, seconds since 1970 are expected")
    return float(value)
