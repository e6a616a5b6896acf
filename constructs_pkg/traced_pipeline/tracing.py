"""What X-Ray itself must be told: who may write segments, and which requests to record."""

from __future__ import annotations

from aws_cdk import Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_xray as xray
from constructs import Construct, IConstruct

from .checks import Check, PipelineError, names_path, warn
from .limits import POLICY_NAME, SERVICE_NAME, check_limit
from .names import account_wide_name
from .option_checks import check_options, checks_arguments
from .options import SamplingOptions, TraceGroupOptions
from .stacks import outermost_stack
from .synthesis_checks import check_at_synthesis
from .xray_policies import MOST_POLICIES, policies_beside

_PERMISSION_ID = "SnsTracePermission"
_POLICY_NAME_LENGTH = 128
_RULE_NAME_LENGTH = 32
_GROUP_NAME_LENGTH = 32


def write_segments() -> iam.PolicyStatement:
    """Allow to send segments, as a function's role needs it.

    X-Ray has no resources to name, so the statement is for `*`.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
    """
    return iam.PolicyStatement(actions=["xray:PutTraceSegments", "xray:PutTelemetryRecords"], resources=["*"])


class SnsTracePermission(Construct):
    """Lets the account's topics in this Region send their segments to X-Ray.

    It is a resource policy of X-Ray, of which an account holds five in a Region: a stack needs one for all
    its topics (`of`), and many stacks can share one made in a stack of its own. Without one, SNS
    records nothing and says nothing.
    https://docs.aws.amazon.com/sns/latest/dg/sns-active-tracing.html

    Args:
        scope: Where to create it.
        construct_id: Id of the construct.
        policy_name: Name of the policy, at most 128 characters; a policy of the same name is overwritten.
            Default: derived from the stack's name.

    Example:
        ```python
        from aws_cdk import App, Stack
        from traced_pipeline import SnsTracePermission, TopicOptions, TracedPipeline

        app = App()
        SnsTracePermission(Stack(app, "Account"), "Topics", policy_name="topics")
        stack = Stack(app, "Shop")
        TracedPipeline(stack, "Orders", topic=TopicOptions(trace_permission="none"))
        ```
    """

    @names_path
    @checks_arguments
    def __init__(self, scope: Construct, construct_id: str, *, policy_name: str | None = None) -> None:
        super().__init__(scope, construct_id)
        check_limit("SnsTracePermission(policy_name=)", policy_name, POLICY_NAME)
        stack = Stack.of(self)
        document = iam.PolicyDocument(
            statements=[
                iam.PolicyStatement(
                    sid="SnsActiveTracing",
                    principals=[iam.ServicePrincipal("sns.amazonaws.com")],
                    actions=["xray:PutTraceSegments", "xray:GetSamplingRules", "xray:GetSamplingTargets"],
                    resources=["*"],
                    conditions={
                        "StringEquals": {"aws:SourceAccount": stack.account},
                        "StringLike": {
                            "aws:SourceArn": stack.format_arn(service="sns", resource="*"),
                        },
                    },
                )
            ]
        )
        self._resource_policy = xray.CfnResourcePolicy(
            self,
            "Resource",
            policy_name=policy_name or account_wide_name(self, max_length=_POLICY_NAME_LENGTH),
            policy_document=stack.to_json_string(document),
        )
        check_at_synthesis(self, self._check_quota)

    @property
    def resource_policy(self) -> xray.CfnResourcePolicy:
        """The policy."""
        return self._resource_policy

    @classmethod
    def of(cls, scope: IConstruct) -> SnsTracePermission:
        """Return the one permission of a construct's stack, made on first use.

        A nested stack takes part in that of the stack around it.
        """
        stack = outermost_stack(scope)
        existing = stack.node.try_find_child(_PERMISSION_ID)
        return existing if isinstance(existing, cls) else cls(stack, _PERMISSION_ID)

    def _check_quota(self) -> None:
        policies = policies_beside(self)
        shared = [policy.node.path for policy in policies if isinstance(policy.node.scope, SnsTracePermission)]
        # The first five fit; of those beyond, it is the ones made here that can be given up.
        others = len(policies) - len(shared)
        number = others + shared.index(self._resource_policy.node.path) + 1
        if number > MOST_POLICIES:
            warn(
                self,
                Check.TRACE_PERMISSION_QUOTA,
                f"this is resource policy {number} of X-Ray for the same account and Region, which "
                f"hold {MOST_POLICIES}; make one SnsTracePermission in a stack that the "
                'others share, and give the topics of the others trace_permission="none"',
            )


