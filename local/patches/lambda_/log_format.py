"""Lambda: what a Python function logs is written in the format of its logging configuration.

MiniStack leaves `logging` as Python starts with it: warnings alone, without level, time or request id. See
`runtime_logging` for the sources. Lambda's own lines (START, END, REPORT) stay plain text in both formats.
"""

from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime

WORKER_LINES = ("    os.environ.update(env)\n", "            result = handler_fn(event, context)\n")
"""The lines of MiniStack's worker behind which `logging` is set up, and before which an invocation begins."""

_SOURCE = Path(__file__).with_name("runtime_logging.py")
_SET_UP = """    _runtime_logging.set_up(os.environ["AWS_LAMBDA_LOG_FORMAT"], os.environ["AWS_LAMBDA_LOG_LEVEL"])
"""
_BEGIN = """            _runtime_logging.request_id = context.aws_request_id
"""


def install() -> None:
    """Sets up `logging` in the workers of Python functions."""
    source = _SOURCE.read_text(encoding="utf-8")
    started, invoked = WORKER_LINES
    script: str = lambda_runtime._PYTHON_WORKER_SCRIPT
    script = script.replace(started, started + _SET_UP).replace(invoked, _BEGIN + invoked)
    module = f"""import types
_runtime_logging = types.ModuleType("runtime_logging")
exec({source!r}, vars(_runtime_logging))
"""
    lambda_runtime._PYTHON_WORKER_SCRIPT = module + script


def variables(logging: dict[str, Any]) -> dict[str, str]:
    """Returns the environment variables that tell a function's runtime how to log.

    "The default log level for both system and application logs is INFO", where the format is JSON; in plain text no
    level is set.
    """
    log_format = str(logging.get("LogFormat") or "Text")
    level = str(logging.get("ApplicationLogLevel") or "INFO") if log_format == "JSON" else ""
    return {"AWS_LAMBDA_LOG_FORMAT": log_format, "AWS_LAMBDA_LOG_LEVEL": level}
