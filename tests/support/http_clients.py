"""HTTP clients, each of which asks for an address and gives the status of the answer."""

import asyncio
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import aiohttp
import httpx
import requests
import urllib3

Get = Callable[..., Any]


def _requests(url: str, **headers: str) -> int:
    return requests.get(url, headers=headers, timeout=5).status_code


def _requests_prepared(url: str, **headers: str) -> int:
    with requests.Session() as session:
        return session.send(requests.Request("GET", url, headers=headers).prepare(), timeout=5).status_code


def _urllib3(url: str, **headers: str) -> int:
    with urllib3.PoolManager(headers=headers, retries=urllib3.Retry(3, connect=0, read=0)) as pools:
        return pools.request("GET", url, timeout=5).status


def _urllib3_pool(url: str, **headers: str) -> int:
    with urllib3.connection_from_url(url) as pool:
        path = "/" + url.split("/", 3)[3]
        return pool.urlopen("GET", path, None, headers, urllib3.Retry(3, connect=0, read=0), timeout=5).status


def _urllib(url: str, **headers: str) -> int:
    request = urllib.request.Request(url, headers=headers) if headers else url
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def _httpx(url: str, **headers: str) -> int:
    return httpx.get(url, headers=headers, timeout=5).status_code


def _httpx_http2(url: str, **headers: str) -> int:
    with httpx.Client(http2=True, headers=headers) as client:
        return client.get(url).status_code


def _httpx_async(url: str, **headers: str) -> int:
    async def get() -> int:
        async with httpx.AsyncClient() as client:
            return (await client.get(url, headers=headers)).status_code

    return asyncio.run(get())


def _aiohttp(url: str, **headers: str) -> int:
    async def get() -> int:
        async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as response:
            return response.status

    return asyncio.run(get())


CLIENTS: dict[str, Get] = {
    get.__name__.strip("_"): get
    for get in (
        _requests,
        _requests_prepared,
        _urllib3,
        _urllib3_pool,
        _urllib,
        _httpx,
        _httpx_http2,
        _httpx_async,
        _aiohttp,
    )
}
FOLLOWING = [name for name in CLIENTS if not name.startswith("httpx")]
"""Those that follow redirects by themselves."""
