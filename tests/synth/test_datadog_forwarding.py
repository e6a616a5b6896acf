"""Every log group of a pipeline has one subscription of Datadog's Forwarder, and none that cannot work."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from aws_cdk import App, Environment, Stack, Stage
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from traced_pipeline import Check, DatadogForwarding, IngestOptions, TracedPipeline, WorkerOptions

from tests.support.datadog import forwarder_of, forwarding, tags_of
from tests.support.stacks import NewStack, make_function
from tests.support.templates import Synthesized, refusal, synthesize, warnings_of

NewApp = Callable[..., App]
MANAGED = "@aws-cdk/aws-lambda:useCdkManagedLogGroup"
HERE = Environment(account="111111111111", region="eu-west-1")


@pytest.fixture(scope="module")
def template(datadog_template: Synthesized) -> Synthesized:
    return datadog_template


def subscribed(template: Synthesized) -> list[str]:
    """The log groups with a subscription, once for each."""
    filters = template.all("AWS::Logs::SubscriptionFilter").values()
    return [f["LogGroupName"]["Ref"] for f in filters]


class TestSubscriptions:
    def test_are_of_every_log_group_once(self, template: Synthesized) -> None:
        others = [name for name in template.all("AWS::Logs::LogGroup") if re.search("Forwarder|FlowLogs", name)]
        assert sorted(subscribed(template) + others) == sorted(template.all("AWS::Logs::LogGroup"))
        assert len(subscribed(template)) == 7

    def test_bring_every_line_to_the_forwarder(self, template: Synthesized) -> None:
        arn = {"Fn::GetAtt": [template.name_of("AWS::Lambda::Function", "Forwarder"), "Arn"]}
        for made in template.all("AWS::Logs::SubscriptionFilter").values():
            assert (made["FilterPattern"], made["DestinationArn"]) == ("", arn)

    def test_have_one_permission_for_all_and_wait_for_it(self, template: Synthesized) -> None:
        name = template.name_of("AWS::Lambda::Permission", "Datadog")
        permission = template.all("AWS::Lambda::Permission")[name]
        assert (permission["Principal"], permission["Action"]) == ("logs.amazonaws.com", "lambda:InvokeFunction")
        assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}
        assert permission["SourceArn"]["Fn::Join"][1][-1] == ":log-group:*:*"
        filters = [r for r in template.resources.values() if r["Type"] == "AWS::Logs::SubscriptionFilter"]
        assert all(made["DependsOn"] == [name] for made in filters)

    def test_of_an_alias_may_invoke_it(self, new_stack: NewStack) -> None:
        stack = new_stack()
        function = make_function(stack, "Forwarder")
        alias = lambda_.Alias(stack, "Live", alias_name="live", version=function.current_version)
        forwarding(stack, forwarder=alias)
        template = synthesize(stack)
        ref = {"Ref": template.name_of("AWS::Lambda::Alias")}
        assert template.one("AWS::Lambda::Permission", "Datadog")["FunctionName"] == ref
        assert {f["DestinationArn"]["Ref"] for f in template.all("AWS::Logs::SubscriptionFilter").values()} == {
            ref["Ref"]
        }

    def test_leave_the_permission_of_an_imported_forwarder_to_its_stack(self, new_stack: NewStack) -> None:
        stack = new_stack(env=HERE)
        forwarding(stack)
        template = synthesize(stack)
        assert len(subscribed(template)) == 3
        assert not [name for name in template.all("AWS::Lambda::Permission") if "Datadog" in name]

    def test_of_hops_that_share_a_log_group_are_one(self, new_stack: NewStack) -> None:
        stack = new_stack()
        shared = logs.LogGroup(stack, "Shared")
        ingest, worker = IngestOptions(log_group=shared), WorkerOptions(log_group=shared)
        forwarding(stack, TracedPipeline(stack, "Orders", ingest=ingest, worker=worker))
        found = subscribed(synthesize(stack))
        assert len(found) == len(set(found)) == 2

    @pytest.mark.parametrize("where", ["one stack", "two stacks"])
    @pytest.mark.parametrize("named", [True, False])
    def test_of_pipelines_that_share_a_log_group_are_one(self, new_app: NewApp, where: str, named: bool) -> None:
        app = new_app()
        first = Stack(app, "Shop", env=HERE)
        second = first if where == "one stack" else Stack(app, "Audit", env=HERE)
        arn = "arn:aws:lambda:eu-west-1:111111111111:function:datadog-forwarder"
        shared = logs.LogGroup.from_log_group_name(first, "Shared", "/shared") if named else logs.LogGroup(first, "Own")
        for stack, name in ((first, "Orders"), (second, "Bills")):
            orders = TracedPipeline(stack, name, worker=WorkerOptions(log_group=shared))
            forwarder = lambda_.Function.from_function_arn(stack, f"{name}Forwarder", arn)
            DatadogForwarding(stack, f"{name}Datadog", pipeline=orders, forwarder=forwarder, env="prod")
        templates = [synthesize(stack) for stack in dict.fromkeys((first, second))]
        found = [resource for template in templates for resource in template.all("AWS::Logs::SubscriptionFilter")]
        assert len(found) == 3 + 2

    def test_of_names_that_run_together_are_apart(self, new_stack: NewStack) -> None:
        stack = new_stack()
        orders = TracedPipeline(stack, "Orders")
        forwarding(stack, orders)
        orders.add_worker("Audit").add_dead_letter_worker("Repair", WorkerOptions(table=orders.table))
        orders.add_worker("AuditRepair")
        orders.add_worker("Access")
        orders.add_worker("Audit-Repair")
        assert len(subscribed(synthesize(stack))) == 8

    def test_can_be_made_in_a_stack_of_their_own(self, new_app: NewApp) -> None:
        app = new_app()
        orders = TracedPipeline(Stack(app, "Shop"), "Orders")
        stack = Stack(app, "Watch")
        forwarding(stack, orders)
        orders.add_worker("Audit")
        assert len(synthesize(stack).all("AWS::Logs::SubscriptionFilter")) == 4

    def test_can_be_added_for_what_is_made_elsewhere(self, new_stack: NewStack) -> None:
        stack = new_stack()
        report = logs.LogGroup.from_log_group_name(stack, "Report", "/report")
        datadog = forwarding(stack)
        made = datadog.subscribe("Report", report)
        assert datadog.subscribe("ReportAgain", report).node.path == made.node.path
        names = [f["LogGroupName"] for f in synthesize(stack).all("AWS::Logs::SubscriptionFilter").values()]
        assert names.count("/report") == 1

    def test_of_a_function_that_says_no_log_group_are_missed(self, new_stack: NewStack) -> None:
        stack = new_stack(**{MANAGED: False})
        ingest = IngestOptions(handler=make_function(stack, tracing=lambda_.Tracing.ACTIVE))
        forwarding(stack, TracedPipeline(stack, "Orders", ingest=ingest))
        (warning,) = warnings_of(stack, Check.LOGS_NOT_FORWARDED)
        assert "Shop/Mine" in warning

    def test_are_of_the_log_group_that_the_cdk_makes_for_a_function(self, new_stack: NewStack) -> None:
        stack = new_stack(**{MANAGED: True})
        ingest = IngestOptions(handler=make_function(stack, tracing=lambda_.Tracing.ACTIVE))
        forwarding(stack, TracedPipeline(stack, "Orders", ingest=ingest))
        template = synthesize(stack)
        assert warnings_of(stack, Check.LOGS_NOT_FORWARDED) == []
        assert template.name_of("AWS::Logs::LogGroup", "MineLogGroup") in subscribed(template)

    def test_of_a_function_behind_an_alias_are_those_of_the_function(self, new_stack: NewStack) -> None:
        stack = new_stack()
        mine = logs.LogGroup(stack, "Mine logs")
        function = make_function(stack, tracing=lambda_.Tracing.ACTIVE, log_group=mine)
        alias = lambda_.Alias(stack, "Live", alias_name="live", version=function.current_version)
        forwarding(stack, TracedPipeline(stack, "Orders", ingest=IngestOptions(handler=alias)))
        assert warnings_of(stack, Check.LOGS_NOT_FORWARDED) == []
        template = synthesize(stack)
        assert template.name_of("AWS::Logs::LogGroup", "Minelogs") in subscribed(template)
        tags = tags_of(template.all("AWS::Lambda::Function")[stack.resolve(function.function_name)["Ref"]])
        assert tags["traced_pipeline"] == "shop-orders.ingest"

    def test_of_a_function_with_a_log_group_are_not(self, new_stack: NewStack) -> None:
        stack = new_stack()
        mine = logs.LogGroup(stack, "Mine logs")
        ingest = IngestOptions(handler=make_function(stack, tracing=lambda_.Tracing.ACTIVE, log_group=mine))
        forwarding(stack, TracedPipeline(stack, "Orders", ingest=ingest))
        assert warnings_of(stack, Check.LOGS_NOT_FORWARDED) == []
        template = synthesize(stack)
        name = template.name_of("AWS::Logs::LogGroup", "Minelogs")
        assert name in subscribed(template)
        assert tags_of(template.all("AWS::Logs::LogGroup")[name])["traced_pipeline"] == "shop-orders.ingest"


class TestRefusals:
    def test_a_log_group_of_another_region(self, new_stack: NewStack) -> None:
        stack = new_stack(env=HERE)
        arn = "arn:aws:logs:us-east-1:111111111111:log-group:/report:*"
        report = logs.LogGroup.from_log_group_arn(stack, "Report", arn)
        datadog = forwarding(stack)
        said = refusal(lambda: datadog.subscribe("Report", report))
        assert "log group Shop/Report belongs to Region us-east-1" in said

    def test_a_pipeline_of_another_stage(self, new_app: NewApp) -> None:
        app = new_app()
        orders = TracedPipeline(Stack(Stage(app, "Prod"), "Shop"), "Orders")
        assert "belongs to stage Prod, this to the app" in refusal(lambda: forwarding(Stack(app, "Watch"), orders))

    def test_an_empty_name(self, new_stack: NewStack) -> None:
        assert "must have 1 to 100 lower-case letters" in refusal(lambda: forwarding(new_stack(), name=""))

    @pytest.mark.parametrize(
        ("place", "said"),
        [({"account": "222222222222"}, "account 222222222222"), ({"region": "us-east-1"}, "Region us-east-1")],
        ids=["account", "Region"],
    )
    def test_a_forwarder_of_another_place(self, new_stack: NewStack, place: dict[str, str], said: str) -> None:
        stack = new_stack(env=HERE)
        refused = refusal(lambda: forwarding(stack, forwarder=forwarder_of(stack, **place)))
        assert said in refused
        assert Check.OUT_OF_REACH.value in refused

    def test_not_where_the_place_is_known_too_late(self, new_stack: NewStack) -> None:
        stack = new_stack()
        forwarding(stack, forwarder=forwarder_of(stack, region="us-east-1"))
        assert len(subscribed(synthesize(stack))) == 3

    def test_a_pipeline_of_another_region(self, new_app: NewApp) -> None:
        app = new_app()
        there = Stack(app, "Shop", env=Environment(account=HERE.account, region="us-east-1"))
        orders = TracedPipeline(there, "Orders")
        assert "Region us-east-1" in refusal(lambda: forwarding(Stack(app, "Watch", env=HERE), orders))

    @pytest.mark.parametrize("names", [("ingest",), ("Audit", "audit")])
    def test_a_worker_with_the_tag_of_another_hop(self, new_stack: NewStack, names: tuple[str, ...]) -> None:
        stack = new_stack()
        orders = TracedPipeline(stack, "Orders")
        for name in names:
            orders.add_worker(name)
        refused = refusal(lambda: forwarding(stack, orders))
        assert f"worker Shop/Orders/{names[-1]} and another hop" in refused
        assert Check.OPTION_CONFLICT.value in refused

    @pytest.mark.parametrize("own", ["handler", "log group"])
    def test_a_forwarder_that_would_get_its_own_lines(self, new_stack: NewStack, own: str) -> None:
        stack = new_stack()
        shared = logs.LogGroup(stack, "Shared")
        orders = TracedPipeline(stack, "Orders", worker=WorkerOptions(log_group=shared))
        function = orders.worker_function if own == "handler" else make_function(stack, log_group=shared)
        refused = refusal(lambda: forwarding(stack, orders, forwarder=function))
        assert "without end" in refused
        assert Check.LOG_SUBSCRIPTION.value in refused

    def test_a_third_subscription_of_a_log_group(self, new_stack: NewStack) -> None:
        stack = new_stack()
        orders = TracedPipeline(stack, "Orders")
        group = orders.ingest.traced_function.log_group.log_group_name
        for name in ("one", "two"):
            arn = f"arn:aws:firehose:eu-west-1:111111111111:deliverystream/{name}"
            logs.CfnSubscriptionFilter(stack, name, destination_arn=arn, filter_pattern="", log_group_name=group)
        forwarding(stack, orders)
        with pytest.raises(RuntimeError, match=f"would have 3 subscription filters.*{Check.LOG_SUBSCRIPTION.value}"):
            synthesize(stack)

    def test_two_subscriptions_of_the_same_function(self, new_stack: NewStack) -> None:
        stack = new_stack()
        orders = TracedPipeline(stack, "Orders")
        forwarder = forwarder_of(stack)
        forwarding(stack, orders, forwarder=forwarder)
        DatadogForwarding(stack, "Again", pipeline=orders, forwarder=forwarder, env="prod")
        with pytest.raises(RuntimeError, match="get each line twice"):
            synthesize(stack)

    def test_but_not_a_second_one_for_another_function(self, new_stack: NewStack) -> None:
        stack = new_stack()
        orders = TracedPipeline(stack, "Orders")
        forwarding(stack, orders)
        DatadogForwarding(stack, "Other", pipeline=orders, forwarder=make_function(stack), env="prod")
        assert len(subscribed(synthesize(stack))) == 6
