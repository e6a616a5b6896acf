"""Command line: `python -m local --ready-file FILE --work-dir DIR`."""

import argparse
import logging
import os
import sys
from pathlib import Path

from local import ministack_contract, server


def main() -> int:
    """Runs the local AWS in the foreground; 0 after a clean stop, 2 when it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m local", description="The local AWS: MiniStack with X-Ray.")
    parser.add_argument("--ready-file", type=Path, help="written with endpoint and credentials once it serves")
    parser.add_argument("--work-dir", type=Path, help="directory for every file of the run")
    parser.add_argument("--port", type=int, default=0, help="TCP port on 127.0.0.1 (default: a free one)")
    parser.add_argument("--follow-stdin", action="store_true", help="stop when standard input ends")
    parser.add_argument("--log-level", default="INFO", help="of MiniStack, on standard error (default: INFO)")
    parser.add_argument("--check-names", action="store_true", help="check and list MiniStack's names, then end")
    arguments = parser.parse_args()
    try:
        if arguments.check_names:
            ministack_contract.check()
            sys.stdout.writelines(f"{name}\n" for name in ministack_contract.REQUIRED)
            return 0
        if arguments.ready_file is None or arguments.work_dir is None:
            parser.error("--ready-file and --work-dir are needed")
        server.run(
            server.Options(
                ready_file=arguments.ready_file,
                work_dir=arguments.work_dir,
                port=arguments.port,
                follow_stdin=arguments.follow_stdin,
                log_level=arguments.log_level,
            )
        )
    except (ministack_contract.NamesGoneError, OSError) as problem:
        sys.stderr.write(f"local: {problem}\n")
        return 2
    return 0


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    # MiniStack's pools keep threads that nobody joins; the functions are stopped by now.
    os._exit(code)
