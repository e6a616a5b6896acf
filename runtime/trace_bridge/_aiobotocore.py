"""AWS calls of aiobotocore, whose client is asynchronous and sends by HTTP clients that others use too."""

import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from ._aws_calls import AwsCall, left_alone
from ._hooks import put_around, when_imported
from ._http import LeftAlone

_Answer = Mapping[str, Any]
_SESSIONS = (("aiobotocore.httpsession", "AIOHTTPSession"), ("aiobotocore.httpxsession", "HttpxSession"))


def follow_aiobotocore() -> None:
    """Records the calls of aiobotocore, which is loaded."""
    put_around(sys.modules["aiobotocore.client"].AioBaseClient, "_make_api_call", lambda: _call)
    for module, session in _SESSIONS:
        when_imported(module, partial(_leave_alone, module, session))


async def _call(
    make_api_call: Callable[..., Awaitable[_Answer]], client: Any, operation_name: str, api_params: Mapping[str, Any]
) -> _Answer:
    if left_alone(client, operation_name, vars(sys.modules["aiobotocore.client"])):
        return await make_api_call(client, operation_name, api_params)
    with AwsCall(client, operation_name, api_params) as call:
        answer = await make_api_call(client, operation_name, api_params)
        call.answered(answer)
    return answer


def _leave_alone(module: str, session: str) -> None:
    """Keeps the requests that aiobotocore's calls are made of from being recorded as HTTP calls."""
    if hasattr(sys.modules[module], session):
        put_around(getattr(sys.modules[module], session), "send", lambda: _send)


async def _send(send: Callable[..., Awaitable[Any]], session: Any, *args: Any, **kwargs: Any) -> Any:
    with LeftAlone():
        return await send(session, *args, **kwargs)
