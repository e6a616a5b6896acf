"""API Gateway, REST APIs: the stage's tracing.

Sources: API Gateway Developer Guide, "Trace user requests to REST APIs using X-Ray" and "AWS X-Ray traces for
Amazon API Gateway APIs".
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import apigateway_v1

from local.patches.apigateway.access_log import write_access_log
from local.patches.cloudwatch.request_metrics import publish_api_request
from local.propagation import request_context
from local.propagation.header import NAME, Sampled, TraceHeader, new_entity_id, new_trace_id
from local.xray.sampling.rules import Request
from local.xray.state import XRay

Fields = dict[str, Any]


@dataclass(kw_only=True)
class Exchange:
    """One request through a stage, as far as it has come.

    Attributes:
        root: The request's trace id.
        parent: The caller's segment, where it named one.
        sampled: The stage's decision; `None` for a stage without tracing.
        rule: Name of the sampling rule that decided; `None` where the caller did.
        header: The header that goes on to the integration.
        request_context: `requestContext` of the function's event, once there is one.
        calls: The stage's `Lambda` subsegments.
    """

    root: str
    parent: str | None = None
    sampled: Sampled | None = None
    rule: str | None = None
    header: str | None = None
    segment_id: str = field(default_factory=new_entity_id)
    start: float = field(default_factory=time.time)
    request_context: Fields = field(default_factory=dict)
    calls: list[Fields] = field(default_factory=list)


_exchange: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


@contextmanager
def service_call(name: str, aws: Fields) -> Iterator[None]:
    """Lets a call of an AWS service, made for the request being served, have the stage's header, and records it.

    Args:
        name: The service's name in X-Ray.
        aws: The call's `aws` fields.
    """
    exchange = _exchange.get()
    if exchange is None or exchange.sampled is None:
        yield
        return
    subsegment_id, start = new_entity_id(), time.time()
    parent = subsegment_id if exchange.sampled == "1" else exchange.parent
    header = TraceHeader(root=exchange.root, parent=parent, sampled=exchange.sampled)
    with request_context.using(request_context.inbound, header.render()):
        yield
    call = {"id": subsegment_id, "name": name, "namespace": "aws", "start_time": start, "end_time": time.time()}
    exchange.calls.append({**call, "aws": {"region": get_region(), **aws}})


def install(xray: XRay) -> None:
    """Traces the stages that have tracing on; passes the header through the others."""
    _install_stage(xray)
    _install_event()
    _install_call()
    _install_failure()


def _install_stage(xray: XRay) -> None:
    execute = apigateway_v1._handle_execute_in_scope

    async def handle(api_id: str, stage_name: str, method: str, path: str, headers: Fields, *args: Any) -> Any:
        stage = apigateway_v1._stages_v1.get(api_id, {}).get(stage_name)
        if stage is None:
            return await execute(api_id, stage_name, method, path, headers, *args)
        exchange = _begin(xray, api_id, stage, method, path, headers)
        # The event shows the caller's header, or the Root made for it: what it holds beyond Root is assumed.
        headers.setdefault("x-amzn-trace-id", f"Root={exchange.root}")
        with (
            request_context.using(_exchange, exchange),
            request_context.using(request_context.inbound, exchange.header),
        ):
            status, response_headers, body = await execute(api_id, stage_name, method, path, headers, *args)
        length = len(body or b"")
        if exchange.sampled:
            response_headers = {**response_headers, NAME: f"Root={exchange.root};Sampled={exchange.sampled}"}
        if exchange.sampled == "1":
            xray.traces.put(_segment(exchange, api_id, stage_name, method, path, headers, int(status), length))
        seconds = time.time() - exchange.start
        publish_api_request(api=_api_name(api_id), stage=stage_name, status=int(status), seconds=seconds)
        write_access_log(
            stage=stage,
            api_id=api_id,
            context=exchange.request_context,
            method=method,
            path=path,
            status=int(status),
            length=length,
            latency=seconds,
            trace_id=exchange.root if exchange.sampled else None,
        )
        return status, response_headers, body

    apigateway_v1._handle_execute_in_scope = handle


def _install_event() -> None:
    build_event = apigateway_v1._build_lambda_event_v1

    def event(*args: Any, **kwargs: Any) -> Fields:
        built: Fields = build_event(*args, **kwargs)
        exchange = _exchange.get()
        if exchange:
            exchange.request_context = built["requestContext"]
        for kind in ("headers", "multiValueHeaders"):
            # The only header the gateway writes itself; every other one keeps the form it came in.
            if "x-amzn-trace-id" in built[kind]:
                built[kind][NAME] = built[kind].pop("x-amzn-trace-id")
        return built

    apigateway_v1._build_lambda_event_v1 = event


def _install_call() -> None:
    call = apigateway_v1._call_lambda_raw

    async def call_function(function: str, *args: Any, **kwargs: Any) -> Any:
        exchange = _exchange.get()
        if exchange is None or exchange.sampled is None:
            return await call(function, *args, **kwargs)
        subsegment_id, start = new_entity_id(), time.time()
        parent = subsegment_id if exchange.sampled == "1" else exchange.parent
        header = TraceHeader(root=exchange.root, parent=parent, sampled=exchange.sampled)
        with request_context.using(request_context.inbound, header.render()):
            result, problem = await call(function, *args, **kwargs)
        exchange.calls.append(_call(subsegment_id, start, function, failed=bool(problem or result.get("error"))))
        return result, problem

    apigateway_v1._call_lambda_raw = call_function


def _install_failure() -> None:
    # API Gateway Developer Guide, "Handle Lambda errors in API Gateway": a function's error is answered 502 with
    # "Internal server error"; what it failed with stays in its log and its trace.
    respond = apigateway_v1._lambda_proxy_response

    def response(result: Fields) -> tuple[Fields | None, str | None]:
        answered, problem = respond(result)
        return answered, None if problem is None else "Internal server error"

    apigateway_v1._lambda_proxy_response = response


def _begin(xray: XRay, api_id: str, stage: Fields, method: str, path: str, headers: Fields) -> Exchange:
    came = str(headers.get("x-amzn-trace-id") or "") or None
    known = TraceHeader.parse(came)
    if not stage.get("tracingEnabled"):
        # "If an upstream service is already traced, API Gateway passes the trace through even when tracing is off".
        return Exchange(root=known.root if known else new_trace_id(), header=came)
    root = known.root if known else new_trace_id()
    parent = known.parent if known else None
    if known and known.sampled in ("0", "1"):
        return Exchange(root=root, parent=parent, sampled=known.sampled)
    name = f"{_api_name(api_id)}/{stage['stageName']}"
    decision = xray.rules.decide(
        Request(
            service_name=name,
            service_type="AWS::ApiGateway::Stage",
            host=f"{api_id}.execute-api.{get_region()}.amazonaws.com",
            http_method=method,
            url_path=f"/{stage['stageName']}{path}",
            resource_arn=_stage_arn(api_id, stage["stageName"]),
        )
    )
    return Exchange(root=root, parent=parent, sampled="1" if decision.sampled else "0", rule=decision.rule_name)


def _segment(
    exchange: Exchange, api_id: str, stage: str, method: str, path: str, headers: Fields, status: int, length: int
) -> Fields:
    request_id = exchange.request_context.get("requestId", "")
    return {
        "id": exchange.segment_id,
        "name": f"{_api_name(api_id)}/{stage}",
        "trace_id": exchange.root,
        **({"parent_id": exchange.parent} if exchange.parent else {}),
        "start_time": exchange.start,
        "end_time": time.time(),
        "origin": "AWS::ApiGateway::Stage",
        "resource_arn": _stage_arn(api_id, stage),
        "http": {
            "request": {
                "url": f"https://{api_id}.execute-api.{get_region()}.amazonaws.com/{stage}{path}",
                "method": method,
                "client_ip": "127.0.0.1",
                "user_agent": str(headers.get("user-agent", "")),
            },
            "response": {"status": int(status), "content_length": length},
        },
        "annotations": {"aws:api_id": api_id, "aws:api_stage": stage},
        "metadata": {"default": {"request_id": request_id, "extended_request_id": request_id}},
        "aws": {
            **({"xray": {"sampling_rule_name": exchange.rule}} if exchange.rule else {}),
            "api_gateway": {
                "account_id": get_account_id(),
                "rest_api_id": api_id,
                "stage": stage,
                "request_id": request_id,
            },
        },
        **_marks(int(status)),
        "subsegments": exchange.calls,
    }


def _call(subsegment_id: str, start: float, function: str, *, failed: bool) -> Fields:
    name = str(function).rsplit(":function:", 1)[-1].split(":")[0]
    return {
        "id": subsegment_id,
        "name": "Lambda",
        "namespace": "aws",
        "start_time": start,
        "end_time": time.time(),
        "http": {
            "request": {
                "method": "POST",
                "url": f"https://lambda.{get_region()}.amazonaws.com/2015-03-31/functions/{name}/invocations",
            },
            "response": {"status": 200},
        },
        "aws": {"operation": "Invoke", "function_name": name, "region": get_region(), "resource_names": [name]},
        **({"fault": True} if failed else {}),
    }


def _marks(status: int) -> Fields:
    # X-Ray Developer Guide, "Errors, faults, and exceptions": 4xx error, 429 throttle, 5xx fault.
    if status >= 500:
        return {"fault": True}
    return {"error": True, **({"throttle": True} if status == 429 else {})} if status >= 400 else {}


def _api_name(api_id: str) -> str:
    return str((apigateway_v1._rest_apis.get(api_id) or {}).get("name") or api_id)


def _stage_arn(api_id: str, stage: str) -> str:
    return f"arn:aws:apigateway:{get_region()}::/restapis/{api_id}/stages/{stage}"
