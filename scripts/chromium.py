"""Finds the browser that the page of traces is tested in, and installs Debian's where there is none and it can."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from scripts.installer import STATE

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
_APT = ["apt-get", "-o", "DPkg::Lock::Timeout=300", "--yes", "--quiet"]


def main() -> int:
    """Sees to it that there is a browser; 0 when there is."""
    if find() is None and _may_install():
        print("installing chromium …", file=sys.stderr)
        _install()
    if find() is None:
        print(
            "make test needs Chromium or Chrome on the PATH (Debian: apt-get install chromium; macOS: Google Chrome in "
            "/Applications), or CHROMIUM set to its file; make demo does not",
            file=sys.stderr,
        )
        return 1
    return 0


def find() -> str | None:
    """The browser's file: what the variable CHROMIUM names, or else what is on the PATH; None where there is none."""
    if named := os.environ.get("CHROMIUM"):
        return named if os.access(named, os.X_OK) else None
    browser = next((path for name in NAMES if (path := shutil.which(name))), None)
    return browser or (str(_MAC) if _MAC.exists() else None)


def _may_install() -> bool:
    return not os.environ.get("CHROMIUM") and os.geteuid() == 0 and shutil.which("apt-get") is not None


def _install() -> None:
    """Installs Debian's package; whether that worked is seen by what is found afterwards."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    STATE.mkdir(exist_ok=True)
    with (STATE / "chromium.log").open("ab") as log:
        for command in (["update"], ["install", "--no-install-recommends", "chromium"]):
            subprocess.run([*_APT, *command], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


if __name__ == "__main__":
    sys.exit(main())
