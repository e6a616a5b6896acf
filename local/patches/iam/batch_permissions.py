"""IAM: batches of SQS and SNS need the permission of the single action.

Sources: SQS API Reference, "AddPermission": a permission for SendMessage, DeleteMessage or ChangeMessageVisibility
covers the batch version as well; Service Authorization Reference, "Actions defined by Amazon SQS" and "by Amazon SNS",
which have no actions for batches.
"""

from typing import Any

from ministack.core import iam_actions

_SINGLE = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sns:PublishBatch": "sns:Publish",
}


def install() -> None:
    """Names the single action where a request is a batch."""
    extract = iam_actions.extract_iam_action

    def extract_single_action(*args: Any, **kwargs: Any) -> str | None:
        action: str | None = extract(*args, **kwargs)
        return _SINGLE.get(action, action) if action else action

    iam_actions.extract_iam_action = extract_single_action
