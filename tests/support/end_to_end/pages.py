"""What the page of `trace --html` shows."""

import json
import re
from pathlib import Path
from typing import Any


def shown_in(page: Path) -> dict[str, Any]:
    """What a page shows, read from the data it carries."""
    data = re.search(r'id="data">(.*?)</script>', page.read_text(encoding="utf-8"), re.DOTALL)
    assert data is not None
    shown: dict[str, Any] = json.loads(data.group(1))
    return shown


def lines_in(shown: dict[str, Any], text: str) -> list[dict[str, Any]]:
    """The log lines with a text, `traces` as the ids of the traces they stand beside."""
    order = [trace["id"] for trace in shown["traces"]]
    lines = [line for of in shown["logs"] if of for line in of["lines"] if text in line["text"]]
    return [{**line, "traces": [order[place] for place in line["traces"]]} for line in lines]
