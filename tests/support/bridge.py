"""The inside of trace_bridge for tests and benchmarks: the one module outside of it that knows its private names."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from trace_bridge import (
    _api,
    _aws_parameters,
    _client,
    _config,
    _counts,
    _daemon_address,
    _document,
    _emitter,
    _engine,
    _engines,
    _environment,
    _header,
    _hooks,
    _http_hosts,
    _invocation,
    _kept_connections,
    _loop,
    _message,
    _polling,
    _scope,
    _sdk_joining,
    _segment,
    _state,
    _tracer,
    _trimming,
    _udp,
    _xray_engine,
)

if TYPE_CHECKING:
    import pytest
    from opentelemetry.sdk.trace import ReadableSpan

Settings = _config.Settings
ApiEmitter = _api.ApiEmitter
UdpEmitter = _udp.UdpEmitter
Tracer = _tracer.Tracer
Engine = _engine.Engine
Message = _message.Message
MessageSegment = _segment.MessageSegment
MAX_STEPS = _segment.MAX_STEPS
canonical_header = _header.canonical_header
KeptConnections = _kept_connections.KeptConnections
Answer = _kept_connections.Answer
MAX_DOCUMENT_BYTES = _document.MAX_BYTES
fit = _trimming.fit
daemon_address = _daemon_address.daemon_address
current_scope = _scope.current_scope
forget_invocation = _invocation.forget_invocation
reset_counters = _counts.reset_counts
make_xray_client = _client.make_client
when_imported = _hooks.when_imported
recorded = _aws_parameters.recorded
EVERY_OPERATION = {service: made() for service, made in _aws_parameters.EVERY_OPERATION.items()}
OPERATIONS = {
    service: {operation: made() for operation, made in operations.items()}
    for service, operations in _aws_parameters.OPERATIONS.items()
}

VARIABLES = sorted(
    value
    for name, value in vars(_environment).items()
    if name.isupper() and name != "PREFIX" and isinstance(value, str) and value.isupper()
)
"""The environment variables that the bridge reads."""


def engine_classes() -> list[type]:
    """The engines; OpenTelemetry is not in every environment that tests run in."""
    from trace_bridge import _otel_engine

    return [_xray_engine.XRayEngine, _otel_engine.OtelEngine]


def settings() -> Settings:
    """Returns the settings of this process."""
    return _state.settings


def documents_of(span: "ReadableSpan", *, annotations: Any = ()) -> list[dict[str, Any]]:
    """Returns the documents that a span of OpenTelemetry becomes."""
    from trace_bridge.otel._documents import Translation

    return Translation(annotations=annotations).documents_of(span, _invocation.Invocation(None))


def use_settings(changed: Settings) -> None:
    """Replaces the settings of this process."""
    _state.settings = changed


def forget_engine() -> None:
    """Has the next message decide anew what messages are recorded as."""
    _engines._chosen = ("xray", _xray_engine.XRAY)


def forget_flush(monkeypatch: "pytest.MonkeyPatch") -> None:
    """Has the next flush of OpenTelemetry's spans start a thread of its own."""
    from trace_bridge import _otel_engine, _otel_flush

    monkeypatch.setattr(_otel_engine.OTEL, "_flush", _otel_flush.Flush())


def forget_emitter() -> None:
    """Closes the emitter of this process; the next document makes one by the environment as it is then."""
    _use_emitter(None)


def emit_to_api(emitter: ApiEmitter) -> None:
    """Has every document of this process sent to X-Ray itself."""
    _use_emitter(_emitter.Emitter(lambda: None, lambda: emitter))


def wait_for_uploads(monkeypatch: "pytest.MonkeyPatch", *, seconds: float) -> None:
    """Has uploads wait longer for an answer: on a busy machine, X-Ray's stand-in may take more than a second."""
    monkeypatch.setattr(_api, "CALL_SECONDS", seconds)
    monkeypatch.setattr(_client, "CALL_SECONDS", seconds)


