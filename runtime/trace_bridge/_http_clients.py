"""The HTTP clients whose calls are recorded: each where the application loads it, and never loaded here."""

from collections.abc import Callable, MutableMapping
from typing import Any

from ._http import TRACE_HEADER, HttpCall, is_under_way
from ._safely import safely


def _argument(args: tuple[Any, ...], kwargs: dict[str, Any], index: int, name: str) -> Any:
    return args[index] if len(args) > index else kwargs.get(name)


def record_requests(send: Callable[..., Any], session: Any, *args: Any, **kwargs: Any) -> Any:
    if is_under_way():
        return send(session, *args, **kwargs)
    request: Any = args[0] if args else kwargs.get("request")
    with HttpCall("requests", getattr(request, "method", None), getattr(request, "url", None)) as call:
        if call.header is not None:
            safely(call.carry, request.headers)
        response = send(session, *args, **kwargs)
        call.answered(getattr(response, "status_code", None), getattr(response, "headers", None))
    return response


def record_urllib3(urlopen: Callable[..., Any], client: Any, *args: Any, **kwargs: Any) -> Any:
    """Makes a call of urllib3, by a pool or by a manager of pools, and records it."""
    if is_under_way():
        return urlopen(client, *args, **kwargs)
    method, url = _argument(args, kwargs, 0, "method"), _argument(args, kwargs, 1, "url")
    with HttpCall("urllib3", method, safely(_absolute, client, url)) as call:
        if call.header is not None:
            args, kwargs = safely(_with_header, client, args, kwargs, call.header) or (args, kwargs)
        response = urlopen(client, *args, **kwargs)
        call.answered(getattr(response, "status", None), getattr(response, "headers", None))
    return response


_URLLIB3_HEADERS = 3
"""Where `HTTPConnectionPool.urlopen(method, url, body, headers, …)` takes the headers; a manager takes them by name."""


def _absolute(client: Any, url: str) -> str:
    if not url.startswith("/"):
        return url
    host = f"[{client.host}]" if ":" in client.host else client.host
    return f"{client.scheme}://{host}{f':{client.port}' if client.port else ''}{url}"


def _with_header(
    client: Any, args: tuple[Any, ...], kwargs: dict[str, Any], header: str
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    given = _argument(args, kwargs, _URLLIB3_HEADERS, "headers")
    headers = client.headers if given is None else given
    if any(str(name).lower() == TRACE_HEADER.lower() for name in headers):
        return args, kwargs
    changed = headers.copy() if hasattr(headers, "copy") else dict(headers)
    changed[TRACE_HEADER] = header
    if len(args) > _URLLIB3_HEADERS:
        return (*args[:_URLLIB3_HEADERS], changed, *args[_URLLIB3_HEADERS + 1 :]), kwargs
    return args, {**kwargs, "headers": changed}


class _UrllibHeaders(dict[str, str]):
    """The headers of a request of urllib, as a mapping."""

    def __init__(self, request: Any) -> None:
        super().__init__()
        self._request = request

    def __contains__(self, name: object) -> bool:
        return bool(self._request.has_header(str(name).capitalize()))

    def __setitem__(self, name: str, value: str) -> None:
        self._request.add_header(name, value)

    def __delitem__(self, name: str) -> None:
        self._request.remove_header(name.capitalize())


def record_urllib(open_url: Callable[..., Any], opener: Any, *args: Any, **kwargs: Any) -> Any:
    if is_under_way():
        return open_url(opener, *args, **kwargs)
    request = _argument(args, kwargs, 0, "fullurl")
    if isinstance(request, str):
        request = safely(_urllib_request, request, _argument(args, kwargs, 1, "data"))
        if request is None:
            return open_url(opener, *args, **kwargs)
        args, kwargs = (request, *args[1:]), {name: value for name, value in kwargs.items() if name != "fullurl"}
    with HttpCall("urllib", safely(_urllib_method, request), getattr(request, "full_url", None)) as call:
        if call.header is not None:
            safely(call.carry, _UrllibHeaders(request))
        response = open_url(opener, *args, **kwargs)
        call.answered(getattr(response, "status", None), getattr(response, "headers", None))
    return response


def _urllib_request(url: str, data: Any) -> Any:
    from urllib.request import Request  # loaded: one of its openers is called

    return Request(url, data)  # noqa: S310 - of the application's own


def _urllib_method(request: Any) -> str:
    return str(request.get_method())


def record_httpx(handle: Callable[..., Any], transport: Any, request: Any) -> Any:
    if is_under_way():
        return handle(transport, request)
    with HttpCall("httpx", request.method, request.url) as call:
        if call.header is not None:
            safely(call.carry, request.headers)
        response = handle(transport, request)
        call.answered(response.status_code, response.headers)
    return response


async def record_httpx_async(handle: Callable[..., Any], transport: Any, request: Any) -> Any:
    if is_under_way():
        return await handle(transport, request)
    with HttpCall("httpx", request.method, request.url) as call:
        if call.header is not None:
            safely(call.carry, request.headers)
        response = await handle(transport, request)
        call.answered(response.status_code, response.headers)
    return response


async def record_aiohttp(request: Callable[..., Any], session: Any, *args: Any, **kwargs: Any) -> Any:
    if is_under_way() or safely(_has_tracing, session):
        return await request(session, *args, **kwargs)
    method, url = _argument(args, kwargs, 0, "method"), _argument(args, kwargs, 1, "str_or_url")
    with HttpCall("aiohttp", method, safely(_aiohttp_url, session, url)) as call:
        if call.header is not None:
            headers = safely(_aiohttp_headers, session, kwargs.get("headers"))
            if headers is not None:
                kwargs["headers"] = headers
                safely(call.carry, headers)
        response = await request(session, *args, **kwargs)
        call.answered(response.status, response.headers)
    return response


def _aiohttp_url(session: Any, url: Any) -> str:
    return str(session._build_url(url))  # noqa: SLF001 - what the session itself makes of it


def _aiohttp_headers(session: Any, given: Any) -> MutableMapping[Any, Any] | None:
    """Returns a request's headers, to be added to; None where the session itself sends a trace header."""
    from multidict import CIMultiDict  # loaded: aiohttp is made of it

    return None if TRACE_HEADER in session.headers else CIMultiDict(given or ())


_TRACING = ("aws_xray_sdk.ext.aiohttp.client", "opentelemetry.instrumentation.aiohttp_client")


def _has_tracing(session: Any) -> bool:
    """Returns whether a session has been given the tracing of the X-Ray SDK or of OpenTelemetry."""
    return any(
        getattr(started, "__module__", None) in _TRACING
        for config in session.trace_configs
        for started in config.on_request_start
    )
