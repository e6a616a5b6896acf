"""`make deploy`: the reference pipeline into the AWS account of the shell, after a look at what the account has."""

import subprocess
import sys
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Deploys; the exit status of the CDK CLI, or 1 with the reason."""
    try:
        session = boto3.Session()
        account = session.client("sts").get_caller_identity()["Account"]
        role = session.client("apigateway").get_account().get("cloudwatchRoleArn")
    except (BotoCoreError, ClientError) as error:
        print(
            f"cannot deploy: {error}; set credentials and a region in your shell, as for the AWS CLI", file=sys.stderr
        )
        return 1
    print(f"account {account}, region {session.region_name}")
    if role:
        print(f"API Gateway's logging role is there and stays as it is: {role}")
        logging_role = "existing"
    else:
        print("API Gateway has no logging role in this account and region; the stack creates one")
        logging_role = "create"
    command = ["cdk", "deploy", "--no-notices", "--context", f"account_logging_role={logging_role}"]
    return subprocess.run(command, cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
