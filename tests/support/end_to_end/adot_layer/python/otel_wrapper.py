"""Stands for the module of AWS's layer that is imported in place of a function's handler, and instruments that."""

import os
from importlib import import_module
from typing import Any

from opentelemetry.context import Context
from opentelemetry.instrumentation.aws_lambda import AwsLambdaInstrumentor  # type: ignore[import-not-found]
from opentelemetry.propagate import get_global_textmap


def _context_of_lambda(_event: Any) -> Context:
    """Returns the context of Lambda's own segment; the layer prefers it to any in the event."""
    return get_global_textmap().extract({"X-Amzn-Trace-Id": os.environ.get("_X_AMZN_TRACE_ID", "")})


AwsLambdaInstrumentor().instrument(event_context_extractor=_context_of_lambda)
_module, _, _name = os.environ["ORIG_HANDLER"].replace("/", ".").rpartition(".")
lambda_handler = getattr(import_module(_module), _name)
