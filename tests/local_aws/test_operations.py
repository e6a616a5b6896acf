"""All 38 operations of X-Ray's model, a line each: the answer, or the error that the API documents."""

import datetime as dt
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.account import Account
from tests.support.local_aws.xray import put, rule, spans_policy, topic_policy
from tests.support.waiting import wait_for

NOW = float(int(time.time()))
TRACE = f"1-{int(NOW):08x}-{0x0FE7A7:024x}"
WINDOW: dict[str, Any] = {
    "StartTime": dt.datetime.fromtimestamp(NOW - 10, dt.UTC),
    "EndTime": dt.datetime.fromtimestamp(NOW + 10, dt.UTC),
}
INSIGHT = "11111111-1111-4111-8111-111111111111"
NO_INSIGHT = f"InvalidRequestException: There is no insight '{INSIGHT}'"
GONE = "ResourceNotFoundException: There is no"
GROUP = "operations"
STATISTICS = [{"RuleName": "Default", "ClientID": "c" * 24, "Timestamp": NOW, "RequestCount": 1, "SampledCount": 1}]


@pytest.fixture(scope="module")
def names(aws: Account) -> Iterator[dict[str, Any]]:
    """What the calls are about: a failed trace, a group, a rule, a key, spans; taken away again."""
    xray, logs = aws.client("xray"), aws.client("logs")
    logs.put_resource_policy(policyName="spans", policyDocument=spans_policy())
    xray.update_trace_segment_destination(Destination="CloudWatchLogs")
    xray.update_indexing_rule(Name="Default", Rule={"Probabilistic": {"DesiredSamplingPercentage": 100}})
    document = {
        "id": f"{1:016x}",
        "name": "operated",
        "trace_id": TRACE,
        "start_time": NOW,
        "end_time": NOW + 2,
        "fault": True,
        "cause": {"exceptions": [{"id": f"{2:016x}", "type": "Gone", "message": "away"}]},
    }
    assert put(aws, document) == []
    group = xray.create_group(
        GroupName=GROUP, FilterExpression='service("operated")', Tags=[{"Key": "a", "Value": "b"}]
    )
    created = xray.create_sampling_rule(SamplingRule=rule("operations", ServiceName="nobody"))
    token = xray.start_trace_retrieval(TraceIds=[TRACE], **WINDOW)["RetrievalToken"]
    wait_for(lambda: xray.list_retrieved_traces(RetrievalToken=token).get("Traces"))
    yield {
        "group": group["Group"]["GroupARN"],
        "rule": created["SamplingRuleRecord"]["SamplingRule"]["RuleARN"],
        "key": aws.client("kms").create_key()["KeyMetadata"]["Arn"],
        "token": token,
    }
    xray.put_encryption_config(Type="NONE")
    xray.delete_group(GroupName=GROUP)
    xray.delete_sampling_rule(RuleName="operations")
    xray.update_indexing_rule(Name="Default", Rule={"Probabilistic": {"DesiredSamplingPercentage": 1}})
    xray.update_trace_segment_destination(Destination="XRay")
    logs.delete_resource_policy(policyName="spans")


Request = Callable[[dict[str, Any]], dict[str, Any]]
Expected = Callable[[Any], object] | str


def case(operation: str, request: Request, expected: Expected) -> Any:
    return pytest.param(operation, request, expected, id=operation)


