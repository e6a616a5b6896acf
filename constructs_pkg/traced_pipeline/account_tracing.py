"""What an account has once in a Region for tracing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CfnResource, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_xray as xray
from constructs import Construct

from .account_logging import account_logging
from .account_parts import AccountPart, PartName, declarations_beside, declare, place_of
from .checks import Check, PipelineError, names_path
from .limits import INDEXING_PERCENTAGE, check_limit
from .names import account_wide_name
from .option_checks import checks_arguments
from .sampling_rule import account_sampling_rule
from .sns_trace_permission import SnsTracePermission
from .synthesis_checks import check_at_synthesis, resources_in_app

if TYPE_CHECKING:
    from aws_cdk import aws_applicationsignals as applicationsignals

_POLICY_NAME_LENGTH = 255


class AccountTracing(Construct):
    """What an account has once in a Region for tracing, each part made here, relied on, or left out.

    CloudFormation cannot look whether an account has a part already. So each part takes one of three words: `"create"`
    makes it; `"existing"` makes nothing, and tells the rest of the app that the account has it; `"none"` leaves it out.
    Stacks of the same app, account and Region rely on it, in whatever order they are written: their topics make no
    resource policy of their own, and their APIs log with the account's role. `traced-pipeline verify --account` and
    `make deploy` say which word is right for an account. What is made here stays when the stack is deleted or a word is
    changed, since others may have come to rely on it.

    Args:
        scope: Where to create it: a stack that is deployed before those with pipelines.
        construct_id: Id of the construct.
        sns_permission: The resource policy of X-Ray that lets SNS send the segments of topics. Default: `"create"`.
            https://docs.aws.amazon.com/sns/latest/dg/sns-active-tracing.html
        api_logging_role: The role with which API Gateway writes logs; one that is set already is replaced. Default:
            `"create"`.
            https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
        transaction_search: Transaction Search, with the policy that lets X-Ray write spans to CloudWatch Logs. It moves
            all segments of the account there, at the prices of CloudWatch Logs; a deployment that creates it where it
            is on already fails. Default: `"none"`.
            https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Transaction-Search-Cloudformation.html
        indexing_percentage: With `transaction_search="create"`: how many of 100 traces X-Ray indexes, 0 to 100; the
            others are found by trace id alone. Default: 1.
        application_signals: Discovery of services by Application Signals: the service-linked role that it works with.
            Default: `"none"`.
            https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-applicationsignals-discovery.html
        sampling_rule: A sampling rule for all requests that no other rule is for, before X-Ray's own (1 a second and
            5 %). Default: `"none"`.
            https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html
        sampling_rate: With `sampling_rule="create"`: fraction of the requests beyond the reservoir that is recorded, 0
            to 1. Default: 0.05.
        sampling_reservoir: With `sampling_rule="create"`: requests per second that are recorded before the rate
            applies. Default: 1.

    Example:
        ```python
        from aws_cdk import App, Stack
        from traced_pipeline import AccountTracing, TracedPipeline

        app = App()
        account = Stack(app, "Account")
        AccountTracing(account, "Tracing", transaction_search="existing")
        stack = Stack(app, "Shop")
        stack.add_stack_dependency(account)  # add_dependency, with aws-cdk-lib 2.253
        TracedPipeline(stack, "Orders")
        ```
    """

    @names_path
    @checks_arguments
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        sns_permission: AccountPart = "create",
        api_logging_role: AccountPart = "create",
        transaction_search: AccountPart = "none",
        indexing_percentage: float | None = None,
        application_signals: AccountPart = "none",
        sampling_rule: AccountPart = "none",
        sampling_rate: float | None = None,
        sampling_reservoir: int | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        _refuse_second(self)
        check_limit("AccountTracing(indexing_percentage=)", indexing_percentage, INDEXING_PERCENTAGE)
        _refuse_unused("transaction_search", transaction_search, indexing_percentage=indexing_percentage)
        _refuse_unused(
            "sampling_rule", sampling_rule, sampling_rate=sampling_rate, sampling_reservoir=sampling_reservoir
        )
        self._sns_permission: SnsTracePermission | None = None
        self._api_account: apigateway.CfnAccount | None = None
        self._transaction_search: xray.CfnTransactionSearchConfig | None = None
        self._discovery: applicationsignals.CfnDiscovery | None = None
        self._rule: xray.CfnSamplingRule | None = None
        if sns_permission == "create":
            self._sns_permission = SnsTracePermission.of(self)
            _keep(self._sns_permission.resource_policy)
        if api_logging_role == "create":
            self._api_account = account_logging(self)
        if transaction_search == "create":
            self._transaction_search = self._search(1 if indexing_percentage is None else indexing_percentage)
        if application_signals == "create":
            self._discovery = self._discover()
        if sampling_rule == "create":
            self._rule = account_sampling_rule(
                self,
                "SamplingRule",
                rate=0.05 if sampling_rate is None else sampling_rate,
                reservoir=1 if sampling_reservoir is None else sampling_reservoir,
            )
            _keep(self._rule)
        self._parts: dict[PartName, AccountPart] = {
            "sns_permission": sns_permission,
            "api_logging_role": api_logging_role,
            "transaction_search": transaction_search,
            "application_signals": application_signals,
            "sampling_rule": sampling_rule,
        }
        declare(self, self._parts)
        check_at_synthesis(self, self._refuse_rivals)

    @property
    def sns_permission(self) -> SnsTracePermission | None:
        """The permission for SNS; None where it is not made here."""
        return self._sns_permission

    @property
    def api_account(self) -> apigateway.CfnAccount | None:
        """API Gateway's setting with the logging role; None where it is not made here."""
        return self._api_account

    @property
    def transaction_search(self) -> xray.CfnTransactionSearchConfig | None:
        """Transaction Search; None where it is not made here."""
        return self._transaction_search

    @property
    def application_signals(self) -> applicationsignals.CfnDiscovery | None:
        """Application Signals' discovery; None where it is not made here."""
        return self._discovery

    @property
    def sampling_rule(self) -> xray.CfnSamplingRule | None:
        """The sampling rule; None where it is not made here."""
        return self._rule

    def _search(self, percentage: float) -> xray.CfnTransactionSearchConfig:
        stack = Stack.of(self)
        policy = logs.CfnResourcePolicy(
            self,
            "SpansPolicy",
            policy_name=account_wide_name(self, max_length=_POLICY_NAME_LENGTH),
            policy_document=stack.to_json_string(_spans_document(stack)),
        )
        search = xray.CfnTransactionSearchConfig(self, "TransactionSearch", indexing_percentage=percentage)
        # Without the policy, X-Ray refuses to switch.
        search.node.add_dependency(policy)
        _keep(policy)
        _keep(search)
        return search

    def _discover(self) -> applicationsignals.CfnDiscovery:
        from aws_cdk import aws_applicationsignals as applicationsignals  # seldom needed

        discovery = applicationsignals.CfnDiscovery(self, "ApplicationSignals")
        _keep(discovery)
        return discovery

    def _refuse_rivals(self) -> None:
        made = [r for r in (self._api_account, self._transaction_search, self._discovery) if r is not None]
        paths = {resource.node.path for resource in made}
        for resource in resources_in_app(self, *{r.cfn_resource_type for r in made}) if made else []:
            if resource.node.path not in paths and place_of(resource) == place_of(self):
                raise PipelineError(
                    Check.ACCOUNT_SETTING_TWICE,
                    f"{self.node.path} and {resource.node.path} both make the {resource.cfn_resource_type} of an "
                    'account and Region, which have one; give "existing" in one of the two places',
                )


