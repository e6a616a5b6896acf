"""CloudFormation: an event source mapping that is made disabled says so, as its API answers it on AWS.

Source: CloudFormation Template Reference, `AWS::Lambda::EventSourceMapping`, `Enabled`; Lambda API Reference,
"GetEventSourceMapping", `State`.
"""

from typing import Any

from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

from local.patches.cloudformation.handlers import wrap

Fields = dict[str, Any]


def install() -> None:
    """Gives a mapping made by CloudFormation the state its template asks for."""
    wrap(provisioners._RESOURCE_HANDLERS["AWS::Lambda::EventSourceMapping"], after=_set_state)


def _set_state(physical_id: str, props: Fields) -> None:
    enabled = str(props.get("Enabled", True)).lower() != "false"
    lambda_svc._esms[physical_id]["State"] = "Enabled" if enabled else "Disabled"
