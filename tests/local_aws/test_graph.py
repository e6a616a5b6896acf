"""The service graph, measured against the graph that AWS's own guide shows."""

import datetime as dt
import json
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.account import Account
from tests.support.local_aws.tracing import send_and_consume
from tests.support.local_aws.xray import put

PUBLISHED = json.loads((Path(__file__).parent / "published" / "service_graph.json").read_text(encoding="utf-8"))
# X-Ray takes nothing that is older than its retention: the published requests are sent as if they were of last week.
PUBLISHED_BEGIN = 1528317567.0
BEGIN = float(int(time.time()) - 7 * 24 * 3600)
HOST = "xray-sample.elasticbeanstalk.com"
TABLE = "awseb-e-dixzws4s9p-stack-StartupSignupsTable-4IMSMHAYX2BA"


def span(number: int, name: str, begin: float, seconds: float, **more: Any) -> dict[str, Any]:
    return {"id": f"{number:016x}", "name": name, "start_time": begin, "end_time": begin + seconds, **more}


def call(number: int, begin: float, seconds: float, name: str, **aws: str) -> dict[str, Any]:
    return span(number, name, begin, seconds, namespace="aws", aws=aws)


def request(number: int, begin: float, seconds: float, *calls: dict[str, Any], **more: Any) -> dict[str, Any]:
    trace_id = f"1-{int(BEGIN):08x}-{number:024x}"
    origin = "AWS::EC2::Instance"
    return span(1, HOST, begin, seconds, trace_id=trace_id, origin=origin, subsegments=list(calls), **more)