def _refuse_second(construct: Construct) -> None:
    for declaration in declarations_beside(construct):
        raise PipelineError(
            Check.ACCOUNT_SETTING_TWICE,
            f"the account and Region of {construct.node.path} have an AccountTracing already, "
            f"{declaration.construct.node.path}; keep one of the two, in a stack of its own",
        )


def _refuse_unused(part: str, word: AccountPart, **settings: object) -> None:
    """Refuses settings of a part that is not made here, which would be ignored."""
    given = [name for name, value in settings.items() if value is not None]
    if given and word != "create":
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f'{", ".join(given)} given with {part}={word!r}, which makes nothing to set; give {part}="create", or set '
            "it where it is made",
        )


def _keep(resource: CfnResource) -> None:
    resource.apply_removal_policy(RemovalPolicy.RETAIN)


def _spans_document(stack: Stack) -> iam.PolicyDocument:
    """Returns the policy of AWS's example for Transaction Search, for one account and Region."""
    groups = ("aws/spans:*", "/aws/application-signals/data:*")
    return iam.PolicyDocument(
        statements=[
            iam.PolicyStatement(
                sid="TransactionSearchXRayAccess",
                principals=[iam.ServicePrincipal("xray.amazonaws.com")],
                actions=["logs:PutLogEvents"],
                resources=[
                    f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:{group}" for group in groups
                ],
                conditions={
                    "ArnLike": {"aws:SourceArn": f"arn:{stack.partition}:xray:{stack.region}:{stack.account}:*"},
                    "StringEquals": {"aws:SourceAccount": stack.account},
                },
            )
        ]
    )
