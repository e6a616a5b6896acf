"""CloudFormation: a secret's physical id is its ARN, which is what policies and functions refer to it by.

Source: CloudFormation Template Reference, `AWS::SecretsManager::Secret`, "Return values": Ref returns the ARN.
"""

from typing import Any

from ministack.services.cloudformation import provisioners

Fields = dict[str, Any]
# "a hyphen and six random characters" end the ARN: Secrets Manager User Guide, "What's in a Secrets Manager secret?"
_SUFFIX_LENGTH = 7


def install() -> None:
    """Lets a secret's Ref be its ARN."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"]
    create, update, delete = handlers["create"], handlers["update"], handlers["delete"]

    def created(logical_id: str, props: Fields, *args: Any) -> tuple[str, Fields]:
        _, attributes = create(logical_id, props, *args)
        return str(attributes["Id"]), attributes

    def updated(physical_id: str, *args: Any) -> tuple[str, Fields]:
        name, attributes = update(_name(physical_id), *args)
        return physical_id if name == _name(physical_id) else str(attributes["Id"]), attributes

    def deleted(physical_id: str, *args: Any) -> Any:
        return delete(_name(physical_id), *args)

    handlers.update(create=created, update=updated, delete=deleted)


def _name(arn: str) -> str:
    return arn.rpartition(":secret:")[2][:-_SUFFIX_LENGTH]
