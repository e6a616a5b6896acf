"""The documents: their snippets, and the parts of them that are made from the code.

Run by itself it checks the snippets that make a stack as the project's own code is checked: format, lint and types.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

# A snippet has no docstrings, prints, asserts as a reader would, and takes what an interface of the CDK gives it.
_OF_PROGRAMS = "D,T20,S101,A002,ARG002"
_SNIPPET = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Snippet:
    """A Python block of a page, under its heading."""

    page: Path
    heading: str
    line: int
    code: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"

    @property
    def is_an_app(self) -> bool:
        """Whether it makes a stack, and so can be synthesized by itself."""
        return bool(re.search(r"^\s*stack = Stack\(", self.code, re.MULTILINE))


def snippets(page: Path) -> list[Snippet]:
    """All the Python blocks of a page; `line` is that of their first line of code."""
    text = page.read_text(encoding="utf-8")
    return [
        Snippet(
            page=page,
            heading=re.findall(r"^#+ (.+)$", text[: match.start()], re.MULTILINE)[-1],
            line=text.count("\n", 0, match.start(1)) + 1,
            code=match[1],
        )
        for match in _SNIPPET.finditer(text)
    ]


def between(page: Path, name: str) -> str:
    """The part of a page that is made from the code, between its two marks.

    Raises:
        LookupError: The page has no such marks.
    """
    match = _part(name).search(page.read_text(encoding="utf-8"))
    if match is None:
        raise LookupError(f"{page.name} has no part {name!r}; expected the two comments that mark it")
    return match[2]


def put_between(page: Path, name: str, text: str) -> None:
    """Write that part anew."""
    old = page.read_text(encoding="utf-8")
    page.write_text(_part(name).sub(lambda match: match[1] + text + match[3], old), encoding="utf-8")


def _part(name: str) -> re.Pattern[str]:
    marks = (f"<!-- made from the code: {name} -->\n", f"<!-- end of {name} -->")
    return re.compile(f"({re.escape(marks[0])})(.*?)({re.escape(marks[1])})", re.DOTALL)


def main() -> int:
    """Checks the snippets; 0 when nothing is wrong with them."""
    folder = ROOT / "build" / "snippets"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    files = []
    for snippet in [snippet for page in PAGES for snippet in snippets(page) if snippet.is_an_app]:
        # A finding names the file, and the file the page and its line.
        file = folder / f"{snippet.page.stem.lower().replace('-', '_')}_{snippet.line}.py"
        file.write_text(snippet.code, encoding="utf-8")
        files.append(str(file.relative_to(ROOT)))
    commands = [
        ["ruff", "format", "--quiet", "--check", *files],
        ["ruff", "check", "--quiet", "--ignore", _OF_PROGRAMS, *files],
        ["mypy", *files],
    ]
    return max(subprocess.run(command, cwd=ROOT).returncode for command in commands)


if __name__ == "__main__":
    sys.exit(main())
