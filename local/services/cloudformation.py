"""CloudFormation: the resource types of X-Ray, and what MiniStack leaves out of a topic.

Source: CloudFormation Template Reference, `AWS::XRay::*` and `AWS::SNS::Topic`.
"""

from typing import Any

from ministack.services import sns
from ministack.services.cloudformation import provisioners

from local.policies import PolicyError
from local.services.handlers import wrap
from local.trace_settings import Settings, SettingsError, rule_arn
from local.xray import XRay

Fields = dict[str, Any]
Created = tuple[str, Fields]


def install(xray: XRay) -> None:
    """Add X-Ray's types and a topic's tracing, key and kind to MiniStack's CloudFormation."""
    handlers = provisioners._RESOURCE_HANDLERS
    settings = Settings(xray)
    handlers["AWS::XRay::ResourcePolicy"] = _policy_handlers(xray)
    handlers["AWS::XRay::SamplingRule"] = _rule_handlers(xray, settings)
    handlers["AWS::XRay::Group"] = _group_handlers(xray, settings)
    wrap(handlers["AWS::SNS::Topic"], after=_keep_topic_settings, before=_check_topic_name)


def _policy_handlers(xray: XRay) -> Fields:
    def create(_logical_id: str, props: Fields, _stack: str) -> Created:
        name = str(props.get("PolicyName", ""))
        try:
            xray.policies.put(name=name, document=str(props.get("PolicyDocument", "")))
        except PolicyError as problem:
            raise ValueError(f"{problem} (Service: XRay, Status Code: 400, Error Code: {problem.code})") from None
        return name, {}

    def update(physical_id: str, _old: Fields, new: Fields, stack: str) -> Created:
        created = create("", new, stack)
        if created[0] != physical_id:
            xray.policies.delete(name=physical_id)
        return created

    def delete(physical_id: str, _props: Fields) -> None:
        xray.policies.delete(name=physical_id)

    return {"create": create, "update": update, "delete": delete}


def _rule_handlers(xray: XRay, settings: Settings) -> Fields:
    def create(logical_id: str, props: Fields, stack: str) -> Created:
        fields = _rule_fields(props)
        fields.setdefault("RuleName", f"{stack}-{logical_id}"[-32:])
        try:
            rule = settings.create_rule(fields)
        except SettingsError as problem:
            raise ValueError(f"{problem} (Service: XRay, Status Code: 400, Error Code: {problem.code})") from None
        return rule_arn(rule.name), {"RuleARN": rule_arn(rule.name)}

    def update(physical_id: str, _old: Fields, new: Fields, _stack: str) -> Created:
        name = physical_id.rsplit("sampling-rule/", 1)[-1]
        fields = _rule_fields(new)
        wanted = str(fields.get("RuleName") or name)
        try:
            if wanted != name:
                settings.create_rule(fields)
                xray.rules.delete(name)
            else:
                settings.update_rule(name, fields)
        except SettingsError as problem:
            raise ValueError(str(problem)) from None
        return rule_arn(wanted), {"RuleARN": rule_arn(wanted)}

    def delete(physical_id: str, _props: Fields) -> None:
        xray.rules.delete(physical_id.rsplit("sampling-rule/", 1)[-1])

    return {"create": create, "update": update, "delete": delete}


def _rule_fields(props: Fields) -> Fields:
    fields = dict(props.get("SamplingRule") or {})
    if props.get("RuleName"):
        fields.setdefault("RuleName", props["RuleName"])
    return fields


def _group_handlers(xray: XRay, settings: Settings) -> Fields:
    def create(logical_id: str, props: Fields, stack: str) -> Created:
        try:
            group = settings.create_group({"GroupName": f"{stack}-{logical_id}", **props})
        except SettingsError as problem:
            raise ValueError(f"{problem} (Service: XRay, Status Code: 400, Error Code: {problem.code})") from None
        return group.arn, {"GroupARN": group.arn}

    def update(physical_id: str, old: Fields, new: Fields, stack: str) -> Created:
        if old.get("GroupName") != new.get("GroupName"):
            created = create("", new, stack)
            xray.groups.delete(physical_id)
            return created
        try:
            settings.update_group({**new, "GroupARN": physical_id})
        except SettingsError as problem:
            raise ValueError(str(problem)) from None
        return physical_id, {"GroupARN": physical_id}

    def delete(physical_id: str, _props: Fields) -> None:
        xray.groups.delete(physical_id)

    return {"create": create, "update": update, "delete": delete}


def _check_topic_name(props: Fields) -> None:
    fifo = _flag(props.get("FifoTopic"))
    if fifo and not str(props.get("TopicName", ".fifo")).endswith(".fifo"):
        raise ValueError("Invalid parameter: Topic Name (Service: Sns, Status Code: 400); a FIFO topic's ends in .fifo")


def _keep_topic_settings(topic_arn: str, props: Fields) -> None:
    attributes = sns._topics[topic_arn]["attributes"]
    for name in ("TracingConfig", "KmsMasterKeyId"):
        if props.get(name):
            attributes[name] = props[name]
        else:
            attributes.pop(name, None)
    for name in ("FifoTopic", "ContentBasedDeduplication"):
        if _flag(props.get(name)):
            attributes[name] = "true"
        else:
            attributes.pop(name, None)


def _flag(value: object) -> bool:
    return value is True or str(value).lower() == "true"
