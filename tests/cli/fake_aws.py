"""The few AWS calls the command line makes, answered on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support import samples

CFN = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
OUTPUTS = {
    "QueueUrl": "https://q/1",
    "DeadLetterQueueUrl": "https://q/2",
    "TableName": samples.TABLE,
}
RESOURCES = {
    "AWS::ApiGateway::RestApi": "abc123",
    "AWS::ApiGateway::Stage": "prod",
    "AWS::SQS::Queue": "https://q/3",
    "AWS::DynamoDB::GlobalTable": samples.TABLE,
    "AWS::Lambda::Function": samples.WORKER,
}

_TRANSACTION_SEARCH = (
    "GetTraceSegmentDestination",
    "StartTraceRetrieval",
    "ListRetrievedTraces",
    "CancelTraceRetrieval",
)


@dataclass
class Posted:
    """A request to the pipeline's API."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class FakeAws:
    """What the calls are answered with, and what was asked."""

    endpoint: str = ""
    traces: dict[str, samples.Document] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=lambda: dict(OUTPUTS))
    resources: dict[str, str] = field(default_factory=lambda: dict(RESOURCES))
    nested: dict[str, dict[str, str]] = field(default_factory=dict)
    """The resources of nested stacks, by the stack's id."""
    posted_paths: list[str] = field(default_factory=lambda: ["/orders"])
    posted: list[Posted] = field(default_factory=list)
    status: int = 202
    denied: set[str] = field(default_factory=set)
    asked: list[list[str]] = field(default_factory=list)
    filters: list[str] = field(default_factory=list)
    logs: dict[str, list[samples.Document]] = field(default_factory=dict)
    log_groups: dict[str, str] = field(default_factory=dict)
    page: int = 2
    destination: str = "XRay"
    logged: dict[str, samples.Document] = field(default_factory=dict)
    retrievals: list[samples.Document] = field(default_factory=list)
    statuses: list[str] = field(default_factory=lambda: ["COMPLETE"])
    on_ask: Callable[[int], None] = lambda _: None

    @property
    def api_url(self) -> str:
        """Where the API's stage is served."""
        return f"{self.endpoint}/apis/abc123/prod"

    def add(self, *traces: samples.Document) -> None:
        self.traces.update({trace["Id"]: trace for trace in traces})

    def batch(self, body: samples.Document) -> tuple[int, samples.Document]:
        if "BatchGetTraces" in self.denied:
            return 403, {"__type": "AccessDeniedException", "Message": "not authorized to perform: xray:BatchGetTraces"}
        if len(body["TraceIds"]) > 5:
            return 400, {"__type": "InvalidRequestException", "Message": "at most 5 trace ids"}
        begin = int(body.get("NextToken", "0"))
        if begin == 0:
            self.asked.append(body["TraceIds"])
            self.on_ask(len(self.asked))
        known = [self.traces[trace_id] for trace_id in body["TraceIds"] if trace_id in self.traces]
        answer: samples.Document = {"Traces": known[begin : begin + self.page], "UnprocessedTraceIds": []}
        if begin + self.page < len(known):
            answer["NextToken"] = str(begin + self.page)
        return 200, answer

    def summaries(self, body: samples.Document) -> tuple[int, samples.Document]:
        self.filters.append(body.get("FilterExpression", ""))
        found = [{"Id": key, "StartTime": int(key.split("-")[1], 16)} for key in self.traces]
        return 200, {"TraceSummaries": found}

    def filter_log_events(self, body: samples.Document) -> tuple[int, samples.Document]:
        group = body["logGroupName"]
        if "FilterLogEvents" in self.denied:
            return 400, {
                "__type": "AccessDeniedException",
                "message": "not authorized to perform: logs:FilterLogEvents",
            }
        if group not in self.logs:
            return 400, {"__type": "ResourceNotFoundException", "message": "The specified log group does not exist."}
        begin = int(body.get("nextToken", "0"))
        found = [e for e in self.logs[group] if body["startTime"] <= e["timestamp"] <= body["endTime"]]
        answer: samples.Document = {"events": found[begin : begin + self.page]}
        if begin + self.page < len(found):
            answer["nextToken"] = str(begin + self.page)
        return 200, answer

    def function_configuration(self, name: str) -> tuple[int, samples.Document]:
        name = name.rsplit(":", 1)[-1]
        if "GetFunctionConfiguration" in self.denied:
            return 403, {"__type": "AccessDeniedException", "Message": "not authorized"}
        if name not in self.log_groups:
            return 404, {"__type": "ResourceNotFoundException", "Message": f"Function not found: {name}"}
        return 200, {"FunctionName": name, "LoggingConfig": {"LogGroup": self.log_groups[name]}}

    def transaction_search(self, operation: str, body: samples.Document) -> tuple[int, samples.Document]:
        """Traces that are in the log group and not in the index."""
        if operation in self.denied:
            return 403, {"__type": "AccessDeniedException", "Message": f"not authorized to perform: xray:{operation}"}
        if operation == "GetTraceSegmentDestination":
            return 200, {"Destination": self.destination, "Status": "ACTIVE"}
        if operation == "StartTraceRetrieval":
            self.retrievals.append(body)
            return 200, {"RetrievalToken": str(len(self.retrievals) - 1)}
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if operation == "CancelTraceRetrieval" or status != "COMPLETE":
            return 200, {"RetrievalStatus": status, "Traces": []}
        wanted = self.retrievals[int(body["RetrievalToken"])]["TraceIds"]
        begin = int(body.get("NextToken", "0"))
        known = [self.logged[trace_id] for trace_id in wanted if trace_id in self.logged]
        spans = [{"Id": trace["Id"], "Spans": trace["Segments"]} for trace in known[begin : begin + self.page]]
        following = {"NextToken": str(begin + self.page)} if begin + self.page < len(known) else {}
        return 200, {"RetrievalStatus": status, "TraceFormat": "XRAY", "Traces": spans, **following}

    def cloudformation(self, form: dict[str, list[str]]) -> tuple[int, str]:
        action, stack = form["Action"][0], form["StackName"][0]
        if action in self.denied:
            return 403, _cfn_error("AccessDenied", f"not authorized to perform: cloudformation:{action}")
        if action == "ListStackResources" and stack in self.nested:
            return 200, _resources(self.nested[stack])
        if stack != "TracedPipeline":
            return 400, _cfn_error("ValidationError", f"Stack with id {stack} does not exist")
        if action == "DescribeStacks":
            members = "".join(
                f"<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>"
                for key, value in self.outputs.items()
            )
            content = f"<Stacks><member><StackName>{stack}</StackName><Outputs>{members}</Outputs></member></Stacks>"
        else:
            return 200, _resources(self.resources)
        return 200, f'<{action}Response xmlns="{CFN}"><{action}Result>{content}</{action}Result></{action}Response>'


