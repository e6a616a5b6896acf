"""CloudFormation: the resource types of X-Ray, and what MiniStack leaves out of topics and functions.

Source: CloudFormation Template Reference, `AWS::XRay::*`, `AWS::SNS::Topic` and `AWS::Lambda::Function`.
"""

from typing import Any

from ministack.core.responses import get_account_id, new_uuid
from ministack.services import lambda_svc, sns
from ministack.services.cloudformation import provisioners

from local.patches import sns_message_size
from local.patches.cloudformation.handlers import wrap
from local.xray import request_shapes
from local.xray.operations.groups_and_rules import Settings, rule_arn
from local.xray.request import ApiError
from local.xray.state import XRay
from local.xray.transaction_search import SpansRefusedError

Fields = dict[str, Any]
Created = tuple[str, Fields]


def install(xray: XRay) -> None:
    """Adds X-Ray's types, a topic's tracing, key and kind, and a function's network to MiniStack's CloudFormation."""
    handlers = provisioners._RESOURCE_HANDLERS
    settings = Settings(xray)
    handlers["AWS::XRay::ResourcePolicy"] = _policy_handlers(xray)
    handlers["AWS::XRay::SamplingRule"] = _rule_handlers(xray, settings)
    handlers["AWS::XRay::Group"] = _group_handlers(xray, settings)
    handlers["AWS::XRay::TransactionSearchConfig"] = _search_handlers(xray)
    wrap(handlers["AWS::SNS::Topic"], after=_keep_topic_settings, before=_check_topic)
    wrap(handlers["AWS::Lambda::Function"], after=_keep_network)


def _policy_handlers(xray: XRay) -> Fields:
    def create(_logical_id: str, props: Fields, _stack: str) -> Created:
        name = str(props.get("PolicyName", ""))
        try:
            xray.policies.put(name=name, document=str(props.get("PolicyDocument", "")))
        except ApiError as problem:
            raise _refused(problem) from None
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
            request_shapes.require("CreateSamplingRule", {"SamplingRule": {**fields, **_numbers(fields)}})
            rule = settings.create_rule(fields, tags=props.get("Tags") or ())
        except ApiError as problem:
            raise _refused(problem) from None
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
        except ApiError as problem:
            raise _refused(problem) from None
        return rule_arn(wanted), {"RuleARN": rule_arn(wanted)}

    def delete(physical_id: str, _props: Fields) -> None:
        xray.rules.delete(physical_id.rsplit("sampling-rule/", 1)[-1])

    return {"create": create, "update": update, "delete": delete}


def _rule_fields(props: Fields) -> Fields:
    fields = dict(props.get("SamplingRule") or {})
    if props.get("RuleName"):
        fields.setdefault("RuleName", props["RuleName"])
    return fields


def _numbers(fields: Fields) -> Fields:
    # A template may write numbers as texts.
    kinds: dict[str, type] = {"Priority": int, "ReservoirSize": int, "FixedRate": float, "Version": int}
    defaults = {"Version": 1}
    try:
        return {key: kind(fields.get(key, defaults.get(key))) for key, kind in kinds.items()}
    except (TypeError, ValueError):
        return {}


def _group_handlers(xray: XRay, settings: Settings) -> Fields:
    def create(logical_id: str, props: Fields, stack: str) -> Created:
        try:
            fields = {"GroupName": f"{stack}-{logical_id}", **props}
            named: Fields = {key: fields[key] for key in ("GroupName", "FilterExpression", "Tags") if key in fields}
            request_shapes.require("CreateGroup", named)
            group = settings.create_group(fields, tags=props.get("Tags") or ())
        except ApiError as problem:
            raise _refused(problem) from None
        return group.arn, {"GroupARN": group.arn}

    def update(physical_id: str, old: Fields, new: Fields, stack: str) -> Created:
        if old.get("GroupName") != new.get("GroupName"):
            created = create("", new, stack)
            xray.groups.delete(physical_id)
            return created
        try:
            settings.update_group({**new, "GroupARN": physical_id})
        except ApiError as problem:
            raise _refused(problem) from None
        return physical_id, {"GroupARN": physical_id}

    def delete(physical_id: str, _props: Fields) -> None:
        xray.groups.delete(physical_id)

    return {"create": create, "update": update, "delete": delete}


def _search_handlers(xray: XRay) -> Fields:
    # Ref is the account's id; deleting the resource switches Transaction Search off.
    def create(_logical_id: str, props: Fields, _stack: str) -> Created:
        try:
            xray.search.send_to("CloudWatchLogs")
        except SpansRefusedError as problem:
            raise _refused(ApiError(str(problem), code="AccessDeniedException")) from None
        xray.search.index(float(props.get("IndexingPercentage", 1)))
        return get_account_id(), {"AccountId": get_account_id()}

    def update(_physical_id: str, _old: Fields, new: Fields, stack: str) -> Created:
        return create("", new, stack)

    def delete(_physical_id: str, _props: Fields) -> None:
        xray.search.send_to("XRay")

    return {"create": create, "update": update, "delete": delete}


def _refused(problem: ApiError) -> ValueError:
    # The form in which CloudFormation passes on a resource handler's error. That a sixth policy is a
    # ServiceLimitExceeded is reported in aws/aws-cdk, issue 37962; the other handler codes are assumed.
    handler_codes = {
        "PolicyCountLimitExceededException": "ServiceLimitExceeded",
        "RuleLimitExceededException": "ServiceLimitExceeded",
        "AccessDeniedException": "AccessDenied",
    }
    return ValueError(
        f'Resource handler returned message: "{problem} (Service: XRay, Status Code: {problem.status}, Request ID: '
        f'{new_uuid()})" '
        f"(RequestToken: {new_uuid()}, HandlerErrorCode: {handler_codes.get(problem.code, 'InvalidRequest')})"
    )


def _keep_network(function_name: str, props: Fields) -> None:
    config = lambda_svc._functions[function_name]["config"]
    config["VpcConfig"] = lambda_svc._vpc_config_with_id(props.get("VpcConfig"))


def _check_topic(props: Fields) -> None:
    if sns_message_size.ATTRIBUTE in props:
        sns_message_size.check_size({}, props[sns_message_size.ATTRIBUTE])
    fifo = _flag(props.get("FifoTopic"))
    if fifo and not str(props.get("TopicName", ".fifo")).endswith(".fifo"):
        raise ValueError("Invalid parameter: Topic Name (Service: Sns, Status Code: 400); a FIFO topic's ends in .fifo")


def _keep_topic_settings(topic_arn: str, props: Fields) -> None:
    attributes = sns._topics[topic_arn]["attributes"]
    for name in ("TracingConfig", "KmsMasterKeyId", "FifoThroughputScope", sns_message_size.ATTRIBUTE):
        if props.get(name):
            attributes[name] = str(props[name])
        else:
            attributes.pop(name, None)
    for name in ("FifoTopic", "ContentBasedDeduplication"):
        if _flag(props.get(name)):
            attributes[name] = "true"
        else:
            attributes.pop(name, None)


def _flag(value: object) -> bool:
    return value is True or str(value).lower() == "true"
