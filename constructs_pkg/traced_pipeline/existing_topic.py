"""Existing topics: the warnings where they are not traced."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_sns as sns
from constructs import Construct

from .checks import Check, warn
from .environments import check_environment
from .resource import resource_of
from .synthesis_checks import check_at_synthesis
from .topic import TracedTopic
from .xray_policies import lets_topics_trace


def check_topic(scope: Construct, topic: sns.ITopic) -> None:
    """Warns where a topic does not, or may not, record its part of a trace.

    The warning is attached to the topic, so that there is one, however many hops use the topic.
    """
    check_environment(scope, topic, topic.topic_arn, "topic", warned=topic)
    if isinstance(topic.node.scope, TracedTopic):
        # It is traced, and has decided about the permission.
        return
    if not isinstance(topic, sns.Topic):
        warn(
            topic,
            Check.TOPIC_NOT_MANAGED,
            f"topic {topic.node.path} is imported, so that its active tracing and its access policy cannot "
            "be set from here; where it is made, set TracingConfig to Active and let X-Ray take its segments",
        )
        return
    mode = _tracing_mode(topic)
    if mode != "Active":
        warn(
            topic,
            Check.TOPIC_NOT_TRACED,
            f"topic {topic.node.path} has tracing {mode or 'PassThrough'}, so that the topic and its queues "
            "are missing on the trace map; make it with tracing_config=sns.TracingConfig.ACTIVE, or use "
            "TracedTopic",
        )
    else:
        check_at_synthesis(topic, lambda: _check_permission(topic))


def _check_permission(topic: sns.Topic) -> None:
    if not lets_topics_trace(topic):
        warn(
            topic,
            Check.TOPIC_WITHOUT_PERMISSION,
            f"topic {topic.node.path} is traced, but nothing in this app lets SNS send its segments, so that the topic "
            "will be missing on the trace map; call SnsTracePermission.of(topic), or acknowledge this if the account "
            "has such a resource policy of X-Ray",
        )


def is_passive(topic: sns.ITopic) -> bool:
    """Returns whether a topic is known to record nothing, so that X-Ray infers no queue behind it."""
    return isinstance(topic, sns.Topic) and _tracing_mode(topic) != "Active"


def _tracing_mode(topic: sns.Topic) -> object:
    return Stack.of(topic).resolve(resource_of(topic, sns.CfnTopic).tracing_config)
