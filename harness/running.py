"""The local AWS of a `make local` that runs: what other shells and `make deploy-local` know of it.

Each one has a folder `build/local/<port>` while it runs, with its facts and a file that a shell reads.
"""

import json
import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from harness.environment import REFUSED_PREFIXES, local_environment
from harness.facts import LocalFacts

ROOT = Path(__file__).resolve().parent.parent
_FOLDER = ROOT / "build" / "local"
_OF_A_SHELL = ("AWS_", "CDK_", "NODE_EXTRA", "JSII_", "NO_PROXY", "no_proxy")


class NotRunningError(Exception):
    """There is no local AWS to deploy to, or more than one; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class RunningLocalAws:
    """One that runs.

    Attributes:
        facts: Where it is.
        folder: Its state, logs and home directory.
    """

    facts: LocalFacts
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """The environment for children that talk to it, and to it alone."""
        return local_environment(self.folder / "home", self.facts)


@contextmanager
def announced(running: RunningLocalAws, *, folder: Path = _FOLDER) -> Iterator[Path]:
    """Makes it known as long as the block runs; gives the file that a shell reads.

    Args:
        running: The local AWS.
        folder: Where they are announced.
    """
    folder = folder / str(urlsplit(running.facts.endpoint).port)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    facts = {"facts": asdict(running.facts), "folder": str(running.folder), "pid": os.getpid()}
    (folder / "facts.json").write_text(json.dumps(facts, indent=2), encoding="utf-8")
    (folder / "env").write_text(shell_text(running.environment), encoding="utf-8")
    try:
        yield folder / "env"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def find_running(environment: Mapping[str, str] = os.environ, *, folder: Path = _FOLDER) -> RunningLocalAws:
    """Finds the one that the shell talks to, or else the only one.

    Args:
        environment: The shell's.
        folder: Where they are announced.

    Raises:
        NotRunningError: None runs, or several do and the shell names none of them.
    """
    running = [local for path in sorted(folder.glob("*/facts.json")) if (local := _read(path)) is not None]
    named = [local for local in running if local.facts.endpoint == environment.get("AWS_ENDPOINT_URL")]
    candidates = named or running
    if not candidates:
        raise NotRunningError("no local AWS of this checkout is running; start one with `make local` in another shell")
    if len(candidates) > 1:
        files = " or ".join(f"`. {folder / str(urlsplit(local.facts.endpoint).port) / 'env'}`" for local in running)
        raise NotRunningError(f"{len(candidates)} local AWS are running; choose one by {files}")
    return candidates[0]


def shell_text(environment: Mapping[str, str]) -> str:
    """Returns the lines by which a shell (sh, bash, zsh) talks to the local AWS alone, project's tools first."""
    node = (ROOT / ".setup/node-path").read_text(encoding="utf-8").strip()
    tools = [str(ROOT / ".venv/bin"), node, str(ROOT / "node_modules/.bin")]
    refused = "|".join(f"{prefix}*" for prefix in REFUSED_PREFIXES)
    wanted = {name: value for name, value in sorted(environment.items()) if name.startswith(_OF_A_SHELL)}
    wanted |= {"CDK_HOME": environment["HOME"], "JSII_NODE": f"{node}/node"}
    lines = [
        "# Read by a shell, it talks to the local AWS and to nothing else; close the shell to be rid of it.",
        "for name in $(env | cut -d= -f1); do",
        f'  case "$name" in {refused}|*_proxy|*_PROXY) unset "$name" ;; esac',
        "done",
        *(f"export {name}={shlex.quote(value)}" for name, value in wanted.items()),
        f'export PATH={shlex.quote(":".join(tools))}:"$PATH"',
    ]
    return "".join(f"{line}\n" for line in lines)


def _read(path: Path) -> RunningLocalAws | None:
    """Returns what a file announces; `None` where the process that wrote it has ended."""
    announced = json.loads(path.read_text(encoding="utf-8"))
    try:
        os.kill(int(announced["pid"]), 0)
    except ProcessLookupError:
        return None
    return RunningLocalAws(facts=LocalFacts(**announced["facts"]), folder=Path(announced["folder"]))
