"""`make deploy-local`: an app to the local AWS of a running `make local`, by the real CDK CLI."""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from harness.running import NotRunningError, find_running


def main() -> int:
    """Deploys every stack of an app, and says what to type next; the exit status of the CDK CLI."""
    parser = argparse.ArgumentParser(prog="make deploy-local", description=main.__doc__)
    parser.add_argument("--app", help="the app's command (default: what cdk.json says, the reference pipeline)")
    app: str | None = parser.parse_args().app
    try:
        running = find_running()
    except NotRunningError as error:
        print(f"make deploy-local: {error}", file=sys.stderr)
        return 1
    outputs = running.folder / "deployed.json"
    outputs.unlink(missing_ok=True)
    status = subprocess.run(_command(app, outputs), env=running.environment).returncode
    if status == 0:
        print(_what_next(json.loads(outputs.read_text(encoding="utf-8")) if outputs.exists() else {}))
    return status


def _command(app: str | None, outputs: Path) -> list[str]:
    # By default AWS records few of several requests in one second; the reference pipeline can take a rule.
    which = ["--app", app] if app else ["--context", "sampling=all"]
    command = ["cdk", "deploy", "--all", "--require-approval", "never", "--no-notices", "--no-version-reporting"]
    return [*command, *which, "--outputs-file", str(outputs)]


def _what_next(outputs: Mapping[str, Mapping[str, str]]) -> str:
    stacks = [stack for stack, values in outputs.items() if "ApiUrl" in values]
    if not stacks:
        return "\nNo stack has an output ApiUrl, so there is nothing to send to."
    lines = ["", "Next (after the second line of what `make local` printed):"]
    for stack in stacks:
        lines += [f"  traced-pipeline verify {stack}", f"  traced-pipeline trace --latest {stack}"]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
