"""The environment variables by which a worker learns of its hop: a function's or a container's."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import aws_sns as sns
from constructs import Construct

from . import bridge_environment
from .environments import table_name_for
from .existing_topic import is_passive
from .message_log import message_log_variables
from .queue_options import QueueOptions

NO_ENVELOPE, _SNS_ENVELOPE = "none", "sns"
"""What the bridge reads in `TRACE_BRIDGE_ENVELOPE`."""

_ALWAYS = "always"


def hop_variables(scope: Construct, options: QueueOptions) -> dict[str, str]:
    """Returns the variables that name what a worker writes to, the envelope around its messages, and what is logged.

    Args:
        scope: The hop.
        options: Its settings.
    """
    variables: dict[str, str] = {}
    if options.table is not None:
        variables["TABLE_NAME"] = table_name_for(scope, options.table)
    if options.publish_to is not None:
        variables["TOPIC_ARN"] = options.publish_to.topic_arn
    if not options.raw_message_delivery:
        variables[bridge_environment.ENVELOPE] = _SNS_ENVELOPE
    return variables | message_log_variables(options)


def queue_segment_variable(topic: sns.ITopic | None, own: Mapping[str, str] | None) -> dict[str, str]:
    """Returns the variable with which the bridge draws the queue, where X-Ray would not infer it.

    X-Ray infers the queue from the segments of an active topic.

    Args:
        topic: The topic before the queue; None where there is none.
        own: The worker's own variables, one of which may say otherwise.
    """
    if topic is None or not is_passive(topic) or bridge_environment.QUEUE_SEGMENT in (own or {}):
        return {}
    return {bridge_environment.QUEUE_SEGMENT: _ALWAYS}
