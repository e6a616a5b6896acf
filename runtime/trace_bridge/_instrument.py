"""`instrument`: AWS calls and HTTP calls are recorded, whichever library makes them."""

import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any

from . import _state
from ._aws_calls import AwsCall, carry, left_alone
from ._emitter import prepare_emitter
from ._hooks import put_around
from ._http import LeftAlone
from ._http_clients import follow_http_clients
from ._http_hosts import ignore_hosts as add_ignored_hosts
from ._imports import when_imported
from ._sdk_joining import join_sdk
from ._threads import follow_threads

_Answer = Mapping[str, Any]


def instrument(*, ignore_hosts: Iterable[str] = ()) -> None:
    """Records every AWS call of botocore, boto3 and aiobotocore and every HTTP call, and puts the trace on it.

    HTTP calls are those of requests, urllib3, urllib, httpx and aiohttp, each where the application loads it, before or
    after; a call is recorded once, also where one client runs on another. Clients made before are included.
    Inside a message a call belongs to the message's trace; outside of one, to the trace of the Lambda invocation.
    Calls that boto3's transfers of S3 or `loop.run_in_executor` make in other threads belong to their message too.
    `sqs_handler`, `poll` and `trace_bridge.auto` call it; an ingest handler calls it itself, once, at import.
    Calling it again only adds hosts to ignore. Where the application has the X-Ray SDK's `patch()` or OpenTelemetry's
    instrumentation record the calls of an HTTP client, they are left to those; AWS calls to the X-Ray SDK's.
    Off by `TRACE_BRIDGE_INSTRUMENT=false` or `AWS_XRAY_SDK_ENABLED=false`.

    Args:
        ignore_hosts: Hosts whose HTTP calls are left as they are, beside those of `TRACE_BRIDGE_IGNORE_HOSTS`:
            `example.com`; `*.example.com` for every host below it. The ends of Lambda, of the X-Ray daemon and of
            instance and task metadata always are.

    Raises:
        ConfigurationError: One of them is no host.
    """
    add_ignored_hosts(ignore_hosts)
    if not _state.settings.instrument:
        return
    from botocore.client import BaseClient
    from botocore.endpoint import Endpoint

    join_sdk()
    prepare_emitter()
    follow_threads()
    follow_http_clients()
    put_around(BaseClient, "_make_api_call", _call)  # every call's one way
    put_around(Endpoint, "prepare_request", _prepare)
    when_imported("aiobotocore.client", _follow_aiobotocore)
    for module, session in (
        ("aiobotocore.httpsession", "AIOHTTPSession"),
        ("aiobotocore.httpxsession", "HttpxSession"),
    ):
        when_imported(module, partial(_leave_alone, module, session))


def _call(
    make_api_call: Callable[..., _Answer], client: Any, operation_name: str, api_params: Mapping[str, Any]
) -> _Answer:
    if left_alone(client, operation_name, "botocore.client"):
        return make_api_call(client, operation_name, api_params)
    with AwsCall(client, operation_name, api_params) as call:
        answer = make_api_call(client, operation_name, api_params)
        call.answered(answer)
    return answer


def _prepare(prepare_request: Callable[..., Any], endpoint: Any, request: Any) -> Any:
    carry(request)
    return prepare_request(endpoint, request)


async def _call_async(
    make_api_call: Callable[..., Awaitable[_Answer]], client: Any, operation_name: str, api_params: Mapping[str, Any]
) -> _Answer:
    if left_alone(client, operation_name, "aiobotocore.client"):
        return await make_api_call(client, operation_name, api_params)
    with AwsCall(client, operation_name, api_params) as call:
        answer = await make_api_call(client, operation_name, api_params)
        call.answered(answer)
    return answer


def _follow_aiobotocore() -> None:
    put_around(sys.modules["aiobotocore.client"].AioBaseClient, "_make_api_call", _call_async)


def _leave_alone(module: str, session: str) -> None:
    """Keeps the requests that aiobotocore's calls are made of from being recorded as HTTP calls."""
    if hasattr(sys.modules[module], session):
        put_around(getattr(sys.modules[module], session), "send", _send)


async def _send(send: Callable[..., Awaitable[Any]], session: Any, *args: Any, **kwargs: Any) -> Any:
    with LeftAlone():
        return await send(session, *args, **kwargs)