CASES = [
    case("BatchGetTraces", lambda _: {"TraceIds": [TRACE]}, lambda a: a["Traces"][0]["Duration"] == 2),
    case("CancelTraceRetrieval", lambda _: {"RetrievalToken": "gone"}, GONE),
    case(
        "CreateGroup", lambda _: {"GroupName": "Default"}, "InvalidRequestException: Group name 'Default' is reserved"
    ),
    case("CreateSamplingRule", lambda _: {"SamplingRule": rule("operations")}, "InvalidRequestException: .*exists"),
    case("DeleteGroup", lambda _: {"GroupName": "Default"}, "InvalidRequestException: .*cannot be deleted"),
    case("DeleteResourcePolicy", lambda _: {"PolicyName": "gone"}, lambda a: len(a) == 1),
    case("DeleteSamplingRule", lambda _: {"RuleName": "Default"}, "InvalidRequestException: .*cannot be deleted"),
    case("GetEncryptionConfig", lambda _: {}, lambda a: a["EncryptionConfig"]["Type"] == "NONE"),
    case("GetGroup", lambda n: {"GroupARN": n["group"]}, lambda a: a["Group"]["GroupName"] == GROUP),
    case("GetGroups", lambda _: {}, lambda a: {"Default", GROUP} <= {found["GroupName"] for found in a["Groups"]}),
    case("GetIndexingRules", lambda _: {}, lambda a: a["IndexingRules"][0]["Name"] == "Default"),
    case("GetInsight", lambda _: {"InsightId": INSIGHT}, NO_INSIGHT),
    case("GetInsightEvents", lambda _: {"InsightId": INSIGHT}, NO_INSIGHT),
    case("GetInsightImpactGraph", lambda _: {"InsightId": INSIGHT, **WINDOW}, NO_INSIGHT),
    case("GetInsightSummaries", lambda _: {"GroupName": GROUP, **WINDOW}, lambda a: a["InsightSummaries"] == []),
    case(
        "GetRetrievedTracesGraph",
        lambda n: {"RetrievalToken": n["token"]},
        lambda a: "operated" in {found["Service"]["Name"] for found in a["Services"]},
    ),
    case(
        "GetSamplingRules",
        lambda _: {},
        lambda a: "operations" in {found["SamplingRule"]["RuleName"] for found in a["SamplingRuleRecords"]},
    ),
    case("GetSamplingStatisticSummaries", lambda _: {}, lambda a: isinstance(a["SamplingStatisticSummaries"], list)),
    case(
        "GetSamplingTargets",
        lambda _: {"SamplingStatisticsDocuments": STATISTICS},
        lambda a: a["SamplingTargetDocuments"][0]["Interval"] == 10,
    ),
    case("GetServiceGraph", lambda _: {"GroupName": GROUP, **WINDOW}, lambda a: len(a["Services"]) == 2),
    case(
        "GetTimeSeriesServiceStatistics",
        lambda _: {"GroupName": GROUP, **WINDOW},
        lambda a: a["TimeSeriesServiceStatistics"][0]["EdgeSummaryStatistics"]["FaultStatistics"]["TotalCount"] == 1,
    ),
    case("GetTraceGraph", lambda _: {"TraceIds": [TRACE]}, lambda a: len(a["Services"]) == 2),
    case("GetTraceSegmentDestination", lambda _: {}, lambda a: a["Destination"] == "CloudWatchLogs"),
    case(
        "GetTraceSummaries",
        lambda _: {**WINDOW, "FilterExpression": f'group.name = "{GROUP}"'},
        lambda a: (
            a["TraceSummaries"][0]["FaultRootCauses"][0]["Services"][0]["EntityPath"][0]["Exceptions"]
            == [{"Name": "Gone", "Message": "away"}]
        ),
    ),
    case("ListResourcePolicies", lambda _: {}, lambda a: isinstance(a["ResourcePolicies"], list)),
    case("ListRetrievedTraces", lambda n: {"RetrievalToken": n["token"]}, lambda a: a["RetrievalStatus"] == "COMPLETE"),
    case(
        "ListTagsForResource",
        lambda n: {"ResourceARN": n["group"]},
        lambda a: a["Tags"][0] == {"Key": "a", "Value": "b"},
    ),
    case(
        "PutEncryptionConfig",
        lambda n: {"Type": "KMS", "KeyId": n["key"]},
        lambda a: a["EncryptionConfig"]["Status"] == "UPDATING" and ":key/" in a["EncryptionConfig"]["KeyId"],
    ),
    case(
        "PutResourcePolicy",
        lambda _: {"PolicyName": "p", "PolicyDocument": "{"},
        "MalformedPolicyDocumentException: PolicyDocument is not JSON",
    ),
    case("PutTelemetryRecords", lambda _: {"TelemetryRecords": [{"Timestamp": NOW}]}, lambda a: len(a) == 1),
    case(
        "PutTraceSegments",
        lambda _: {"TraceSegmentDocuments": ["{"]},
        lambda a: a["UnprocessedTraceSegments"][0]["ErrorCode"] == "ParseError",
    ),
    case("StartTraceRetrieval", lambda _: {"TraceIds": [TRACE], **WINDOW}, lambda a: len(a["RetrievalToken"]) > 0),
    case(
        "TagResource",
        lambda n: {"ResourceARN": n["rule"], "Tags": [{"Key": f"k{i}", "Value": ""} for i in range(51)]},
        "TooManyTagsException: The resource would have 51 tags",
    ),
    case("UntagResource", lambda _: {"ResourceARN": "arn:aws:xray:gone", "TagKeys": ["a"]}, GONE),
    case(
        "UpdateGroup",
        lambda _: {"GroupName": GROUP, "InsightsConfiguration": {"NotificationsEnabled": True}},
        "InvalidRequestException: NotificationsEnabled needs InsightsEnabled",
    ),
    case(
        "UpdateIndexingRule",
        lambda _: {"Name": "Default", "Rule": {"Probabilistic": {"DesiredSamplingPercentage": 100}}},
        lambda a: a["IndexingRule"]["Rule"]["Probabilistic"]["ActualSamplingPercentage"] == 100,
    ),
    case(
        "UpdateSamplingRule",
        lambda n: {"SamplingRuleUpdate": {"RuleARN": n["rule"], "FixedRate": 0.25}},
        lambda a: a["SamplingRuleRecord"]["SamplingRule"]["FixedRate"] == 0.25,
    ),
    case(
        "UpdateTraceSegmentDestination", lambda _: {"Destination": "CloudWatchLogs"}, lambda a: a["Status"] == "ACTIVE"
    ),
]


