"""Spans of OpenTelemetry in the local X-Ray: the OTLP endpoint, a function's daemon, and the log group `aws/spans`."""

import base64
import datetime as dt
import gzip
import json
import secrets
import time
from typing import Any

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.support.account import Account
from tests.support.local_aws.functions import allow, archive, document, role
from tests.support.local_aws.otlp import JSON, as_json, encoded, new_trace_id, pairs, post, request, send, span, xray_id
from tests.support.local_aws.xray import put
from tests.support.waiting import wait_for

# As AWS's distribution does it: to X-Ray's host by its name, signed with the function's credentials.
EXPORTING = """
import base64, os
import botocore.session, urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

def handler(event, context):
    session = botocore.session.get_session()
    request = AWSRequest("POST", "https://xray.us-east-1.amazonaws.com/v1/traces", data=base64.b64decode(event["body"]),
                         headers={"Content-Type": "application/x-protobuf"})
    SigV4Auth(session.get_credentials(), "xray", "us-east-1").add_auth(request)
    pool = urllib3.PoolManager(ca_certs=os.environ["REQUESTS_CA_BUNDLE"], timeout=10, retries=False)
    return pool.request("POST", request.url, body=request.data, headers=dict(request.headers.items())).status
"""
GZIP = gzip.compress(b"x" * (6 * 1024 * 1024))


def retrieved(xray: Any, trace_id: str, trace_format: str) -> list[dict[str, Any]]:
    """The documents of a trace, as retrieval hands them out; waits until there are any."""

    def ask() -> list[dict[str, Any]]:
        now = dt.datetime.now(dt.UTC)
        token = xray.start_trace_retrieval(
            TraceIds=[trace_id], StartTime=now - dt.timedelta(minutes=10), EndTime=now + dt.timedelta(minutes=1)
        )["RetrievalToken"]
        wait_for(lambda: xray.list_retrieved_traces(RetrievalToken=token)["RetrievalStatus"] == "COMPLETE")
        answer = xray.list_retrieved_traces(RetrievalToken=token, TraceFormat=trace_format)
        assert answer["TraceFormat"] == trace_format
        return [json.loads(kept["Document"]) for trace in answer["Traces"] for kept in trace["Spans"]]

    return wait_for(ask, what=f"trace {trace_id}")


def logged(aws: Account, trace_id: str) -> list[dict[str, Any]]:
    """The records of a trace in the log group."""
    events = aws.client("logs").filter_log_events(logGroupName="aws/spans", filterPattern=f'"{trace_id}"')["events"]
    return [json.loads(event["message"]) for event in events]


def test_a_span_is_kept_in_the_log_group_and_handed_out_in_both_formats(search: Any, aws: Account) -> None:
    trace_id = new_trace_id()
    server = span(trace_id, attributes={"order.id": "7"})
    call = span(
        trace_id,
        kind=Span.SPAN_KIND_CLIENT,
        name="DynamoDB.PutItem",
        parent_span_id=server.span_id,
        attributes={"rpc.system": "aws-api", "rpc.service": "DynamoDB", "rpc.method": "PutItem"},
    )
    call.attributes.extend(pairs({"aws.table_name": "orders"}))
    status, body, headers = post(aws, request(server, call).SerializeToString())
    assert (status, body, headers["Content-Type"]) == (200, b"", "application/x-protobuf")
    records = retrieved(search, xray_id(trace_id), "OTEL")
    assert {record["spanId"] for record in records} == {server.span_id.hex(), call.span_id.hex()}
    assert {record["kind"] for record in records} == {"SERVER", "CLIENT"}
    assert {record["traceId"] for record in records} == {trace_id}
    assert sorted(logged(aws, trace_id), key=str) == sorted(records, key=str)
    documents = {document["name"]: document for document in retrieved(search, trace_id, "XRAY")}
    assert documents["shop"]["metadata"]["default"]["order.id"] == "7"
    (subsegment,) = documents["shop"]["subsegments"]
    assert (subsegment["name"], subsegment["aws"]["operation"]) == ("DynamoDB", "PutItem")
    assert documents["DynamoDB"]["origin"] == "AWS::DynamoDB::Table"
    assert {document["name"] for document in aws.documents(xray_id(trace_id))} == {"shop", "DynamoDB"}


