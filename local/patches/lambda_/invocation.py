"""One invocation of a function: the header it gets, and the two segments Lambda sends for it.

Sources: Lambda Developer Guide, "Visualize Lambda function invocations using AWS X-Ray"; AWS Compute Blog,
"Streamlining trace sampling behavior for AWS Lambda functions with AWS X-Ray"; AWS's own issue trackers for the
values of `_X_AMZN_TRACE_ID` (aws-xray-sdk-node 651 and 570, aws-xray-sdk-java 409).
"""

import hashlib
import time
from dataclasses import dataclass, field
from typing import Any

from local.propagation.header import TraceHeader, new_entity_id, new_trace_id
from local.xray.state import XRay

Fields = dict[str, Any]

# "Each trace segment can be linked to up to 20 traces": X-Ray Developer Guide, "Tracing event-driven applications".
_MAX_LINKS = 20


@dataclass(kw_only=True)
class Invocation:
    """One invocation, from the decision to trace it on.

    Attributes:
        header: Value of `_X_AMZN_TRACE_ID`.
        sampled: Whether Lambda sends segments.
        caller: The caller's subsegment; `None` for an event source.
        initialization: Start and end of the cold start; `None` for a warm one.
        sources: The tracing headers of the batch's messages, for the links.
    """

    function_arn: str
    request_id: str
    trace_id: str
    header: str
    sampled: bool
    caller: str | None = None
    sources: tuple[TraceHeader, ...] = ()
    service_id: str = field(default_factory=new_entity_id)
    function_id: str = field(default_factory=new_entity_id)
    invocation_id: str = field(default_factory=new_entity_id)
    start: float = field(default_factory=time.time)
    initialization: tuple[float, float] | None = None


class InvocationPlanner:
    """Decides about invocations before they run, and sends their segments after."""

    def __init__(self, xray: XRay) -> None:
        self._xray = xray

    def plan(self, config: Fields, *, request_id: str, header: str | None, records: list[Fields] | None) -> Invocation:
        """Decides what an invocation gets.

        Args:
            config: The function's configuration.
            request_id: The invocation's request id.
            header: The caller's tracing header, as it came.
            records: The messages, when an SQS event source invokes; `None` otherwise.
        """
        function_arn = str(config.get("FunctionArn", ""))
        active = (config.get("TracingConfig") or {}).get("Mode") == "Active"
        carried = [
            TraceHeader.parse((record.get("attributes") or {}).get("AWSTraceHeader")) for record in records or ()
        ]
        sources = tuple(source for source in carried if source)
        came = TraceHeader.parse(header) if records is None else None
        # An event source starts a trace of its own and links it to the messages' (aws-xray-sdk-node 570).
        root = came.root if came else new_trace_id()
        lineage = _lineage(
            function_arn, came.lineage if came else next((s.lineage for s in sources if s.lineage), None)
        )
        caller = came.parent if came else None
        invocation_id = new_entity_id()
        if not active:
            # "PassThrough mode simply propagates the tracing context": Root and Lineage only.
            value, sampled = TraceHeader(root=root, lineage=lineage), False
        else:
            sampled = self._decide(function_arn, came, sources)
            # The Parent of an invocation that is not sampled is assumed to be the caller's, or a made-up one.
            parent = invocation_id if sampled else caller or new_entity_id()
            value = TraceHeader(root=root, parent=parent, sampled="1" if sampled else "0", lineage=lineage)
        return Invocation(
            function_arn=function_arn,
            request_id=request_id,
            trace_id=root,
            header=value.render(),
            sampled=sampled,
            caller=caller,
            sources=sources,
            invocation_id=invocation_id,
        )

    def finish(self, invocation: Invocation, config: Fields, *, failure: object) -> None:
        """Sends the segments of a sampled invocation that is over; `failure` is what an error answered."""
        if not invocation.sampled:
            return
        for document in _documents(invocation, config, failure):
            self._xray.traces.put(document)
        self._link(invocation, str(config.get("FunctionName", "")))

    def _decide(self, function_arn: str, came: TraceHeader | None, sources: tuple[TraceHeader, ...]) -> bool:
        decisions = {header.sampled for header in ((came,) if came else sources)}
        if "1" in decisions:
            return True  # Of a batch, one sampled message is enough: assumed.
        if "0" in decisions:
            return False
        return self._xray.functions.decide(function_arn)

    def _link(self, invocation: Invocation, name: str) -> None:
        # A link on the producer's Invocation, with these attributes and both times the consumer's start: a real
        # trace in awslabs/aws-iatk, internal/pkg/xray/testdata/traceWithLinks01.json. It leads to the consumer's
        # AWS::Lambda segment, whose own link leads back: assumed.
        for source in invocation.sources[:_MAX_LINKS]:
            if source.sampled != "1" or not source.parent:
                continue
            traces = self._xray.traces
            producer = traces.function_invocation(trace_id=source.root, entity_id=source.parent)
            traces.link(
                trace_id=invocation.trace_id,
                entity_id=invocation.service_id,
                link={
                    "trace_id": source.root,
                    "id": producer or source.parent,
                    "attributes": {"aws.xray.reserved.reference_type": "parent"},
                },
            )
            received = round(invocation.start, 3)
            traces.link(
                trace_id=source.root,
                entity_id=producer or source.parent,
                sent_by=source.parent,
                link={
                    "trace_id": invocation.trace_id,
                    "id": invocation.service_id,
                    "attributes": {
                        "aws.xray.reserved.names": [name],
                        "aws.xray.reserved.received_event_end_time": received,
                        "aws.xray.reserved.type": "AWS::Lambda",
                        "aws.xray.reserved.dwell_end_time": received,
                        "aws.xray.reserved.reference_type": "child",
                    },
                },
            )


