"""Puts a function's layers where its wrapper script looks for them, and becomes that script.

It is run as a program, in the function's environment and with the path of MiniStack's worker as its argument, so it
imports the standard library alone.
"""

import os
import re
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

_VARIABLE = "AWS_LAMBDA_EXEC_WRAPPER"
_OPT = re.compile(rb"(?<![\w./-])/opt(?=[/\"'\s:;]|$)")
_NO_SUCH_FILE, _NOT_EXECUTABLE = 127, 126


def main(worker: Path) -> None:
    """Runs the wrapper script in place of this program; ends it if that cannot be done.

    Args:
        worker: MiniStack's worker, in the folder of this environment of the function; the zipped layers are beside it.
    """
    opt = worker.parent / "opt"
    opt.mkdir()
    layers = sorted(worker.parent.glob("layer_*.zip"), key=lambda path: int(path.stem.removeprefix("layer_")))
    _extract(layers, opt)
    named = os.environ[_VARIABLE]
    wrapper = _mapped(named.encode(), opt).decode()
    # As the start-up script says it in the images of the runtime that AWS publishes.
    if not Path(wrapper).is_file():
        _end(f"{named}: does not exist", _NO_SUCH_FILE)
    if not os.access(wrapper, os.X_OK):
        _end(f"{named}: is not an executable", _NOT_EXECUTABLE)
    python = Path(sys.executable)
    os.environ |= {
        _VARIABLE: wrapper,
        "LAMBDA_RUNTIME_DIR": str(worker.parent),
        "PATH": os.pathsep.join([str(python.parent), os.environ.get("PATH", os.defpath), str(opt / "bin")]),
        "_LAMBDA_LAYERS_DIRS": str(opt),
    }
    try:
        os.execv(wrapper, [wrapper, str(python), str(worker)])  # noqa: S606 - the function's own script
    except OSError as problem:
        _end(f"{named}: cannot be run ({problem.strerror}); its first line must name its interpreter", _NOT_EXECUTABLE)


def _end(reason: str, status: int) -> NoReturn:
    sys.stderr.write(f"{reason}\n")
    sys.exit(status)


def _extract(layers: Iterable[Path], opt: Path) -> None:
    """Extracts layers one over the other, with the files' modes, and maps `/opt` in their scripts."""
    for layer in layers:
        with zipfile.ZipFile(layer) as archive:
            for entry in archive.infolist():
                path = Path(archive.extract(entry, opt))
                mode = entry.external_attr >> 16 & 0o777
                if entry.is_dir() or not mode:
                    continue
                path.chmod(mode | 0o600)
                content = path.read_bytes()
                if mode & 0o111 and content.startswith(b"#!"):
                    path.write_bytes(_mapped(content, opt))


def _mapped(text: bytes, opt: Path) -> bytes:
    """Returns a text with the folder in place of `/opt`."""
    return _OPT.sub(lambda _match: os.fsencode(opt), text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
