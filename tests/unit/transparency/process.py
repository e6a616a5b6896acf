"""The process: what it imports, in the order that its arguments name, and what the handlers have in common."""

import contextvars
import sys
import threading
from collections.abc import Callable
from typing import Any

MODE, IMPORTS = sys.argv[1:3]
if MODE == "bridge" and IMPORTS == "bridge first":
    import trace_bridge
if MODE != "bare" and IMPORTS != "sdk in the handler":
    import aws_xray_sdk.core
if MODE == "bridge" and IMPORTS != "bridge first":
    import trace_bridge  # noqa: F401 - here it is only loaded
if MODE != "bare" and IMPORTS == "patched":
    aws_xray_sdk.core.patch(["botocore", "httplib"])

import botocore.session  # noqa: E402 - behind what may patch it
from botocore.awsrequest import AWSResponse  # noqa: E402


class _Body:
    def stream(self, **_: object) -> list[bytes]:
        return [b'{"TableNames": ["orders"]}']


def _answer(request: Any, **_: object) -> Any:
    refused = request.headers.get("X-Amz-Target", b"").endswith(b"DeleteTable")
    headers: Any = {}
    return AWSResponse(request.url, 400 if refused else 200, headers, _Body())


client: Any = botocore.session.get_session().create_client("dynamodb")
client.meta.events.register("before-send", _answer)
queues: Any = botocore.session.get_session().create_client("sqs")
queues.meta.events.register("before-send", _answer)
late: list[threading.Thread] = []
said: list[str] = []
left_directories: list[str] = []
release = threading.Event()
variable = contextvars.ContextVar("variable", default="default")
Work = Callable[[], Any]
PLAIN: dict[str, Work] = {}
OF_THE_SDK: dict[str, Work] = {}


def plain(work: Work) -> Work:
    PLAIN[work.__name__] = work
    return work


def of_the_sdk(work: Work) -> Work:
    OF_THE_SDK[work.__name__] = work
    return work


def recorder() -> Any:
    from aws_xray_sdk.core import xray_recorder

    return xray_recorder


def call() -> Any:
    return client.list_tables()["TableNames"]


def outcome(result: Callable[[], Any]) -> list[str]:
    """Returns what became of a handler."""
    try:
        outcome_parts = ["returned", repr(result())]
    except BaseException as error:  # noqa: BLE001 - it is the outcome
        outcome_parts = ["raised", type(error).__name__, "" if type(error).__name__ == "OddError" else str(error)]
    return outcome_parts
