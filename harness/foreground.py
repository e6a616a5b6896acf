"""`make local`: the local AWS in the foreground, bootstrapped, and what to type next."""

import argparse
import shutil
import signal
import socket
import sys
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from harness.cdk import Cdk, CdkError
from harness.local_aws import ROOT, LocalAws, LocalAwsError, new_run_folder
from harness.progress import Progress
from harness.running import RunningLocalAws, announced

USUAL_PORT = 4566
"""The port of its endpoint where nobody else has it; MiniStack's own."""

_NEXT = """\
The local AWS serves at {endpoint}: account {account}, region {region}, bootstrapped.
Ctrl-C stops it, and nothing of it is kept. Its log: {log}

Next, in another shell (sh, bash or zsh), which from the second line on talks to this AWS and to no other:

  cd {root}
  . {environment}
  make deploy-local     # first: the reference pipeline, and the logging role that APIs need once in an account
  traced-pipeline send TracedPipeline
  traced-pipeline verify TracedPipeline     # sends another request, and waits until its trace is whole
  traced-pipeline trace --latest TracedPipeline
  aws sqs list-queues --endpoint-url "$AWS_ENDPOINT_URL"     # AWS CLI 2 needs no --endpoint-url

Then an example, here the one with a handler of your own:

  cdk deploy --require-approval never --app "python3 examples/own_handler.py"
  traced-pipeline verify OwnHandler
  traced-pipeline trace --latest OwnHandler

Edit examples/handlers/pricing/app.py, deploy its code alone, and `verify` and `trace` again:

  cdk deploy --hotswap --app "python3 examples/own_handler.py"

An app of your own is deployed in the same way, from its folder. If it has a virtual environment, activate that after
the second line, so that `python3` is the one with your packages.
"""


def main() -> int:
    """Runs the local AWS until Ctrl-C and says how to use it."""
    parser = argparse.ArgumentParser(prog="make local", description=main.__doc__)
    parser.add_argument("--port", type=int, help=f"port of the endpoint (default: {USUAL_PORT} if free, or any other)")
    port: int | None = parser.parse_args().port
    signal.signal(signal.SIGTERM, _interrupt)
    folder = new_run_folder()
    try:
        return _run(folder, _free_port() if port is None else port)
    except (LocalAwsError, CdkError) as error:
        print(f"make local: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        return 0


def _run(folder: Path, port: int) -> int:
    progress = Progress(sys.stderr)
    with ExitStack() as running:
        with progress.step("starting the local AWS"):
            aws = running.enter_context(LocalAws(folder, port=port))
        with progress.step("cdk bootstrap"):
            Cdk(aws).bootstrap()
        environment = running.enter_context(announced(RunningLocalAws(facts=aws.facts, folder=folder)))
        print(
            _NEXT.format(
                endpoint=aws.facts.endpoint,
                account=aws.facts.account,
                region=aws.facts.region,
                root=ROOT,
                environment=environment.relative_to(ROOT),
                log=aws.log,
            ),
            flush=True,
        )
        status = aws.wait()
        print(f"make local: the local AWS ended by itself with {status} ({aws.log})", file=sys.stderr)
        return 1


def _free_port() -> int:
    """Returns the usual port, or 0 for any other where it is taken."""
    try:
        socket.create_server(("127.0.0.1", USUAL_PORT)).close()
    except OSError:
        print(f"port {USUAL_PORT} is taken; another one is used", file=sys.stderr)
        return 0
    return USUAL_PORT


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
