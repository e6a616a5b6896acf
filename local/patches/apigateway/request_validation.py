"""API Gateway: which bodies are validated, and what the answer to the caller says.

Sources: API Gateway Developer Guide, "Request validation for REST APIs", "Models for REST APIs" and "Gateway
response templates for REST APIs".
"""

import json
from typing import Any

from ministack.services import apigateway_v1

from local.patches.apigateway.validation_errors import explain

Fields = dict[str, Any]

_VARIABLES = (b"${context.error.validationErrorString}", b"$context.error.validationErrorString")


def install() -> None:
    """Validates bodies by content type, and fills in `$context.error.validationErrorString`."""
    check, render = apigateway_v1._check_request_validation, apigateway_v1._gateway_error_response

    def check_by_content_type(
        method: Fields, api_id: str, request: Fields, headers: Fields, body: bytes, query: Fields
    ) -> object:
        # A body whose content type matches no model is not validated; `$default` matches every one.
        models = method.get("requestModels") or {}
        came = apigateway_v1._header_ci(headers, "content-type") or "application/json"
        content_type = came.split(";", 1)[0].strip()
        model = models.get(content_type) or models.get("$default")
        chosen = {**method, "requestModels": {content_type: model} if model else {}}
        error: object = check(chosen, api_id, request, headers, body, query)
        if isinstance(error, apigateway_v1._GatewayError) and error.response_type == "BAD_REQUEST_BODY":
            error.validation = explain(apigateway_v1._model_schema(api_id, model) or {}, body or b"")
        return error

    def render_with_reason(error: Any, request: Fields) -> tuple[int, Fields, bytes]:
        status, headers, body = render(error, request)
        words = json.dumps(getattr(error, "validation", ""))[1:-1].encode()
        for variable in _VARIABLES:
            body = body.replace(variable, words)
        return status, headers, body

    apigateway_v1._check_request_validation = check_by_content_type
    apigateway_v1._gateway_error_response = render_with_reason
