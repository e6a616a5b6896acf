"""Datadog's ids on log lines are those of Datadog's own packages, and what ddtrace puts there stays."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest

from tests.support.templates import ROOT

pytestmark = pytest.mark.peers
PEERS = ROOT / ".venv-peers" / "bin" / "python"

COMMON = """
import json, logging, random
lines = []
class Keep(logging.Handler):
    def emit(self, record):
        if record.name == "shop":
            lines.append(vars(record))
logging.getLogger().addHandler(Keep())
from trace_bridge import continue_trace, trace_logs
trace_logs()
def log_in_message(trace_id):
    header = f"Root={trace_id};Parent=53995c3f42cd8ad8;Sampled=1"
    with continue_trace({"messageId": "m", "attributes": {"AWSTraceHeader": header}}):
        logging.getLogger("shop").warning("here")
"""
CONVERSION = f"""{COMMON}
draw = random.Random(4)
extremes = ["0" * 15 + "1", "7" + "f" * 15, "8" + "0" * 15, "f" * 16]
uniques = [f"{{draw.getrandbits(32):08x}}{{low}}" for low in extremes]
uniques += [f"{{draw.getrandbits(96) or 1:024x}}" for _ in range(996)]
for unique in uniques:
    log_in_message(f"1-{{draw.getrandbits(32):08x}}-{{unique}}")
from datadog_lambda.tracing import _convert_xray_entity_id, _convert_xray_trace_id
print(json.dumps([
    [line["dd.trace_id"], str(_convert_xray_trace_id(line["xray_trace_id"])),
     line["dd.span_id"], str(_convert_xray_entity_id(line["segment_id"]))]
    for line in lines
]))
"""
INJECTION = f"""{COMMON}
from ddtrace import patch, tracer
patch(logging=True)
with tracer.trace("own") as span:
    log_in_message("1-5e61292c-cc1229a4dfbeae1043928548")
log_in_message("1-5e61292c-cc1229a4dfbeae1043928548")
print(json.dumps([[str(span.span_id), *(str(line["dd.span_id"]) for line in lines)],
                  [str(line["dd.trace_id"]) for line in lines]]))
"""


def _run(program: str) -> Any:
    """Runs a program beside Datadog's packages, which send nothing; returns what it printed."""
    ran = subprocess.run(
        [PEERS, "-c", program],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "runtime"),
            "TRACE_BRIDGE_LOGS": "datadog",
            "TRACE_BRIDGE_EMITTER": "udp",
            "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:9",
            "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
            "DD_REMOTE_CONFIGURATION_ENABLED": "false",
            "DD_TRACE_AGENT_URL": "http://127.0.0.1:9",
            "DD_TRACE_STARTUP_LOGS": "false",
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


def test_a_thousand_ids_are_converted_as_datadogs_library_does() -> None:
    found = _run(CONVERSION)
    assert len(found) == 1_000
    assert [(trace, span) for trace, _, span, _ in found] == [(trace, span) for _, trace, _, span in found]


def test_ids_that_ddtrace_puts_on_a_record_stay() -> None:
    (own_span, inside, outside), trace_ids = _run(INJECTION)
    assert inside == own_span
    # Without a span, ddtrace writes zeros, and they stay too.
    assert outside == "0"
    assert "6899143064054564168" not in trace_ids
