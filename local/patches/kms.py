"""KMS: customer keys of topics, queues and log groups, and who may use them.

MiniStack keeps the key's id and asks nobody. Sources, in the order of the rules below: SNS Developer Guide, "Managing
Amazon SNS encryption keys and costs" (a publisher needs `kms:GenerateDataKey*` and `kms:Decrypt`; the key of a queue
behind a topic must admit `sns.amazonaws.com`); Lambda Developer Guide, "Using Lambda with Amazon SQS" (the function's
role needs `kms:Decrypt`); CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs using AWS Key Management
Service" (the key must admit `logs.<region>.amazonaws.com`). A key that is not in this account is left alone.
"""

import logging
from typing import Any

from ministack.core.iam_evaluator import (
    EvalContext,
    _gather_role_policies,
    _role_name_from_assumed_arn,
    caller_arn,
    combine_resource_policy,
    evaluate,
    evaluate_resource_policy,
)
from ministack.core.responses import get_account_id, get_region
from ministack.services import kms, lambda_svc, sns, sqs
from ministack.services.cloudformation import provisioners

Fields = dict[str, Any]

logger = logging.getLogger("local")

_REFUSED = "The ciphertext references a key that doesn't exist or that you don't have access to."


def install() -> None:
    """Refuses what AWS refuses for want of a key; before SNS's own changes, which look at what was delivered."""
    _install_publish()
    _install_delivery()
    _install_mapping()
    _install_log_groups()


def _install_publish() -> None:
    for name in ("_publish", "_publish_batch"):
        setattr(sns, name, _with_key(getattr(sns, name)))


def _with_key(publish: Any) -> Any:
    def publish_with_key(params: Fields) -> Any:
        topic = sns._topic_by_arn_any_scope(sns._normalize_arn(sns._p(params, "TopicArn")))
        key = key_of((topic or {}).get("attributes", {}).get("KmsMasterKeyId"))
        if key and not all(_role_may(caller_arn(), key, action) for action in ("kms:GenerateDataKey", "kms:Decrypt")):
            return sns._error("KMSAccessDenied", _REFUSED, 400)
        return publish(params)

    return publish_with_key


def _install_delivery() -> None:
    deliver = sns._deliver_to_sqs

    def deliver_with_key(queue_arn: str, *args: Any, **kwargs: Any) -> None:
        queue = sqs._queue_by_arn(queue_arn)
        key = key_of((queue or {}).get("attributes", {}).get("KmsMasterKeyId"))
        source = {"aws:sourcearn": kwargs.get("topic_arn", ""), "aws:sourceaccount": get_account_id()}
        actions = ("kms:GenerateDataKey", "kms:Decrypt")
        if key and not all(service_may("sns.amazonaws.com", key, action, source) for action in actions):
            logger.warning(
                "SNS: the key of %s does not admit sns.amazonaws.com; the message is not delivered", queue_arn
            )
            return
        deliver(queue_arn, *args, **kwargs)

    sns._deliver_to_sqs = deliver_with_key


def _install_mapping() -> None:
    concurrency = lambda_svc._sqs_esm_concurrency

    def concurrency_with_key(esm: Fields, func: Fields, config: Fields, queue: Fields | None = None) -> int:
        key = key_of((queue or {}).get("attributes", {}).get("KmsMasterKeyId"))
        role = str(config.get("Role", ""))
        if key and not _role_may(role.replace(":role/", ":assumed-role/"), key, "kms:Decrypt"):
            esm["LastProcessingResult"] = f"PROBLEM: KMS access denied. {_REFUSED}"
            return 0
        allowed: int = concurrency(esm, func, config, queue)
        return allowed

    lambda_svc._sqs_esm_concurrency = concurrency_with_key


def _install_log_groups() -> None:
    handlers = provisioners._RESOURCE_HANDLERS["AWS::Logs::LogGroup"]
    create = handlers["create"]

    def create_with_key(logical_id: str, props: Fields, *args: Any) -> Any:
        name, attributes = create(logical_id, props, *args)
        key = key_of(props.get("KmsKeyId"))
        group = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{name}"
        source = {"kms:encryptioncontext:aws:logs:arn": group}
        if key and not service_may(f"logs.{get_region()}.amazonaws.com", key, "kms:GenerateDataKey", source):
            handlers["delete"](name, props)
            raise ValueError(f"The specified KMS key does not exist or is not allowed to be used with Arn '{group}'")
        return name, attributes

    handlers["create"] = create_with_key


def key_of(reference: object) -> Fields | None:
    """Returns the customer key that an id, ARN or alias leads to; None where it is none of this account."""
    key: Fields | None = kms._resolve_key(str(reference)) if reference else None
    return key


def service_may(service: str, key: Fields, action: str, source: Fields) -> bool:
    """Returns whether a key's policy lets a service use it.

    Args:
        service: The service, such as `sns.amazonaws.com`.
        key: The key.
        action: What the service does with it, such as `kms:Decrypt`.
        source: The condition keys of the request, such as `aws:sourcearn`.
    """
    context = EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action=action,
        resource_arn=key["Arn"],
        region=get_region(),
        service_context=source,
    )
    return bool(evaluate_resource_policy(key.get("Policy"), context, service=service).decision == "Allow")


def _role_may(principal: str, key: Fields, action: str) -> bool:
    account = get_account_id()
    context = EvalContext(
        principal_arn=principal,
        principal_type="AssumedRole" if ":assumed-role/" in principal else "Root",
        principal_account=account,
        action=action,
        resource_arn=key["Arn"],
        region=get_region(),
    )
    if context.principal_type == "Root":
        return bool(evaluate_resource_policy(key.get("Policy"), context).decision == "Allow")
    identity = evaluate(context, _gather_role_policies(_role_name_from_assumed_arn(principal), account))
    return bool(
        combine_resource_policy(identity, context, key.get("Policy"), account, required=True).decision == "Allow"
    )
