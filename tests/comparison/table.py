"""The table of docs/comparison.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from . import facts
from .facts import Pipeline

ROWS: list[tuple[str, Callable[[Pipeline], str]]] = [
    ("lines a user writes", lambda p: str(p.lines)),
    ("resources", lambda p: str(len(p.template.resources))),
    ("*tracing:* API stage", facts.stage_traced),
    ("*tracing:* ingest function", facts.ingest_traced),
    ("*tracing:* topic, with X-Ray's permission for it", facts.topic_traced),
    ("*tracing:* goes on across the queue", facts.bridged),
    ("*tracing:* worker is recorded", facts.worker_traced),
    ("access log names the trace", facts.access_log_names_the_trace),
    ("request bodies are validated", facts.bodies_validated),
    ("callers are authorised", facts.callers_authorized),
    ("messages of a batch fail one by one", facts.fails_one_by_one),
    ("dead-letter queue", facts.dead_letters),
    ("what SNS cannot deliver is kept", facts.undeliverable_kept),
    ("visibility timeout ÷ worker's timeout", facts.visibility),
    ("topic and queues take TLS only", facts.tls_only),
    ("encrypted with", facts.encrypted),
    ("logs are kept for a limited time", facts.retention),
    ("table can be restored to a point in time", facts.point_in_time),
    ("account-wide settings it makes", facts.account_wide),
    ("*checks:* cdk-nag AwsSolutions errors", facts.nag),
    ("*checks:* cfn-lint findings but W3005", facts.lint),
    ("lines printed at synthesis", lambda p: str(len(p.printed))),
    ("aws-cdk-lib", lambda p: p.cdk),
]


def table(pipelines: Mapping[str, Pipeline]) -> str:
    """Render the table.

    Args:
        pipelines: Column headings and what stands below them.
    """
    lines = [f"| | {' | '.join(pipelines)} |", "|---|" + "---|" * len(pipelines)]
    for name, fact in ROWS:
        lines.append(f"| {name} | {' | '.join(fact(p) or 'none' for p in pipelines.values())} |")
    return "\n".join(lines) + "\n"
