"""What a pipeline's stack consists of, and what of it is billed without a single request: read from templates."""

import json
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_kms as kms
from traced_pipeline import (
    MonitoringOptions,
    PipelineMonitoring,
    TableOptions,
    TopicOptions,
    TracedPipeline,
    TraceGroupOptions,
    WorkerOptions,
)

from scripts.cost_model import EMPTY_RECEIVES_PER_MONTH
from scripts.prices import load

_ROOT = Path(__file__).resolve().parent.parent
# CloudWatch bills an alarm below a minute as one of high resolution.
_STANDARD_PERIOD_SECONDS = 60

Template = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Resources:
    """The resources of a stack.

    Attributes:
        what: What is set.
        types: How many there are of each type.
        fixed: Units a month that are billed without traffic, by the name of their price.
        polled_queues: Queues that Lambda asks for messages all the time.
        dashboard_metrics: Metrics on the largest dashboard.
    """

    what: str
    types: Counter[str]
    fixed: Mapping[str, Decimal]
    polled_queues: int
    dashboard_metrics: int


def stacks() -> list[Resources]:
    """Synthesizes the pipelines of docs/costs.md.

    Returns:
        Their resources: without the default alarm, as it comes, with monitoring, and then other options.
    """
    flags = json.loads((_ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    with tempfile.TemporaryDirectory() as folder:
        app = App(outdir=folder, context=flags, analytics_reporting=False)
        named = _stacks(app)
        assembly = app.synth()
        return [resources_of(what, assembly.get_stack_by_name(stack.stack_name).template) for what, stack in named]


def _stacks(app: App) -> Sequence[tuple[str, Stack]]:
    region = load().region
    made: list[tuple[str, Stack]] = []

    def stack(what: str) -> Stack:
        # An account each, since one holds five resource policies of X-Ray; a table's customer key needs a Region.
        environment = Environment(account=f"{len(made):012d}", region=region)
        made.append((what, Stack(app, f"Stack{len(made)}", env=environment)))
        return made[-1][1]

    TracedPipeline(stack("`dead_letter_alarms=False`"), "Orders", dead_letter_alarms=False)
    TracedPipeline(stack("**the default**"), "Orders")
    for what, options in (
        ("with `PipelineMonitoring`", MonitoringOptions()),
        ("… its alarms only", MonitoringOptions(dashboard=False, queries=False)),
        ("… its dashboard only", MonitoringOptions(alarms=False, queries=False)),
        ("… its saved queries only", MonitoringOptions(alarms=False, dashboard=False)),
    ):
        watched = stack(what)
        PipelineMonitoring(watched, "Watch", pipeline=TracedPipeline(watched, "Orders"), options=options)
    TracedPipeline(stack("with `trace_group=TraceGroupOptions()`"), "Orders", trace_group=TraceGroupOptions())
    fan_out = TracedPipeline(stack("with a second worker"), "Orders")
    fan_out.add_worker("Audit", WorkerOptions(table=fan_out.table))
    many = stack("with `PipelineMonitoring` and four workers")
    watched_fan_out = TracedPipeline(many, "Orders")
    for name in ("Audit", "Ship", "Report"):
        watched_fan_out.add_worker(name, WorkerOptions(table=watched_fan_out.table))
    PipelineMonitoring(many, "Watch", pipeline=watched_fan_out)
    encrypted = stack("one customer key for topic, queues and table")
    key = kms.Key(encrypted, "Key")
    TracedPipeline(
        encrypted,
        "Orders",
        topic=TopicOptions(key=key),
        worker=WorkerOptions(queue_key=key),
        table=TableOptions(key=key),
    )
    return made


def resources_of(what: str, template: Template) -> Resources:
    """Returns the resources of a template.

    Args:
        what: What is set.
        template: The template.

    Raises:
        ValueError: An alarm has no price here.
    """
    resources: Mapping[str, Template] = template["Resources"]
    types = Counter(str(resource["Type"]) for resource in resources.values())
    alarms, dashboards = (
        [resource["Properties"] for resource in resources.values() if resource["Type"] == f"AWS::CloudWatch::{kind}"]
        for kind in ("Alarm", "Dashboard")
    )
    polled = types["AWS::Lambda::EventSourceMapping"]
    return Resources(
        what=what,
        types=types,
        fixed={
            "alarm": Decimal(sum(map(_alarm_metrics, alarms))),
            "dashboard": Decimal(types["AWS::CloudWatch::Dashboard"]),
            "customer_key": Decimal(types["AWS::KMS::Key"]),
            "sqs_request": polled * EMPTY_RECEIVES_PER_MONTH,
        },
        polled_queues=polled,
        dashboard_metrics=max((_dashboard_metrics(dashboard) for dashboard in dashboards), default=0),
    )


def _alarm_metrics(alarm: Template) -> int:
    """Returns how many metrics AWS bills for an alarm: expressions are not metrics."""
    metrics = [metric["MetricStat"] for metric in alarm.get("Metrics", []) if "MetricStat" in metric] or [alarm]
    if any(int(metric["Period"]) < _STANDARD_PERIOD_SECONDS for metric in metrics):
        raise ValueError(f"the alarm {alarm.get('AlarmDescription')!r} is of high resolution; expected a price for it")
    return len(metrics)


def _dashboard_metrics(dashboard: Template) -> int:
    """Returns how many metrics a dashboard names: expressions are not metrics."""
    parts = dashboard["DashboardBody"]["Fn::Join"][1]
    body = json.loads("".join(part if isinstance(part, str) else "token" for part in parts))
    metrics = [metric for widget in body["widgets"] for metric in widget["properties"].get("metrics", [])]
    return sum(isinstance(metric[0], str) for metric in metrics)