def _resources(resources: Mapping[str, str]) -> str:
    """An answer of ListStackResources: physical ids by type."""
    members = "".join(
        f"<member><PhysicalResourceId>{value}</PhysicalResourceId><ResourceType>{key}</ResourceType></member>"
        for key, value in resources.items()
    )
    content = f"<StackResourceSummaries>{members}</StackResourceSummaries>"
    action = "ListStackResources"
    return f'<{action}Response xmlns="{CFN}"><{action}Result>{content}</{action}Result></{action}Response>'


def _cfn_error(code: str, message: str) -> str:
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    return f'<ErrorResponse xmlns="{CFN}">{error}</ErrorResponse>'


@contextmanager
def serving(aws: FakeAws) -> Iterator[FakeAws]:
    """Serve on a free port of loopback until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            path = urlsplit(self.path).path
            if path == "/Traces":
                self._answer(*aws.batch(json.loads(body)))
            elif path == "/TraceSummaries":
                self._answer(*aws.summaries(json.loads(body)))
            elif self.headers.get("X-Amz-Target") == "Logs_20140328.FilterLogEvents":
                self._answer(*aws.filter_log_events(json.loads(body)))
            elif path.strip("/") in _TRANSACTION_SEARCH:
                self._answer(*aws.transaction_search(path.strip("/"), json.loads(body or b"{}")))
            elif path.startswith("/apis/"):
                aws.posted.append(Posted(path=path, headers=dict(self.headers.items()), body=body))
                trace = f"1-{int(samples.EPOCH):08x}-{len(aws.posted):024x}"
                answer: object = {"id": "order-1", "trace_id": trace} if aws.status < 300 else {"message": "refused"}
                self._answer(aws.status, answer, {"X-Amzn-Trace-Id": f"Root={trace};Sampled=1"})
            else:
                self._answer(*aws.cloudformation(parse_qs(body.decode())))

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path.startswith("/2015-03-31/functions/"):
                self._answer(*aws.function_configuration(unquote(path.split("/")[3])))
            elif path.endswith("/resources"):
                items = [{"path": path, "resourceMethods": {"POST": {}}} for path in aws.posted_paths]
                self._answer(200, {"item": items})
            else:
                self._answer(200, {"id": "abc123", "name": "Orders"})

        def _answer(self, status: int, content: object, headers: dict[str, str] | None = None) -> None:
            data = (content if isinstance(content, str) else json.dumps(content)).encode()
            self.send_response(status)
            for key, value in (headers or {}).items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    aws.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    aws.outputs["ApiUrl"] = f"{aws.api_url}/orders"
    try:
        yield aws
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
