"""CloudFormation: a state machine's tracing, which MiniStack's CloudFormation leaves out.

Source: CloudFormation Template Reference, `AWS::StepFunctions::StateMachine`, "TracingConfiguration".
"""

from typing import Any

from ministack.services import stepfunctions
from ministack.services.cloudformation import provisioners

from local.patches.cloudformation.handlers import wrap

Fields = dict[str, Any]


def install() -> None:
    """Keeps whether tracing is on."""
    wrap(provisioners._RESOURCE_HANDLERS["AWS::StepFunctions::StateMachine"], after=_keep_tracing)


def _keep_tracing(state_machine_arn: str, props: Fields) -> None:
    enabled = (props.get("TracingConfiguration") or {}).get("Enabled")
    tracing = {"enabled": enabled is True or str(enabled).lower() == "true"}
    stepfunctions._state_machines[state_machine_arn]["tracingConfiguration"] = tracing
