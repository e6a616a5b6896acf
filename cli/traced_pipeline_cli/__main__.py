"""The command line `traced-pipeline`, also `python -m traced_pipeline_cli`."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: The arguments after the program's name; by default the process's.

    Returns:
        The exit status; the help says what each means.
    """
    try:
        # Imported here, so that a missing package is named instead of a traceback.
        from .commands.main import run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("boto3", "botocore", "rich"):
            raise
        sys.stderr.write(
            f"traced-pipeline: The package {error.name} is missing. Install the command line with what it needs: "
            "pip install traced-pipeline-cli\n"
        )
        return 2
    return run(argv)


if __name__ == "__main__":
    sys.exit(main())
