"""Runs every check of the deployed configuration; each names one cause of a broken trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..deployment.model import Deployment
from . import api, functions, messaging
from .finding import Finding

_CHECKS: tuple[Callable[[Deployment], Iterator[Finding]], ...] = (
    api.stage_tracing,
    api.ingest_tracing,
    functions.concurrency,
    messaging.topic_tracing,
    messaging.topic_policy,
    messaging.subscriptions,
    messaging.subscription_filters,
    messaging.queue_policies,
    messaging.queue_keys,
    messaging.queues_without_workers,
    messaging.event_sources,
    messaging.batch_failures,
    functions.bridge,
    functions.permissions,
    functions.networks,
    functions.instrumentation,
)


def diagnose(deployment: Deployment) -> tuple[Finding, ...]:
    """Returns everything in a deployment's configuration that breaks traces, from the API to the table.

    What could not be read gives no finding.
    """
    return tuple(finding for check in _CHECKS for finding in check(deployment))
