"""What Lambda's Python runtime does to `logging` before it imports a function's code.

Its text is run in the function's process, so it imports the standard library alone.

Sources: Lambda Developer Guide, "Log and monitor Python Lambda functions" and "Log-level filtering"; AWS's own runtime
client for Python, https://github.com/aws/aws-lambda-python-runtime-interface-client, awslambdaric/bootstrap.py and
lambda_runtime_log_utils.py.
"""

import json
import logging
import sys
import time
import traceback

request_id = ""
"""The invocation under way."""

_TIME = "%Y-%m-%dT%H:%M:%S"
_NOT_WRITTEN = frozenset(vars(logging.makeLogRecord({}))) - {"taskName"} | {"aws_request_id"}
_LEVELS = {"TRACE": "DEBUG", "FATAL": "CRITICAL"}


class JsonFormatter(logging.Formatter):
    """Writes a record as a JSON object; every attribute that is not `logging`'s own is a field of it."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line."""
        kind, error, trace = record.exc_info or (None, None, None)
        fields = {
            "timestamp": self.formatTime(record, f"{_TIME}Z"),
            "level": logging.getLevelName(min(50, max(0, record.levelno)) // 10 * 10),
            "message": record.msg if isinstance(record.msg, dict) and not record.args else record.getMessage(),
            "logger": record.name,
            "stackTrace": traceback.format_tb(trace) if kind else None,
            "errorType": kind.__name__ if kind else None,
            "errorMessage": str(error) if kind else None,
            "requestId": getattr(record, "aws_request_id", None),
            "location": f"{record.pathname}:{record.funcName}:{record.lineno}" if kind else None,
        }
        own = {name: value for name, value in vars(record).items() if name not in _NOT_WRITTEN and name not in fields}
        written = {name: value for name, value in {**fields, **own}.items() if value is not None}
        return json.dumps(written, ensure_ascii=False, default=str)


class _OfInvocation(logging.Filter):
    """Names the invocation under way on each record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Returns True, once the record is named."""
        record.aws_request_id = request_id
        return True


def set_up(log_format: str, level: str) -> None:
    """Gives the root logger its handler, which writes to standard error.

    Args:
        log_format: `JSON`, or else plain text.
        level: The least level that is written; empty for `logging`'s own default.
    """
    logging.Formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_OfInvocation())
    if log_format == "JSON":
        handler.setFormatter(JsonFormatter())
    else:
        style = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
        handler.setFormatter(logging.Formatter(style, _TIME))
    root = logging.getLogger()
    root.addHandler(handler)
    if level:
        root.setLevel(_LEVELS.get(level, level))
