"""IAM: the signature of the root user's requests, which MiniStack takes as it comes.

MiniStack checks the time and the signature of every other key. Source: IAM User Guide, "AWS Signature Version 4 for API
requests": a request must reach AWS within five minutes of the time stamp in it, and its signature must be the one made
with the secret key.
"""

from contextvars import ContextVar
from typing import Any

from ministack import app
from ministack.core import iam_evaluator

from local.propagation import request_context

_pinning: ContextVar[bool] = ContextVar("pinning", default=False)


def install() -> None:
    """Has the root user's signatures checked like any other."""
    is_root, pin = iam_evaluator._is_root_key, iam_evaluator.pin_signed_request

    def is_unchecked(access_key_id: str) -> bool:
        # Whoever keeps a request for its check leaves out those of root keys; policies still know them as root.
        return not (_pinning.get() and access_key_id) and bool(is_root(access_key_id))

    def pin_every_request(*args: Any, **kwargs: Any) -> None:
        with request_context.using(_pinning, True):
            pin(*args, **kwargs)

    iam_evaluator._is_root_key = is_unchecked
    iam_evaluator.pin_signed_request = pin_every_request
    app.pin_signed_request = pin_every_request
