"""Traces found again: time ranges, filter expressions, pages, and large numbers of them."""

import datetime as dt
import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness.local_aws import LocalAws
from tests.support.account import Account
from tests.support.local_aws.xray import put
from tests.support.timing import cpu_seconds

# A day of their own for each kind of test, so that none finds the traces of another.
DAY = 86400.0
# Whole seconds: an SDK sends a time range to the microsecond, which need not be just the float it was made of.
FILTERED, TIMED, PAGED, MANY = (float(int(time.time() - DAY * days)) for days in (3, 6, 9, 12))


def trace_id(begin: float, number: int) -> str:
    return f"1-{int(begin):08x}-{number:024x}"


def segment(begin: float, number: int, **more: Any) -> dict[str, Any]:
    document = {
        "name": "shop",
        "id": f"{1:016x}",
        "trace_id": trace_id(begin, number),
        "start_time": begin,
        "end_time": begin + 1,
    }
    return {**document, **more}


def summaries(aws: Account, begin: float, seconds: float = 10, **options: Any) -> list[Any]:
    start = dt.datetime.fromtimestamp(begin, dt.UTC)
    pages = (
        aws.client("xray")
        .get_paginator("get_trace_summaries")
        .paginate(StartTime=start, EndTime=start + dt.timedelta(seconds=seconds), **options)
    )
    return [summary for page in pages for summary in page["TraceSummaries"]]


@pytest.fixture(scope="module")
def filtered(aws: Account) -> str:
    """A trace with a shop that called a table and a payment service, which failed."""
    calls: list[dict[str, object]] = [
        {"id": f"{2:016x}", "name": "dynamodb", "namespace": "aws", "aws": {"table_name": "orders"}},
        {"id": f"{3:016x}", "name": "pay.example.com", "namespace": "remote", "fault": True},
    ]
    calls[1]["cause"] = {"exceptions": [{"id": f"{4:016x}", "type": "Gone", "message": "gone away"}]}
    times: dict[str, object] = {"start_time": FILTERED, "end_time": FILTERED + 0.25}
    document = segment(
        FILTERED,
        1,
        origin="AWS::EC2::Instance",
        resource_arn="arn:aws:ec2:us-east-1:1:instance/i-1",
        user="ann",
        error=True,
        annotations={"customer": "ann", "age": 30, "vip": True, "beta": False, "delta": -3, "aws:api_id": "abc"},
        aws={"account_id": "111122223333", "ec2": {"instance_id": "i-1", "availability_zone": "us-east-1a"}},
        http={
            "request": {
                "url": "https://shop/orders",
                "method": "POST",
                "user_agent": "curl/8",
                "client_ip": "10.0.0.1",
            },
            "response": {"status": 404},
        },
        subsegments=[{**times, **found} for found in calls],
    )
    put(aws, document)
    aws.client("xray").create_group(GroupName="errors", FilterExpression="error")
    return str(document["trace_id"])


