"""Every answer of the X-Ray API is held against botocore's own model of it."""

import datetime as dt
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.model import ListShape, MapShape, OperationModel, Shape, StringShape, StructureShape

from tests.support.account import Account
from tests.support.local_aws.xray import put, rule, spans_policy, topic_policy
from tests.support.waiting import wait_for

NOW = time.time()
TRACE = f"1-{int(NOW):08x}-{0xB070:024x}"
NUMBERS = ("integer", "long", "double", "float", "timestamp")


def violations(shape: Shape, value: object, path: str = "") -> Iterator[str]:
    """Everything in a JSON answer that the model has no place for, or of another kind."""
    match shape:
        case StructureShape():
            if not isinstance(value, dict):
                yield f"{path}: {value!r} is no object"
                return
            for key, inner in value.items():
                if key not in shape.members:
                    yield f"{path}.{key}: not in the model of {shape.name}"
                else:
                    yield from violations(shape.members[key], inner, f"{path}.{key}")
        case ListShape():
            if not isinstance(value, list):
                yield f"{path}: {value!r} is no list"
                return
            if len(value) > shape.metadata.get("max", len(value)):
                yield f"{path}: {len(value)} items, {shape.metadata['max']} at most"
            for number, inner in enumerate(value):
                yield from violations(shape.member, inner, f"{path}[{number}]")
        case MapShape():
            for key, inner in value.items() if isinstance(value, dict) else ():
                yield from violations(shape.value, inner, f"{path}.{key}")
        case StringShape():
            if not isinstance(value, str) or (shape.enum and value not in shape.enum):
                yield f"{path}: {value!r} is no {shape.name}"
            elif len(value) > shape.metadata.get("max", len(value)):
                yield f"{path}: {len(value)} characters, {shape.metadata['max']} at most"
        case _ if shape.type_name == "boolean":
            if not isinstance(value, bool):
                yield f"{path}: {value!r} is no boolean"
        case _ if shape.type_name in NUMBERS:
            if isinstance(value, bool) or not isinstance(value, int | float):
                yield f"{path}: {value!r} is no {shape.type_name}"
        case _:
            yield f"{path}: a {shape.type_name} is not looked at here"