def _documents(invocation: Invocation, config: Fields, failure: object) -> tuple[Fields, Fields]:
    # Fields and times as in the same real trace: Initialization comes before the function's segment begins,
    # Overhead ends with it, and the Lambda service's segment spans both.
    name, arn, done = str(config.get("FunctionName", "")), invocation.function_arn, time.time()
    begin = invocation.initialization[1] if invocation.initialization else invocation.start
    # A function that raises is an error here, with the status 200 of the call that was answered: a published summary of
    # such a trace has HasError, and not HasFault; AWS's pictures draw its ring amber.
    error: Fields = {"error": True} if failure is not None else {}
    common = {"name": name, "trace_id": invocation.trace_id, **error}
    group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{name}"
    parts: list[Fields] = []
    if invocation.initialization:
        parts.append(_part("Initialization", new_entity_id(), *invocation.initialization, arn))
    parts.append({**_part("Invocation", invocation.invocation_id, begin, done, arn), **error, **_cause(failure)})
    parts.append(_part("Overhead", new_entity_id(), done, time.time(), arn))
    function = {
        **common,
        "id": invocation.function_id,
        "parent_id": invocation.service_id,
        "start_time": begin,
        "end_time": parts[-1]["end_time"],
        "origin": "AWS::Lambda::Function",
        "aws": {
            "account_id": arn.split(":")[4] if arn.count(":") > 4 else "",
            "function_arn": arn,
            "cloudwatch_logs": [{"log_group": group}],
            "resource_names": [name],
        },
        "subsegments": parts,
    }
    service = {
        **common,
        "id": invocation.service_id,
        **({"parent_id": invocation.caller} if invocation.caller else {}),
        "start_time": invocation.start,
        "end_time": time.time(),
        "origin": "AWS::Lambda",
        "resource_arn": arn,
        "http": {"response": {"status": 200}},
        "aws": {"request_id": invocation.request_id},
    }
    return service, function


def _part(name: str, entity_id: str, start: float, end: float, arn: str) -> Fields:
    return {"id": entity_id, "name": name, "start_time": start, "end_time": end, "aws": {"function_arn": arn}}


def _cause(failure: object) -> Fields:
    if not isinstance(failure, dict):
        return {}
    exception = {
        "id": new_entity_id(),
        "message": str(failure.get("errorMessage", "")),
        "type": str(failure.get("errorType", "")),
    }
    return {"cause": {"exceptions": [exception]}}


def _lineage(function_arn: str, came: str | None) -> str:
    # Form `<8 hex>:<count>`, joined by `|`: seen in headers; how AWS makes the digits is assumed.
    own = hashlib.sha256(function_arn.encode()).hexdigest()[:8]
    hops = [hop for hop in (came or "").split("|") if hop]
    counted = [f"{own}:{_count(hop) + 1}" if hop.startswith(f"{own}:") else hop for hop in hops]
    return "|".join(counted if counted != hops else [*hops, f"{own}:0"])


def _count(hop: str) -> int:
    digits = hop.partition(":")[2]
    return int(digits) if digits.isdigit() else 0
