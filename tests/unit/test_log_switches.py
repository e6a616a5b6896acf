"""What switches the fields of log records on, in a process of its own, and what leaves logging as it is."""

import os
import subprocess
import sys

import pytest

from harness.local_aws import ROOT as CHECKOUT

pytestmark = pytest.mark.program

PROGRAM = """
import logging, sys
{setting_up}
lines = []
class Keep(logging.Handler):
    def emit(self, record):
        lines.append(record)
logging.getLogger().addHandler(Keep())
from trace_bridge import continue_trace
header = "Root=1-5e61292c-cc1229a4dfbeae1043928548;Parent=53995c3f42cd8ad8;Sampled=0"
with continue_trace({{"messageId": "m", "attributes": {{"AWSTraceHeader": header}}}}):
    logging.getLogger("shop").warning("here")
print([getattr(line, "message_id", None) for line in lines if line.name == "shop"])
"""
_POLL = """
import threading
from trace_bridge import poll
stop = threading.Event()
stop.set()
poll("https://sqs.us-east-1.amazonaws.com/1/q", print, client=object(), stop=stop)
"""
_ANEW = """
import trace_bridge
trace_bridge.trace_logs()
for name in [name for name in sys.modules if name.startswith("trace_bridge")]:
    del sys.modules[name]
import trace_bridge
trace_bridge.trace_logs()
"""
_AROUND = """
import functools
from trace_bridge import trace_logs
trace_logs()
inner = logging.Logger.callHandlers
@functools.wraps(inner)
def another_librarys(self, record):
    seen.append(record)
    inner(self, record)
seen = []
logging.Logger.callHandlers = another_librarys
trace_logs()
trace_logs()
logging.getLogger("other").addHandler(logging.NullHandler())
logging.getLogger("other").warning("here")
assert len(seen) == 1
"""
ENTRIES = {
    "nothing": ("", "[None]"),
    "trace_logs": ("from trace_bridge import trace_logs\ntrace_logs()", "['m']"),
    "trace_logs, twice": ("from trace_bridge import trace_logs\ntrace_logs()\ntrace_logs()", "['m']"),
    "sqs_handler": ("from trace_bridge import sqs_handler\nsqs_handler(print)", "['m']"),
    "zero code": ("import trace_bridge.auto", "['m']"),
    "poll": (_POLL, "['m']"),
    "the bridge imported anew": (_ANEW, "['m']"),
    "another library around it": (_AROUND, "['m']"),
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_what_switches_it_on(entry: str) -> None:
    setting_up, printed = ENTRIES[entry]
    assert _run(setting_up) == (printed, "")


def test_off_leaves_logging_as_it_is() -> None:
    program = (
        "from trace_bridge import trace_logs\nbefore = logging.Logger.callHandlers\ntrace_logs()\n"
        "assert logging.Logger.callHandlers is before"
    )
    assert _run(program, TRACE_BRIDGE_LOGS="off") == ("[None]", "")


def test_a_wrong_word_is_logged_once_and_nothing_is_added() -> None:
    printed, said = _run("from trace_bridge import trace_logs\ntrace_logs()", TRACE_BRIDGE_LOGS="json")
    assert printed == "[None]"
    assert said.count("TRACE_BRIDGE_LOGS is 'json'; expected one of 'xray', 'datadog', 'off'") == 1


def _run(setting_up: str, **variables: str) -> tuple[str, str]:
    """Runs a program that logs in a message, after something of the bridge's; returns what it printed and said."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(setting_up=setting_up)],
        cwd=CHECKOUT,
        env={
            **os.environ,
            "TRACE_BRIDGE_HANDLER": "builtins.print",
            "AWS_DEFAULT_REGION": "us-east-1",
            **variables,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip(), ran.stderr.strip()
