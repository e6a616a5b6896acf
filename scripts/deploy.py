"""`make deploy`: the reference pipeline into the AWS account of the shell, after a look at what the account has."""

import subprocess
import sys
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from traced_pipeline_cli.aws.error_messages import describe
from traced_pipeline_cli.deployment.inspect_account import read_account
from traced_pipeline_cli.render.terminal_verdict import account_lines

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Deploys; the exit status of the CDK CLI, or 1 with the reason."""
    try:
        session = boto3.Session()
        account = session.client("sts").get_caller_identity()["Account"]
        parts = read_account(session)
    except (BotoCoreError, ClientError) as error:
        print(
            f"cannot deploy: {describe(error)} Set credentials and a region in your shell, as for the AWS CLI.",
            file=sys.stderr,
        )
        return 1
    print(f"account {account}, region {session.region_name}; in the words of AccountTracing, for the parts you want:")
    print("\n".join(account_lines(parts)))
    role = next(part for part in parts if part.name == "api_logging_role")
    if role.word is None:
        print(
            f"cannot deploy: whether API Gateway has a logging role {role.text} If you know it, deploy with "
            "`cdk deploy --context account_logging_role=existing` (or create).",
            file=sys.stderr,
        )
        return 1
    print(
        "API Gateway's logging role stays as it is"
        if role.word == "existing"
        else "the stack creates API Gateway's logging role"
    )
    command = ["cdk", "deploy", "--no-notices", "--context", f"account_logging_role={role.word}"]
    return subprocess.run(command, cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
