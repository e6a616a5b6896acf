"""What of a pipeline is watched."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_sns as sns

from .words import ChecksWords


@dataclass(frozen=True, kw_only=True)
class MonitoringOptions(ChecksWords):
    """Alarms, a dashboard and saved queries of a pipeline.

    Attributes:
        alarm_topic: Topic that every alarm of the pipeline notifies, those on its dead-letter queues included. Default:
            none; the alarms change state without notifying anyone.
        alarms: Whether to create the alarms beyond those on dead-letter queues: age of the oldest message, failed and
            throttled invocations of a worker, the API's 5xx answers and its latency. Default: yes.
        dashboard: Whether to create the dashboard. Default: yes.
        queries: Whether to save the queries for CloudWatch Logs Insights. Default: yes.
        longest_wait: How old a queue's oldest message may be, in whole seconds. Default: 15 minutes.
        longest_request: How long the slowest hundredth of the API's requests may take, in whole seconds. Default: 5
            seconds.
        server_errors: Fraction of the API's requests that may be answered with 5xx, 0 to 1. Default: 0.01.
    """

    alarm_topic: sns.ITopic | None = None
    alarms: bool = True
    dashboard: bool = True
    queries: bool = True
    longest_wait: Duration | None = None
    longest_request: Duration | None = None
    server_errors: float = 0.01