@pytest.mark.parametrize(("operation", "request_of", "expected"), CASES)
def test_every_operation_answers(
    aws: Account, names: dict[str, Any], operation: str, request_of: Request, expected: Expected
) -> None:
    client = aws.client("xray")
    method = {name: python for python, name in client.meta.method_to_api_mapping.items()}[operation]
    call = getattr(client, method)
    if isinstance(expected, str):
        code, _, words = expected.partition(": ")
        with pytest.raises(ClientError, match=words) as problem:
            call(**request_of(names))
        assert problem.value.response["Error"]["Code"] == code
        documented = {shape.name for shape in client.meta.service_model.operation_model(operation).error_shapes}
        assert code in documented
    else:
        answer = call(**request_of(names))
        assert expected(answer), answer


def test_no_operation_is_left_out(aws: Account) -> None:
    every = aws.client("xray").meta.service_model.operation_names
    assert sorted(str(found.id) for found in CASES) == sorted(every)
    assert len(every) == 38


def test_tags_come_with_a_group_or_a_rule_and_go_with_it(aws: Account, names: dict[str, Any]) -> None:
    xray = aws.client("xray")
    xray.tag_resource(ResourceARN=names["rule"], Tags=[{"Key": "team", "Value": "one"}, {"Key": "stage", "Value": "x"}])
    xray.tag_resource(ResourceARN=names["rule"], Tags=[{"Key": "team", "Value": "two"}])
    xray.untag_resource(ResourceARN=names["rule"], TagKeys=["stage", "unknown"])
    assert xray.list_tags_for_resource(ResourceARN=names["rule"])["Tags"] == [{"Key": "team", "Value": "two"}]
    with pytest.raises(ClientError, match="reserved for AWS"):
        xray.create_group(GroupName="tagged", Tags=[{"Key": "aws:x", "Value": ""}])
    arn = xray.create_group(GroupName="tagged", Tags=[{"Key": "x", "Value": ""}])["Group"]["GroupARN"]
    xray.delete_group(GroupARN=arn)
    with pytest.raises(xray.exceptions.ResourceNotFoundException):
        xray.list_tags_for_resource(ResourceARN=arn)


@pytest.mark.parametrize("name", ["alias/aws/xray", "alias/operations"])
def test_a_key_is_found_by_its_alias(aws: Account, names: dict[str, Any], name: str) -> None:
    xray, kms = aws.client("xray"), aws.client("kms")
    if name == "alias/operations":
        kms.create_alias(AliasName=name, TargetKeyId=names["key"])
    xray.put_encryption_config(Type="KMS", KeyId=name)
    config = wait_for(lambda: _active(xray))
    assert (config["Type"], config["KeyId"].startswith("arn:aws:kms:")) == ("KMS", True)
    for wrong in ({"Type": "KMS"}, {"Type": "KMS", "KeyId": "alias/gone"}, {"Type": "NONE", "KeyId": name}):
        with pytest.raises(xray.exceptions.InvalidRequestException):
            xray.put_encryption_config(**wrong)
    assert "KeyId" not in xray.put_encryption_config(Type="NONE")["EncryptionConfig"]


def _active(xray: Any) -> Any:
    config = xray.get_encryption_config()["EncryptionConfig"]
    return config if config["Status"] == "ACTIVE" else None


