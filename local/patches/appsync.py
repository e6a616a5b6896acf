"""AppSync: the trace of a GraphQL request whose resolvers invoke functions.

Sources: AppSync Developer Guide, "Using AWS X-Ray to trace requests in AWS AppSync": with X-Ray on, a request is
sampled by the sampling rules of type `AWS::AppSync::GraphQLAPI`, and recorded with what its resolvers call. Fields and
times of the documents, and that a caller's header is heeded, are assumed; data sources other than functions are not
traced here.
"""

import time
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import appsync

from local.propagation import request_context
from local.propagation.header import TraceHeader, new_entity_id, new_trace_id
from local.xray.sampling.rules import Request
from local.xray.state import XRay

Fields = dict[str, Any]


@dataclass(kw_only=True)
class _Exchange:
    """A GraphQL request of an API with X-Ray on; `header` has the decision."""

    header: TraceHeader
    segment_id: str = field(default_factory=new_entity_id)
    start: float = field(default_factory=time.time)
    calls: list[Fields] = field(default_factory=list)


_exchange: ContextVar[_Exchange | None] = ContextVar("exchange", default=None)


def install(xray: XRay) -> None:
    """Traces the requests of APIs that have X-Ray on."""
    _install_requests(xray)
    appsync._resolve_lambda = _traced(appsync._resolve_lambda)
    appsync._invoke_lambda_with_event = _traced(appsync._invoke_lambda_with_event)


def _install_requests(xray: XRay) -> None:
    execute = appsync._execute_graphql

    def execute_graphql(api_id: str, data: Fields, request_headers: Fields | None = None, *args: Any) -> Any:
        api = appsync._apis.get(api_id) or {}
        exchange = _begin(xray, api_id, api, request_headers or {})
        with request_context.using(_exchange, exchange):
            answer = execute(api_id, data, request_headers, *args)
        if exchange and exchange.header.sampled == "1":
            xray.traces.put(_segment(exchange, api_id, api, int(answer[0])))
        return answer

    appsync._execute_graphql = execute_graphql


def _traced(invoke: Any) -> Any:
    def invoke_function(*args: Any, **kwargs: Any) -> Any:
        exchange = _exchange.get()
        if exchange is None:
            return invoke(*args, **kwargs)
        subsegment_id, start = new_entity_id(), time.time()
        header = replace(exchange.header, parent=subsegment_id)
        with request_context.using(request_context.inbound, header.render()), request_context.using(_exchange, None):
            result = invoke(*args, **kwargs)
        source = kwargs.get("data_source") or next((arg for arg in args if isinstance(arg, dict) and "name" in arg), {})
        exchange.calls.append(_call(subsegment_id, start, source))
        return result

    return invoke_function


def _begin(xray: XRay, api_id: str, api: Fields, headers: Fields) -> _Exchange | None:
    if not api.get("xrayEnabled"):
        return None
    came = TraceHeader.parse(next((str(v) for k, v in headers.items() if k.lower() == "x-amzn-trace-id"), None))
    if came and came.sampled in ("0", "1"):
        return _Exchange(header=came)
    request = Request(
        service_name=str(api.get("name", "")),
        service_type="AWS::AppSync::GraphQLAPI",
        host=f"{api_id}.appsync-api.{get_region()}.amazonaws.com",
        http_method="POST",
        url_path="/graphql",
        resource_arn=str(api.get("arn", "")),
    )
    sampled = xray.rules.decide(request).sampled
    return _Exchange(header=replace(came or TraceHeader(root=new_trace_id()), sampled="1" if sampled else "0"))


def _segment(exchange: _Exchange, api_id: str, api: Fields, status: int) -> Fields:
    return {
        "id": exchange.segment_id,
        "name": str(api.get("name", "")),
        "trace_id": exchange.header.root,
        **({"parent_id": exchange.header.parent} if exchange.header.parent else {}),
        "start_time": exchange.start,
        "end_time": time.time(),
        "origin": "AWS::AppSync::GraphQLAPI",
        "resource_arn": str(api.get("arn", "")),
        "http": {"response": {"status": status}},
        "aws": {"account_id": get_account_id(), "graphql_api_id": api_id},
        "subsegments": exchange.calls,
    }


def _call(subsegment_id: str, start: float, data_source: Fields) -> Fields:
    arn = str((data_source.get("lambdaConfig") or {}).get("lambdaFunctionArn", ""))
    name = arn.rsplit(":function:", 1)[-1].split(":")[0]
    return {
        "id": subsegment_id,
        "name": "Lambda",
        "namespace": "aws",
        "start_time": start,
        "end_time": time.time(),
        "aws": {"operation": "Invoke", "region": get_region(), "function_name": name, "resource_names": [name]},
    }
