"""Numbers and names as people read them."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime

_HOURS_IN_DAYS = 48
_MADE_NAME = re.compile(r".+?-(?P<logical>[A-Za-z0-9]+?)[0-9A-F]{4,8}-[A-Za-z0-9]{8,16}(\.fifo)?")


def duration(seconds: float | None) -> str:
    """Returns a duration in three digits at most and a unit: `12 ms`, `1.24 s`, `13 d 4 h`; `–` for None."""
    if seconds is None:
        return "–"
    if 0 < seconds < 0.0001:
        return "<0.1 ms"
    if seconds < 0.0095:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= _HOURS_IN_DAYS:
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def clock(seconds: float) -> str:
    """Returns a moment given in seconds since the epoch, in UTC to the millisecond: `2026-11-25 15:18:47.618`."""
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return "no time in the calendar"
    return moment.isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")


def counted(number: int, word: str) -> str:
    """Returns a number with its word, which takes an s where there is not one: `1 request`, `20 requests`."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    """Returns a name that moves no cursor and colours no terminal: control characters become `?`."""
    return "".join("?" if unicodedata.category(character)[0] == "C" else character for character in text)


def one_line(text: str) -> str:
    """Returns a text in one line that moves no cursor and colours no terminal."""
    return printable(" ".join(text.split()))


def sentence(text: str) -> str:
    """Returns a text in one line that another sentence can follow."""
    line = one_line(text)
    return f"{line}." if line and line[-1] not in ".!?" else line


def short_name(name: str) -> str:
    """Returns a resource's name without its address: of a queue's URL or an ARN, the last part."""
    text = printable(name)
    if text.startswith(("http://", "https://")) and "/" in text.rstrip("/")[8:]:
        return text.rstrip("/").rsplit("/", 1)[-1]
    return text.rsplit(":", 1)[-1] if text.startswith("arn:") else text


def readable_name(name: str) -> str:
    """What a person wrote of a name that CloudFormation and the CDK made, otherwise the name.

    CloudFormation names resources `<stack>-<logical id>-<random>`, and the CDK's logical ids end in eight
    hexadecimal digits (fewer where the name was cut to its limit).
    """
    text = short_name(name)
    made = _MADE_NAME.fullmatch(text)
    return made.group("logical") if made else text


def fitted(name: str, width: int) -> str:
    """Returns a resource's name for so many columns: whole, or else its readable part, or else clipped."""
    whole = short_name(name)
    return whole if len(whole) <= width else clipped(readable_name(name), width)


def clipped(text: str, width: int) -> str:
    """Returns a text of at most so many characters; what is too long loses its middle, since both ends tell."""
    if len(text) <= width:
        return text
    if width < 4:
        return text[: max(0, width)]
    tail = (width - 1) // 2
    return f"{text[: width - 1 - tail]}…{text[len(text) - tail :]}"
