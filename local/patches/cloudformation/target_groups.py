"""CloudFormation: the targets of a load balancer's target group, which MiniStack's CloudFormation leaves out.

Source: CloudFormation Template Reference, `AWS::ElasticLoadBalancingV2::TargetGroup`, "Targets".
"""

from typing import Any

from ministack.services import alb
from ministack.services.cloudformation import provisioners

from local.patches.cloudformation.handlers import wrap

Fields = dict[str, Any]


def install() -> None:
    """Registers the targets that a template names."""
    wrap(provisioners._RESOURCE_HANDLERS["AWS::ElasticLoadBalancingV2::TargetGroup"], after=_register)


def _register(target_group_arn: str, props: Fields) -> None:
    targets = [{"Id": target["Id"], "Port": target.get("Port")} for target in props.get("Targets") or ()]
    if targets:
        alb._targets[target_group_arn] = targets
