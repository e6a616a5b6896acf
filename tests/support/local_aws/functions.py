"""Functions and their roles, made through the API."""

import io
import json
import zipfile
from typing import Any

from tests.support.account import Account

ASSUME = {
    "Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com"},
    "Action": "sts:AssumeRole",
}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*"}


def role(aws: Account, name: str, *actions: str) -> str:
    iam = aws.client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(ASSUME))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(allow("logs:*", *actions)))
    return str(arn)


def invoke(aws: Account, name: str, *, header: str | None = None) -> Any:
    return json.loads(aws.client("lambda", header=header).invoke(FunctionName=name, Payload=b"{}")["Payload"].read())


def archive(**files: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as zipped:
        for name, text in files.items():
            zipped.writestr(name.replace("__", "/") + ".py", text)
    return content.getvalue()
