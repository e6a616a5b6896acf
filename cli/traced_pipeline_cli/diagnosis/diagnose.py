"""Runs every check of the deployed configuration; each names one cause of a broken trace."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from ..deployment.expected_path import Hop
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


def about_route(findings: Iterable[Finding], route: Sequence[Hop]) -> tuple[Finding, ...]:
    """Leaves out what is about topics and queues that no request passes, such as the topic that alarms notify.

    Args:
        findings: What is known of the deployment.
        route: The hops of a request. Of a route without a topic, which may be what is wrong, every finding stays.
    """
    hops = {(hop.kind, hop.name) for hop in route}
    if all(hop.kind != "topic" for hop in route):
        return tuple(findings)
    return tuple(f for f in findings if f.kind not in ("topic", "queue") or (f.kind, f.name) in hops)
