"""The whole extension: everything put into MiniStack, in one place."""

from local.daemon import Daemon
from local.services import (
    api_resources,
    apigateway,
    batch_permissions,
    cloudformation,
    entry,
    error_logs,
    error_types,
    event_source_permissions,
    event_sources,
    functions,
    keys,
    managed_policies,
    message_moves,
    node_functions,
    outputs,
    payload_limits,
    request_validation,
    signatures,
    sns,
    sqs,
    xray,
)
from local.xray import XRay


def install() -> Daemon:
    """Change MiniStack, once per process and before it serves.

    Returns:
        The daemon, not yet started.
    """
    state = XRay(xray.may_write_spans)
    daemon = Daemon(state.traces, xray.install(state).respond)
    signatures.install()
    batch_permissions.install()
    managed_policies.install()
    entry.install()
    sqs.install()
    message_moves.install()
    keys.install()
    sns.install(state)
    functions.install(state, daemon)
    error_types.install()
    node_functions.install()
    error_logs.install()
    event_sources.install()
    event_source_permissions.install()
    payload_limits.install()
    apigateway.install(state)
    request_validation.install()
    api_resources.install()
    cloudformation.install(state)
    outputs.install()
    return daemon