def fail_to_import(monkeypatch: "pytest.MonkeyPatch", module: str) -> None:
    """Has a module of the bridge be imported in vain, as where no file can be opened any more."""
    monkeypatch.setitem(sys.modules, f"trace_bridge.{module}", None)


def emit_to_daemon(emitter: UdpEmitter) -> None:
    """Has the documents of this process sent to a daemon."""
    _use_emitter(_emitter.Emitter(lambda: emitter, ApiEmitter))


def close_emitter() -> None:
    """Closes the emitter of this process, which stays in use."""
    _emitter.get_emitter().close()


def close_socket() -> None:
    """Closes the socket of this process's emitter, so that the system refuses what is sent to the daemon."""
    udp = _emitter.get_emitter().udp
    assert udp is not None
    udp.close()


def join_sdk() -> None:
    """Routes the X-Ray SDK's recorder to the messages, if the SDK is loaded."""
    _sdk_joining.join_sdk()


def rejoin_sdk() -> None:
    """Gives the X-Ray SDK's recorder its own context back, and joins it anew."""
    if "aws_xray_sdk.core" in sys.modules:
        from trace_bridge import _sdk

        _sdk.leave()
        join_sdk()


def close_loop() -> None:
    """Closes the event loop that this thread's handlers ran on."""
    loop = _loop._home.loop
    assert loop is not None
    loop.close()


def break_emitter(monkeypatch: "pytest.MonkeyPatch", broken: Callable[..., None]) -> None:
    """Has a function called in place of sending a document."""
    monkeypatch.setattr(_emitter.Emitter, "emit_text", broken)
    monkeypatch.setattr(_udp.UdpEmitter, "send_if_room", broken)


def set_linger_seconds(monkeypatch: "pytest.MonkeyPatch", seconds: float) -> None:
    """Sets how long a document waits for others to go with it."""
    monkeypatch.setattr(_api, "LINGER_SECONDS", seconds)


def set_polling_pause(monkeypatch: "pytest.MonkeyPatch", seconds: float) -> None:
    """Sets how long `poll` waits after its first failure."""
    monkeypatch.setattr(_polling, "_FIRST_PAUSE_SECONDS", seconds)


def loader_of_models(monkeypatch: "pytest.MonkeyPatch") -> Any:
    """Returns what reads the model of X-Ray at a start."""
    monkeypatch.setattr(_client, "_loader", None)
    _client.load_model()
    return _client._loader


def while_locked(lock: str, work: Callable[[], object]) -> None:
    """Does work while the same thread holds one of the bridge's locks, as the handler of a signal may.

    Args:
        lock: Which: that of the counters, of making the emitter, of its batches, or of OpenTelemetry's.
        work: The work.
    """
    from trace_bridge import _otel_engine

    locks: dict[str, Any] = {
        "counters": _counts._lock,
        "emitter": _emitter._making,
        "batches": _emitter.get_emitter()._lock,
        "spans": getattr(_otel_engine.OTEL, "_lock"),  # noqa: B009 - not of the protocol
    }
    with locks[lock]:
        work()


def set_machine_vendor(monkeypatch: "pytest.MonkeyPatch", vendor: str) -> None:
    """Sets what the machine says who made it."""
    monkeypatch.setattr(_invocation, "_machine_vendor", lambda: vendor)


def _use_emitter(emitter: _emitter.Emitter | None) -> None:
    before = _emitter.use_emitter(emitter)
    if before is not None:
        before.close()


def is_ignored_host(host: str) -> bool:
    """Returns whether HTTP calls of a host are left alone."""
    return _http_hosts.is_ignored(host, 443)


def forget_ignored_hosts() -> None:
    """Forgets the hosts that `instrument` was given to ignore, and what is remembered of the environment's own."""
    _http_hosts._named = frozenset()
    _http_hosts._is_ignored.cache_clear()
