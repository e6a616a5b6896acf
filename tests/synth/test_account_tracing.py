"""What an account has once in a Region, and how the stacks of an app rely on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, CfnWaitConditionHandle, Environment, Stack, Stage
from aws_cdk import aws_sns as sns
from cdk_nag import AwsSolutionsChecks
from traced_pipeline import (
    AccountTracing,
    Check,
    IngestOptions,
    SnsTracePermission,
    TracedPipeline,
    TracedTopic,
    TraceEverything,
)

from tests.support.lint import lint_findings
from tests.support.stacks import NewStack
from tests.support.templates import Synthesized, refusal, shown, synthesize

NewApp = Callable[..., App]
HERE = Environment(account="111111111111", region="eu-west-1")
ONCE = {
    "AWS::XRay::ResourcePolicy",
    "AWS::ApiGateway::Account",
    "AWS::Logs::ResourcePolicy",
    "AWS::XRay::TransactionSearchConfig",
    "AWS::ApplicationSignals::Discovery",
    "AWS::XRay::SamplingRule",
}


@pytest.fixture(scope="module")
def whole_stack(tmp_path_factory: pytest.TempPathFactory, context: dict[str, object]) -> Stack:
    """All parts made, in an account that is known at deployment only."""
    stack = Stack(App(outdir=str(tmp_path_factory.mktemp("account")), context=context), "Account")
    AccountTracing(
        stack,
        "Tracing",
        transaction_search="create",
        indexing_percentage=5,
        application_signals="create",
        sampling_rule="create",
        sampling_rate=0.1,
        sampling_reservoir=2,
    )
    return stack


@pytest.fixture(scope="module")
def whole(whole_stack: Stack) -> Synthesized:
    return synthesize(whole_stack)


def account_stack(app: App) -> Stack:
    """A stack that holds something, since a stack without resources is refused."""
    stack = Stack(app, "Account", env=HERE)
    CfnWaitConditionHandle(stack, "Something")
    return stack


def _kinds(template: Synthesized) -> set[str]:
    return {resource["Type"] for resource in template.resources.values()} & ONCE


class TestParts:
    def test_everything_can_be_made(self, whole: Synthesized) -> None:
        assert _kinds(whole) == ONCE
        assert whole.one("AWS::XRay::TransactionSearchConfig") == {"IndexingPercentage": 5}
        assert whole.one("AWS::ApplicationSignals::Discovery") == {}

    def test_by_default_what_costs_nothing(self, new_stack: NewStack) -> None:
        stack = new_stack()
        account = AccountTracing(stack, "Tracing")
        assert _kinds(synthesize(stack)) == {"AWS::XRay::ResourcePolicy", "AWS::ApiGateway::Account"}
        assert account.sns_permission is not None
        assert account.api_account is not None
        assert account.transaction_search is None
        assert account.application_signals is None
        assert account.sampling_rule is None

    def test_documented_defaults(self, new_stack: NewStack) -> None:
        stack = new_stack()
        AccountTracing(stack, "Tracing", transaction_search="create", sampling_rule="create")
        template = synthesize(stack)
        assert template.one("AWS::XRay::TransactionSearchConfig") == {"IndexingPercentage": 1}
        rule = template.one("AWS::XRay::SamplingRule")["SamplingRule"]
        assert (rule["FixedRate"], rule["ReservoirSize"]) == (0.05, 1)

    @pytest.mark.parametrize("word", ["existing", "none"])
    def test_nothing_is_made_of_what_is_there_or_not_wanted(self, new_app: NewApp, word: Any) -> None:
        stack = account_stack(new_app())
        parts = ("sns_permission", "api_logging_role", "transaction_search", "application_signals", "sampling_rule")
        AccountTracing(stack, "Tracing", **dict.fromkeys(parts, word))
        assert list(synthesize(stack).resources) == ["Something"]

    def test_the_rule_is_for_all_requests_that_no_other_rule_is_for(self, whole: Synthesized) -> None:
        rule = whole.one("AWS::XRay::SamplingRule")["SamplingRule"]
        assert (rule["FixedRate"], rule["ReservoirSize"], rule["Priority"]) == (0.1, 2, 9999)
        wildcards = ("ServiceName", "ServiceType", "Host", "HTTPMethod", "URLPath", "ResourceARN")
        assert {rule[field] for field in wildcards} == {"*"}

    def test_x_ray_may_write_spans_before_transaction_search_is_switched_on(self, whole: Synthesized) -> None:
        document = json.dumps(whole.one("AWS::Logs::ResourcePolicy")["PolicyDocument"])
        assert "logs:PutLogEvents" in document
        assert "log-group:aws/spans:*" in document
        assert "log-group:/aws/application-signals/data:*" in document
        assert ":xray:" in document
        policy = whole.name_of("AWS::Logs::ResourcePolicy")
        assert policy in whole.resources[whole.name_of("AWS::XRay::TransactionSearchConfig")]["DependsOn"]

    def test_every_part_stays_when_the_stack_goes_or_a_word_changes(self, whole: Synthesized) -> None:
        kept = {r["Type"]: r.get("DeletionPolicy") for r in whole.resources.values() if r["Type"] in ONCE}
        assert kept == dict.fromkeys(ONCE, "Retain")

    def test_checkers_have_nothing_against_it(self, whole_stack: Stack, whole: Synthesized) -> None:
        violations = AwsSolutionsChecks(whole_stack).validate_scope(whole_stack.node.root).violations
        assert [v.rule_name for v in violations if v.severity == "error"] == []
        assert lint_findings(whole.template) == []


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"transaction_search": "yes"}, "AccountTracing(transaction_search=) is 'yes', but must be 'create'"),
            ({"transaction_search": True}, "AccountTracing(transaction_search=) is True, but must be 'create'"),
            ({"indexing_percentage": 5}, "indexing_percentage given with transaction_search='none'"),
            ({"transaction_search": "create", "indexing_percentage": 101}, "is 101, but must be from 0 to 100"),
            ({"sampling_rate": 1, "sampling_rule": "existing"}, "sampling_rate given with sampling_rule='existing'"),
            ({"sampling_rule": "create", "sampling_rate": 5}, "sampling rate is 5, but must be a fraction"),
        ],
    )
    def test_says_what_and_where(self, new_stack: NewStack, options: dict[str, Any], said: str) -> None:
        text = refusal(lambda: AccountTracing(new_stack(), "Tracing", **options))
        assert said in text
        assert "(at Shop/Tracing)" in text


class TestOtherStacks:
    @pytest.mark.parametrize("first", ["account", "pipeline"])
    @pytest.mark.parametrize("word", ["create", "existing"])
    def test_make_nothing_of_it_in_whatever_order(self, new_app: NewApp, first: str, word: Any) -> None:
        app = new_app()
        account, shop = account_stack(app), Stack(app, "Shop", env=HERE)
        makers: list[Callable[[], object]] = [
            lambda: AccountTracing(account, "Tracing", sns_permission=word, api_logging_role=word),
            lambda: TracedPipeline(shop, "Orders"),
        ]
        for make in makers if first == "account" else makers[::-1]:
            make()
        template = synthesize(shop)
        assert _kinds(template) == set()
        assert shown(shop) == []
        # A stage logs with the role of the account.
        assert "AccessLogSetting" in template.one("AWS::ApiGateway::Stage")

    def test_make_their_own_where_it_is_left_out(self, new_app: NewApp) -> None:
        app = new_app()
        AccountTracing(account_stack(app), "Tracing", sns_permission="none", api_logging_role="none")
        shop = Stack(app, "Shop", env=HERE)
        TracedPipeline(shop, "Orders")
        assert _kinds(synthesize(shop)) == {"AWS::XRay::ResourcePolicy"}
        assert [check for check in Check if any(check.value in text for text in shown(shop))] == [
            Check.ACCOUNT_LOGGING_ROLE
        ]

    @pytest.mark.parametrize(
        "there",
        [
            Environment(account=HERE.account, region="us-east-1"),
            Environment(account="222222222222", region=HERE.region),
        ],
        ids=["Region", "account"],
    )
    def test_of_another_region_or_account_make_their_own(self, new_app: NewApp, there: Environment) -> None:
        app = new_app()
        AccountTracing(account_stack(app), "Tracing")
        shop = Stack(app, "Shop", env=there)
        TracedTopic(shop, "Orders")
        assert _kinds(synthesize(shop)) == {"AWS::XRay::ResourcePolicy"}

    def test_of_another_app_know_nothing_of_it(self, new_stack: NewStack) -> None:
        AccountTracing(new_stack("Account"), "Tracing")
        shop = new_stack("Shop")
        TracedTopic(shop, "Orders")
        assert _kinds(synthesize(shop)) == {"AWS::XRay::ResourcePolicy"}

    def test_under_trace_everything_make_nothing_of_it(self, new_app: NewApp) -> None:
        app = new_app()
        AccountTracing(account_stack(app), "Tracing")
        shop = Stack(app, "Shop", env=HERE)
        sns.Topic(shop, "Plain")
        sns.Topic(shop, "Traced", tracing_config=sns.TracingConfig.ACTIVE)
        TraceEverything.below(app)
        template = synthesize(shop)
        assert {t["TracingConfig"] for t in template.all("AWS::SNS::Topic").values()} == {"Active"}
        assert _kinds(template) == set()

    def test_the_same_stack_has_one_of_each_and_its_topics_wait_for_it(self, new_stack: NewStack) -> None:
        stack = new_stack()
        TracedPipeline(stack, "Orders", ingest=IngestOptions(account_logging_role="create"))
        AccountTracing(stack, "Tracing")
        template = synthesize(stack)
        policy = template.name_of("AWS::XRay::ResourcePolicy")
        assert policy in template.resources[template.name_of("AWS::SNS::Topic")]["DependsOn"]
        template.one("AWS::ApiGateway::Account")

    def test_a_policy_that_is_asked_for_by_name_is_made(self, new_app: NewApp) -> None:
        app = new_app()
        AccountTracing(account_stack(app), "Tracing")
        shop = Stack(app, "Shop", env=HERE)
        SnsTracePermission.of(shop)
        assert _kinds(synthesize(shop)) == {"AWS::XRay::ResourcePolicy"}


class TestTwice:
    def test_two_for_one_account_are_refused(self, new_app: NewApp) -> None:
        app = new_app()
        AccountTracing(account_stack(app), "Tracing", sns_permission="existing")
        text = refusal(lambda: AccountTracing(Stack(app, "Platform", env=HERE), "Tracing", sns_permission="none"))
        assert "have an AccountTracing already, Account/Tracing; keep one of the two" in text
        assert f"(at Platform/Tracing) [{Check.ACCOUNT_SETTING_TWICE}]" in text

    def test_a_stack_that_sets_the_logging_role_too_is_refused(self, new_app: NewApp) -> None:
        app = new_app()
        AccountTracing(account_stack(app), "Tracing")
        shop = Stack(app, "Shop", env=HERE)
        TracedPipeline(shop, "Orders", ingest=IngestOptions(account_logging_role="create"))
        with pytest.raises(RuntimeError, match="both make the AWS::ApiGateway::Account of an account and Region"):
            app.synth()

    def test_stages_that_say_nothing_of_their_account_are_fine(self, new_app: NewApp) -> None:
        app = new_app()
        for name in ("dev", "prod"):
            stack = Stack(Stage(app, name), "Account")
            AccountTracing(stack, "Tracing", transaction_search="create")
            assert _kinds(synthesize(stack)) >= {"AWS::XRay::TransactionSearchConfig"}

    def test_two_accounts_of_one_app_are_fine(self, new_app: NewApp) -> None:
        app = new_app()
        for account in ("111111111111", "222222222222"):
            stack = Stack(app, f"Account-{account}", env=Environment(account=account, region="eu-west-1"))
            AccountTracing(stack, "Tracing", transaction_search="create")
        app.synth()
