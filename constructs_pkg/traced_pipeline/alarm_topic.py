"""The topic that alarms notify, and what its policy and its key must allow."""

from __future__ import annotations

import jsii
from aws_cdk import ArnFormat, AspectPriority, Aspects, IAspect, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct, IConstruct

from .checks import Check, warn
from .environments import in_other_account

_CLOUDWATCH = "cloudwatch.amazonaws.com"
# The CDK's id of the policy that a topic makes of its statements.
_POLICY = "Policy"


def let_alarms_notify(scope: Construct, topic: sns.ITopic) -> None:
    """Lets the alarms of an account publish to a topic.

    The policy that SNS gives a topic admits them. A policy of one's own replaces it, such as the one that the CDK's
    `enforce_ssl` makes, and then alarms notify nobody. The CDK admits them neither to a topic nor to its key.
    https://repost.aws/knowledge-center/cloudwatch-receive-sns-for-alarm-trigger
    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html

    In the topic's own account no policy is made: it would replace the one of SNS, which may admit other services that
    the topic is used by, or that of an `sns.TopicPolicy`, as a topic has one policy. The one of SNS admits no alarms of
    another account.

    Args:
        scope: Where the alarms are; it gets the warning where the key's policy cannot be changed from here.
        topic: The topic. The policy of an imported one is not known and stays as it is, as does an `sns.TopicPolicy`.
    """
    alarms = Stack.of(scope).format_arn(
        service="cloudwatch", resource="alarm", resource_name="*", arn_format=ArnFormat.COLON_RESOURCE_NAME
    )
    cloudwatch = iam.ServicePrincipal(_CLOUDWATCH)
    from_alarms = {"ArnLike": {"aws:SourceArn": alarms}}
    publish = iam.PolicyStatement(
        principals=[cloudwatch], actions=["sns:Publish"], resources=[topic.topic_arn], conditions=from_alarms
    )
    if in_other_account(scope, topic, topic.topic_arn):
        topic.add_to_resource_policy(publish)
    else:
        # The policy may be made after this, also by an aspect.
        Aspects.of(topic).add(_InOwnPolicy(publish), priority=AspectPriority.DEFAULT)
    key = topic.master_key if isinstance(topic, sns.Topic) else None
    if key is None:
        return
    added = key.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[cloudwatch],
            actions=["kms:Decrypt", "kms:GenerateDataKey*"],
            resources=["*"],
            conditions=from_alarms,
        )
    )
    if not added.statement_added:
        warn(
            scope,
            Check.KEY_NOT_MANAGED,
            f"key {key.node.path} is imported, so that its policy cannot be changed from here, but it encrypts topic "
            f"{topic.node.path}, which alarms notify; where it is made, let {_CLOUDWATCH} use kms:Decrypt and "
            "kms:GenerateDataKey*. The AWS managed key alias/aws/sns lets no alarm in: use a customer key",
        )


@jsii.implements(IAspect)
class _InOwnPolicy:
    """Adds a statement to the policy that a topic makes itself, if there is one by synthesis."""

    def __init__(self, statement: iam.PolicyStatement) -> None:
        self._statement = statement

    def visit(self, node: IConstruct) -> None:
        """Adds the statement; the CDK calls this of the topic and of what is in it."""
        policy = node.node.try_find_child(_POLICY)
        if isinstance(policy, sns.TopicPolicy):
            policy.document.add_statements(self._statement)
