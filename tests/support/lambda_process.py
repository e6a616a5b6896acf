"""A Lambda function's process: what the bridge reads in it, and what it sends."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore.config import Config

from tests.support import bridge
from tests.support.fake_endpoints import Daemon, Services
from tests.support.lambda_events import OWN_PARENT, SENDER
from tests.support.segment_validator import validate_all

SESSION = botocore.session.get_session()
"""A session reads the service models from disk: once for all the tests is enough."""
SESSION.set_credentials("test", "test")


def _new_client(service: str, url: str) -> Any:
    config = Config(retries={"total_max_attempts": 1}, read_timeout=5)
    return SESSION.create_client(service, region_name="us-east-1", endpoint_url=url, config=config)


_client = cache(_new_client)


@dataclass
class Process:
    """The process under test and what it sends."""

    monkeypatch: pytest.MonkeyPatch
    daemon: Daemon
    services: Services
    clients: list[Any] = dataclasses.field(default_factory=list)
    senders: set[str] = dataclasses.field(default_factory=lambda: {SENDER, OWN_PARENT})
    """Ids outside of the process that its documents may have as parents."""
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
        bridge.forget_invocation()

    def set(self, **settings: Any) -> None:
        """Changes settings of the bridge."""
        bridge.use_settings(bridge.settings().changed(**settings))

    def new_emitter(self) -> None:
        """Forgets the emitter, after a change of the environment."""
        bridge.forget_emitter()

    def client(self, service: str) -> Any:
        """Returns the one client of a service: to make one takes longer than most tests."""
        return _client(service, self.services.url)

    def own_client(self, service: str) -> Any:
        """Returns a client of this test alone, which changes it."""
        client = _new_client(service, self.services.url)
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
