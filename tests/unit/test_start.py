"""What a worker loads before its first message, and what its names are although most are imported when asked for."""

import json
import os
import pickle
import subprocess
import sys
from typing import Any, get_type_hints

import boto3
import pytest
import trace_bridge

from tests.support import bridge

_START = """
import json, sys
import boto3
boto3.client("dynamodb")
before = set(sys.modules)
from trace_bridge import Message, sqs_handler

@sqs_handler
def handler(message: Message) -> None: ...

print(json.dumps(sorted(set(sys.modules) - before)))
"""


@pytest.mark.program
def test_a_worker_loads_a_handful_of_modules_before_its_first_message_and_none_of_others() -> None:
    environment = {**os.environ, "AWS_DEFAULT_REGION": "us-east-1"}
    ran = subprocess.run(
        [sys.executable, "-c", _START], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    loaded = json.loads(ran.stdout)
    assert {name.partition(".")[0] for name in loaded} == {"trace_bridge"}
    assert len(loaded) <= 12, loaded


def test_every_name_is_there_and_listed() -> None:
    assert set(trace_bridge.__all__) <= set(dir(trace_bridge))
    assert [name for name in trace_bridge.__all__ if getattr(trace_bridge, name) is None] == []


def test_a_name_that_is_none_of_the_packages_is_missing_as_of_any_module() -> None:
    with pytest.raises(AttributeError, match="module 'trace_bridge' has no attribute 'sqs_handlers'"):
        trace_bridge.sqs_handlers  # type: ignore[attr-defined] # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'sqs_handlers' from 'trace_bridge'"):
        exec("from trace_bridge import sqs_handlers")


@pytest.mark.parametrize("value", [trace_bridge.Counters(failed=2), trace_bridge.BatchFailedError(("1",), ("2",))])
def test_what_is_public_can_be_pickled(value: object) -> None:
    copy = pickle.loads(pickle.dumps(value))
    assert type(copy) is type(value)
    assert repr(copy) == repr(value)


def test_the_model_of_xray_is_read_with_the_files_that_boto3_has_read(monkeypatch: pytest.MonkeyPatch) -> None:
    session = boto3.Session(region_name="us-east-1")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    assert bridge.loader_of_models(monkeypatch) is session._session.get_component("data_loader")


def test_the_model_of_xray_is_read_without_a_session_of_boto3s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    assert "xray" in bridge.loader_of_models(monkeypatch).list_available_services("service-2")


@pytest.mark.parametrize(
    "what",
    [
        trace_bridge.Message,
        trace_bridge.Message.__init__,
        trace_bridge.Message.json,
        trace_bridge.MessageSegment.put_annotation,
        trace_bridge.MessageSegment.put_metadata,
        trace_bridge.subsegment.__init__,
        trace_bridge.capture,
        trace_bridge.instrument,
        trace_bridge.counters,
    ],
)
def test_frameworks_can_read_the_types_of_what_a_handler_uses(what: Any) -> None:
    assert get_type_hints(what)
