"""`make docs`: the site builds without a warning, no link of it is broken, and its index answers what is asked."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.pages import ROOT
from scripts.site import FIRST_PAGE, broken_links, build

INDEX = ROOT / "docs" / "README.md"
ASKED = {
    "What does it cost?": "costs.md#the-whole-pipeline",
    "without traffic?": "costs.md#without-traffic",
    "Unsampled messages?": "operate.md#sampling-and-unsampled-messages",
    "Powertools?": "with-other-tools.md#powertools-for-aws-lambda",
    "OpenTelemetry, or the ADOT layer": "opentelemetry.md#choosing",
    "Datadog?": "datadog.md#through-x-ray",
    "alarms": "operate.md#alarms",
    "upgrade": "operate.md#upgrading",
    "permissions does a deployment need": "operate.md#permissions-to-deploy",
    "moto, a fake context, `__wrapped__`": "handlers.md#unit-tests",
    "handler of my own": "handlers.md#an-ingest-handler",
    "SAM, Terraform": "trace-bridge.md#sam-and-terraform",
    "ECS": "trace-bridge.md#ecs-and-ec2",
    "(L2) constructs": "migrate.md#hand-your-resources-over",
    "property injectors": "with-other-tools.md#property-injectors",
}
"""What readers looked for and did not find, and where the answer is."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a warning of Sphinx would have failed it."""
    folder = tmp_path_factory.mktemp("site") / "docs"
    build(folder)
    return folder


def test_no_link_of_the_site_is_broken(site: Path) -> None:
    assert list(broken_links(site)) == []


def test_the_site_begins_at_the_index_and_has_a_search(site: Path) -> None:
    assert FIRST_PAGE in (site / "index.html").read_text(encoding="utf-8")
    first = (site / FIRST_PAGE).read_text(encoding="utf-8")
    assert "What does it cost?" in first
    assert "search.html" in first
    assert "visibility" in (site / "searchindex.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("question", ASKED)
def test_the_index_answers(question: str, site: Path) -> None:
    rows = [line for line in INDEX.read_text(encoding="utf-8").splitlines() if question in line.split(" | ")[0]]
    assert any(f"({ASKED[question]})" in row for row in rows)
    name, _, anchor = ASKED[question].partition("#")
    page = (site / "docs" / name.replace(".md", ".html")).read_text(encoding="utf-8")
    assert f'id="{anchor}"' in page


def test_every_page_of_the_docs_is_in_the_side_bar(site: Path) -> None:
    first = (site / FIRST_PAGE).read_text(encoding="utf-8")
    side_bar = set(re.findall(r'class="reference internal" href="([\w./-]+\.html)"', first))
    pages = {page.stem for page in (ROOT / "docs").glob("*.md")} - {"README"}
    assert {f"{page}.html" for page in pages} <= side_bar


def test_a_broken_link_in_a_page_fails_the_build(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "source"
    shutil.copytree(ROOT / "docs" / "images", source / "docs" / "images")
    for file in ("docs/conf.py", "pyproject.toml"):
        shutil.copy(ROOT / file, source / file)
    # All the pages, each with nothing but a heading.
    for page in (path for folder in (".", "docs", "examples", "local") for path in (ROOT / folder).glob("*.md")):
        stub = source / page.relative_to(ROOT)
        stub.parent.mkdir(exist_ok=True)
        stub.write_text(f"# {page.stem}\n")
    broken = source / "docs" / "operate.md"
    broken.write_text("# operate\n\n[gone](constructs.md#no-such-part) [none](no-such-page.md)\n")
    with pytest.raises(subprocess.CalledProcessError):
        build(tmp_path / "site", source=source)
    said = capfd.readouterr().err
    assert "no-such-part" in said
    assert "no-such-page.md" in said
    assert said.count("WARNING") == 2


def test_what_sphinx_does_not_follow_is_checked_in_the_built_pages(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<p id="here"><a href="#here">good</a> <a href="#gone">no anchor</a> <img src="none.png">'
        '<a href="b.html#there">good</a> <a href="b.html#gone">no anchor</a> <a href="https://aws.amazon.com/x">good</a>'
        '<a href="http://aws.amazon.com">no https</a> <a href="https://localhost">no host</a>'
    )
    (tmp_path / "b.html").write_text('<h1 id="there">There</h1>')
    assert [line.split()[1] for line in broken_links(tmp_path)] == [
        "#gone",
        "none.png",
        "b.html#gone",
        "http://aws.amazon.com",
        "https://localhost",
    ]
