"""Queries of the local AWS: saved by the API and by CloudFormation, run on log groups, refused where they are wrong."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.account import Account
from tests.support.local_aws.functions import archive, invoke, role

_CODE = """import logging

def handler(event, context):
    logging.getLogger().info("taken")
"""


@pytest.fixture(scope="module")
def logs(aws: Account) -> Any:
    return aws.client("logs")


@pytest.fixture(scope="module")
def group(logs: Any) -> str:
    """A log group with three lines of two traces."""
    name = f"/shop/{uuid.uuid4().hex[:8]}"
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="one")
    now = int(time.time() * 1000)
    lines = [{"trace": "a", "n": 1}, {"trace": "b", "n": 2}, {"trace": "a", "n": 3}]
    events = [{"timestamp": now + number, "message": json.dumps(line)} for number, line in enumerate(lines)]
    logs.put_log_events(logGroupName=name, logStreamName="one", logEvents=events)
    return name


def run(logs: Any, query: str, *groups: str, **settings: Any) -> list[dict[str, str]]:
    now = int(time.time())
    started = logs.start_query(
        logGroupNames=list(groups), startTime=now - 3600, endTime=now + 3600, queryString=query, **settings
    )
    answer = logs.get_query_results(queryId=started["queryId"])
    assert answer["status"] == "Complete"
    return [{field["field"]: field["value"] for field in row} for row in answer["results"]]


def test_a_query_finds_what_its_filter_says_and_each_result_by_its_pointer(logs: Any, group: str, aws: Account) -> None:
    rows = run(logs, "fields n, @log | filter trace = 'a' | sort n desc", group)
    assert [(row["n"], row["@log"]) for row in rows] == [(n, f"{aws.facts.account}:{group}") for n in ("3", "1")]
    record = logs.get_log_record(logRecordPointer=rows[0]["@ptr"])["logRecord"]
    assert json.loads(record["@message"])["n"] == 3


def test_the_limit_of_the_call_holds_too(logs: Any, group: str) -> None:
    assert len(run(logs, "fields n | limit 2", group, limit=1)) == 1


def test_a_query_counts_what_it_scanned_and_what_it_found(logs: Any, group: str) -> None:
    now = int(time.time())
    started = logs.start_query(
        logGroupName=group, startTime=now - 3600, endTime=now + 3600, queryString="filter trace = 'a' | stats count(*)"
    )
    found = logs.get_query_results(queryId=started["queryId"])["statistics"]
    assert (found["recordsMatched"], found["recordsScanned"]) == (2, 3)
    assert found["bytesScanned"] > 0


@pytest.mark.parametrize(
    ("query", "settings", "code"),
    [
        ("fields n | pattern n", {}, "MalformedQueryException"),
        ("filter trace like", {}, "MalformedQueryException"),
        ("SELECT n", {"queryLanguage": "SQL"}, "InvalidParameterException"),
    ],
)
def test_a_query_that_is_not_understood_is_refused(
    logs: Any, group: str, query: str, settings: dict[str, str], code: str
) -> None:
    with pytest.raises(ClientError) as caught:
        run(logs, query, group, **settings)
    assert caught.value.response["Error"]["Code"] == code


def test_a_query_of_no_log_group_is_refused(logs: Any) -> None:
    with pytest.raises(ClientError, match="does not exist"):
        run(logs, "fields n", "/shop/none")


def test_a_query_is_saved_changed_listed_and_deleted(logs: Any, group: str) -> None:
    folder = f"Shop-{uuid.uuid4().hex[:8]}"
    ids = [
        logs.put_query_definition(name=f"{folder}/{name}", queryString="fields n", logGroupNames=[group])[
            "queryDefinitionId"
        ]
        for name in ("b", "a")
    ]
    logs.put_query_definition(queryDefinitionId=ids[0], name=f"{folder}/b", queryString="fields trace")
    first = logs.describe_query_definitions(queryDefinitionNamePrefix=folder, maxResults=1)
    second = logs.describe_query_definitions(
        queryDefinitionNamePrefix=folder, maxResults=1, nextToken=first["nextToken"]
    )
    assert [q["name"] for q in first["queryDefinitions"] + second["queryDefinitions"]] == [f"{folder}/a", f"{folder}/b"]
    assert second["queryDefinitions"][0]["queryString"] == "fields trace"
    assert "nextToken" not in second
    for definition_id in ids:
        assert logs.delete_query_definition(queryDefinitionId=definition_id)["success"] is True
    assert logs.describe_query_definitions(queryDefinitionNamePrefix=folder)["queryDefinitions"] == []
    with pytest.raises(ClientError, match="There is no query definition"):
        logs.delete_query_definition(queryDefinitionId=ids[0])
    with pytest.raises(ClientError, match="There is no query definition"):
        logs.put_query_definition(queryDefinitionId=ids[0], name="x", queryString="fields n")


def test_a_query_of_a_template_is_there_as_long_as_its_stack(aws: Account, logs: Any, group: str) -> None:
    name = f"Queries-{uuid.uuid4().hex[:8]}"
    properties = {"Name": f"{name}/all", "QueryString": "fields n", "LogGroupNames": [group]}
    template = {
        "Resources": {"Query": {"Type": "AWS::Logs::QueryDefinition", "Properties": properties}},
        "Outputs": {"Id": {"Value": {"Ref": "Query"}}},
    }
    outputs = aws.deploy(name, template)
    [saved] = logs.describe_query_definitions(queryDefinitionNamePrefix=name)["queryDefinitions"]
    assert saved["queryDefinitionId"] == outputs["Id"]
    assert (saved["queryString"], saved["logGroupNames"]) == ("fields n", [group])
    aws.delete(name)
    assert logs.describe_query_definitions(queryDefinitionNamePrefix=name)["queryDefinitions"] == []


@pytest.mark.parametrize(
    ("level", "failing", "expected"),
    [
        ("INFO", False, ["platform.start", None, "platform.report"]),
        ("WARN", False, [None]),
        ("WARN", True, [None, "platform.report"]),
    ],
)
def test_lambdas_own_lines_are_json_where_the_functions_format_is(
    aws: Account, logs: Any, level: str, failing: bool, expected: list[str | None]
) -> None:
    name = f"lines-{uuid.uuid4().hex[:8]}"
    functions = aws.client("lambda")
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role(aws, name),
        Handler="app.handler",
        Code={"ZipFile": archive(app=f"{_CODE}    {'raise ValueError(1)' if failing else 'return 1'}\n")},
        LoggingConfig={"LogFormat": "JSON", "SystemLogLevel": level},
    )
    invoke(aws, name)
    events = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    lines = [json.loads(event["message"]) for event in events]
    kinds = [line.get("type") for line in lines if line.get("errorType") is None]
    assert kinds == expected
    reports = run(
        logs, "filter type = 'platform.report' | fields record.metrics.durationMs as ms", f"/aws/lambda/{name}"
    )
    assert [float(row["ms"]) >= 0 for row in reports] == [True] * expected.count("platform.report")
    if reports:
        assert lines[-1]["record"]["status"] == ("error" if failing else "success")
