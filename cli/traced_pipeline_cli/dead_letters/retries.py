"""What is still tried: messages of the source queues, and dead-letter messages that another reader holds."""

from __future__ import annotations

from ..deployment.model import Queue
from ..text import counted, readable_name


def retry_text(queue: Queue) -> str:
    """Returns what a source queue holds, in a line; empty where it holds nothing.

    Args:
        queue: A queue that a worker reads.
    """
    parts = []
    if queue.in_flight:
        parts.append(
            f"{queue.in_flight:,} in flight, next attempt within {queue.visibility_timeout} s unless the one under way "
            "succeeds"
        )
    if queue.waiting:
        parts.append(f"{queue.waiting:,} waiting")
    return f"{readable_name(queue.name)}: {'; '.join(parts)}." if parts else ""


def hidden_text(queue: Queue) -> str:
    """Returns that another reader hides messages of a dead-letter queue, in a line; empty where none does.

    Args:
        queue: The dead-letter queue, as it was before its messages were received here.
    """
    if not queue.in_flight:
        return ""
    return (
        f"{counted(queue.in_flight, 'dead-letter message')} of {readable_name(queue.name)} cannot be read now: another "
        f"reader received {'it' if queue.in_flight == 1 else 'them'}. Try again later; by default a message is visible "
        f"again {queue.visibility_timeout} s after it was received."
    )
