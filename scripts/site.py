"""`make docs`: the docs as a site in build/docs, searchable and without a server, every link of it checked.

Sphinx fails on a page, an anchor or a file that is not there. The built pages are then read once more for what Sphinx
does not follow, such as pictures in HTML. Of links to other sites only the form is checked, as this needs no network.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "build" / "docs"
FIRST_PAGE = "docs/README.html"

_SPHINX = ROOT / ".venv-docs" / "bin" / "sphinx-build"
_REDIRECT = f"""\
<!doctype html>
<meta charset="utf-8">
<title>traced-pipeline</title>
<meta http-equiv="refresh" content="0; url={FIRST_PAGE}">
<a href="{FIRST_PAGE}">Documentation</a>
"""
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


class _Page(HTMLParser):
    """Collects what a page links to, and the anchors it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - HTMLParser's
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            elif name in {"href", "src"} and value:
                self.links.append(value)
            elif name == "srcset" and value:
                self.links.extend(part.split()[0] for part in value.split(","))


def build(folder: Path, *, source: Path = ROOT) -> None:
    """Builds the site.

    Args:
        folder: Where to put it; what is there is replaced.
        source: The project's root, or a copy of its pages.

    Raises:
        subprocess.CalledProcessError: Sphinx found something wrong; it has said what, on standard error.
    """
    shutil.rmtree(folder, ignore_errors=True)
    command = [str(_SPHINX), "--quiet", "--fail-on-warning", "--keep-going", "-b", "html"]
    doctrees = folder.with_name(f"{folder.name}-doctrees")
    command += ["--conf-dir", str(source / "docs"), "--doctree-dir", str(doctrees), str(source), str(folder)]
    subprocess.run(command, check=True)
    # Pictures in HTML are not Sphinx's; the start of the site is in the folder of its page.
    shutil.copytree(source / "docs" / "images", folder / "docs" / "images")
    (folder / "index.html").write_text(_REDIRECT, encoding="utf-8")


def broken_links(folder: Path) -> Iterator[str]:
    """Yields what leads nowhere in a built site: the page, the link and what is wrong with it."""
    pages = {path: _Page(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.html"))}
    for path, page in pages.items():
        for link in page.links:
            if wrong := _fault(link, path, pages):
                yield f"{path.relative_to(folder)}: {link} {wrong}"


def _fault(link: str, path: Path, pages: dict[Path, _Page]) -> str | None:
    parts = urlsplit(link)
    if parts.scheme in {"data", "mailto"}:
        return None
    if parts.scheme or parts.netloc:
        well_formed = parts.scheme == "https" and _HOST.fullmatch(parts.netloc) and not re.search(r"\s", link)
        return None if well_formed else "is not the https address of a host"
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.is_file():
        return "is not there"
    # `#` alone is the top of the page.
    if parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
        return "names no anchor of that page"
    return None


def main() -> int:
    """Builds the site and checks its links; 0 when all is well."""
    try:
        build(SITE)
    except subprocess.CalledProcessError as error:
        return error.returncode
    broken = list(broken_links(SITE))
    for line in broken:
        print(f"broken link: {line}", file=sys.stderr)
    if not broken:
        print(f"The docs are in {(SITE / 'index.html').relative_to(ROOT)}.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
