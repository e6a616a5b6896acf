"""`make bench`: what the fields of its message add to a log line.

Every figure is CPU time, the least of many rounds in which logging with and without the fields take turns.
"""

import logging
import os
import sys
import time
from collections.abc import Callable, Iterable

from awslambdaric.lambda_runtime_log_utils import JsonFormatter
from trace_bridge import continue_trace, trace_logs

from bench.events import Context
from tests.support import bridge

_LINES = 50
_ROUNDS = 600
_GOAL_MICROSECONDS = 1.0
_GOAL_DISCARDED = 0.05
_INVOCATION = "Root=1-6b04d6c2-aaaaaaaaaaaaaaaaaaaaaaaa;Parent=53995c3f42cd8ad8;Sampled=0;Lineage=061379e8:0"
_RECORD = {
    "messageId": "5fea7756-0ea4-451a-a703-a558b933e274",
    "attributes": {"AWSTraceHeader": "Root=1-6b04d6c2-bbbbbbbbbbbbbbbbbbbbbbbb;Parent=53995c3f42cd8ad8;Sampled=1"},
}

_log = logging.getLogger("bench")


class _Nowhere(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        """Does nothing with a record but what its formatter does."""
        self.format(record)


def _info() -> None:
    for _ in range(_LINES):
        _log.info("order %s taken", 7)


def _debug() -> None:
    for _ in range(_LINES):
        _log.debug("order %s taken", 7)


def _a_line_each() -> None:
    for _ in range(_LINES):
        with continue_trace(_RECORD, Context()):
            _log.info("order %s taken", 7)


def main() -> int:
    """Prints the figures; 0 when the goals are met."""
    # Documents go nowhere.
    bridge.emit_to_daemon(bridge.UdpEmitter(("127.0.0.1", 9), buffer_bytes=1 << 40))
    os.environ["_X_AMZN_TRACE_ID"] = _INVOCATION
    handler = _Nowhere()
    in_text = logging.Formatter("[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(message)s")  # as Lambda's
    handler.setFormatter(in_text)
    _log.propagate = False
    _log.addHandler(handler)
    _log.setLevel(logging.INFO)
    before = logging.Logger.callHandlers
    trace_logs()
    ways = (before, logging.Logger.callHandlers)
    with continue_trace(_RECORD, Context()):
        inside, discarded = _added(_info, ways), _added(_debug, ways)
        handler.setFormatter(JsonFormatter())
        in_json = _added(_info, ways)
        handler.setFormatter(in_text)
    figures = [
        ("a line inside a message", inside, _GOAL_MICROSECONDS),
        ("the only line of a message", _added(_a_line_each, ways), None),
        ("a line outside of messages", _added(_info, ways), None),
        ("a line below the logger's level", discarded, _GOAL_DISCARDED),
        ("a line in Lambda's JSON format, its writing included", in_json, None),
    ]
    print("\nadded per log line, µs")
    missed = 0
    for name, (added, bare), goal in figures:
        verdict = "" if goal is None else f"  {'met' if added <= goal else 'MISSED'} (at most {goal:g})"
        missed += goal is not None and added > goal
        print(f"{name:54}{added:6.2f}  of {bare:.1f}{verdict}")
    return 1 if missed else 0


def _added(lines: Callable[[], None], ways: Iterable[Callable[..., None]]) -> tuple[float, float]:
    """Returns what a line takes more with the fields than without them, and what it takes without them."""
    logger: type = logging.Logger
    least = dict.fromkeys(ways, float("inf"))
    for _ in range(_ROUNDS):
        for way in least:
            logger.callHandlers = way  # type: ignore[attr-defined]
            began = time.thread_time()
            lines()
            least[way] = min(least[way], (time.thread_time() - began) / _LINES * 1e6)
    bare, with_fields = least.values()
    return with_fields - bare, bare


if __name__ == "__main__":
    sys.exit(main())
