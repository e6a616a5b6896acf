"""The commands of `traced-pipeline`, their help and their exit status."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from botocore.exceptions import BotoCoreError, ClientError

from ..aws.error_messages import describe
from ..aws.session import connect
from ..errors import OpsError
from . import failed, redrive, send, trace, verify
from .terminal import give_up_output, is_output_error, prepare_output, say

_EPILOG = """\
exit status:
  0    done
  1    the answer is no: the API refused a request, the trace is not connected, messages remain
       in the dead-letter queue
  2    the command line is wrong, or a package is missing
  3    not found: the stack, a trace, or a dead-letter message to redrive
  4    AWS refused or was not reached: credentials, permissions, network
  130  interrupted

Endpoints, profiles, regions, certificates and proxies are those boto3 is configured with (AWS_PROFILE,
AWS_REGION, AWS_ENDPOINT_URL, AWS_CA_BUNDLE, ...), so everything works on a local AWS as well.
"""


def run(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: The arguments after the program's name; by default the process's.

    Returns:
        The exit status.
    """
    prepare_output()
    try:
        arguments = _parser().parse_args(argv)
        connection = connect(profile=arguments.profile, region=arguments.region)
        status: int = arguments.run(arguments, connection)
        sys.stdout.flush()
    except OpsError as error:
        return _failed(str(error), error.exit_status)
    except (BotoCoreError, ClientError) as error:
        return _failed(describe(error), OpsError.exit_status)
    except KeyboardInterrupt:
        return _failed("Interrupted.", 130)
    except BrokenPipeError:
        # Whoever read the output has enough.
        give_up_output()
        return 0
    except OSError as error:
        if not is_output_error(error):
            raise
        say(f"traced-pipeline: The output cannot be written: {error.strerror}.")
        give_up_output()
        return OpsError.exit_status
    return status


def _failed(message: str, status: int) -> int:
    say(f"traced-pipeline: {message}")
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="traced-pipeline",
        description="Sends requests through a traced pipeline and shows where their traces go.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--profile", help="the AWS profile (default: as boto3 is configured)")
    common.add_argument("--region", help="the AWS region (default: as boto3 is configured)")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    sending = commands.add_parser("send", parents=[common], help="post requests to a stack's API")
    sending.description = "Signs requests with your AWS credentials and posts them to the stack's API."
    send.add_arguments(sending)
    sending.set_defaults(run=send.run)
    tracing = commands.add_parser("trace", parents=[common], help="show traces as a map and a waterfall")
    tracing.description = "Fetches traces from X-Ray and shows them as a map and a waterfall."
    trace.add_arguments(tracing)
    tracing.set_defaults(run=trace.run)
    verifying = commands.add_parser("verify", parents=[common], help="say whether traces go through, and why not")
    verifying.description = "Sends one request, follows its trace hop by hop, and names what breaks it."
    verify.add_arguments(verifying)
    verifying.set_defaults(run=verify.run)
    failing = commands.add_parser(
        "failed", parents=[common], help="list dead-letter messages, their traces and reasons"
    )
    failing.description = "Lists the messages in the stack's dead-letter queues, and leaves them there."
    failed.add_arguments(failing)
    failing.set_defaults(run=failed.run)
    redriving = commands.add_parser(
        "redrive", parents=[common], help="move dead-letter messages back to their source queues"
    )
    redriving.description = "Moves dead-letter messages back to their source queues, after asking."
    redrive.add_arguments(redriving)
    redriving.set_defaults(run=redrive.run)
    return parser
