"""`instrument`: AWS calls and HTTP calls are recorded, whichever library makes them.

Only the hooks are put here; what they call is imported at the first call.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from . import _state
from ._hooks import put_around, when_imported
from ._sdk_joining import join_sdk

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._hooks import Around


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
            `example.com`; `*.example.com` for every host below it. Lambda's own APIs, the X-Ray daemon, and instance
            and task metadata always are.

    Raises:
        ConfigurationError: One of them is no host.
    """
    if ignore_hosts != ():
        from ._http_hosts import ignore_hosts as add_ignored_hosts

        add_ignored_hosts(ignore_hosts)
    if not _state.settings.instrument:
        return
    join_sdk()
    if _state.settings.emitter != "udp":
        _read_model()
    follow_threads()
    _follow_botocore()
    for module, owner, method, function in _HTTP_CLIENTS:
        when_imported(module, partial(_follow_http_client, module, owner, method, function))
    when_imported("urllib3.connectionpool", _follow_urllib3_pools)
    when_imported("aiobotocore.client", _follow_aiobotocore)


_HTTP_CLIENTS = (
    ("requests.sessions", "Session", "send", "record_requests"),
    ("urllib3.poolmanager", "PoolManager", "urlopen", "record_urllib3"),
    ("urllib.request", "OpenerDirector", "open", "record_urllib"),
    ("httpx", "HTTPTransport", "handle_request", "record_httpx"),
    ("httpx", "AsyncHTTPTransport", "handle_async_request", "record_httpx_async"),
    ("aiohttp.client", "ClientSession", "_request", "record_aiohttp"),
)
"""Module, class and method of each HTTP client but urllib3's pools, and the function that is put around it.

A call is what the application makes of it: the redirects and retries that requests, urllib3, urllib and aiohttp follow
by themselves are part of it; of httpx each request is a call.
"""


def _follow_http_client(module: str, owner: str, method: str, function: str) -> None:
    # A version that is built otherwise is left alone.
    with suppress(AttributeError):
        put_around(getattr(sys.modules[module], owner), method, partial(_http_function, function))


def _http_function(name: str) -> Around:
    from . import _http_clients

    function: Around = getattr(_http_clients, name)
    return function


def _follow_urllib3_pools() -> None:
    with suppress(AttributeError):
        put_around(sys.modules["urllib3.connectionpool"].HTTPConnectionPool, "urlopen", lambda: _call_urllib3_pool)


def _call_urllib3_pool(urlopen: Callable[..., Any], pool: Any, *args: Any, **kwargs: Any) -> Any:
    # botocore's pools are of its own kind: their calls are AWS calls, or ask for credentials.
    if type(pool).__module__.startswith("botocore."):
        return urlopen(pool, *args, **kwargs)
    from ._http_clients import record_urllib3

    return record_urllib3(urlopen, pool, *args, **kwargs)


def _follow_botocore() -> None:
    from botocore.client import BaseClient
    from botocore.endpoint import Endpoint

    put_around(BaseClient, "_make_api_call", _aws_call)  # every call's one way
    put_around(Endpoint, "prepare_request", _aws_request)


def _aws_call() -> Around:
    from ._aws_calls import record_call

    return record_call


def _aws_request() -> Around:
    from ._aws_calls import prepare_request

    return prepare_request


def follow_threads() -> None:
    """Keeps in its message what is run in threads by `loop.run_in_executor` and by boto3's transfers of S3."""
    when_imported("asyncio.base_events", _follow_loops)
    when_imported("s3transfer.futures", _follow_transfers)


def _follow_loops() -> None:
    put_around(sys.modules["asyncio.base_events"].BaseEventLoop, "run_in_executor", _run_in_executor)


def _follow_transfers() -> None:
    put_around(sys.modules["s3transfer.futures"].BoundedExecutor, "submit", _submit_transfer)


def _run_in_executor() -> Around:
    from ._threads import run_in_executor

    return run_in_executor


def _submit_transfer() -> Around:
    from ._threads import submit_transfer

    return submit_transfer


def _follow_aiobotocore() -> None:
    from ._aiobotocore import follow_aiobotocore

    follow_aiobotocore()


def _read_model() -> None:
    from ._client import load_model

    load_model()