class Answers:
    """Raw answers by operation, as they come past an SDK's client."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.raw: dict[str, list[dict[str, Any]]] = {}
        self.models: dict[str, OperationModel] = {}
        client.meta.events.register("before-parse.xray", self._keep)

    def shape(self, operation: str) -> StructureShape:
        """What the model says an operation answers."""
        shape = self.models[operation].output_shape
        assert shape is not None
        return shape

    def _keep(self, operation_model: OperationModel, response_dict: dict[str, Any], **_: Any) -> None:
        if response_dict["status_code"] < 300:
            self.models[operation_model.name] = operation_model
            self.raw.setdefault(operation_model.name, []).append(json.loads(response_dict["body"]))


@pytest.fixture(scope="module")
def answers(aws: Account) -> Iterator[Answers]:
    """One answer of every operation there is, each with something in it."""
    found = Answers(aws.client("xray"))
    xray, logs = found.client, aws.client("logs")
    calls = [{"id": f"{2:016x}", "name": "sqs", "namespace": "aws", "start_time": NOW, "end_time": NOW + 0.1}]
    calls[0]["aws"] = {"queue_url": "https://sqs/1/q"}
    document = {
        "id": f"{1:016x}",
        "name": "modelled",
        "trace_id": TRACE,
        "start_time": NOW,
        "end_time": NOW + 1,
        "origin": "AWS::EC2::Instance",
        "user": "ann",
        "resource_arn": "arn:aws:ec2:us-east-1:1:instance/i-1",
        "http": {
            "request": {"method": "GET", "url": "https://x/", "client_ip": "1.2.3.4"},
            "response": {"status": 429},
        },
        "throttle": True,
        "error": True,
        "annotations": {"text": "a", "number": 1.5, "truth": True},
        "aws": {"account_id": "1", "ec2": {"instance_id": "i-1", "availability_zone": "us-east-1a"}},
        "subsegments": calls,
    }
    logs.put_resource_policy(policyName="spans", policyDocument=spans_policy())
    xray.update_trace_segment_destination(Destination="CloudWatchLogs")
    xray.update_indexing_rule(Name="Default", Rule={"Probabilistic": {"DesiredSamplingPercentage": 100}})
    xray.get_indexing_rules()
    xray.get_trace_segment_destination()
    xray.put_trace_segments(TraceSegmentDocuments=[json.dumps(document), "{}", "{"])
    xray.put_telemetry_records(TelemetryRecords=[{"Timestamp": NOW}])
    xray.batch_get_traces(TraceIds=[TRACE])
    xray.get_trace_graph(TraceIds=[TRACE])
    window: dict[str, Any] = {
        "StartTime": dt.datetime.fromtimestamp(NOW - 1, dt.UTC),
        "EndTime": dt.datetime.fromtimestamp(NOW + 5, dt.UTC),
    }
    xray.get_trace_summaries(**window, FilterExpression='service("modelled")')
    xray.get_service_graph(**window)
    token = xray.start_trace_retrieval(TraceIds=[TRACE], **window)["RetrievalToken"]
    wait_for(lambda: xray.list_retrieved_traces(RetrievalToken=token).get("Traces"))
    xray.get_retrieved_traces_graph(RetrievalToken=token)
    xray.cancel_trace_retrieval(RetrievalToken=token)
    xray.create_sampling_rule(SamplingRule=rule("modelled", ServiceName="nobody", Attributes={"a": "b"}))
    xray.update_sampling_rule(SamplingRuleUpdate={"RuleName": "modelled", "FixedRate": 0.5})
    xray.get_sampling_rules()
    statistics = {"ClientID": "c" * 24, "Timestamp": NOW, "RequestCount": 1, "SampledCount": 1}
    documents = [{"RuleName": name, **statistics} for name in ("modelled", "no-such-rule")]
    xray.get_sampling_targets(SamplingStatisticsDocuments=documents)
    xray.get_sampling_statistic_summaries()
    xray.delete_sampling_rule(RuleName="modelled")
    xray.create_group(GroupName="modelled", InsightsConfiguration={"InsightsEnabled": True})
    xray.get_group(GroupName="modelled")
    xray.get_groups()
    xray.update_group(GroupName="modelled", FilterExpression="fault")
    arn = xray.get_group(GroupName="modelled")["Group"]["GroupARN"]
    xray.tag_resource(ResourceARN=arn, Tags=[{"Key": "a", "Value": "b"}])
    xray.list_tags_for_resource(ResourceARN=arn)
    xray.untag_resource(ResourceARN=arn, TagKeys=["a"])
    xray.get_insight_summaries(GroupARN=arn, **window)
    xray.get_time_series_service_statistics(**window)
    xray.get_time_series_service_statistics(**window, EntitySelectorExpression='service("modelled")')
    xray.put_encryption_config(Type="NONE")
    xray.get_encryption_config()
    xray.delete_group(GroupName="modelled")
    xray.put_resource_policy(PolicyName="modelled", PolicyDocument=topic_policy())
    xray.list_resource_policies()
    xray.delete_resource_policy(PolicyName="modelled")
    xray.update_indexing_rule(Name="Default", Rule={"Probabilistic": {"DesiredSamplingPercentage": 1}})
    xray.update_trace_segment_destination(Destination="XRay")
    logs.delete_resource_policy(policyName="spans")
    yield found


def test_nothing_is_answered_that_the_model_does_not_know(answers: Answers) -> None:
    wrong = [
        f"{name}{violation}"
        for name, raw in answers.raw.items()
        for answer in raw
        for violation in violations(answers.shape(name), answer)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("operation", "left_out"),
    [
        # What is left out is said in local/README.md; a next page is not always there.
        ("BatchGetTraces", {"NextToken"}),
        ("GetServiceGraph", {"NextToken"}),
        ("GetTraceSummaries", {"NextToken"}),
        ("PutTraceSegments", set[str]()),
        ("GetSamplingTargets", set[str]()),
        ("ListRetrievedTraces", {"NextToken"}),
        ("GetTraceSegmentDestination", set[str]()),
        ("GetGroup", set[str]()),
        ("PutResourcePolicy", set[str]()),
    ],
)
def test_every_member_of_the_model_is_answered(answers: Answers, operation: str, left_out: set[str]) -> None:
    assert answers.raw[operation][-1].keys() == set(answers.shape(operation).members) - left_out


def test_a_summary_has_every_member(answers: Answers) -> None:
    (summary,) = answers.raw["GetTraceSummaries"][-1]["TraceSummaries"]
    shape: Any = answers.shape("GetTraceSummaries").members["TraceSummaries"]
    assert summary.keys() == set(shape.member.members) - {"MatchedEventTime"}


def test_every_operation_is_looked_at(answers: Answers) -> None:
    """But for those that answer with an error only: there are no insights."""
    missing = {name for name in answers.client.meta.service_model.operation_names if name not in answers.raw}
    assert missing == {"GetInsight", "GetInsightEvents", "GetInsightImpactGraph"}


def test_a_document_is_read_back_as_it_was_sent(aws: Account) -> None:
    """No field is lost, whether X-Ray's model knows it or not."""
    document = {
        "id": f"{9:016x}",
        "name": "kept",
        "trace_id": f"1-{int(NOW):08x}-{0xB071:024x}",
        "start_time": NOW,
        "end_time": NOW + 1,
        "precursor_ids": [f"{8:016x}"],
        "sql": {"url": "jdbc:x", "sanitized_query": "SELECT ?"},
        "something_new": {"nested": [1, None, True]},
        "metadata": {"default": {"ä": "ü"}},
    }
    put(aws, document)
    assert aws.documents(str(document["trace_id"])) == [document]
