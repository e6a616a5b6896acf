"""Keeps the bridge's own calls out of every trace."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ._scope import aside

_SUPPRESS = "suppress_instrumentation"


def is_suppressed() -> bool:
    """Returns whether OpenTelemetry is set to record nothing, as its exporters set it for their own calls."""
    context: Any = sys.modules.get("opentelemetry.context")
    if context is None:
        return False
    return any(
        context.get_value(key) for key in (getattr(context, "_SUPPRESS_INSTRUMENTATION_KEY", _SUPPRESS), _SUPPRESS)
    )


@contextmanager
def untraced() -> Iterator[None]:
    """Keeps the calls inside the block from the X-Ray SDK's patches, from `instrument()` and from OpenTelemetry's.

    OpenTelemetry's instrumentations look for two keys in its context, the one of its API and the plain word:
    https://github.com/open-telemetry/opentelemetry-python-contrib/blob/main/opentelemetry-instrumentation/src/opentelemetry/instrumentation/utils.py
    """
    with aside():
        context: Any = sys.modules.get("opentelemetry.context")
        if context is None:
            yield
            return
        keys = {getattr(context, "_SUPPRESS_INSTRUMENTATION_KEY", _SUPPRESS), _SUPPRESS}
        suppressed = context.get_current()
        for key in keys:
            suppressed = context.set_value(key, True, suppressed)
        token = context.attach(suppressed)
        try:
            yield
        finally:
            context.detach(token)
