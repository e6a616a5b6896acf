"""A function with a wrapper script: `AWS_LAMBDA_EXEC_WRAPPER`, with its layers in `/opt`."""

import io
import json
import zipfile
from typing import Any

import pytest

from tests.support.account import Account
from tests.support.local_aws.functions import archive, role

WRAPPER = """#!/bin/sh
set -e
export ORIGINAL="$_HANDLER" COUNT=$#
export _HANDLER=wrapped.handler
export MODULES=/opt/python CONFIG="$(cat /opt/config/settings)"
export PYTHONPATH="$LAMBDA_RUNTIME_DIR:/opt/python:$PYTHONPATH" GREETING=changed
exec python3 /opt/bin/start "$@"
"""
# As opentelemetry-instrument starts what it is given.
START = """#!/usr/bin/env python3
import os, sys
os.environ["STARTED"] = "by " + os.path.basename(sys.argv[0])
os.execl(sys.argv[1], *sys.argv[1:])
"""
WRAPPED = """
import importlib, os
module, name = os.environ["ORIGINAL"].replace("/", ".").rsplit(".", 1)
inner = getattr(importlib.import_module(module), name)
def handler(event, context):
    names = ("COUNT", "CONFIG", "GREETING", "STARTED", "OWN")
    return {"inner": inner(event, context), "shared": __import__("shared").WHO, **{n: os.environ[n] for n in names}}
"""


def layer(aws: Account, name: str, files: dict[str, tuple[int, str]]) -> str:
    """A layer with files of these modes and texts; its ARN."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as zipped:
        for path, (mode, text) in files.items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = mode << 16
            zipped.writestr(entry, text)
    published = aws.client("lambda").publish_layer_version(LayerName=name, Content={"ZipFile": content.getvalue()})
    return str(published["LayerVersionArn"])


def function(aws: Account, name: str, layers: list[str], **variables: str) -> None:
    aws.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role(aws, name),
        Handler="orders/app.handler",
        Code={"ZipFile": archive(orders__app="def handler(event, context): return event['n'] + 1")},
        Layers=layers,
        Environment={"Variables": {"OWN": "kept", "GREETING": "own", **variables}},
    )


def invoke(aws: Account, name: str) -> Any:
    answer = aws.client("lambda").invoke(FunctionName=name, Payload=b'{"n": 1}')
    return json.loads(answer["Payload"].read())


def test_the_wrapper_starts_the_function_with_its_layers_in_opt(aws: Account) -> None:
    first = layer(
        aws,
        "wrapping",
        {
            "instrument": (0o755, WRAPPER),
            "bin/start": (0o755, START),
            "python/wrapped.py": (0o644, WRAPPED),
            "python/shared.py": (0o644, "WHO = 'the first layer'"),
        },
    )
    second = layer(
        aws,
        "overriding",
        {"python/shared.py": (0o644, "WHO = 'the second layer'"), "config/settings": (0o600, "/opt/settings")},
    )
    function(aws, "wrapped", [first, second], AWS_LAMBDA_EXEC_WRAPPER="/opt/instrument")
    for _ in range(2):
        assert invoke(aws, "wrapped") == {
            "inner": 2,
            "shared": "the second layer",
            "COUNT": "2",
            "CONFIG": "/opt/settings",
            "GREETING": "changed",
            "STARTED": "by start",
            "OWN": "kept",
        }


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"other": (0o755, WRAPPER)}, "/opt/instrument: does not exist"),
        ({"instrument": (0o644, WRAPPER)}, "/opt/instrument: is not an executable"),
        ({"instrument": (0o755, "#!/no/such/shell\n")}, "/opt/instrument: cannot be run (No such file or directory)"),
        ({"instrument": (0o755, "exit 3\n")}, "/opt/instrument: cannot be run (Exec format error)"),
        ({"instrument": (0o755, "#!/bin/sh\necho it broke >&2; exit 3\n")}, "it broke"),
    ],
)
def test_a_wrapper_that_cannot_be_run_fails_the_function_with_a_reason(
    aws: Account, files: dict[str, tuple[int, str]], reason: str
) -> None:
    name = f"broken-{abs(hash(reason)) % 10**8}"
    function(aws, name, [layer(aws, name, files)], AWS_LAMBDA_EXEC_WRAPPER="/opt/instrument")
    assert reason in invoke(aws, name)["errorMessage"]


def test_without_a_wrapper_a_function_starts_as_ever(aws: Account) -> None:
    function(aws, "not-wrapped", [])
    assert invoke(aws, "not-wrapped") == 2
