"""X-Ray as a service of MiniStack: its routing, its IAM actions, its handler, and its access to CloudWatch Logs."""

from typing import Any

from ministack import app
from ministack.core import iam_actions, router
from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch_logs, kms

from local.xray.api import Api
from local.xray.operations.otlp import PATH as OTLP_PATH
from local.xray.span_intake import SpanIntake
from local.xray.span_log import LOG_GROUP
from local.xray.state import XRay

_OWN_KEY = "alias/aws/xray"


def install(xray: XRay, intake: SpanIntake) -> Api:
    """Serves the X-Ray API on MiniStack's endpoint, each action authorized by IAM.

    Returns:
        The API.
    """
    api = Api(xray, intake, find_key=_key_arn)
    _authorize_otlp()
    router.SERVICE_PATTERNS["xray"] = {"host_patterns": [r"xray\."]}
    iam_actions.SERVICE_TO_IAM_NAMESPACE["xray"] = "xray"
    iam_actions._BOTOCORE_SERVICE_MAP["xray"] = ["xray"]
    app.SERVICE_HANDLERS["xray"] = api.handle
    return api


def _authorize_otlp() -> None:
    # Service Authorization Reference, "Actions defined by AWS X-Ray": PutSpans. That the OTLP endpoint asks for it, and
    # for nothing else, is what users report of it.
    extract = iam_actions.extract_iam_action

    def extract_or_otlp(service: str, method: str, path: str, *args: Any) -> Any:
        if service == "xray" and path.strip("/") == OTLP_PATH:
            return "xray:PutSpans"
        return extract(service, method, path, *args)

    iam_actions.extract_iam_action = extract_or_otlp


def _key_arn(key: str) -> str | None:
    existing = kms._resolve_key(key)
    if existing is None and key.removeprefix("alias/") == "aws/xray":
        # AWS's own key for X-Ray, which is there as soon as somebody asks for it.
        return f"arn:aws:kms:{get_region()}:{get_account_id()}:{_OWN_KEY}"
    return str(existing["Arn"]) if existing else None


def may_write_spans() -> bool:
    """Returns whether a resource policy of CloudWatch Logs lets X-Ray write the spans of Transaction Search.

    Source: CloudWatch User Guide, "Enable transaction search": the policy admits `xray.amazonaws.com` to
    `logs:PutLogEvents` on the log group `aws/spans`.
    """
    account, region = get_account_id(), get_region()
    context = EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action="logs:PutLogEvents",
        resource_arn=f"arn:aws:logs:{region}:{account}:log-group:{LOG_GROUP}:*",
        region=region,
        service_context={"aws:sourcearn": f"arn:aws:xray:{region}:{account}:*", "aws:sourceaccount": account},
    )
    documents = [str(policy["policyDocument"]) for policy in cloudwatch_logs._resource_policies.values()]
    decisions = {
        evaluate_resource_policy(document, context, service="xray.amazonaws.com").decision for document in documents
    }
    return "Allow" in decisions and "Deny" not in decisions