@pytest.mark.parametrize(
    "expression",
    [
        "error",
        "!ok",
        "ok = false",
        "!fault AND !throttle",
        "!partial",
        "inferred",
        "responsetime >= 1 AND duration <= 1.01",
        "responseTime > 0.5",
        "error !partial duration <3",
        "http.status != 200",
        'http.url CONTAINS "/orders"',
        'http.url BEGINSWITH "https://shop" and http.url ENDSWITH "orders"',
        "http.url AND responseTime > 0.5",
        'http.method = "POST" OR fault',
        'http.useragent CONTAINS "curl"',
        'http.clientip = "10.0.0.1"',
        'user = "ann"',
        'user CONTAINS ""',
        'resource.arn ENDSWITH "i-1"',
        'instance.id = "i-1"',
        'availabilityzone = "us-east-1a"',
        "annotation.customer",
        'annotation.customer = "ann"',
        'annotation[customer] != "bob"',
        'annotation[aws:api_id] = "abc"',
        "annotation.age > 29",
        "annotation.vip",
        "!annotation.beta",
        "annotation.beta = false",
        "!annotation.missing",
        'service("shop")',
        'service("shop") { error AND responsetime > 0.5 }',
        'service("orders")',
        'service("pay.example.com") { fault }',
        "service() { fault }",
        'service("shop") { root = true and error = true }',
        'service(id(name: "orders", type: "AWS::DynamoDB::Table"))',
        'service(id(type: "AWS::DynamoDB::Table")) { inferred }',
        '!service("cart")',
        'edge("shop", "pay.example.com") { fault }',
        'edge("shop", "orders") { ok }',
        'edge(id(name: "shop", type: "AWS::EC2::Instance"), id(type: "AWS::DynamoDB::Table"))',
        'group.name = "errors" AND user = "ann"',
        'ok = "false"',
        'ok != "true"',
        'error = "TRUE"',
        'http.status = "404"',
        "http.status != -1",
        "annotation.delta > -5",
        "annotation.delta = -3",
        'annotation.age = "30"',
        'annotation.vip = "true"',
        "annotation.beta != true",
        'service(id(account.id: "111122223333"))',
        'service(id(name: "shop", account.id: "111122223333")) { error }',
        '!service(id(account.id: "000000000000"))',
        'edge(id(account.id: "111122223333"), "orders")',
        "rootcause.fault.service",
        'rootcause.fault.service { last and name = "pay.example.com" and inferred }',
        'rootcause.fault.service { first and name = "shop" and type = "AWS::EC2::Instance" }',
        "rootcause.fault.service { name = shop }",
        "rootcause.fault.entity { index = 1 and remote }",
        'rootcause.fault.exception { name = "Gone" and message CONTAINS "away" }',
        'rootcause.error.entity { last and name = "shop" }',
        "rootcause.responsetime.entity { first and coverage >= 1 }",
        '!rootcause.responsetime.service { name = "orders" }',
        'rootcause.json = #[{"Services": [{"Name": "shop", "EntityPath": [{"Name": "shop"}]}]}]',
        '!rootcause.json = #[{"Services": [{"Name": "shop"}, {"Name": "cart"}]}]',
    ],
)
def test_an_expression_finds_the_trace_and_its_negation_does_not(aws: Account, filtered: str, expression: str) -> None:
    assert [found["Id"] for found in summaries(aws, FILTERED, FilterExpression=expression)] == [filtered]
    assert summaries(aws, FILTERED, FilterExpression=f"!({expression})") == []


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("rootcause.fault.service { duration > 1 }", "found duration, expected name, type, message"),
        ("rootcause.fault.service { annotation.age }", "found annotation.age"),
        ("service() { rootcause.fault.service }", "found rootcause.fault.service"),
        ("rootcause.json = #[{]", "has no end"),
        (f"rootcause.json = #[{'[' * 60_000}{']' * 60_000}]", "maximum recursion depth"),
        ("rootcause.json = 5", "expected #[{"),
        ("coverage > 1", "found coverage"),
        ("ok = 1", "found 1, expected true or false"),
        ('fault = "yes"', "expected true or false"),
        ('responsetime CONTAINS "1"', "found CONTAINS, expected =, !=, <"),
        ('responsetime = "fast"', 'found "fast", expected a number'),
        ("user > 5", "found >, expected =, !=, CONTAINS"),
        ("user = 5", "found 5, expected a text"),
        ("user = true", "found true, expected a text"),
        ("annotation.customer CONTAINS 5", "expected a text"),
        ('annotation.customer > "ann"', "expected a number"),
        ("service(5)", "found 5, expected a text"),
        ('id(account.id: "1")', "found id"),
        ('service(id(account: "1"))', "found account, expected name, type or account.id"),
        ("!" * 1000 + "ok", "at most 50"),
        ("error AND", "found the end"),
        ('service("shop") { annotation.age > 29 }', "annotations belong outside"),
        ('service("shop", "cart")', "1 names or none"),
        ('group.name = "unknown"', "there is no group 'unknown'"),
        ("http.status ~ 3", "unreadable at character 11"),
        ("responsetime > fast", "found fast"),
    ],
)
def test_what_cannot_be_read_is_refused(aws: Account, expression: str, words: str) -> None:
    with pytest.raises(ClientError, match="InvalidRequestException") as problem:
        summaries(aws, FILTERED, FilterExpression=expression)
    assert words in str(problem.value)


def test_each_time_range_has_its_own_meaning(aws: Account) -> None:
    """The trace begins in second 0, its first segment ends in second 1, its last in second 9."""
    first = segment(TIMED, 1)
    second = segment(TIMED, 1, id=f"{2:016x}", parent_id=first["id"], start_time=TIMED + 5, end_time=TIMED + 9)
    put(aws, first, second)

    def found(kind: str, begin: float, end: float) -> bool:
        return bool(summaries(aws, TIMED + begin, end - begin, TimeRangeType=kind))

    assert [found("TraceId", *window) for window in ((-1, 1), (0.5, 20))] == [True, False]
    assert [found("Event", *window) for window in ((-5, -1), (3, 4), (20, 30))] == [False, True, False]
    assert [found("Service", *window) for window in ((0.5, 2), (3, 4), (8, 10))] == [True, False, True]
    with pytest.raises(ClientError, match="24 hours"):
        summaries(aws, TIMED, DAY + 1)


