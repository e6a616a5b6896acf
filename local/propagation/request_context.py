"""What one request carries from one service to the next inside this process.

MiniStack copies the context of a request into the threads that go on with it, so context variables follow
a request through API Gateway, Lambda and SNS without a change to any signature.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")

inbound: ContextVar[str | None] = ContextVar("inbound", default=None)
"""The tracing header of the call being served, as it came; `None` where the caller sent none."""

received: ContextVar[float | None] = ContextVar("received", default=None)
"""When the call being served came in, in seconds since 1970; `None` outside of one."""


@contextmanager
def using(variable: ContextVar[T], value: T) -> Iterator[T]:
    """Sets `variable` to `value` for the length of a block."""
    token = variable.set(value)
    try:
        yield value
    finally:
        variable.reset(token)
