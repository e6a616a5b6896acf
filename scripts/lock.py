"""Resolves `requirements/*.in` into files with hashes, for every supported Python and platform, without addresses."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = (ROOT / "requirements" / "uv.in").read_text(encoding="utf-8").splitlines()[-1]
_FIRST = "dev"
"""Whose versions the others take where they hold the same packages."""


def main() -> int:
    """Writes every `requirements/*.txt` and the lock of the CDK CLI."""
    tools = ROOT / "build" / "lock-tools"
    subprocess.run([sys.executable, "-m", "venv", str(tools)], check=True)
    subprocess.run([str(tools / "bin/pip"), "install", "--quiet", UV], check=True)
    sources = sorted((ROOT / "requirements").glob("*.in"), key=lambda source: (source.stem != _FIRST, source.stem))
    for source in sources:
        command = [str(tools / "bin/uv"), "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"]
        command += ["--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "--no-header"]
        if source.stem == "base":
            command += ["--constraint", str(source.with_name(f"{_FIRST}.txt"))]
        subprocess.run([*command, str(source), "-o", str(source.with_suffix(".txt"))], check=True)
        print(f"requirements/{source.with_suffix('.txt').name}")
    npm = ["npm", "install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run([*npm, "--omit-lockfile-registry-resolved"], cwd=ROOT, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
