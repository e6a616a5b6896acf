"""The real CDK CLI, against the local AWS."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.local_aws import ROOT, LocalAws

_QUIET = ("--no-notices", "--no-version-reporting", "--no-color", "--progress", "events")
_TIMEOUT_SECONDS = 900.0


class CdkError(Exception):
    """The CDK CLI failed; the message has its last lines and the path of its log."""


class Cdk:
    """The CDK CLI with a home, an output folder and logs of its own.

    Args:
        aws: The local AWS to deploy to.
        validate: Whether the CDK checks the templates that an app synthesizes, which takes longer than the rest of the
            synthesis of a small app.
    """

    def __init__(self, aws: LocalAws, *, validate: bool = True) -> None:
        self._aws = aws
        # As the README of aws-cdk-lib has it.
        self._environment = {} if validate else {"CDK_VALIDATION": "false"}

    def bootstrap(self) -> None:
        """Bootstraps the local account, without an app."""
        facts = self._aws.facts
        self._run("bootstrap", ["bootstrap", f"aws://{facts.account}/{facts.region}"], self._aws.folder)

    def deploy(
        self,
        *,
        app: str | None = None,
        folder: Path = ROOT,
        context: Mapping[str, str] | None = None,
        name: str = "app",
    ) -> dict[str, dict[str, str]]:
        """Deploys every stack of an app.

        Args:
            app: The app's command, or a folder that holds a cloud assembly. Default: what `cdk.json` says.
            folder: Where the command runs.
            context: Context values.
            name: What the run's files are named after.

        Returns:
            The outputs, by stack and output name.

        Raises:
            CdkError: It could not be deployed.
        """
        outputs = self._aws.folder / f"{name}-outputs.json"
        arguments = ["deploy", "--all", "--require-approval", "never", "--outputs-file", str(outputs)]
        arguments += ["--output", str(self._aws.folder / f"{name}.out")] if app is None or " " in app else []
        arguments += ["--app", app] if app else []
        for key, value in (context or {}).items():
            arguments += ["--context", f"{key}={value}"]
        self._run(f"deploy-{name}", arguments, folder)
        by_stack: dict[str, dict[str, str]] = (
            json.loads(outputs.read_text(encoding="utf-8")) if outputs.exists() else {}
        )
        return by_stack

    def diff(self, assembly: Path, *, name: str) -> str:
        """Compares every stack of a cloud assembly with what is deployed.

        Args:
            assembly: The folder that holds it.
            name: What the run's files are named after.

        Returns:
            What the CLI prints.

        Raises:
            CdkError: It could not be compared.
        """
        log = self._run(f"diff-{name}", ["diff", "--method", "template", "--app", str(assembly)], ROOT)
        return log.read_text(encoding="utf-8")

    def _run(self, name: str, arguments: Sequence[str], folder: Path) -> Path:
        log = self._aws.folder / f"cdk-{name}.log"
        command = [str(ROOT / "node_modules/.bin/cdk"), *arguments, *_QUIET]
        with log.open("wb") as output:
            finished = subprocess.run(
                command,
                cwd=folder,
                env={**self._aws.environment, **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=_TIMEOUT_SECONDS,
                check=False,
            )
        if finished.returncode:
            raise CdkError(f"cdk {arguments[0]} failed: {_reason(log)} ({log})")
        return log


def _reason(log: Path) -> str:
    """Returns the lines of a log that say why."""
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "CREATE_FAILED" in line or "Error" in line or "❌" in line]
    return " | ".join((errors or lines)[-3:])[:1000] or "its log is empty"
