import json
import socket
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.account import Account
from tests.support.local_aws.xray import put, topic_policy
from tests.support.waiting import wait_for

NOW = time.time()


def segment(trace: int, number: int, **more: Any) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": "caller",
        "id": f"{number:016x}",
        "trace_id": f"1-{int(NOW):08x}-{trace:024x}",
        "start_time": NOW,
        "end_time": NOW + 1,
    }
    return {key: value for key, value in {**document, **more}.items() if value is not None}


@pytest.mark.parametrize(
    ("document", "code", "words"),
    [
        ("{", "ParseError", "not JSON"),
        (segment(1, 1, id="xyz"), "InvalidId", "'xyz' is not 16 hexadecimal digits"),
        (segment(1, 1, trace_id="1-2-3"), "InvalidTraceId", "'1-2-3'"),
        (segment(1, 1, name=None), "InvalidName", "name None"),
        (segment(1, 1, end_time=None), "InvalidEndTime", "in_progress is not true"),
        (segment(1, 1, in_progress=True), "InvalidEndTime", "there must be no end_time"),
        (segment(1, 1, metadata={"x": "y" * 65536}), "SegmentSizeExceeded", "the limit is 65536"),
    ],
)
def test_a_bad_document_is_handed_back_with_its_reason(aws: Account, document: object, code: str, words: str) -> None:
    good = segment(2, 1)
    (refused,) = put(aws, good, document)
    assert refused["ErrorCode"] == code
    assert refused["Message"].startswith(f"Invalid segment. ErrorCode: {code}")
    assert words in refused["Message"]
    assert [found["id"] for found in aws.documents(good["trace_id"])] == [good["id"]]


def test_putting_segments_needs_the_permission(aws: Account) -> None:
    iam = aws.client("iam")
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    xray = aws.client("xray", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    with pytest.raises(ClientError, match=r"AccessDenied.*xray:PutTraceSegments"):
        xray.put_trace_segments(TraceSegmentDocuments=[json.dumps(segment(3, 1))])


def test_the_complete_document_takes_the_place_of_the_one_in_progress(aws: Account) -> None:
    complete = segment(4, 1, name="complete")
    in_progress = segment(4, 1, name="begun", end_time=None, in_progress=True)
    subsegment = segment(4, 2, type="subsegment", parent_id=f"{1:016x}", name="step")
    nested = segment(4, 3, type="subsegment", parent_id=f"{2:016x}", name="inner")
    for document in (nested, in_progress, subsegment, complete, in_progress):
        assert put(aws, document) == []
    (found,) = aws.documents(complete["trace_id"])
    assert (found["name"], "in_progress" in found) == ("complete", False)
    assert found["subsegments"][0]["name"] == "step"
    assert found["subsegments"][0]["subsegments"][0]["name"] == "inner"


def test_a_called_service_is_inferred_unless_it_answers(aws: Account) -> None:
    calls: list[dict[str, Any]] = [
        {"name": "dynamodb", "namespace": "aws", "aws": {"table_name": "orders", "operation": "PutItem"}},
        {"name": "SQS", "namespace": "aws", "aws": {"queue_url": "https://sqs/1/waiting"}},
        {"name": "Lambda", "namespace": "aws", "aws": {"function_name": "answering"}},
        {"name": "local step"},
    ]
    subsegments = [
        {"id": f"{10 + number:016x}", "start_time": NOW, "end_time": NOW + 1, **call}
        for number, call in enumerate(calls)
    ]
    put(
        aws,
        segment(5, 1, subsegments=subsegments),
        segment(5, 2, name="answering", origin="AWS::Lambda", parent_id=f"{12:016x}"),
        segment(5, 3, name="consumer", origin="AWS::Lambda::Function", parent_id=f"{11:016x}"),
    )
    found = aws.documents(segment(5, 1)["trace_id"])
    inferred = {document["origin"]: document for document in found if document.get("inferred")}
    assert inferred.keys() == {"AWS::DynamoDB::Table", "AWS::SQS::Queue"}
    assert inferred["AWS::DynamoDB::Table"]["parent_id"] == f"{10:016x}"
    assert inferred["AWS::DynamoDB::Table"]["aws"]["resource_names"] == ["orders"]
    (caller,) = (document for document in found if document["name"] == "caller")
    shown = {part["name"]: part.get("aws", {}).get("resource_names") for part in caller["subsegments"]}
    assert shown == {
        "DynamoDB": ["orders"],
        "SQS": ["https://sqs/1/waiting"],
        "Lambda": ["answering"],
        "local step": None,
    }
    # The documents carry the service's name, as X-Ray's published ones do; the map's node that of the resource.
    assert inferred["AWS::DynamoDB::Table"]["name"] == "DynamoDB"
    assert inferred["AWS::SQS::Queue"]["name"] == "SQS"
    assert inferred["AWS::SQS::Queue"]["aws"]["resource_names"] == ["https://sqs/1/waiting"]


def test_the_daemon_feeds_the_same_traces(aws: Account) -> None:
    document = segment(6, 1, name="by datagram")
    host, port = aws.facts.daemon_address.split(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for header in ("no header", '{"format": "json", "version": 1}'):
            sender.sendto(f"{header}\n{json.dumps(document)}".encode(), (host, int(port)))
    assert [found["name"] for found in wait_for(lambda: aws.documents(document["trace_id"]))] == ["by datagram"]


def test_five_traces_at_a_time(aws: Account) -> None:
    ids = [segment(number, 1)["trace_id"] for number in range(6)]
    with pytest.raises(ClientError, match=r"InvalidRequestException.*6 ids"):
        aws.client("xray").batch_get_traces(TraceIds=ids)


def test_five_policies_of_five_kilobytes(policies: Any) -> None:
    for number in range(5):
        policies.put_resource_policy(PolicyName=f"policy-{number}", PolicyDocument=topic_policy())
    with pytest.raises(policies.exceptions.PolicyCountLimitExceededException, match="5"):
        policies.put_resource_policy(PolicyName="one-more", PolicyDocument=topic_policy())
    again = policies.put_resource_policy(PolicyName="policy-0", PolicyDocument=topic_policy(topic="orders"))
    assert again["ResourcePolicy"]["PolicyRevisionId"] == "2"
    assert len(policies.list_resource_policies()["ResourcePolicies"]) == 5
    with pytest.raises(policies.exceptions.PolicySizeLimitExceededException, match="5120"):
        policies.put_resource_policy(PolicyName="policy-0", PolicyDocument=topic_policy(topic="x" * 5120))
    for malformed in ("{", "[" * 5000):
        with pytest.raises(policies.exceptions.MalformedPolicyDocumentException):
            policies.put_resource_policy(PolicyName="policy-0", PolicyDocument=malformed)


def test_deployed_settings_are_those_of_the_api(aws: Account, stack: dict[str, str]) -> None:
    xray = aws.client("xray")
    rules = {record["SamplingRule"]["RuleName"] for record in xray.get_sampling_rules()["SamplingRuleRecords"]}
    assert {"Default", "everything"} <= rules
    assert xray.get_group(GroupName="hops")["Group"]["FilterExpression"] == 'service("Hops/traced")'
