"""Reads JSON that somebody else wrote: a body, a policy, a line of a log."""

from __future__ import annotations

import json


def read_json(text: str) -> object:
    """Returns the value of a JSON text; None where it is no JSON, or is nested too deep to be read."""
    try:
        value: object = json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError):
        return None
    return value


def _refused(constant: str) -> object:
    # Python reads NaN and Infinity, which RFC 8259 does not have.
    raise ValueError(constant)