@pytest.mark.parametrize(
    ("content_type", "encoding"), [("application/x-protobuf", "gzip"), (JSON, None), (JSON + "; charset=utf-8", "gzip")]
)
def test_both_encodings_are_taken_plain_and_compressed(
    search: Any, aws: Account, content_type: str, encoding: str | None
) -> None:
    trace_id = new_trace_id()
    message = request(span(trace_id))
    body = json.dumps(as_json(message)).encode() if JSON in content_type else message.SerializeToString()
    status, answer, _ = post(
        aws, gzip.compress(body) if encoding else body, content_type=content_type, encoding=encoding
    )
    assert (status, answer) == (200, b"{}" if JSON in content_type else b"")
    assert len(retrieved(search, trace_id, "OTEL")) == 1


def test_the_endpoint_is_found_by_its_host(search: Any, aws: Account) -> None:
    trace_id = new_trace_id()
    body = request(span(trace_id)).SerializeToString()
    assert post(aws, body, host="xray.us-east-1.amazonaws.com")[0] == 200
    assert len(retrieved(search, trace_id, "OTEL")) == 1


@pytest.mark.parametrize(("action", "status"), [("xray:PutSpans", 200), ("xray:PutTraceSegments", 403)])
def test_a_function_exports_to_x_rays_own_host(search: Any, aws: Account, action: str, status: int) -> None:
    functions, name, trace_id = aws.client("lambda"), f"exporting-{status}", new_trace_id()
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role(aws, name, action),
        Handler="index.handler",
        Code={"ZipFile": archive(index=EXPORTING)},
        Timeout=30,
    )
    body = base64.b64encode(request(span(trace_id)).SerializeToString()).decode()
    answer = functions.invoke(FunctionName=name, Payload=json.dumps({"body": body}))
    assert json.loads(answer["Payload"].read()) == status
    if status == 200:
        assert len(retrieved(search, trace_id, "OTEL")) == 1


def test_without_transaction_search_the_endpoint_refuses_with_awss_words(aws: Account) -> None:
    trace_id = new_trace_id()
    status, body, headers = post(aws, request(span(trace_id)).SerializeToString())
    assert (status, headers["x-amzn-ErrorType"]) == (400, "InvalidRequestException")
    message = Status.FromString(body).message
    assert message.startswith("The OTLP API is supported with CloudWatch Logs as a Trace Segment Destination.")
    assert aws.documents(xray_id(trace_id)) == []


@pytest.mark.parametrize(
    ("body", "content_type", "encoding", "reason"),
    [
        (b"\xff\xff\xff", "application/x-protobuf", None, "no ExportTraceServiceRequest"),
        (b"{", JSON, None, "no ExportTraceServiceRequest in JSON"),
        (b"", "text/plain", None, "Content-Type is 'text/plain'"),
        (b"not gzip", "application/x-protobuf", "gzip", "the body is not gzip"),
        (
            gzip.compress(b"\n" * 100, mtime=0)[:-9],
            "application/x-protobuf",
            "gzip",
            "the body is not gzip (it is cut off)",
        ),
        (b"x", "application/x-protobuf", "zstd", "Content-Encoding is 'zstd'"),
        (GZIP, "application/x-protobuf", "gzip", "more than 5242880 bytes"),
    ],
)
def test_what_is_no_request_is_refused_and_the_next_one_taken(
    search: Any, aws: Account, body: bytes, content_type: str, encoding: str | None, reason: str
) -> None:
    status, answer, _ = post(aws, body, content_type=content_type, encoding=encoding)
    assert status == 400
    message = json.loads(answer)["message"] if content_type == JSON else Status.FromString(answer).message
    assert reason in message
    trace_id = new_trace_id()
    assert post(aws, request(span(trace_id)).SerializeToString())[0] == 200
    assert len(retrieved(search, trace_id, "OTEL")) == 1


def test_a_span_that_is_refused_costs_no_other_of_the_call(search: Any, aws: Account) -> None:
    trace_id = new_trace_id()
    good, short, huge = span(trace_id), span(trace_id), span(trace_id, attributes={"a": "b" * 205_000})
    short.span_id = b"\1"
    status, body, _ = post(aws, request(huge, short, good).SerializeToString())
    partial = ExportTraceServiceResponse.FromString(body).partial_success
    assert (status, partial.rejected_spans) == (200, 2)
    assert "span_id '01' is not 8 bytes" in partial.error_message
    assert "the limit is 204800" in partial.error_message
    assert [record["spanId"] for record in retrieved(search, trace_id, "OTEL")] == [good.span_id.hex()]


