"""CloudFormation and control plane of API Gateway: what MiniStack leaves out, and a refusal AWS makes.

Sources: CloudFormation Template Reference, `AWS::ApiGateway::Stage`, `::Method` and `::RequestValidator`; API
Gateway Developer Guide, "Set up CloudWatch logging for REST APIs".
"""

import json
from typing import Any

from ministack.services import apigateway_v1
from ministack.services.cloudformation import provisioners

from local.patches.cloudformation.handlers import wrap

Fields = dict[str, Any]
Created = tuple[str, Fields]

NO_ROLE = "CloudWatch Logs role ARN must be set in account settings to enable logging"
"""API Gateway's words for a stage with logging in an account without the role."""


def install() -> None:
    """Deploys access logs and request validators, and refuses logging without the account's role."""
    handlers = provisioners._RESOURCE_HANDLERS
    wrap(handlers["AWS::ApiGateway::Stage"], after=_keep_access_log, before=_require_logging_role)
    wrap(handlers["AWS::ApiGateway::Method"], after=_keep_validator)
    handlers["AWS::ApiGateway::RequestValidator"] = {
        "create": _create_validator,
        "update": _update_validator,
        "delete": _delete_validator,
    }
    _guard_update_stage()


def _logging_role() -> str:
    settings = apigateway_v1._account_settings.get("settings") or {}
    return str(settings.get("cloudwatchRoleArn") or "")


def _require_logging_role(props: Fields) -> None:
    levels = [str(item.get("LoggingLevel", "OFF")) for item in props.get("MethodSettings") or []]
    logging = props.get("AccessLogSetting") or any(level in ("ERROR", "INFO") for level in levels)
    if logging and not _logging_role():
        raise ValueError(f"{NO_ROLE} (Service: ApiGateway, Status Code: 400)")


def _guard_update_stage() -> None:
    update = apigateway_v1._update_stage

    def update_stage(api_id: str, stage_name: str, data: Fields) -> Any:
        paths = [str(operation.get("path", "")) for operation in data.get("patchOperations") or []]
        logging = any(path.startswith("/accessLogSettings") or path.endswith("/logging/loglevel") for path in paths)
        if logging and not _logging_role():
            return apigateway_v1._v1_error("BadRequestException", NO_ROLE, 400)
        return update(api_id, stage_name, data)

    apigateway_v1._update_stage = update_stage


def _keep_access_log(stage_name: str, props: Fields) -> None:
    wanted = props.get("AccessLogSetting") or {}
    stage = apigateway_v1._stages_v1[props.get("RestApiId", "")][stage_name]
    stage["accessLogSettings"] = (
        {"destinationArn": wanted.get("DestinationArn", ""), "format": wanted.get("Format", "")} if wanted else {}
    )


def _keep_validator(_physical_id: str, props: Fields) -> None:
    resource = apigateway_v1._resources[props.get("RestApiId", "")][props.get("ResourceId", "")]
    resource["resourceMethods"][props.get("HttpMethod", "ANY")]["requestValidatorId"] = props.get("RequestValidatorId")


def _create_validator(_logical_id: str, props: Fields, _stack: str) -> Created:
    data = {
        "name": props.get("Name", ""),
        "validateRequestBody": _flag(props.get("ValidateRequestBody")),
        "validateRequestParameters": _flag(props.get("ValidateRequestParameters")),
    }
    status, _headers, body = apigateway_v1._create_request_validator(props.get("RestApiId", ""), data)
    if status >= 400:
        raise ValueError(f"AWS::ApiGateway::RequestValidator create failed: {body!r}")
    validator_id = str(json.loads(body)["id"])
    return validator_id, {"RequestValidatorId": validator_id}


def _update_validator(physical_id: str, old: Fields, new: Fields, stack: str) -> Created:
    # RestApiId and Name are create-only.
    if any(old.get(key) != new.get(key) for key in ("RestApiId", "Name")):
        created = _create_validator("", new, stack)
        _delete_validator(physical_id, old)
        return created
    validator = apigateway_v1._request_validators[new.get("RestApiId", "")][physical_id]
    validator["validateRequestBody"] = _flag(new.get("ValidateRequestBody"))
    validator["validateRequestParameters"] = _flag(new.get("ValidateRequestParameters"))
    return physical_id, {"RequestValidatorId": physical_id}


def _delete_validator(physical_id: str, props: Fields) -> None:
    apigateway_v1._delete_request_validator(props.get("RestApiId", ""), physical_id)


def _flag(value: object) -> bool:
    return value is True or str(value).lower() == "true"
