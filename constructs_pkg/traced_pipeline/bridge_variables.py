"""The bridge's environment variables as users set them: names and values that the bridge does not read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from aws_cdk import Token

from .bridge_environment import (
    ENABLED,
    HOST,
    IGNORE_HOSTS,
    NUMBERS,
    OFF_WORDS,
    ON_WORDS,
    PREFIX,
    SWITCHES,
    TEXTS,
    WORDS,
    XRAY_SDK_ENABLED,
)
from .checks import Check, PipelineError

_SETTINGS = sorted({*SWITCHES, *WORDS, *NUMBERS, *TEXTS})


def check_bridge_variables(variables: Mapping[str, object] | None, *, where: str = "environment") -> None:
    """Refuses variables of the bridge that it would ignore, or whose values it would refuse when it starts.

    Args:
        variables: Environment variables; tokens and intrinsic functions are skipped.
        where: Where they are, for the message.

    Raises:
        PipelineError: A name that begins as the bridge's do is none of them, or a value means nothing to the bridge.
    """
    wrong = next(wrong_variables(variables or {}), None)
    if wrong is not None:
        raise PipelineError(Check.OPTION_VALUE, f"{where} has {wrong}")


def turned_off_by(variables: object) -> str | None:
    """Returns the variable that turns the bridge off, as `tracing="unbridged"` does; None where there is none.

    Args:
        variables: Environment variables, where they are known.
    """
    for name in (ENABLED, XRAY_SDK_ENABLED):
        value = variables.get(name) if isinstance(variables, Mapping) else None
        if isinstance(value, str) and value.strip().lower() in OFF_WORDS:
            return name
    return None


def wrong_variables(variables: Mapping[str, object]) -> Iterator[str]:
    """Yields what is wrong with variables of the bridge, a text for each, which begins with the variable's name."""
    for name, value in variables.items():
        if not name.startswith(PREFIX) or Token.is_unresolved(name):
            continue
        if name not in _SETTINGS:
            [nearest] = get_close_matches(name, _SETTINGS, n=1, cutoff=0.0)
            yield f"{name}, which is no setting of trace_bridge; did you mean {nearest}?"
        elif isinstance(value, str) and not Token.is_unresolved(value):
            expected = _expected_instead(name, value.strip())
            if expected:
                yield f"{name}={value!r}, but it must be {expected}"


def _expected_instead(name: str, text: str) -> str:
    """Returns what a setting has to be; empty where the text is that, or is empty, which stands for the default."""
    if not text:
        return ""
    if name in SWITCHES:
        return "" if text.lower() in ON_WORDS + OFF_WORDS else "true or false"
    if name in WORDS:
        return "" if text in WORDS[name] else f"one of {', '.join(map(repr, WORDS[name]))}"
    if name in NUMBERS:
        return _number_instead(text, *NUMBERS[name])
    if name == IGNORE_HOSTS and not all(re.fullmatch(HOST, host.strip().lower()) for host in text.split(",")):
        return "hosts without scheme, port or path, separated by commas: example.com, or *.example.com"
    return ""


def _number_instead(text: str, least: float, most: float) -> str:
    whole = isinstance(least, int)
    try:
        fits = least <= (int(text) if whole else float(text)) <= most
    except ValueError:
        fits = False
    return "" if fits else f"{'a whole' if whole else 'a'} number from {least:g} to {most:g}"
