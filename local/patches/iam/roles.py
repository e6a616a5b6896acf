"""What an execution role may do."""

from typing import Any

from ministack.core.iam_evaluator import EvalContext, _gather_role_policies, combine_resource_policy, evaluate
from ministack.core.responses import get_region

Policy = str | dict[str, Any] | None


def may(role_arn: str, action: str, *, resource: str = "*", policy: Policy = None) -> bool:
    """Tells whether a role may do something, by its own policies or by that of the resource.

    Args:
        role_arn: The role.
        action: Such as `xray:PutTraceSegments`.
        resource: The resource's ARN.
        policy: The resource's own policy, where it has one.
    """
    account = role_arn.split(":")[4] if role_arn.count(":") > 4 else ""
    context = EvalContext(
        principal_arn=role_arn,
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=get_region(),
        secure_transport=True,  # services call each other over TLS
    )
    result = evaluate(context, _gather_role_policies(role_arn.rsplit("/", 1)[-1], account))
    if policy:
        result = combine_resource_policy(result, context, policy, account, required=False)
    return bool(result.decision == "Allow")
