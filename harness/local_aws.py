"""The local AWS as a child process."""

import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.environment import bare_environment, local_environment
from harness.facts import LocalFacts

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".venv-local/bin/python"
"""The interpreter that has MiniStack."""

# Generous: on a busy machine starting takes many times as long as on a quiet one.
_START_SECONDS = 180.0
_STOP_SECONDS = 30.0


class LocalAwsError(Exception):
    """The local AWS did not start or stop; the message says why and where its log is."""


class LocalAws:
    """A local AWS of its own, on free ports, with its state in a folder of the run; stops at the end of the block.

    It also ends by itself when this process dies, since it follows the pipe this process holds.

    Args:
        folder: Where its state and log go.
        port: The port of its endpoint; 0 for a free one.
    """

    def __init__(self, folder: Path, *, port: int = 0) -> None:
        self.folder = folder
        self.log = folder / "local-aws.log"
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._facts: LocalFacts | None = None

    @property
    def facts(self) -> LocalFacts:
        """Where it is.

        Raises:
            LocalAwsError: It is not running.
        """
        if self._facts is None:
            raise LocalAwsError("the local AWS is not running; use it inside its with block")
        return self._facts

    @property
    def pid(self) -> int:
        """The id of its process.

        Raises:
            LocalAwsError: It is not running.
        """
        if self._process is None:
            raise LocalAwsError("the local AWS is not running; use it inside its with block")
        return self._process.pid

    @property
    def environment(self) -> dict[str, str]:
        """The environment for children that talk to it, and to it alone."""
        return local_environment(self.folder / "home", self.facts)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        ready_file = self.folder / "ready.json"
        ready_file.unlink(missing_ok=True)
        command = [str(PYTHON), "-m", "local", "--follow-stdin", "--port", str(self._port)]
        command += ["--ready-file", str(ready_file), "--work-dir", str(self.folder / "state")]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=bare_environment(self.folder / "home"),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._facts = self._wait_until_ready(ready_file)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def wait(self) -> int:
        """Waits until it ends by itself; returns its exit status."""
        return self._process.wait() if self._process is not None else 0

    def stop(self) -> None:
        """Stops it, and waits until it has ended."""
        process, self._process, self._facts = self._process, None, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _wait_until_ready(self, ready_file: Path) -> LocalFacts:
        process = self._process
        ends = time.monotonic() + _START_SECONDS
        while time.monotonic() < ends and process is not None:
            if ready_file.exists():
                return LocalFacts.read(ready_file)
            try:
                status = process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            raise LocalAwsError(f"the local AWS ended with {status} while starting: {self._last_line()} ({self.log})")
        raise LocalAwsError(f"the local AWS did not serve within {_START_SECONDS:g} s ({self.log})")

    def _last_line(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return next((line for line in reversed(lines) if line.strip()), "its log is empty")


def new_run_folder() -> Path:
    """Returns a folder for one run: state, logs, output of the CDK CLI."""
    return Path(tempfile.mkdtemp(prefix="traced-pipeline-"))