def test_the_endpoint_takes_a_signature_and_the_permission_to_put_spans(search: Any, aws: Account) -> None:
    body = request(span(new_trace_id())).SerializeToString()
    wrong = Credentials(aws.facts.access_key_id, "w" * 40)
    assert post(aws, body, credentials=wrong)[0] == 403
    iam = aws.client("iam")
    for name, action, expected in (("may", "xray:PutSpans", 200), ("may-not", "xray:PutTraceSegments", 403)):
        user = f"{name}-{secrets.token_hex(4)}"
        iam.create_user(UserName=user)
        iam.put_user_policy(UserName=user, PolicyName="own", PolicyDocument=document(allow(action)))
        key = iam.create_access_key(UserName=user)["AccessKey"]
        credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
        assert post(aws, body, credentials=credentials)[0] == expected


def test_what_its_sender_did_not_sample_is_for_transaction_search_alone(search: Any, aws: Account) -> None:
    trace_id = new_trace_id()
    send(aws.facts.daemon_address, encoded(span(trace_id), sampled=False))
    assert len(retrieved(search, trace_id, "XRAY")) == 1
    assert aws.documents(xray_id(trace_id)) == []
    search.update_trace_segment_destination(Destination="XRay")
    unsampled, marker = new_trace_id(), new_trace_id()
    send(aws.facts.daemon_address, encoded(span(unsampled), sampled=False))
    send(aws.facts.daemon_address, encoded(span(marker)))
    wait_for(lambda: aws.documents(xray_id(marker)))
    assert aws.documents(xray_id(unsampled)) == []


def test_a_segment_is_kept_as_a_span_of_the_semantic_conventions(search: Any, aws: Account) -> None:
    trace_id, now = new_trace_id(), time.time()
    put(
        aws,
        {
            "name": "shop",
            "id": "a" * 16,
            "trace_id": xray_id(trace_id),
            "start_time": now - 1,
            "end_time": now,
            "http": {"request": {"method": "GET", "url": "https://a.example/x"}, "response": {"status": 500}},
            "fault": True,
            "annotations": {"order": "7"},
            "metadata": {"default": {"n": 1}},
            "cause": {"exceptions": [{"id": "e" * 16, "type": "ValueError", "message": "no"}]},
            "subsegments": [
                {
                    "name": "SNS",
                    "id": "b" * 16,
                    "start_time": now - 1,
                    "end_time": now,
                    "namespace": "aws",
                    "aws": {"operation": "Publish"},
                },
                {"name": "price", "id": "c" * 16, "start_time": now - 1, "end_time": now},
            ],
        },
    )
    records = {record["name"]: record for record in retrieved(search, trace_id, "OTEL")}
    assert {name: record["kind"] for name, record in records.items()} == {
        "shop": "SERVER",
        "SNS": "CLIENT",
        "price": "INTERNAL",
    }
    shop = records["shop"]
    assert shop["attributes"] == {
        "http.method": "GET",
        "http.url": "https://a.example/x",
        "http.status_code": 500,
        "order": "7",
        "aws.xray.annotations": ["order"],
        "aws.xray.metadata.default": '{"n": 1}',
    }
    assert (shop["status"]["code"], shop["resource"]["attributes"]["service.name"]) == ("ERROR", "shop")
    assert shop["events"][0]["attributes"] == {"exception.type": "ValueError", "exception.message": "no"}
    assert records["SNS"]["attributes"] == {"aws.operation": "Publish", "aws.service": "SNS"}
    assert records["price"]["parentSpanId"] == "a" * 16
    assert {record["spanId"] for record in logged(aws, trace_id)} == {"a" * 16, "b" * 16, "c" * 16}


def test_a_segment_in_progress_is_kept_once_it_is_complete(search: Any, aws: Account) -> None:
    trace_id, now = new_trace_id(), time.time()
    begun = {"name": "shop", "id": "a" * 16, "trace_id": xray_id(trace_id), "start_time": now}
    put(aws, {**begun, "in_progress": True})
    assert wait_for(lambda: aws.documents(xray_id(trace_id)))
    put(aws, {**begun, "end_time": now + 1})
    assert len(retrieved(search, trace_id, "OTEL")) == 1
    assert len(logged(aws, trace_id)) == 1


def test_nobody_else_writes_to_the_log_group(search: Any, aws: Account) -> None:
    assert post(aws, request(span(new_trace_id())).SerializeToString())[0] == 200
    logs = aws.client("logs")
    event = {"timestamp": int(time.time() * 1000), "message": "mine"}
    with pytest.raises(ClientError, match="spans from X-Ray alone"):
        logs.put_log_events(logGroupName="aws/spans", logStreamName="default", logEvents=[event])
