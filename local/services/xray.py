"""X-Ray as a service of MiniStack: its routing, its IAM actions, its handler, and its way into CloudWatch Logs."""

from ministack import app
from ministack.core import iam_actions, router
from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch_logs

from local.xray import XRay
from local.xray_api import Api

_SPANS = "aws/spans"


def install(xray: XRay) -> None:
    """Serve the X-Ray API on MiniStack's endpoint, each action authorized by IAM."""
    router.SERVICE_PATTERNS["xray"] = {"host_patterns": [r"xray\."]}
    iam_actions.SERVICE_TO_IAM_NAMESPACE["xray"] = "xray"
    iam_actions._BOTOCORE_SERVICE_MAP["xray"] = ["xray"]
    app.SERVICE_HANDLERS["xray"] = Api(xray).handle


def may_write_spans() -> bool:
    """Whether a resource policy of CloudWatch Logs lets X-Ray write the spans of Transaction Search.

    Source: CloudWatch User Guide, "Enable transaction search": the policy admits `xray.amazonaws.com` to
    `logs:PutLogEvents` on the log group `aws/spans`.
    """
    account, region = get_account_id(), get_region()
    context = EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action="logs:PutLogEvents",
        resource_arn=f"arn:aws:logs:{region}:{account}:log-group:{_SPANS}:*",
        region=region,
        service_context={"aws:sourcearn": f"arn:aws:xray:{region}:{account}:*", "aws:sourceaccount": account},
    )
    documents = [str(policy["policyDocument"]) for policy in cloudwatch_logs._resource_policies.values()]
    decisions = {
        evaluate_resource_policy(document, context, service="xray.amazonaws.com").decision for document in documents
    }
    return "Allow" in decisions and "Deny" not in decisions
