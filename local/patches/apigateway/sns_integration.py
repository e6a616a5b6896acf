"""API Gateway, REST APIs: an integration that publishes to SNS without a function.

Sources: API Gateway Developer Guide, "Set up REST API integrations" and "Mapping template transformations": the request
template of an `AWS` integration is the body of the service's call, here one of SNS's Query API. That the stage records
the call as it does a function's, and sends its tracing header with it, is assumed.
"""

from typing import Any
from urllib.parse import parse_qs

from ministack.services import apigateway_v1, sns

from local.patches.apigateway import stage

Fields = dict[str, Any]
_JSON = "application/json"


def install() -> None:
    """Adds the integration."""
    invoke = apigateway_v1._invoke_lambda_custom_v1

    async def invoke_service(integration: Fields, *args: Any, **kwargs: Any) -> Any:
        target = apigateway_v1._parse_service_integration_uri(integration.get("uri", ""))
        if not target or target[1] != "sns":
            return await invoke(integration, *args, **kwargs)
        body: bytes = args[7]
        template = (integration.get("requestTemplates") or {}).get(_JSON, "")
        form = parse_qs(apigateway_v1._render_request_template_v1(template, body.decode(), {}))
        topic = "".join(form.get("TopicArn", []))
        with stage.service_call("SNS", {"operation": "Publish", "topic_arn": topic}):
            status, _, answer = sns._publish(form)
        text = answer.decode() if isinstance(answer, bytes) else str(answer)
        return apigateway_v1._service_integration_response(integration, status, text, _JSON, {})

    apigateway_v1._invoke_lambda_custom_v1 = invoke_service
