"""The whole extension: everything put into MiniStack, in one place."""

from local.patches import aws_calls, kms, sns, sns_message_size, xray
from local.patches.apigateway import request_validation, resources, stage
from local.patches.cloudformation import event_sources, outputs, resource_types
from local.patches.iam import batch_permissions, managed_policies, signatures
from local.patches.lambda_ import (
    error_logs,
    error_types,
    event_source_permissions,
    functions,
    log_format,
    node_functions,
    payload_limits,
)
from local.patches.sqs import message_moves, messages
from local.xray.daemon import Daemon
from local.xray.state import XRay


def install() -> Daemon:
    """Changes MiniStack, once per process and before it serves.

    Returns:
        The daemon, not yet started.
    """
    state = XRay(xray.may_write_spans)
    daemon = Daemon(state.traces, xray.install(state).respond)
    signatures.install()
    batch_permissions.install()
    managed_policies.install()
    aws_calls.install()
    messages.install()
    message_moves.install()
    kms.install()
    sns.install(state)
    sns_message_size.install()
    functions.install(state, daemon)
    log_format.install()
    error_types.install()
    node_functions.install()
    error_logs.install()
    event_sources.install()
    event_source_permissions.install()
    payload_limits.install()
    stage.install(state)
    request_validation.install()
    resources.install()
    resource_types.install(state)
    outputs.install()
    return daemon
