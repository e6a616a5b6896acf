"""The encryption configuration of X-Ray: its two operations.

Source: X-Ray API Reference, "PutEncryptionConfig" and "GetEncryptionConfig"; X-Ray Developer Guide, "Configuring
sampling, groups, and encryption settings": a key is named by its id, its ARN or an alias, the answer has its ARN, and
the status is `UPDATING` until the change is made. Nothing is encrypted here, and nobody is asked for the key; how long
a change takes is assumed, and short.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from local.xray.request import ApiError, Body

FindKey = Callable[[str], str | None]
"""Gives the ARN of a key by its id, ARN or alias; `None` for one that is not there."""

_UPDATING_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class _Config:
    kind: Literal["NONE", "KMS"] = "NONE"
    key: str | None = None
    since: float = 0.0


class Encryption:
    """The two operations, over one configuration.

    Args:
        find_key: Looks for a key.
        clock: Seconds since 1970.
    """

    def __init__(self, find_key: FindKey, *, clock: Callable[[], float] = time.time) -> None:
        self._find_key = find_key
        self._clock = clock
        self._lock = threading.Lock()
        self._config = _Config()

    def operations(self) -> dict[str, Callable[[Body], Body]]:
        """Returns the operations by their paths."""
        return {"EncryptionConfig": lambda _body: self._answer(), "PutEncryptionConfig": self._put}

    def _put(self, body: Body) -> Body:
        wanted = body.get("KeyId")
        if body["Type"] == "NONE":
            if wanted:
                raise ApiError(f"KeyId is {wanted!r}, but Type is NONE; leave one of them out")
            config = _Config(since=self._clock())
        else:
            if not wanted:
                raise ApiError("KeyId is missing; Type KMS needs a key id, an alias or an ARN")
            # "aws/xray" is AWS's own key for X-Ray, made when it is first asked for.
            key = self._find_key(str(wanted))
            if key is None:
                raise ApiError(f"There is no key {wanted!r}")
            config = _Config(kind="KMS", key=key, since=self._clock())
        with self._lock:
            self._config = config
        return self._answer()

    def _answer(self) -> Body:
        with self._lock:
            config = self._config
        updating = self._clock() - config.since < _UPDATING_SECONDS
        return {
            "EncryptionConfig": {
                **({"KeyId": config.key} if config.key else {}),
                "Status": "UPDATING" if updating else "ACTIVE",
                "Type": config.kind,
            }
        }
