"""The command line `traced-pipeline`, also `python -m traced_pipeline_cli`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .commands.output import write_error
from .exit_status import ExitStatus


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command.

    Args:
        argv: The arguments after the program's name; by default the process's.

    Returns:
        The exit status, one of `ExitStatus`; the help says what each means.
    """
    try:
        # Imported here, so that a missing package is named instead of a traceback.
        from .commands.main import run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("boto3", "botocore", "rich"):
            raise
        message = (
            f"The package {error.name} is missing. Install the command line with what it needs: "
            "pip install traced-pipeline-cli"
        )
        sys.stderr.write(f"traced-pipeline: {message}\n")
        if "--json" in (sys.argv[1:] if argv is None else argv):
            write_error(None, status=ExitStatus.USAGE, message=message)
        return ExitStatus.USAGE
    except KeyboardInterrupt:
        # Loading boto3 takes long enough to be interrupted.
        sys.stderr.write("traced-pipeline: Interrupted.\n")
        return ExitStatus.INTERRUPTED
    return run(argv)


if __name__ == "__main__":
    sys.exit(main())
