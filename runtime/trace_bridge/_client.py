"""The client that uploads documents: what needs no call is loaded early, the rest at the first document."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from typing import Any, Protocol

    from botocore.loaders import Loader

    class XRayClient(Protocol):
        """What is used of boto3's `xray` client."""

        def put_trace_segments(self, *, TraceSegmentDocuments: list[str]) -> Mapping[str, Any]:  # noqa: N803
            """Uploads segment documents: https://docs.aws.amazon.com/xray/latest/api/API_PutTraceSegments.html."""

        def close(self) -> None:
            """Closes its connections."""


CALL_SECONDS = 1.0
"""Longest wait for a connection, and longest wait for an answer."""

_loader: Loader | None = None


def load_model() -> None:
    """Reads what every client of X-Ray is made from, so that the first document does not wait for the disk.

    It asks for no credentials, makes no connection and makes no client: credentials, event handlers and endpoints are
    taken as they are when the first document is sent. Most of it boto3 has read for the application's own clients, if
    their session is the default one.
    """
    global _loader
    if _loader is not None:
        return
    loader = _loader_of_boto3() or _new_loader()
    with suppress(Exception):  # whatever is missing here, the client names it when it is made
        loader.load_service_model("xray", "service-2")
        loader.load_service_model("xray", "endpoint-rule-set-1")
        for name in ("endpoints", "partitions", "sdk-default-configuration", "_retry"):
            loader.load_data(name)
    _loader = loader


def _loader_of_boto3() -> Loader | None:
    """Returns the loader of boto3's default session; None where the application has made none."""
    session: Any = getattr(sys.modules.get("boto3"), "DEFAULT_SESSION", None)
    with suppress(AttributeError, ValueError):
        loader: Loader = session._session.get_component("data_loader")  # noqa: SLF001 - there is no other way to it
        return loader
    return None


def _new_loader() -> Loader:
    from botocore import session
    from botocore.loaders import create_loader

    return create_loader(session.get_session().get_config_variable("data_path"))


def make_client(*, connections: int = 1) -> XRayClient:
    """Makes a client with one attempt and a second each to connect and to read: a lean one where nothing forbids it.

    Args:
        connections: How many calls it makes at once.
    """
    from botocore import session
    from botocore.config import Config

    from ._signed_client import SignedClient, has_foreign_handlers

    config = Config(
        connect_timeout=CALL_SECONDS,
        read_timeout=CALL_SECONDS,
        retries={"total_max_attempts": 1},
        max_pool_connections=connections,
        parameter_validation=False,
    )
    made = session.get_session()
    if _loader is not None:
        made.register_component("data_loader", _loader)
    client = made.create_client("xray", config=config)
    if has_foreign_handlers(client):
        return cast("XRayClient", client)
    return SignedClient(client, ca_bundle=made.get_config_variable("ca_bundle"), seconds=CALL_SECONDS)


def is_throttled(error: Exception) -> bool:
    """Returns whether X-Ray asks to slow down: `ThrottledException`, or any other answer of status 429.

    https://docs.aws.amazon.com/xray/latest/api/API_PutTraceSegments.html#API_PutTraceSegments_Errors
    """
    answer = _answer_of(error)
    if answer is None:
        return False
    code = str(answer.get("Error", {}).get("Code", ""))
    return answer.get("ResponseMetadata", {}).get("HTTPStatusCode") == 429 or "Throttl" in code


def was_answered(error: Exception) -> bool:
    """Returns whether the error is an answer of the service, rather than of the network on the way to it."""
    return _answer_of(error) is not None


def _answer_of(error: Exception) -> Mapping[str, Any] | None:
    answer = getattr(error, "response", None)
    return answer if isinstance(answer, Mapping) else None
