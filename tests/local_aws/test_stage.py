import json

import pytest

from tests.support.account import Account
from tests.support.local_aws import template

ROLE_MISSING = "CloudWatch Logs role ARN must be set in account settings to enable logging"


def test_an_access_log_needs_the_accounts_role_and_bodies_are_validated_by_content_type(aws: Account) -> None:
    with pytest.raises(RuntimeError, match=ROLE_MISSING):
        aws.deploy("without-role", template.logging_stage(with_role=False))
    api = aws.deploy("with-role", template.logging_stage(with_role=True))["ApiId"]

    trace = "Root=1-5759e988-bd862e3fe1be46a994270009;Sampled=1"
    status, answer, _ = aws.post(f"{api}/logged/", body='{"name": 1}', x_amzn_trace_id=trace)
    assert (status, answer) == (400, {"reason": '[object has missing required properties (["id"])]'})
    (stage,) = aws.documents(trace[5:40])
    assert (stage["name"], stage["error"], stage["http"]["response"]["status"]) == ("Logged/logged", True, 400)

    # No model is registered for this content type, so nothing is validated.
    unchecked, _, _ = aws.post(f"{api}/logged/", body="anything", content_type="text/plain", x_amzn_trace_id=trace)
    assert unchecked == 200

    events = aws.client("logs").filter_log_events(logGroupName="/access/True")["events"]
    assert [json.loads(event["message"]) for event in events] == [
        {"status": status, "trace": trace[5:40]} for status in ("400", "200")
    ]


def test_of_a_failed_function_the_api_tells_nothing_and_the_trace_its_exception(aws: Account) -> None:
    stack = template.hops()
    raising = "class NoOrder(Exception): pass\ndef handler(event, context):\n    raise NoOrder('no id:\\n 4711')\n"
    for of_the_account in ("Rule", "Group"):
        del stack["Resources"][of_the_account]
    for resource in stack["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            resource["Properties"]["Code"] = {"ZipFile": raising}
    outputs = aws.deploy("raising-behind-the-api", stack)
    trace = "1-5759e988-bd862e3fe1be46a994270502"
    status, answer, _ = aws.post(f"{outputs['ApiId']}/traced/", x_amzn_trace_id=f"Root={trace};Sampled=1")
    assert (status, answer) == (502, {"message": "Internal server error"})
    found = [
        exception
        for document in aws.documents(trace)
        for part in document.get("subsegments", [])
        for exception in part.get("cause", {}).get("exceptions", [])
    ]
    assert [(one["type"], one["message"]) for one in found] == [("NoOrder", "no id:\n 4711")]
