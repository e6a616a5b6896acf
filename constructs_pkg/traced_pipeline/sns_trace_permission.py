"""The permission for SNS to send the segments of topics."""

from __future__ import annotations

import jsii
from aws_cdk import AspectPriority, Aspects, IAspect, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_xray as xray
from constructs import Construct, IConstruct

from .account_parts import declaring
from .checks import Check, names_path, warn
from .limits import POLICY_NAME, check_limit
from .names import account_wide_name
from .option_checks import checks_arguments
from .resource import resource_of
from .stacks import outermost_stack
from .synthesis_checks import check_at_synthesis
from .xray_policies import MOST_POLICIES, policies_beside

_PERMISSION_ID = "SnsTracePermission"
_POLICY_NAME_LENGTH = 128


class SnsTracePermission(Construct):
    """Lets the account's topics in this Region send their segments to X-Ray.

    It is a resource policy of X-Ray, of which an account holds five per Region. A stack needs one for all its topics
    (`of`), and many stacks can share one that is made in a stack of its own, by `AccountTracing` for instance. Without
    it, SNS records nothing, and reports no error.
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
        """Returns the one permission of a construct's stack, made on first use.

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


def let_topic_send(topic: sns.Topic) -> None:
    """Gives a topic's stack the permission, unless the account has it by an `AccountTracing` of the app."""
    Aspects.of(resource_of(topic, sns.CfnTopic)).add(_LetsSend(), priority=AspectPriority.MUTATING)


@jsii.implements(IAspect)
class _LetsSend:
    """Decides at synthesis, since the account's part may be made before the topic or after it."""

    def visit(self, topic: IConstruct) -> None:
        """Makes the permission on first use; the CDK calls this at synthesis."""
        account, stack = declaring(topic, "sns_permission"), outermost_stack(topic)
        if account is None or stack.node.try_find_child(_PERMISSION_ID) is not None:
            topic.node.add_dependency(SnsTracePermission.of(topic).resource_policy)
