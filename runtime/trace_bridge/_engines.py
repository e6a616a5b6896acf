"""Which engine records the messages of this process."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from . import _state
from ._xray_engine import XRAY

if TYPE_CHECKING:
    from ._config import EngineChoice
    from ._engine import Engine

_log = logging.getLogger("trace_bridge")
_chosen: tuple[EngineChoice, Engine] = ("xray", XRAY)


def get_engine() -> Engine:
    """Returns the engine; with `TRACE_BRIDGE_ENGINE=auto`, the first message decides."""
    choice, engine = _chosen
    return engine if choice == _state.settings.engine else _choose()


def _choose() -> Engine:
    global _chosen
    choice = _state.settings.engine
    engine = XRAY
    try:
        if choice == "otel" or (choice == "auto" and _records_spans()):
            engine = _otel()
    except Exception:  # noqa: BLE001 - an OpenTelemetry of another version may lack what the engine imports
        _log.exception("nothing is recorded: the engine for OpenTelemetry cannot be loaded")
        _state.settings = _state.settings.changed(enabled=False, instrument=False)
    _chosen = (choice, engine)
    return engine


def _otel() -> Engine:
    from ._otel_engine import OTEL

    return OTEL


def _records_spans() -> bool:
    """Returns whether the application has set OpenTelemetry up; whoever has, has loaded it."""
    is_set_up = False
    if "opentelemetry.trace" in sys.modules:
        from ._otel_engine import has_sdk

        is_set_up = has_sdk()
    _log.info("messages are recorded by %s", "OpenTelemetry" if is_set_up else "X-Ray segment documents")
    return is_set_up
