"""Lambda: the wrapper script of a Python function, and the content of its layers in `/opt`.

Source: Lambda Developer Guide, "Modifying the runtime environment", "Wrapper scripts": with `AWS_LAMBDA_EXEC_WRAPPER`
"Lambda runs your script instead of the runtime's start-up", with the path of the runtime and its arguments as the
script's own; "Adding layers to functions": "Lambda extracts the layer contents into the /opt directory", each layer's
over those before it. The script may change every variable of the environment, `_HANDLER` among them.

There is no `/opt` here that functions could share. A function with a wrapper script gets a folder of its own with what
AWS has there, and in its variable and in scripts of its layers `/opt` is that folder: see `wrapper_launch`.
"""

import shlex
import subprocess
import sys
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime

from local.propagation import request_context

VARIABLE = "AWS_LAMBDA_EXEC_WRAPPER"
WORKER_LINE = "    os.environ.update(env)\n"
"""The line of MiniStack's worker that sets variables which the process has had from its start."""

_LAUNCH = Path(__file__).with_name("wrapper_launch.py")
# Behind it: what a wrapper script has changed stays changed.
_HANDLER = """    if "AWS_LAMBDA_EXEC_WRAPPER" in os.environ:
        module_name, _, handler_name = os.environ["_HANDLER"].replace("/", ".").rpartition(".")
"""

_EXIT_SECONDS = 2.0
# How MiniStack begins its error about a process that ended before it was ready.
_ENDED = "Worker process exited immediately"

_has_wrapper: ContextVar[bool] = ContextVar("has_wrapper", default=False)


def install(work_dir: Path) -> None:
    """Starts Python functions by their wrapper scripts.

    Args:
        work_dir: Where the script goes that starts wrapper scripts.
    """
    detect, spawn = lambda_runtime._detect_runtime_binary, lambda_runtime.Worker._spawn
    launcher = _launcher(work_dir)

    def detect_or_launch(runtime: str) -> tuple[str, str]:
        binary, script = detect(runtime)
        return (str(launcher) if _has_wrapper.get() and runtime.startswith("python") else binary), script

    def spawn_by_wrapper(worker: Any) -> None:
        variables = (worker.config.get("Environment") or {}).get("Variables") or {}
        has_wrapper = bool(variables.get(VARIABLE))
        with request_context.using(_has_wrapper, has_wrapper):
            try:
                spawn(worker)
            except RuntimeError as problem:
                if has_wrapper and str(problem).startswith(_ENDED) and (error := _exit_error(worker)):
                    raise error from None
                raise

    lambda_runtime._detect_runtime_binary = detect_or_launch
    lambda_runtime.Worker._spawn = spawn_by_wrapper
    script: str = lambda_runtime._PYTHON_WORKER_SCRIPT
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(WORKER_LINE, _HANDLER)


class ExitError(RuntimeError):
    """The wrapper script, or what it started, ended before the function was ready."""


# "Runtime.ExitError": Lambda Developer Guide, "Troubleshoot execution issues in Lambda". MiniStack answers the name.
ExitError.__name__ = "Runtime.ExitError"


def _exit_error(worker: Any) -> ExitError | None:
    """Returns how a worker's process ended, with what it wrote; `None` if it has not."""
    try:
        status = worker._proc.wait(_EXIT_SECONDS)
    except subprocess.TimeoutExpired:
        return None
    worker._stderr_thread.join(_EXIT_SECONDS)
    return ExitError(f"Runtime exited with error: exit status {status}: {worker._drain_stderr()}")


def _launcher(work_dir: Path) -> Path:
    """Writes the program that stands where MiniStack expects the interpreter."""
    launcher = work_dir / "wrapper-launch"
    command = shlex.join([sys.executable, "-I", str(_LAUNCH)])
    launcher.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
    launcher.chmod(0o700)
    return launcher
