"""A Lambda function's process, new for every test, with a daemon and services of its own."""

import dataclasses
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from trace_bridge import _counters, _emitter, _invocation, _scope, _sdk_joining, _state, instrument

from tests.unit.fakes import Daemon, Services
from tests.unit.validator import validate_all

OWN_TRACE = "1-6b04d6c2-aaaaaaaaaaaaaaaaaaaaaaaa"
OWN_PARENT = "53995c3f42cd8ad8"
ACTIVE = f"Root={OWN_TRACE};Parent={OWN_PARENT};Sampled=1;Lineage=061379e8:0"
UNSAMPLED = f"Root={OWN_TRACE};Parent={OWN_PARENT};Sampled=0;Lineage=061379e8:0"
PASS_THROUGH = f"Root={OWN_TRACE};Lineage=061379e8:0"
SENDER = "0123456789abcdef"
_BEGAN = int(time.time()) // 86_400 * 86_400


_session = botocore.session.get_session()
_session.set_credentials("test", "test")


class LambdaContext:
    """An invocation's context."""

    def __init__(self, milliseconds: int = 30_000) -> None:
        self.aws_request_id = "7f2a6f0e-0000-4000-8000-000000000000"
        self.invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:worker"
        self.milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


def trace_id(number: int = 1) -> str:
    """The trace of a message; begun today, the same in every process that runs tests."""
    return f"1-{_BEGAN:08x}-{number:024x}"


def header(root: str, *, sampled: str | None = "1", parent: str | None = SENDER) -> str:
    parts = [f"Root={root}"]
    parts += [f"Parent={parent}"] if parent else []
    parts += [f"Sampled={sampled}"] if sampled else []
    return ";".join(parts)


def record(number: int = 1, *, trace: str | None = None, queue: str = "orders", **more: str) -> dict[str, Any]:
    """A record of a Lambda event."""
    attributes = {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": "1795478000000",
        "ApproximateFirstReceiveTimestamp": "1795478000250",
        **more,
    }
    if trace is not None:
        attributes["AWSTraceHeader"] = trace
    return {
        "messageId": f"message-{number}",
        "receiptHandle": f"handle-{number}",
        "body": f'{{"number": {number}}}',
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:us-east-1:123456789012:{queue}",
        "attributes": attributes,
    }


def event(*records: dict[str, Any]) -> dict[str, Any]:
    return {"Records": list(records)}


@dataclass
class Process:
    """The process under test and what it sends."""

    monkeypatch: pytest.MonkeyPatch
    daemon: Daemon
    services: Services
    clients: list[Any] = dataclasses.field(default_factory=list)
    senders: set[str] = dataclasses.field(default_factory=lambda: {SENDER, OWN_PARENT})
    """Ids outside of the process that its documents may hang from."""
    trace_of_the_sdk: str | None = None
    """A trace of which the X-Ray SDK itself sends documents, which are its own affair."""
    has_origin: bool = True
    """Whether its segments tell where they ran."""

    def invoked(self, own_header: str | None) -> None:
        """Sets Lambda's own trace header."""
        if own_header is None:
            self.monkeypatch.delenv("_X_AMZN_TRACE_ID", raising=False)
        else:
            self.monkeypatch.setenv("_X_AMZN_TRACE_ID", own_header)
        _invocation.forget_invocation()

    def set(self, **settings: Any) -> None:
        """Changes settings of the bridge."""
        self.monkeypatch.setattr(_state, "settings", dataclasses.replace(_state.settings, **settings))

    def new_emitter(self) -> None:
        """Forgets the emitter, after a change of the environment."""
        before = _emitter.use_emitter(None)
        if before is not None:
            before.close()

    def client(self, service: str) -> Any:
        config = Config(retries={"total_max_attempts": 1}, read_timeout=5)
        client = _session.create_client(service, region_name="us-east-1", endpoint_url=self.services.url, config=config)
        self.clients.append(client)
        return client

    def documents(self) -> list[dict[str, Any]]:
        """Every document sent so far, either way; each is valid."""
        found = self.daemon.documents() + self.services.documents()
        ours = [document for document in found if document["trace_id"] != self.trace_of_the_sdk]
        validate_all(ours, senders=self.senders, origin=self.has_origin)
        return found

    def documents_of(self, trace: str) -> list[dict[str, Any]]:
        """Those of one trace."""
        return [document for document in self.documents() if document["trace_id"] == trace]


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    daemon, services = Daemon(), Services()
    # A session reads the service models from disk: once for all the tests is enough.
    monkeypatch.setattr(botocore.session, "get_session", lambda: _session)
    for name, value in {
        "AWS_LAMBDA_FUNCTION_NAME": "worker",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/logs/worker",
        "LAMBDA_TASK_ROOT": "/var/task",
        "AWS_XRAY_DAEMON_ADDRESS": daemon.address,
        "AWS_ENDPOINT_URL_XRAY": services.url,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    under_test = Process(monkeypatch, daemon, services)
    under_test.invoked(PASS_THROUGH)
    under_test.new_emitter()
    _counters.reset_counters()
    instrument()
    try:
        yield under_test
        assert _scope.current_scope() is None
        under_test.documents()
    finally:
        daemon.reading.set()
        services.hanging.set()
        for client in under_test.clients:
            client.close()
        under_test.new_emitter()
        _invocation.forget_invocation()
        if "aws_xray_sdk.core" in sys.modules:
            from trace_bridge import _sdk

            _sdk.leave()
            _sdk_joining.join_sdk()
        daemon.close()
        services.close()
