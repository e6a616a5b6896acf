"""The whole extension: everything put into MiniStack, in one place."""

from pathlib import Path

from local.patches import (
    appsync,
    aws_calls,
    eventbridge,
    kms,
    s3,
    sns,
    sns_deduplication,
    sns_message_size,
    spans,
    stepfunctions,
    xray,
)
from local.patches.apigateway import request_validation, resources, sns_integration, stage
from local.patches.cloudformation import event_sources, outputs, resource_types, secrets, state_machines, target_groups
from local.patches.cloudwatch import alarms, datapoints, request_metrics
from local.patches.iam import batch_permissions, managed_policies, signatures
from local.patches.lambda_ import (
    error_logs,
    error_types,
    event_source_permissions,
    exec_wrapper,
    functions,
    hosts,
    log_format,
    node_functions,
    payload_limits,
    system_logs,
)
from local.patches.logs import insights, metric_filters, query_definitions
from local.patches.sqs import dead_letters, message_moves, messages
from local.xray.daemon import Daemon
from local.xray.span_intake import SpanIntake
from local.xray.state import XRay


def install(work_dir: Path) -> Daemon:
    """Changes MiniStack, once per process and before it serves.

    Args:
        work_dir: Below it goes every file.

    Returns:
        The daemon, not yet started.
    """
    state = XRay(xray.may_write_spans, spans.write)
    intake = SpanIntake(search=state.search, traces=state.traces, log=state.spans)
    daemon = Daemon(state.traces, intake, xray.install(state, intake).respond)
    spans.install()
    signatures.install()
    batch_permissions.install()
    managed_policies.install()
    aws_calls.install()
    messages.install()
    message_moves.install()
    dead_letters.install()
    kms.install()
    sns.install(state)
    eventbridge.install()
    s3.install()
    stepfunctions.install(state)
    appsync.install(state)
    sns_message_size.install()
    sns_deduplication.install()
    functions.install(state, daemon)
    log_format.install()
    exec_wrapper.install(work_dir)
    hosts.install()
    error_types.install()
    node_functions.install()
    error_logs.install()
    event_sources.install()
    event_source_permissions.install()
    payload_limits.install()
    metric_filters.install()
    system_logs.install()
    datapoints.install()
    request_metrics.install()
    alarms.install()
    insights.install()
    query_definitions.install()
    stage.install(state)
    sns_integration.install()
    request_validation.install()
    resources.install()
    resource_types.install(state)
    secrets.install()
    state_machines.install()
    target_groups.install()
    outputs.install()
    return daemon