def test_pages_come_newest_first_and_survive_newcomers(aws: Account) -> None:
    put(aws, *(segment(PAGED + number * 0.01, number) for number in range(250)))
    xray, start = aws.client("xray"), dt.datetime.fromtimestamp(PAGED - 1, dt.UTC)
    window: dict[str, Any] = {"StartTime": start, "EndTime": start + dt.timedelta(seconds=60)}
    ids: list[str] = []
    more: dict[str, str] = {}
    while True:
        page = xray.get_trace_summaries(**window, **more)
        ids.extend(summary["Id"] for summary in page["TraceSummaries"])
        if "NextToken" not in page:
            break
        more = {"NextToken": page["NextToken"]}
        put(aws, segment(PAGED + 20 + len(ids), 1000 + len(ids)))
    assert ids == [trace_id(PAGED + number * 0.01, number) for number in reversed(range(250))]
    with pytest.raises(ClientError, match="NextToken 'invented'"):
        xray.get_trace_summaries(**window, NextToken="invented")
    half = summaries(aws, PAGED - 1, 5, Sampling=True, SamplingStrategy={"Name": "FixedRate", "Value": 0.0})
    assert half == []


def test_batch_get_traces_comes_in_pages_of_whole_traces(aws: Account) -> None:
    ids = [trace_id(PAGED, 0xBA00 + number) for number in range(4)]
    for found in ids:
        put(
            aws,
            *(
                segment(PAGED, 0, trace_id=found, id=f"{number + 1:016x}", metadata={"x": "y" * 10_000})
                for number in range(40)
            ),
        )
    xray = aws.client("xray")
    first = xray.batch_get_traces(TraceIds=ids)
    assert len(first["Traces"]) < len(ids)
    pages = xray.get_paginator("batch_get_traces").paginate(TraceIds=ids)
    traces = [trace for page in pages for trace in page["Traces"]]
    assert [(trace["Id"], len(trace["Segments"])) for trace in traces] == [(found, 40) for found in ids]


def test_a_deeply_nested_document_is_taken_or_refused_but_never_breaks(aws: Account) -> None:
    def nested(depth: int) -> str:
        text = json.dumps(segment(PAGED, 0xDEE0 + depth))
        for number in range(depth):
            inner = {"id": f"{number + 2:016x}", "name": "s", "start_time": PAGED, "end_time": PAGED}
            text = text[:-1] if number == 0 else text
            text += f', "subsegments": [{json.dumps(inner)[:-1]}'
        return text + "}]" * depth + ("}" if depth else "")

    assert put(aws, nested(200)) == []
    (found,) = aws.documents(trace_id(PAGED, 0xDEE0 + 200))
    depth = 0
    while "subsegments" in found:
        (found,), depth = found["subsegments"], depth + 1
    assert depth == 200
    (refused,) = put(aws, "[" * 20_000 + "]" * 20_000)
    assert refused["ErrorCode"] == "ParseError"


def test_ten_thousand_segments_and_ten_thousand_traces_take_seconds(aws: Account, local_aws: LocalAws) -> None:
    """Far from what the machine could: each of these takes a second or two, minutes when something is quadratic."""
    xray = aws.client("xray")
    large = trace_id(MANY, 0)
    begin = cpu_seconds(local_aws.pid) + time.process_time()
    for at in range(0, 10_000, 50):
        put(aws, *(_numbered(large, number) for number in range(at, at + 50)))
    (trace,) = xray.batch_get_traces(TraceIds=[large])["Traces"]
    assert len(trace["Segments"]) == 1 + 5_000 + 4_999  # a call is nested, and infers a segment
    names = {service["Name"] for service in xray.get_trace_graph(TraceIds=[large])["Services"]}
    assert names == {"root", "orders", *(f"service-{number}" for number in range(20))}
    for at in range(0, 10_000, 50):
        put(aws, *(segment(MANY + 1 + n * 1e-4, n + 1) for n in range(at, at + 50)))
    assert len(summaries(aws, MANY - 1, 60, FilterExpression='service("shop")')) == 10_000
    assert cpu_seconds(local_aws.pid) + time.process_time() - begin < 60


def _numbered(trace: str, number: int) -> dict[str, Any]:
    """By turns a segment called by the root, and a call of the root sent by itself."""
    times = {"start_time": MANY + (number * 7919 % 10_000) * 1e-4, "end_time": MANY + 3}
    document: dict[str, Any] = {"id": f"{number + 1:016x}", "trace_id": trace, **times}
    if number == 0:
        return {**document, "name": "root", "start_time": MANY}
    document["parent_id"] = f"{1:016x}"
    if number % 2:
        return {**document, "name": f"service-{number // 2 % 20}"}
    call = {"name": "dynamodb", "namespace": "aws", "type": "subsegment", "aws": {"table_name": "orders"}}
    return {**document, **call}