def by_name(services: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    """Services by name and type, with edges that say where they lead instead of a number; times as numbers."""
    keys = {service["ReferenceId"]: (service["Name"], service.get("Type", "")) for service in services}

    def plain(service: dict[str, Any]) -> dict[str, Any]:
        edges = [{**edge, "ReferenceId": keys[edge["ReferenceId"]]} for edge in service["Edges"]]
        edges.sort(key=lambda edge: str(edge["ReferenceId"]))
        return {**service, "ReferenceId": None, "Edges": edges}

    def without_order(value: Any) -> Any:
        if isinstance(value, dt.datetime):
            return value.timestamp() - BEGIN
        if isinstance(value, dict):
            return {
                key: sorted(inner, key=str) if key.endswith("Histogram") else without_order(inner)
                for key, inner in value.items()
                if inner not in ({}, []) or not key.endswith(("Histogram", "Statistics"))
            }
        return [without_order(inner) for inner in value] if isinstance(value, list) else value

    return {keys[service["ReferenceId"]]: without_order(plain(service)) for service in services}


def published_services() -> list[dict[str, Any]]:
    """The services of the published graph, with their times as an SDK reads them, in the week of the test."""

    def shifted(value: Any, key: str = "") -> Any:
        if key in ("StartTime", "EndTime"):
            return dt.datetime.fromtimestamp(value - PUBLISHED_BEGIN + BEGIN, dt.UTC)
        if isinstance(value, dict):
            return {name: shifted(inner, name) for name, inner in value.items()}
        return [shifted(inner) for inner in value] if isinstance(value, list) else value

    found: list[dict[str, Any]] = shifted(PUBLISHED["Services"])
    return found


@pytest.fixture(scope="module")
def published_requests(aws: Account) -> list[str]:
    """The four requests of the published graph: two called a table and a topic, one failed."""
    documents = [
        request(1, BEGIN, 0.005),
        request(2, BEGIN + 1, 0.015, error=True),
        request(
            3,
            BEGIN + 16,
            0.157,
            call(2, BEGIN + 16, 0.076, "DynamoDB", table_name=TABLE),
            call(3, BEGIN + 16.05, 0.076, "SNS", topic_arn="arn:aws:sns:us-east-1:1:startup"),
        ),
        request(
            4,
            BEGIN + 22,
            0.096,
            call(2, BEGIN + 22, 0.044, "DynamoDB", table_name=TABLE),
            call(3, BEGIN + 22.04, 0.049, "SNS", topic_arn="arn:aws:sns:us-east-1:1:startup"),
        ),
    ]
    assert put(aws, *documents) == []
    return [document["trace_id"] for document in documents]


def test_the_published_requests_make_the_published_graph(aws: Account, published_requests: list[str]) -> None:
    xray = aws.client("xray")
    begin = dt.datetime.fromtimestamp(BEGIN, dt.UTC)
    answer = xray.get_service_graph(StartTime=begin, EndTime=begin + dt.timedelta(seconds=30))
    expected = by_name(published_services())
    assert by_name(answer["Services"]) == expected
    assert (answer["StartTime"], answer["ContainsOldGroupVersions"]) == (begin, False)
    assert by_name(xray.get_trace_graph(TraceIds=published_requests)["Services"]) == expected
    later = xray.get_service_graph(StartTime=begin + dt.timedelta(seconds=30), EndTime=begin + dt.timedelta(minutes=1))
    assert later["Services"] == []


def test_a_group_has_a_graph_of_its_own(aws: Account, published_requests: list[str]) -> None:
    xray = aws.client("xray")
    group = xray.create_group(GroupName="failed", FilterExpression="error")["Group"]
    begin = dt.datetime.fromtimestamp(BEGIN, dt.UTC)
    window: dict[str, Any] = {"StartTime": begin, "EndTime": begin + dt.timedelta(seconds=30)}
    for found_by in ({"GroupName": "failed"}, {"GroupARN": group["GroupARN"]}):
        services = by_name(xray.get_service_graph(**window, **found_by)["Services"])
        assert services.keys() == {(HOST, "client"), (HOST, "AWS::EC2::Instance")}
        assert services[HOST, "AWS::EC2::Instance"]["SummaryStatistics"]["TotalCount"] == 1
    xray.update_group(GroupName="failed", FilterExpression="duration > 0.05")
    changed = xray.get_service_graph(**window, GroupName="failed")
    assert by_name(changed["Services"])[HOST, "AWS::EC2::Instance"]["SummaryStatistics"]["TotalCount"] == 2
    assert changed["ContainsOldGroupVersions"] is True
    xray.delete_group(GroupName="failed")
    with pytest.raises(ClientError, match=r"InvalidRequestException.*There is no group 'failed'"):
        xray.get_service_graph(**window, GroupName="failed")


def test_a_queue_stands_between_producer_and_consumer(aws: Account) -> None:
    """As in a published graph of grafana/x-ray-datasource: named by its URL, its edge without figures."""
    url = "https://sqs.us-east-1.amazonaws.com/123456789012/SampleQueue"
    trace_id = f"1-{int(BEGIN):08x}-{'5' * 24}"
    sent = call(2, BEGIN + 60, 0.073, "sqs", queue_url=url)
    site = span(1, "SampleSite", BEGIN + 60, 0.5, trace_id=trace_id, subsegments=[sent])
    consumer = span(
        3, "ProcessSQSRecord", BEGIN + 62, 0.375, trace_id=trace_id, origin="AWS::Lambda", parent_id=sent["id"]
    )
    put(aws, site, consumer)
    services = by_name(aws.client("xray").get_trace_graph(TraceIds=[trace_id])["Services"])
    queue = services[url, "AWS::SQS::Queue"]
    (edge,) = queue["Edges"]
    assert (queue["State"], queue["SummaryStatistics"]["TotalResponseTime"]) == ("unknown", 0.073)
    assert edge["ReferenceId"] == ("ProcessSQSRecord", "AWS::Lambda")
    assert not {"SummaryStatistics", "ResponseTimeHistogram", "EdgeType"} & edge.keys()
    assert [edge["ReferenceId"] for edge in services["SampleSite", ""]["Edges"]] == [(url, "AWS::SQS::Queue")]
    assert "Root" not in services["ProcessSQSRecord", "AWS::Lambda"]


def test_a_link_leads_from_the_queue_to_its_consumer(aws: Account, stack: dict[str, str]) -> None:

    producer, consumer = send_and_consume(aws, stack)
    services = aws.client("xray").get_trace_graph(TraceIds=[producer, consumer])["Services"]
    keys = {service["ReferenceId"]: (service["Name"], service.get("Type")) for service in services}
    links = [
        (keys[service["ReferenceId"]], keys[edge["ReferenceId"]], edge)
        for service in services
        for edge in service["Edges"]
        if edge.get("EdgeType") == "link"
    ]
    ((source, target, edge),) = links
    # The message was sent with the header alone: no call, and so no queue, is in the producer's trace.
    assert source == (stack["Ingest"], "AWS::Lambda::Function")
    assert target == (stack["ConsumerName"], "AWS::Lambda")
    assert sum(entry["Count"] for entry in edge["ReceivedEventAgeHistogram"]) == 1
    assert edge["ResponseTimeHistogram"] == []


def test_each_consumer_is_linked_with_its_own_queue(aws: Account) -> None:
    """Two queues behind one topic; what Lambda writes is on the producer's side one link for each consumer's trace."""
    producer, consumer = (f"1-{int(BEGIN):08x}-{digit * 24}" for digit in "67")
    child, parent = (
        {"attributes": {"aws.xray.reserved.reference_type": kind}, "trace_id": trace, "id": f"{1:016x}"}
        for kind, trace in (("child", consumer), ("parent", producer))
    )
    sent = call(2, BEGIN + 70, 0.1, "sqs", queue_url="https://sqs/1/orders")
    work = span(3, "Invocation", BEGIN + 70, 0.3, subsegments=[sent], links=[child])
    put(
        aws,
        span(1, "Producer", BEGIN + 70, 0.4, trace_id=producer, origin="AWS::Lambda::Function", subsegments=[work]),
        span(1, "Consumer", BEGIN + 71, 0.4, trace_id=consumer, origin="AWS::Lambda", links=[parent]),
    )
    found = by_name(aws.client("xray").get_trace_graph(TraceIds=[producer, consumer])["Services"])
    (edge,) = found["https://sqs/1/orders", "AWS::SQS::Queue"]["Edges"]
    assert (edge["ReferenceId"], edge["EdgeType"]) == (("Consumer", "AWS::Lambda"), "link")
    assert "Root" not in found["Consumer", "AWS::Lambda"]
    assert [key for key in found if key[1] == "client"] == [("Producer", "client")]


def test_one_client_stands_before_every_root(aws: Account) -> None:
    ids = [f"1-{int(BEGIN):08x}-{digit * 24}" for digit in "89"]
    put(aws, *(span(1, name, BEGIN + 80, 1, trace_id=trace) for name, trace in zip(("One", "Two"), ids, strict=True)))
    found = by_name(aws.client("xray").get_trace_graph(TraceIds=ids)["Services"])
    (client,) = [service for (_name, kind), service in found.items() if kind == "client"]
    assert sorted(client["Names"]) == ["One", "Two"]
    assert [edge["ReferenceId"] for edge in client["Edges"]] == [("One", ""), ("Two", "")]
    assert found["One", ""]["Root"] is True
    assert found["Two", ""]["Root"] is True
