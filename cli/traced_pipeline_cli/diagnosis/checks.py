"""The stable ids of the checks: what may be named as the cause of a broken trace."""

from __future__ import annotations

from enum import StrEnum


class Check(StrEnum):
    """Every check of a deployment and of one request, in the order of a request's path.

    The ids are in the output, so that they change by intent alone; docs/command-line.md explains each.
    """

    STAGE_TRACING_OFF = "stage-tracing-off"
    NOT_SAMPLED = "not-sampled"
    REQUEST_REFUSED = "request-refused"
    INGEST_NOT_ACTIVE = "ingest-not-active"
    TOPIC_NOT_ACTIVE = "topic-not-active"
    TOPIC_WITHOUT_XRAY_POLICY = "topic-without-xray-policy"
    SUBSCRIPTION_MISSING = "subscription-missing"
    SUBSCRIPTION_FILTERS = "subscription-filters"
    QUEUE_POLICY = "queue-policy"
    QUEUE_KEY = "queue-key"
    EVENT_SOURCE_MISSING = "event-source-missing"
    EVENT_SOURCE_DISABLED = "event-source-disabled"
    EVENT_SOURCE_FILTERS = "event-source-filters"
    BATCH_FAILURES_IGNORED = "batch-failures-ignored"
    FUNCTION_STOPPED = "function-stopped"
    BRIDGE_OFF = "bridge-off"
    BRIDGE_MISSING = "bridge-missing"
    BRIDGE_EMITTER = "bridge-emitter"
    XRAY_PERMISSION_MISSING = "xray-permission-missing"
    VPC_WITHOUT_XRAY = "vpc-without-xray"
    FUNCTION_FAILS = "function-fails"
    QUEUE_BACKLOG = "queue-backlog"
    CALLS_NOT_RECORDED = "calls-not-recorded"