def sampling_rule(
    scope: Construct,
    construct_id: str,
    *,
    stage_service_name: str,
    options: SamplingOptions,
) -> xray.CfnSamplingRule:
    """Create a sampling rule for the requests of one API stage.

    Args:
        scope: Where to create it.
        construct_id: Id of the rule.
        stage_service_name: Name of the stage as X-Ray knows it, `<api name>/<stage name>`.
        options: What to record.

    Raises:
        PipelineError: A value is out of X-Ray's bounds.
    """
    check_options(options)
    _check_bounds(options, stage_service_name)
    return xray.CfnSamplingRule(
        scope,
        construct_id,
        sampling_rule=xray.CfnSamplingRule.SamplingRuleProperty(
            rule_name=account_wide_name(scope, max_length=_RULE_NAME_LENGTH),
            version=1,
            priority=options.priority,
            fixed_rate=options.rate,
            reservoir_size=options.reservoir,
            service_name=stage_service_name,
            service_type="AWS::ApiGateway::Stage",
            http_method=options.method,
            url_path=options.path,
            host="*",
            resource_arn="*",
        ),
    )


def check_service_name(name: str) -> None:
    """Refuses names of an API and its stage that no sampling rule can take.

    Args:
        name: Both, as X-Ray joins them: `<api name>/<stage name>`.

    Raises:
        PipelineError: They are too long together.
    """
    if not Token.is_unresolved(name) and len(name) > (SERVICE_NAME.most or 0):
        raise PipelineError(
            Check.OPTION_VALUE,
            f"name of API and stage is {name!r}, {len(name)} characters, but a sampling rule takes at most "
            f"{SERVICE_NAME.most}; give a shorter api_name",
        )


def trace_group(
    scope: Construct, construct_id: str, *, stage_service_name: str, options: TraceGroupOptions
) -> xray.CfnGroup:
    """Create a group of traces.

    Args:
        scope: Where to create it; its path gives the group's name.
        construct_id: Id of the group.
        stage_service_name: Name of the API's stage as X-Ray knows it, for the default filter expression.
        options: What the group holds.

    Raises:
        PipelineError: Notifications are asked for without insights.
    """
    check_options(options)
    if options.notifications and not options.insights:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            "notifications of a trace group tell of its insights, which are off; turn insights on",
        )
    return xray.CfnGroup(
        scope,
        construct_id,
        group_name=account_wide_name(scope, max_length=_GROUP_NAME_LENGTH),
        filter_expression=options.filter_expression or f'service("{stage_service_name}")',
        insights_configuration=xray.CfnGroup.InsightsConfigurationProperty(
            insights_enabled=options.insights, notifications_enabled=options.notifications
        ),
    )


def _check_bounds(options: SamplingOptions, service_name: str) -> None:
    if not Token.is_unresolved(options.rate) and not 0 <= options.rate <= 1:
        raise PipelineError(Check.OPTION_VALUE, f"sampling rate is {options.rate}, but must be a fraction from 0 to 1")
    if not Token.is_unresolved(options.reservoir) and options.reservoir < 0:
        raise PipelineError(
            Check.OPTION_VALUE,
            f"sampling reservoir is {options.reservoir}, but must be requests a second, at least 0",
        )
    if not Token.is_unresolved(options.priority) and not 1 <= options.priority <= 9999:
        raise PipelineError(Check.OPTION_VALUE, f"sampling priority is {options.priority}, but must be from 1 to 9999")
    check_service_name(service_name)
