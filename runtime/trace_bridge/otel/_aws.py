"""The `aws` block, `origin` and `service` of a span's document, by the rules of the collector's AWS X-Ray exporter.

https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/main/exporter/awsxrayexporter/internal/translator/aws.go
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ._values import text_of, texts_of

Attributes = Mapping[str, Any]

_EC2 = {
    "instance_id": "host.id",
    "availability_zone": "cloud.availability_zone",
    "instance_size": "host.type",
    "ami_id": "host.image.id",
}
_ECS = {
    "container": "container.name",
    "container_id": "container.id",
    "task_arn": "aws.ecs.task.arn",
    "task_family": "aws.ecs.task.family",
    "cluster_arn": "aws.ecs.cluster.arn",
    "container_arn": "aws.ecs.container.arn",
    "availability_zone": "cloud.availability_zone",
    "launch_type": "aws.ecs.launchtype",
}
_EKS = {"cluster_name": "k8s.cluster.name", "pod": "k8s.pod.name", "container_id": "container.id"}
_CALL = {
    "region": ("aws.region",),
    "request_id": ("aws.request_id", "aws.requestId"),
    "queue_url": ("aws.queue_url", "aws.queue.url"),
    "table_name": ("aws.table_name", "aws.table.name"),
}
"""The fields of a call, and the attributes that each is taken from."""

_ORIGINS = {
    "aws_app_runner": "AWS::AppRunner::Service",
    "aws_eks": "AWS::EKS::Container",
    "aws_elastic_beanstalk": "AWS::ElasticBeanstalk::Environment",
    "aws_ec2": "AWS::EC2::Instance",
}
_ECS_ORIGINS = {"ec2": "AWS::ECS::EC2", "fargate": "AWS::ECS::Fargate"}


def take_aws(attributes: dict[str, Any], resource: Attributes, log_groups: Sequence[str]) -> dict[str, object] | None:
    """Takes what describes AWS out of a span's attributes.

    Args:
        attributes: The attributes that no block has taken yet.
        resource: The attributes of the span's resource.
        log_groups: Names of the log groups where the resource names none.

    Returns:
        The block; None where the resource is another cloud's.
    """
    block: dict[str, object] = {}
    operation = text_of(attributes.pop("rpc.method", None))
    operation = text_of(attributes.pop("aws.operation", None)) or operation
    if operation:
        block["operation"] = operation
    account = text_of(attributes.pop("aws.account_id", None)) or text_of(resource.get("cloud.account.id"))
    if account:
        block["account_id"] = account
    for field, keys in _CALL.items():
        for key in keys:
            value = text_of(attributes.pop(key, None))
            if value:
                block[field] = value
    if text_of(resource.get("cloud.provider")) not in ("", "aws"):
        return None
    _take_resources(attributes, block)
    block.update(_compute(resource))
    groups = _log_groups(resource, log_groups)
    if groups:
        block["cloudwatch_logs"] = groups
    block["xray"] = _sdk(resource)
    return block


def origin_of(resource: Attributes) -> str | None:
    """Returns the kind of compute that a resource names; None where it names none of AWS."""
    if resource.get("cloud.provider", "aws") != "aws":
        return None
    platform = text_of(resource.get("cloud.platform"))
    if platform == "aws_ecs":
        return _ECS_ORIGINS.get(text_of(resource.get("aws.ecs.launchtype")), "AWS::ECS::Container")
    return _ORIGINS.get(platform)


def service_of(resource: Attributes) -> dict[str, object] | None:
    """Returns the `service` block: the version of the application; None where the resource has none."""
    version = resource.get("service.version", resource.get("container.image.tag"))
    return None if version is None else {"version": text_of(version)}


def is_aws_call(attributes: Attributes) -> bool:
    """Returns whether a span is a call of an AWS service."""
    return bool(attributes.get("rpc.system") == "aws-api")


def _take_resources(attributes: Attributes, block: dict[str, object]) -> None:
    """Reads the conventions' own names of queues and tables, which go before; they stay attributes as well."""
    queue = text_of(attributes.get("messaging.url"))
    if queue:
        block["queue_url"] = queue
    tables = attributes.get("aws.dynamodb.table_names")
    names = [tables] if isinstance(tables, str) else texts_of(tables)
    if len(names) == 1:
        block["table_name"] = names[0]
    elif names:
        block.pop("table_name", None)
        block["table_names"] = names


def _compute(resource: Attributes) -> dict[str, object]:
    platform = text_of(resource.get("cloud.platform"))
    blocks: dict[str, object] = {}
    if platform == "aws_ec2" or text_of(resource.get("host.id")):
        blocks["ec2"] = _fields(resource, _EC2)
    if platform == "aws_ecs":
        blocks["ecs"] = _fields(resource, _ECS)
    deployment = text_of(resource.get("service.instance.id"))
    if platform == "aws_elastic_beanstalk" and deployment:
        blocks["elastic_beanstalk"] = {
            "environment_name": text_of(resource.get("service.namespace")),
            "version_label": text_of(resource.get("service.version")),
            "deployment_id": int(deployment) if deployment.isdecimal() else 0,
        }
    if platform == "aws_eks" or text_of(resource.get("k8s.cluster.name")):
        blocks["eks"] = _fields(resource, _EKS)
    return blocks


def _fields(resource: Attributes, names: Mapping[str, str]) -> dict[str, str]:
    return {field: value for field, key in names.items() if (value := text_of(resource.get(key)))}


def _log_groups(resource: Attributes, otherwise: Sequence[str]) -> list[dict[str, str]]:
    arns = texts_of(resource.get("aws.log.group.arns"))
    if arns:
        return [{"log_group": _group_of(arn), "arn": arn} for arn in arns]
    return [{"log_group": name} for name in texts_of(resource.get("aws.log.group.names")) or otherwise]


def _group_of(arn: str) -> str:
    """Returns the name in the ARN of a log group.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html#CWL_ARN_Format
    """
    parts = arn.split(":")
    return parts[6] if len(parts) >= 7 else arn


def _sdk(resource: Attributes) -> dict[str, object]:
    name, language = text_of(resource.get("telemetry.sdk.name")), text_of(resource.get("telemetry.sdk.language"))
    version = text_of(resource.get("telemetry.sdk.version"))
    sdk = f"{name} for {language}" if name and language else name
    fields: dict[str, object] = {"sdk": sdk, "sdk_version": version}
    automatic = bool(text_of(resource.get("telemetry.auto.version")))
    return {key: value for key, value in fields.items() if value} | {"auto_instrumentation": automatic}
