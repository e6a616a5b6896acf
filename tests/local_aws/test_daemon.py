"""The daemon's TCP side: where the SDKs ask for sampling rules and targets."""

import http.client
import json
import time
from typing import Any

import pytest

from tests.support.account import Account
from tests.support.local_aws.functions import archive, role
from tests.support.waiting import wait_for

# What the X-Ray SDK sends to the daemon: aws_xray_sdk.core.sampling.connector.
ASKING = """
import http.client, os

def handler(event, context):
    connection = http.client.HTTPConnection(os.environ["AWS_XRAY_DAEMON_ADDRESS"], timeout=5)
    connection.request("POST", "/GetSamplingRules", "{}", {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return {"status": answer.status, "body": answer.read().decode()}
"""


def ask(aws: Account, path: str, body: str = "{}", method: str = "POST") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(aws.facts.daemon_address, timeout=10)
    connection.request(method, path, body)
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def test_rules_and_targets_are_handed_out_without_a_signature(aws: Account) -> None:
    status, body = ask(aws, "/GetSamplingRules")
    names = [record["SamplingRule"]["RuleName"] for record in json.loads(body)["SamplingRuleRecords"]]
    assert (status, "Default" in names) == (200, True)
    report = {"RuleName": "Default", "ClientID": "d" * 24, "Timestamp": time.time()}
    statistics = [{**report, "RequestCount": 1, "SampledCount": 1, "BorrowCount": 0}]
    status, body = ask(aws, "/SamplingTargets", json.dumps({"SamplingStatisticsDocuments": statistics}))
    assert (status, json.loads(body)["SamplingTargetDocuments"][0]["RuleName"]) == (200, "Default")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/TraceSummaries", "{}", 404),
        ("GET", "/GetSamplingRules", "", 404),
        ("POST", "/SamplingTargets", "nonsense", 400),
    ],
)
def test_anything_else_is_not(aws: Account, method: str, path: str, body: str, status: int) -> None:
    assert ask(aws, path, body, method)[0] == status
    assert ask(aws, "/GetSamplingRules")[0] == 200


def test_the_x_ray_sdks_sampler_gets_the_rules(aws: Account) -> None:
    from aws_xray_sdk.core.daemon_config import DaemonConfig
    from aws_xray_sdk.core.sampling.connector import ServiceConnector

    connector = ServiceConnector()
    daemon = DaemonConfig(aws.facts.daemon_address)
    connector.setup_xray_client(ip=daemon.tcp_ip, port=daemon.tcp_port, client=None)
    assert "Default" in [rule.name for rule in connector.fetch_sampling_rules()]


@pytest.mark.parametrize(("action", "status"), [("xray:*", 200), ("xray:PutTraceSegments", 403)])
def test_a_functions_daemon_asks_as_its_role(aws: Account, action: str, status: int) -> None:
    name = f"asking-{status}"
    functions: Any = aws.client("lambda", header="Root=1-5759e988-bd862e3fe1be46a994271009;Sampled=1")
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role(aws, name, action),
        Handler="index.handler",
        Code={"ZipFile": archive(index=ASKING)},
        TracingConfig={"Mode": "Active"},
    )
    answer = wait_for(lambda: json.loads(functions.invoke(FunctionName=name)["Payload"].read()))
    assert answer["status"] == status, answer
