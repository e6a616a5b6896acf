"""The exporter of AWS's distribution of OpenTelemetry that signs, its real code, against the OTLP endpoint."""

import os
import subprocess
import sysconfig
from typing import Any

import pytest

from harness.local_aws import ROOT
from tests.support.account import Account

pytestmark = pytest.mark.peers
PYTHON = ROOT / ".venv-adot" / "bin" / "python"
PROGRAM = """
import logging, os, sys
sys.path.append(os.environ["PACKAGES"])  # botocore, which a function has from its runtime
import botocore.session
from amazon.opentelemetry.distro.exporter.otlp.aws.traces.otlp_aws_span_exporter import OTLPAwsSpanExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
logging.basicConfig(level=logging.ERROR)
provider = TracerProvider()
for compression in (Compression.NoCompression, Compression.Gzip):
    exporter = OTLPAwsSpanExporter(
        aws_region="us-east-1", session=botocore.session.get_session(), endpoint=os.environ["ENDPOINT"],
        certificate_file=os.environ["CA_BUNDLE"], compression=compression, timeout=30,
    )
    provider.add_span_processor(SimpleSpanProcessor(exporter))
with provider.get_tracer("shop").start_as_current_span("order") as span:
    print(f"{span.get_span_context().trace_id:032x}")
"""


def export(aws: Account) -> tuple[str, str]:
    """Exports a span twice, plain and compressed; its trace id, and what was logged."""
    assert PYTHON.exists(), "AWS's distribution of OpenTelemetry is not installed; run `make peers`"
    facts = aws.facts
    variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {
        "PACKAGES": sysconfig.get_path("purelib"),
        "ENDPOINT": f"{facts.endpoint}/v1/traces",
        "CA_BUNDLE": facts.ca_bundle,
        "AWS_ACCESS_KEY_ID": facts.access_key_id,
        "AWS_SECRET_ACCESS_KEY": facts.secret_access_key,
    }
    ran = subprocess.run([PYTHON, "-c", PROGRAM], env=variables, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip(), ran.stderr


def test_its_spans_are_taken_plain_and_compressed(search: Any, aws: Account) -> None:
    trace_id, log = export(aws)
    assert log == ""
    events = aws.client("logs").filter_log_events(logGroupName="aws/spans", filterPattern=f'"{trace_id}"')["events"]
    assert len(events) == 2


def test_without_transaction_search_they_are_refused(aws: Account) -> None:
    _, log = export(aws)
    assert log.count("code: 400") == 2
