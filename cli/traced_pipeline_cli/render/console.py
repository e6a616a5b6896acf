"""A trace's place in the X-Ray console, for the terminal."""

from __future__ import annotations

from rich.text import Text

from ..aws.console import ConsoleLink
from ..text import printable


def console_text(link: ConsoleLink) -> Text:
    """Returns the address, and the filter expression that finds the traces of the same service there."""
    text = Text(f"In the X-Ray console: {link.url}", style="dim")
    if link.filter_expression is not None:
        text.append(f"\n  filter expression: {printable(link.filter_expression)}")
    return text