@pytest.mark.parametrize(
    ("operation", "body", "words"),
    [
        ("CreateGroup", {"GroupName": "x" * 33}, "GroupName has 33 characters, 1 to 32 are expected"),
        ("CreateGroup", {}, "GroupName is missing"),
        ("GetTraceSummaries", {"StartTime": 1, "EndTime": 2, "TimeRangeType": "Ever"}, "TraceId or Event or Service"),
        ("CreateSamplingRule", {"SamplingRule": rule("r", ServiceName="s" * 65)}, "SamplingRule.ServiceName has 65"),
        ("CreateSamplingRule", {"SamplingRule": rule("r", Priority=0)}, "Priority is 0, 1 to 9999 is expected"),
        ("CreateSamplingRule", {"SamplingRule": rule("r", Priority="1")}, "Priority is '1', a integer is expected"),
        (
            "PutResourcePolicy",
            {"PolicyName": "a b", "PolicyDocument": topic_policy()},
            "PolicyName is 'a b', which does not",
        ),
        ("BatchGetTraces", {"TraceIds": "x"}, "TraceIds is 'x', a list is expected"),
        ("GetServiceGraph", {"StartTime": 1, "EndTime": 1e300}, "EndTime is 1e\\+300"),
        ("GetInsight", {"InsightId": "1"}, "InsightId is '1', which does not match"),
    ],
)
def test_a_request_beyond_the_model_is_refused(aws: Account, operation: str, body: dict[str, Any], words: str) -> None:
    """A client that does not check, as others than botocore are."""
    client = aws.client("xray")
    client.meta.events.register("before-call", lambda params, **_: params.update(body=json.dumps(body)))
    fitting = {str(found.id): found.values[1] for found in CASES}[operation]
    method = {name: python for python, name in client.meta.method_to_api_mapping.items()}[operation]
    with pytest.raises(ClientError, match=words) as problem:
        getattr(client, method)(**fitting({"key": "k", "group": "g", "rule": "r", "token": "t"}))
    assert problem.value.response["Error"]["Code"] == "InvalidRequestException"


def test_figures_come_by_the_minute_for_what_is_selected(aws: Account) -> None:
    begin = float(int(NOW) // 120 * 120 - 7200)
    xray = aws.client("xray")
    call = {"id": f"{2:016x}", "name": "pay", "namespace": "remote", "start_time": begin, "end_time": begin + 0.5}
    for number, seconds in enumerate((0, 10, 70)):
        document = {"id": f"{1:016x}", "name": "series", "trace_id": f"1-{int(begin):08x}-{number + 9:024x}"}
        times = {"start_time": begin + seconds, "end_time": begin + seconds + 1, "error": seconds == 10}
        assert put(aws, {**document, **times, "subsegments": [call] if not seconds else []}) == []
    xray.create_group(GroupName="series", FilterExpression='service("series")')
    window = {
        "StartTime": dt.datetime.fromtimestamp(begin, dt.UTC),
        "EndTime": dt.datetime.fromtimestamp(begin + 120, dt.UTC),
        "GroupName": "series",
    }

    def counts(**options: Any) -> list[Any]:
        series = xray.get_time_series_service_statistics(**window, **options)["TimeSeriesServiceStatistics"]
        kind = "ServiceSummaryStatistics" if "service(" in str(options) or "id(" in str(options) else None
        figures = [found[kind or "EdgeSummaryStatistics"] for found in series]
        return [
            (found["Timestamp"].timestamp() - begin, one["TotalCount"], one["ErrorStatistics"]["TotalCount"])
            for found, one in zip(series, figures, strict=True)
        ]

    assert counts() == [(0, 2, 1), (60, 1, 0)]
    assert counts(Period=120) == [(0, 3, 1)]
    assert counts(EntitySelectorExpression='service("series")') == [(0, 2, 1), (60, 1, 0)]
    assert counts(EntitySelectorExpression='id(name: "pay")') == [(0, 1, 0)]
    assert counts(EntitySelectorExpression='edge("series", "pay")') == [(0, 1, 0)]
    for wrong in ("fault", 'service("series") AND fault', "id("):
        with pytest.raises(xray.exceptions.InvalidRequestException):
            counts(EntitySelectorExpression=wrong)
    with pytest.raises(xray.exceptions.InvalidRequestException, match="EntitySelectorExpression"):
        counts(ForecastStatistics=True)
    xray.delete_group(GroupName="series")
