"""Why traces break: every check of the deployed configuration, each naming one cause."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from . import check_api, check_functions, check_messaging
from .deployment import Deployment
from .finding import Finding

_CHECKS: tuple[Callable[[Deployment], Iterator[Finding]], ...] = (
    check_api.stage_tracing,
    check_api.ingest_tracing,
    check_functions.concurrency,
    check_messaging.topic_tracing,
    check_messaging.topic_policy,
    check_messaging.subscriptions,
    check_messaging.subscription_filters,
    check_messaging.queue_policies,
    check_messaging.queue_keys,
    check_messaging.queues_without_workers,
    check_messaging.event_sources,
    check_messaging.batch_failures,
    check_functions.bridge,
    check_functions.permissions,
    check_functions.networks,
    check_functions.instrumentation,
)


def diagnose(deployment: Deployment) -> tuple[Finding, ...]:
    """Everything in a deployment's configuration that breaks traces, from the API to the table.

    What could not be looked at gives no finding.
    """
    return tuple(finding for check in _CHECKS for finding in check(deployment))
