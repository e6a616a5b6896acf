"""What a hop's function or task is allowed, here or in another account, with or without customer keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

from aws_cdk import IResource, Stack, Token
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from .customer_keys import let_use_key

_PUBLISH = ("sns:Publish",)
_WRITE = (
    "dynamodb:BatchWriteItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:DescribeTable",
)
# https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
_ENCRYPT_FOR_TOPIC = ("kms:Decrypt", "kms:GenerateDataKey*")
_ENCRYPT_FOR_TABLE = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*")
_DECRYPT = ("kms:Decrypt",)
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-lambda-function-trigger.html
_POLL = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
_RECEIVE = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility")

Actions: TypeAlias = tuple[str, ...]
"""What a role is allowed to do."""

Worker: TypeAlias = lambda_.IFunction | iam.IRole
"""A function, or the role of a task."""


class _HasPolicy(Protocol):
    def add_to_resource_policy(self, statement: iam.PolicyStatement) -> iam.AddToResourcePolicyResult: ...


def grant_publish(topic: sns.ITopic, function: Worker) -> Actions:
    """Lets a function or task publish to a topic, and use the topic's customer key; returns what its role needs."""
    key = topic.master_key
    if isinstance(topic, sns.Topic) and _account_differs(topic, function):
        _grant_across(topic, topic.topic_arn, function, _PUBLISH, own_arn=topic.topic_arn)
        _grant_key_across(key, function, _ENCRYPT_FOR_TOPIC)
    else:
        topic.grant_publish(function)
        let_use_key(key, function, *_ENCRYPT_FOR_TOPIC)
    return _with_key(_PUBLISH, key, _ENCRYPT_FOR_TOPIC)


def grant_table(table: dynamodb.ITable, function: Worker, actions: Sequence[str] | None) -> Actions:
    """Lets a function or task use a table, and the table's customer key.

    Args:
        table: The table.
        function: The function, or the task's role.
        actions: What it may do. Default: what the CDK's `grant_write_data` allows.

    Returns:
        What the function's role needs.
    """
    if actions is not None and not actions:
        return ()
    key, allowed = table.encryption_key, tuple(_WRITE if actions is None else actions)
    if isinstance(table, dynamodb.Table | dynamodb.TableV2) and _account_differs(table, function):
        _grant_across(table, table.table_arn, function, allowed, own_arn="*")
        _grant_key_across(key, function, _ENCRYPT_FOR_TABLE)
        return _with_key(allowed, key, _ENCRYPT_FOR_TABLE)
    if actions is None:
        table.grant_write_data(function)
    else:
        table.grant(function, *actions)
        if key is not None:
            key.grant(function, *_ENCRYPT_FOR_TABLE)
    let_use_key(key, function, *_ENCRYPT_FOR_TABLE)
    return _with_key(allowed, key, _ENCRYPT_FOR_TABLE)


def grant_poll(queue: sqs.IQueue, function: lambda_.IFunction) -> Actions:
    """Lets Lambda take messages from a queue for a function, and use the queue's customer key.

    The CDK's own event source allows `sqs:ChangeMessageVisibility` and `sqs:GetQueueUrl` as well, for which AWS
    documents no need.

    Returns:
        What the function's role needs.
    """
    return _grant_messages(queue, function, _POLL)


def grant_receive(queue: sqs.IQueue, role: iam.IRole) -> None:
    """Lets a task take messages from a queue and keep them hidden, and use the queue's customer key."""
    _grant_messages(queue, role, _RECEIVE)


def let_account_subscribe(topic: sns.ITopic, queue: sqs.IQueue) -> None:
    """Lets the account of a queue subscribe it to a topic of this app in another account.

    https://docs.aws.amazon.com/sns/latest/dg/sns-send-message-to-sqs-cross-account.html
    """
    if isinstance(topic, sns.Topic) and _account_differs(topic, queue):
        _let_account(topic, queue.env.account, ("sns:Subscribe",), topic.topic_arn)


def _grant_messages(queue: sqs.IQueue, worker: Worker, actions: Actions) -> Actions:
    key = queue.encryption_master_key
    queue.grant(worker, *actions)
    if key is not None:
        key.grant_decrypt(worker)
    let_use_key(key, worker, *_DECRYPT)
    return _with_key(actions, key, _DECRYPT)


def _grant_across(resource: _HasPolicy, arn: str, function: Worker, actions: Actions, *, own_arn: str) -> None:
    """Grants on both sides: the function's role here, and the function's account in the resource's own policy.

    The policy names the account: a role must exist before a policy can name it, and it may be deployed later.
    """
    iam.Grant.add_to_principal(grantee=function, actions=list(actions), resource_arns=[arn])
    _let_account(resource, function.env.account, actions, own_arn)


def _grant_key_across(key: kms.IKey | None, function: Worker, actions: Actions) -> None:
    if key is None:
        return
    # A key has no name by which another account could know it before it is made.
    keys = Stack.of(key).format_arn(
        service="kms", resource="key", resource_name="*", account=key.env.account, region=key.env.region
    )
    _grant_across(key, keys, function, actions, own_arn="*")


def _with_key(actions: Actions, key: kms.IKey | None, with_key: Actions) -> Actions:
    return actions if key is None else actions + with_key


def _let_account(resource: _HasPolicy, account: str, actions: Actions, arn: str) -> None:
    resource.add_to_resource_policy(
        iam.PolicyStatement(principals=[iam.AccountPrincipal(account)], actions=list(actions), resources=[arn])
    )


def _account_differs(resource: IResource, other: IResource) -> bool:
    ours, theirs = resource.env.account, other.env.account
    return ours != theirs and not (Token.is_unresolved(ours) and Token.is_unresolved(theirs))
