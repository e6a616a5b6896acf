"""AppSync: the trace of a GraphQL request whose resolvers invoke functions.

Sources: AppSync Developer Guide, "Using AWS X-Ray to trace requests in AWS AppSync": with X-Ray on, a request is
sampled by the sampling rules of type `AWS::AppSync::GraphQLAPI`, and recorded with what its resolvers call. Fields and
times of the documents, and that a caller's header is heeded, are assumed; data sources other than functions are not
traced here.
"""

import time
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import appsync

from local.patches import service_trace
from local.patches.service_trace import ServiceTrace
from local.propagation import request_context
from local.propagation.header import new_entity_id
from local.xray.sampling.rules import Request
from local.xray.state import XRay

Fields = dict[str, Any]

_trace: ContextVar[ServiceTrace | None] = ContextVar("trace", default=None)
"""The trace of the GraphQL request being served; `None` for an API without X-Ray."""


def install(xray: XRay) -> None:
    """Traces the requests of APIs that have X-Ray on."""
    _install_requests(xray)
    appsync._resolve_lambda = _traced(appsync._resolve_lambda)
    appsync._invoke_lambda_with_event = _traced(appsync._invoke_lambda_with_event)


def _install_requests(xray: XRay) -> None:
    execute = appsync._execute_graphql

    def execute_graphql(api_id: str, data: Fields, request_headers: Fields | None = None, *args: Any) -> Any:
        api = appsync._apis.get(api_id) or {}
        trace = _begin(xray, api_id, api, request_headers or {})
        with request_context.using(_trace, trace):
            answer = execute(api_id, data, request_headers, *args)
        if trace and trace.sampled:
            aws = {"account_id": get_account_id(), "graphql_api_id": api_id}
            xray.traces.put(trace.segment(http={"response": {"status": int(answer[0])}}, aws=aws))
        return answer

    appsync._execute_graphql = execute_graphql


def _traced(invoke: Any) -> Any:
    def invoke_function(*args: Any, **kwargs: Any) -> Any:
        trace = _trace.get()
        if trace is None:
            return invoke(*args, **kwargs)
        subsegment_id, start = new_entity_id(), time.time()
        header = replace(trace.header, parent=subsegment_id)
        with request_context.using(request_context.inbound, header.render()), request_context.using(_trace, None):
            result = invoke(*args, **kwargs)
        source = kwargs.get("data_source") or next((arg for arg in args if isinstance(arg, dict) and "name" in arg), {})
        trace.calls.append(_call(subsegment_id, start, source))
        return result

    return invoke_function


def _begin(xray: XRay, api_id: str, api: Fields, headers: Fields) -> ServiceTrace | None:
    if not api.get("xrayEnabled"):
        return None
    header = next((str(value) for name, value in headers.items() if name.lower() == "x-amzn-trace-id"), None)
    request = Request(
        service_name=str(api.get("name", "")),
        service_type="AWS::AppSync::GraphQLAPI",
        host=f"{api_id}.appsync-api.{get_region()}.amazonaws.com",
        http_method="POST",
        url_path="/graphql",
        resource_arn=str(api.get("arn", "")),
    )
    return service_trace.begin(xray, header, request)


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
