"""Joining the X-Ray SDK where the application loads it, before or after the bridge."""

import sys
from collections.abc import Callable

from . import _state
from ._hooks import when_imported

_SDK = "aws_xray_sdk.core"
_waiting = False


def is_on() -> bool:
    """Returns whether messages are traced: by the bridge's own switch, and by the X-Ray SDK's where that is loaded."""
    return _state.settings.enabled and join()


def join_sdk() -> bool:
    """Routes the X-Ray SDK to the messages: now if it is loaded, or else as soon as anything loads it.

    Returns:
        Whether the SDK's own switch is on.
    """
    global _waiting, join
    if _SDK in sys.modules:
        from ._sdk import join as join_loaded

        join = join_loaded
        return join()
    if not _waiting:
        _waiting = True
        when_imported(_SDK, join_sdk)
    join = _not_loaded
    return True


def _not_loaded() -> bool:
    return True


join: Callable[[], bool] = join_sdk
"""What every message asks: as `join_sdk`, and quick where nothing has changed. Replaced once the SDK is loaded."""
