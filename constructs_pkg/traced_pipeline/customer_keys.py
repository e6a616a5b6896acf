"""Customer keys: who they belong to, and whom they must let in."""

from __future__ import annotations

from aws_cdk import CfnResource, Reference, Stack, Token, Tokenization
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .checks import Check, PipelineError, warn

_NAMES_A_TOPIC = "traced-pipeline:names-a-topic"


def let_sns_use_key(scope: Construct, *, topic: sns.ITopic, queue: sqs.IQueue, service: iam.IPrincipal) -> None:
    """Lets SNS encrypt what it puts into a queue that has a customer key.

    The key's policy names the topic, unless the two would then wait for each other: because the topic, or what it
    needs, has the same key, or because the key belongs to another stack. There it names the account's topics.
    https://docs.aws.amazon.com/sns/latest/dg/sns-enable-encryption-for-topic-sqs-queue-subscriptions.html

    Args:
        scope: The hop; it gets the warning where the key's policy cannot be changed from here.
        topic: The topic before the queue.
        queue: The queue, or the dead-letter queue of its subscription.
        service: SNS, as the queue's Region knows it.

    Raises:
        PipelineError: The key is the AWS managed one, which lets no other service in.
    """
    if queue.encryption_type is sqs.QueueEncryption.KMS_MANAGED:
        raise PipelineError(
            Check.OPTION_VALUE,
            f"queue {queue.node.path} is encrypted with the AWS managed key alias/aws/sqs, which SNS cannot use; make "
            "it with QueueEncryption.SQS_MANAGED, or with a customer key",
        )
    key = queue.encryption_master_key
    if key is None:
        return
    conditions = _from_the_topic(topic, key) or _from_the_accounts_topics(scope, topic)
    statement = iam.PolicyStatement(
        principals=[service], actions=["kms:Decrypt", "kms:GenerateDataKey"], resources=["*"], conditions=conditions
    )
    if not key.add_to_resource_policy(statement).statement_added:
        warn(
            scope,
            Check.KEY_NOT_MANAGED,
            f"key {key.node.path} is imported, so that its policy cannot be changed from here, but it encrypts queue "
            f"{queue.node.path} behind a topic; where it is made, let sns.amazonaws.com use kms:GenerateDataKey and "
            "kms:Decrypt",
        )


def let_use_key(key: kms.IKey | None, function: iam.IGrantable, *actions: str) -> None:
    """Lets a function use the customer key of what it reads or writes, where the CDK does not.

    That is a key imported by its alias in an app without the flag `applyImportedAliasPermissionsToPrincipal`.
    https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html

    Args:
        key: The key; None if there is none.
        function: The function.
        actions: What it does with the key.
    """
    if key is None or isinstance(key, kms.Key | kms.Alias) or key.grant(function, *actions).success:
        return
    statement = use_of_key(key, *actions)
    iam.Grant.add_to_principal(
        grantee=function,
        actions=list(actions),
        resource_arns=statement.resources,
        conditions=statement.conditions,
    )


def use_of_key(key: kms.IKey, *actions: str) -> iam.PolicyStatement:
    """Returns a statement for a role's policy that allows the use of a key, which may be known by its alias alone.

    https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html

    Args:
        key: The key.
        actions: What is done with it.
    """
    if isinstance(key, kms.Alias):
        key = key.alias_target_key
    # An alias' ARN ends in `alias/<name>`, and no policy can name it as the key: a condition can.
    name = key.key_arn.rsplit(":", 1)[-1]
    if not name.startswith("alias/"):
        return iam.PolicyStatement(actions=list(actions), resources=[key.key_arn])
    return iam.PolicyStatement(
        actions=list(actions),
        resources=[Stack.of(key).format_arn(service="kms", resource="key", resource_name="*")],
        conditions={"ForAnyValue:StringEquals": {"kms:ResourceAliases": name}},
    )


def warn_of_imported_filter_key(scope: Construct, key: kms.IKey) -> None:
    """Warns where Lambda cannot be let use the key of an event source mapping's filters.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html

    Args:
        scope: The hop; it gets the warning.
        key: The key.
    """
    if _made_key(key) is None:
        warn(
            scope,
            Check.KEY_NOT_MANAGED,
            f"key {key.node.path} is imported, so that its policy cannot be changed from here, but it encrypts the "
            "worker's filters; where it is made, let lambda.amazonaws.com use kms:Decrypt",
        )


def _from_the_topic(topic: sns.ITopic, key: kms.IKey) -> dict[str, object] | None:
    """Returns conditions that name the topic; None where the key would then wait for what waits for the key."""
    if not isinstance(topic, sns.Topic):
        known = not Token.is_unresolved(topic.topic_arn)
        return {"ArnEquals": {"aws:SourceArn": topic.topic_arn}} if known else None
    made, of_topic = _made_key(key), None if topic.master_key is None else _made_key(topic.master_key)
    if made is not None:
        if Stack.of(made).node.path != Stack.of(topic).node.path:
            return None
        if of_topic is not None and (of_topic.node.path == made.node.path or _names_a_topic(of_topic)):
            return None
        made.node.add_metadata(_NAMES_A_TOPIC, topic.node.path)
    return {"ArnEquals": {"aws:SourceArn": topic.topic_arn}}


def _from_the_accounts_topics(scope: Construct, topic: sns.ITopic) -> dict[str, object]:
    account, region = (None if Token.is_unresolved(part) else part for part in (topic.env.account, topic.env.region))
    topics = Stack.of(scope).format_arn(service="sns", resource="*", account=account, region=region)
    return {"ArnLike": {"aws:SourceArn": topics}}


def _names_a_topic(key: CfnResource) -> bool:
    return any(entry.type == _NAMES_A_TOPIC for entry in key.node.metadata)


def _made_key(key: kms.IKey) -> CfnResource | None:
    """Returns the key that this app makes behind a key or an alias; None if it is imported."""
    resource = key.node.default_child
    if isinstance(resource, kms.CfnAlias):
        return _referenced(resource.target_key_id)
    return resource if isinstance(resource, kms.CfnKey) else _referenced(key.key_arn)


def _referenced(text: str) -> CfnResource | None:
    for token in Tokenization.reverse_string(text).tokens:
        if Reference.is_reference(token) and isinstance(token, Reference) and isinstance(token.target, kms.CfnKey):
            return token.target
    return None
