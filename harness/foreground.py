"""`make local`: the local AWS in the foreground."""

import argparse
import shutil
import signal
import sys
from types import FrameType

from harness.local_aws import LocalAws, LocalAwsError, new_run_folder


def main() -> int:
    """Runs the local AWS until Ctrl-C and tells how to reach it."""
    parser = argparse.ArgumentParser(prog="make local", description=main.__doc__)
    parser.add_argument("--port", type=int, default=0, help="port of the endpoint (default: a free one)")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    folder = new_run_folder()
    try:
        with LocalAws(folder, port=arguments.port) as aws:
            print("# the local AWS serves; for another shell:")
            for name, value in sorted(aws.environment.items()):
                if name.startswith(("AWS_", "NODE_EXTRA")):
                    print(f"export {name}={value}")
            print(f"# log: {aws.log}; Ctrl-C stops it", flush=True)
            return aws.wait()
    except LocalAwsError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
