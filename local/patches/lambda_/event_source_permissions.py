"""Lambda: what the role of an SQS event source mapping needs, and what a mapping does without any concurrency.

Sources: Lambda Developer Guide, "Using Lambda with Amazon SQS", "Execution role permissions": `sqs:ReceiveMessage`,
`sqs:DeleteMessage` and `sqs:GetQueueAttributes`; "Configuring reserved concurrency": 0 stops a function from processing
any events; "Creating and configuring an Amazon SQS event source mapping": the messages of a throttled function are
received all the same, which is why `maxReceiveCount` should be at least 5.

Assumed: a permission that a role loses or gets later counts within a second.
"""

import time
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import lambda_svc, sqs
from ministack.services.cloudformation import provisioners

from local.patches.cloudformation.handlers import wrap
from local.patches.iam.roles import may

Fields = dict[str, Any]

_LOOK_SECONDS = 0.5
_ACTIONS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")


def install() -> None:
    """Refuses mappings whose role may not receive, and has them receive nothing."""
    _install_api()
    wrap(
        provisioners._RESOURCE_HANDLERS["AWS::Lambda::EventSourceMapping"],
        before=_require_permissions,
        after=lambda _physical_id, _props: None,
    )
    _install_polling()


def _install_api() -> None:
    create = lambda_svc._create_esm

    def create_mapping(data: Fields) -> Any:
        if refusal := _refusal(data):
            return error_response_json("InvalidParameterValueException", refusal, 400)
        return create(data)

    lambda_svc._create_esm = create_mapping


def _install_polling() -> None:
    concurrency = lambda_svc._sqs_esm_concurrency

    looked_at: dict[tuple[str, str], tuple[float, str | None]] = {}

    def missing_now(role: str, queue_arn: str) -> str | None:
        # The poller asks many times a second, for every mapping there is.
        until, missing = looked_at.get((role, queue_arn), (0.0, None))
        if time.monotonic() >= until:
            missing = _missing(role, queue_arn)
            looked_at[role, queue_arn] = time.monotonic() + _LOOK_SECONDS, missing
        return missing

    def concurrency_with_permissions(esm: Fields, func: Fields, config: Fields, queue: Fields | None = None) -> int:
        waiting = bool((queue or {}).get("messages"))
        role, queue_arn = str(config.get("Role", "")), str(esm.get("EventSourceArn", ""))
        if waiting and (missing := missing_now(role, queue_arn)):
            esm["LastProcessingResult"] = f"PROBLEM: {_words(missing)}"
            return 0
        allowed: int = concurrency(esm, func, config, queue)
        reserved = lambda_svc._reserved_concurrency(func, config)
        # The poller receives all the same; it is the invocation that is throttled.
        return allowed if reserved != 0 else 1

    lambda_svc._sqs_esm_concurrency = concurrency_with_permissions


def _require_permissions(props: Fields) -> None:
    if refusal := _refusal(props):
        raise ValueError(f"{refusal} (Service: Lambda, Status Code: 400)")


def _refusal(mapping: Fields) -> str | None:
    name, qualifier, problem = lambda_svc._resolve_existing_esm_function(str(mapping.get("FunctionName", "")))
    if problem:
        return None
    _, config = lambda_svc._get_func_record_for_qualifier(name, qualifier)
    missing = _missing(str((config or {}).get("Role", "")), str(mapping.get("EventSourceArn", "")))
    return _words(missing) if missing else None


def _missing(role: str, queue_arn: str) -> str | None:
    """Returns the first action the role lacks; nothing for what is no queue of this account."""
    queue = sqs._queue_by_arn(queue_arn) if ":sqs:" in queue_arn else None
    if queue is None:
        return None
    policy = (queue.get("attributes") or {}).get("Policy")
    return next((action for action in _ACTIONS if not may(role, action, resource=queue_arn, policy=policy)), None)


def _words(action: str) -> str:
    # Lambda's own words for CreateEventSourceMapping, as users have reported them.
    return f"The function execution role does not have permissions to call {action.split(':')[1]} on SQS"
