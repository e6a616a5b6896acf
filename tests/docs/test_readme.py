"""README.md: what it says of other pages is what they say."""

import re

from scripts.pages import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMPARISON = (ROOT / "docs" / "comparison.md").read_text(encoding="utf-8")


def test_its_lines_of_code_are_those_of_the_comparison() -> None:
    said = re.search(
        r"takes (\d+) lines with five AWS Solutions Constructs, .*? and (\d+) in plain CDK", README, re.DOTALL
    )
    row = re.search(r"^\| lines a user writes \| \d+ \| (\d+) \| \d+ \| (\d+) \|$", COMPARISON, re.MULTILINE)
    assert said
    assert row
    assert said.groups() == row.groups()
