"""One upload by `PutTraceSegments`: tried again where that helps, and counted."""

from __future__ import annotations

import logging
import random
from typing import TYPE_CHECKING

from ._client import is_throttled
from ._counts import count

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ._client import XRayClient

_log = logging.getLogger("trace_bridge")

_THROTTLED_PAUSES = (0.1, 0.2, 0.4, 0.8)


def upload(client: XRayClient, documents: list[str], *, pause: Callable[[float], object]) -> None:
    """Uploads documents, and counts what X-Ray took and what it refused.

    Args:
        client: The client.
        documents: At most 50 documents.
        pause: Waits some seconds before X-Ray, which throttles, is asked again.

    Raises:
        Exception: Whatever the call raises in the end.
    """
    answer = _answer(client, documents, pause)
    refused = answer.get("UnprocessedTraceSegments") or []
    # Read before anything is counted: an answer that is none of X-Ray's raises here, and all are counted as failed.
    reasons = sorted({f"{segment.get('ErrorCode')}: {segment.get('Message')}" for segment in refused})
    count("sent_api", len(documents) - len(refused))
    if refused:
        count("unprocessed", len(refused))
        _log.warning("X-Ray refused %d of %d segments: %s", len(refused), len(documents), "; ".join(reasons))


def _answer(client: XRayClient, documents: list[str], pause: Callable[[float], object]) -> Mapping[str, Any]:
    from botocore.exceptions import ConnectionClosedError

    pauses, was_closed = iter(_THROTTLED_PAUSES), False
    while True:
        try:
            return client.put_trace_segments(TraceSegmentDocuments=documents)
        except ConnectionClosedError:
            # A connection kept from an earlier invocation may be gone after a freeze: nothing was answered yet.
            if was_closed:
                raise
            was_closed = True
            continue
        except Exception as error:
            seconds = next(pauses, None) if is_throttled(error) else None
            if seconds is None:
                raise
        # Environments that were throttled together do not come back together.
        pause(seconds * random.uniform(0.5, 1.0))  # noqa: S311
