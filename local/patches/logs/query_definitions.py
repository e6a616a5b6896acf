"""CloudWatch Logs: saved queries, by the API and by CloudFormation.

Sources: CloudWatch Logs API Reference, "PutQueryDefinition", "DescribeQueryDefinitions" and "DeleteQueryDefinition";
CloudFormation Template Reference, `AWS::Logs::QueryDefinition`, whose Ref is the definition's id. They are listed by
name: assumed.
"""

import json
import time
from collections.abc import Callable
from typing import Any

from ministack import app
from ministack.core.responses import AccountRegionScopedDict, error_response_json, json_response, new_uuid
from ministack.services.cloudformation import provisioners

Fields = dict[str, Any]
_LONGEST = {"name": 255, "queryString": 10_000}
_MOST_LISTED = 1000

_definitions = AccountRegionScopedDict()


class _RefusedError(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def install() -> None:
    """Adds saved queries to CloudWatch Logs and to CloudFormation."""
    handle = app.SERVICE_HANDLERS["logs"]
    operations: dict[str, Callable[[Fields], Fields]] = {
        "PutQueryDefinition": _put,
        "DescribeQueryDefinitions": _describe,
        "DeleteQueryDefinition": _delete,
    }

    async def handle_also(method: str, path: str, headers: Fields, body: bytes, query: Fields) -> Any:
        operation = operations.get(str(headers.get("x-amz-target", "")).rpartition(".")[2])
        if operation is None:
            return await handle(method, path, headers, body, query)
        try:
            return json_response(operation(json.loads(body or b"{}")))
        except _RefusedError as problem:
            return error_response_json(problem.code, str(problem), 400)

    app.SERVICE_HANDLERS["logs"] = handle_also
    provisioners._RESOURCE_HANDLERS["AWS::Logs::QueryDefinition"] = {
        "create": lambda _logical_id, props, _stack: _provision(props, None),
        "update": lambda physical_id, _old, new, _stack: _provision(new, physical_id),
        "delete": lambda physical_id, _props: _delete_if_there(physical_id),
    }


def _put(data: Fields) -> Fields:
    for key, longest in _LONGEST.items():
        value = data.get(key)
        if not isinstance(value, str) or not 1 <= len(value) <= longest:
            raise _RefusedError("InvalidParameterException", f"{key} has to be a text of 1 to {longest} characters")
    definition_id = data.get("queryDefinitionId")
    if definition_id is not None and definition_id not in _definitions:
        raise _RefusedError("ResourceNotFoundException", f"There is no query definition {definition_id}")
    definition_id = definition_id or new_uuid()
    _definitions[definition_id] = {
        "queryLanguage": data.get("queryLanguage") or "CWLI",
        "queryDefinitionId": definition_id,
        "name": data["name"],
        "queryString": data["queryString"],
        "lastModified": int(time.time() * 1000),
        "logGroupNames": list(data.get("logGroupNames") or ()),
    }
    return {"queryDefinitionId": definition_id}


def _describe(data: Fields) -> Fields:
    prefix, most = str(data.get("queryDefinitionNamePrefix") or ""), int(data.get("maxResults") or _MOST_LISTED)
    listed = sorted(
        (definition for definition in _definitions.values() if definition["name"].startswith(prefix)),
        key=lambda definition: (definition["name"], definition["queryDefinitionId"]),
    )
    start = str(data.get("nextToken") or "0")
    if not start.isdigit():
        raise _RefusedError("InvalidParameterException", f"nextToken {start!r} is none of an earlier answer")
    end = int(start) + most
    page = {"queryDefinitions": listed[int(start) : end]}
    return {**page, "nextToken": str(end)} if end < len(listed) else page


def _delete(data: Fields) -> Fields:
    definition_id = data.get("queryDefinitionId")
    if definition_id not in _definitions:
        raise _RefusedError("ResourceNotFoundException", f"There is no query definition {definition_id}")
    del _definitions[definition_id]
    return {"success": True}


def _provision(props: Fields, definition_id: str | None) -> tuple[str, Fields]:
    data = {"name": props.get("Name"), "queryString": props.get("QueryString")}
    data |= {"logGroupNames": props.get("LogGroupNames"), "queryLanguage": props.get("QueryLanguage")}
    try:
        created = _put({**data, "queryDefinitionId": definition_id})
    except _RefusedError as problem:
        raise ValueError(f"{problem} (Service: CloudWatchLogs, Status Code: 400)") from None
    return created["queryDefinitionId"], {"QueryDefinitionId": created["queryDefinitionId"]}


def _delete_if_there(definition_id: str) -> None:
    if definition_id in _definitions:
        del _definitions[definition_id]
