"""Reads which parts of an account's tracing there are, so that `AccountTracing` gets the right word for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from ..aws.read_errors import Reads
from ..aws.transaction_search import chosen_destination
from .inspect_messaging import json_object
from .model import AccountPart, PartName, Word
from .resource_policies import ServiceCall, admits

if TYPE_CHECKING:
    import boto3
    from types_boto3_apigateway import APIGatewayClient
    from types_boto3_iam import IAMClient
    from types_boto3_xray import XRayClient

# https://docs.aws.amazon.com/applicationsignals/latest/APIReference/API_StartDiscovery.html
_DISCOVERY_ROLE = "AWSServiceRoleForCloudWatchApplicationSignals"
# The rule that every account has, and that cannot be created:
# https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html
_BUILT_IN_RULE = "Default"
_EVERYTHING = ("ServiceName", "ServiceType", "Host", "HTTPMethod", "URLPath", "ResourceARN")


def read_account(session: boto3.Session) -> tuple[AccountPart, ...]:
    """Reads the parts of the session's account and Region; what may not be read is said, not guessed.

    Args:
        session: The session to read with.

    Raises:
        botocore.exceptions.NoCredentialsError: There are no credentials to read with.
    """
    xray, sts = session.client("xray"), session.client("sts")
    questions: Mapping[PartName, Callable[[], tuple[Word, str]]] = {
        "sns_permission": lambda: _sns_permission(xray, _any_topic(sts.get_caller_identity()["Arn"], xray)),
        "api_logging_role": lambda: _logging_role(session.client("apigateway")),
        "transaction_search": lambda: _transaction_search(xray),
        "application_signals": lambda: _application_signals(session.client("iam")),
        "sampling_rule": lambda: _sampling_rule(xray),
    }
    return tuple(_answer(name, ask) for name, ask in questions.items())


def _answer(name: PartName, ask: Callable[[], tuple[Word, str]]) -> AccountPart:
    reads = Reads()
    answer = reads.read(name, ask)
    if answer is None:
        return AccountPart(name=name, word=None, text=f"could not be read: {reads.unread[0].reason}")
    word, text = answer
    return AccountPart(name=name, word=word, text=text)


def _any_topic(caller_arn: str, xray: XRayClient) -> str:
    """Returns the ARN of a topic of the caller's account and Region that no policy names by itself."""
    _, partition, _, _, account, *_ = caller_arn.split(":")
    return f"arn:{partition}:sns:{xray.meta.region_name}:{account}:traced-pipeline-any-topic"


def _sns_permission(client: XRayClient, topic: str) -> tuple[Word, str]:
    pages = client.get_paginator("list_resource_policies").paginate()
    policies = {
        policy.get("PolicyName", ""): json_object(policy.get("PolicyDocument"))
        for page in pages
        for policy in page.get("ResourcePolicies", [])
    }
    call = ServiceCall(service="sns.amazonaws.com", action="xray:PutTraceSegments", resource=None, source_arn=topic)
    letting_in = [name for name, document in policies.items() if admits([document], call)]
    if letting_in and admits(policies.values(), call):
        return "existing", f"the resource policy {letting_in[0]} lets SNS send the segments of every topic"
    held = f"; the account holds {len(policies)} other resource policies of X-Ray" if policies else ""
    return "create", f"no resource policy of X-Ray lets SNS send the segments of every topic{held}"


def _logging_role(client: APIGatewayClient) -> tuple[Word, str]:
    role = client.get_account().get("cloudwatchRoleArn")
    return ("existing", role) if role else ("create", "API Gateway has no role to write logs with")


def _transaction_search(client: XRayClient) -> tuple[Word, str]:
    if chosen_destination(client) == "CloudWatchLogs":
        return "existing", "on: creating it again would fail the deployment"
    return "create", "off"


def _application_signals(client: IAMClient) -> tuple[Word, str]:
    try:
        client.get_role(RoleName=_DISCOVERY_ROLE)
    except ClientError as error:
        if error.response["Error"].get("Code") == "NoSuchEntity":
            return "create", f"off: there is no role {_DISCOVERY_ROLE}"
        raise
    return "existing", f"on: there is a role {_DISCOVERY_ROLE}"


def _sampling_rule(client: XRayClient) -> tuple[Word, str]:
    pages = client.get_paginator("get_sampling_rules").paginate()
    rules = [record.get("SamplingRule", {}) for page in pages for record in page.get("SamplingRuleRecords", [])]
    for rule in rules:
        matches_all = all(rule.get(field, "*") == "*" for field in _EVERYTHING) and not rule.get("Attributes")
        if rule.get("RuleName") != _BUILT_IN_RULE and matches_all:
            return "existing", f"the rule {rule.get('RuleName')} is for all requests"
    return "create", "no rule is for all requests but X-Ray's own (1 a second and 5 %, unless it was changed)"
