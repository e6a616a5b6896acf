"""Lambda: the AWS SDK that Node.js functions find, as bundlers read it.

MiniStack stands in for the SDK's clients of JSON services, by objects that make up whatever is asked of them and name
nothing. What esbuild makes of a handler copies a package's names first, and the CDK's `AwsCustomResource` looks through
them: so each stand-in names its client and its commands. They are those of the SDK for JavaScript v3: the service's id
without spaces and `Client`, an operation and `Command`. The latter also reads a client's configuration.
"""

import json
import re
from typing import Any

import botocore.session
from botocore.exceptions import UnknownServiceError
from ministack.core import lambda_runtime

_PACKAGE = re.compile(r'"@aws-sdk/client-([\w-]+)": +"[\w.]+"')
# Packages that botocore calls otherwise.
_SERVICES = {
    "cloudwatch-logs": "logs",
    "cognito-identity-provider": "cognito-idp",
    "dynamodb-streams": "dynamodbstreams",
    "eventbridge": "events",
    "resource-groups-tagging-api": "resourcegroupstaggingapi",
    "secrets-manager": "secretsmanager",
    "sfn": "stepfunctions",
}
STAND_IN = """        get(_, prop) {
          if (typeof prop !== "string") return undefined;
          if (prop.endsWith("Client")) return GenericClient;"""
"""The lines of MiniStack's worker that make up a package's names."""

CLIENT = """    class GenericClient {
      constructor(_cfg) {}"""
"""The lines of MiniStack's worker that make such a client."""

_CONFIGURED_CLIENT = """    class GenericClient {
      constructor(cfg) {
        const given = cfg || {};
        this.config = {
          apiVersion: given.apiVersion,
          region: async () => given.region || process.env.AWS_REGION,
        };
      }"""
_TRAPS = """        ownKeys() { return _SDK_NAMES[id] || []; },
        getOwnPropertyDescriptor(target, prop) {
          return { configurable: true, enumerable: true, value: this.get(target, prop) };
        },
"""


def install() -> None:
    """Lets stand-ins name what they have, from the first Node.js function on."""
    spawn = lambda_runtime.Worker._spawn
    original: str = lambda_runtime._NODEJS_WORKER_SCRIPT

    def spawn_with_names(worker: Any) -> None:
        node = str(worker.config.get("Runtime", "")).startswith("nodejs")
        if node and lambda_runtime._NODEJS_WORKER_SCRIPT is original:
            lambda_runtime._NODEJS_WORKER_SCRIPT = _with_names(original)
        spawn(worker)

    lambda_runtime.Worker._spawn = spawn_with_names


def _with_names(script: str) -> str:
    names = {f"@aws-sdk/client-{package}": _names(package) for package in _PACKAGE.findall(script)}
    table = f"const _SDK_NAMES = {json.dumps(names)};\n"
    return table + script.replace(STAND_IN, _TRAPS + STAND_IN).replace(CLIENT, _CONFIGURED_CLIENT)


def _names(package: str) -> list[str]:
    try:
        model = botocore.session.get_session().get_service_model(_SERVICES.get(package, package))
    except UnknownServiceError:
        return []
    client = f"{str(model.service_id).replace(' ', '')}Client"
    return [client, *(f"{operation}Command" for operation in model.operation_names)]
