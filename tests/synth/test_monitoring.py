"""What watches a pipeline: alarms by metrics that AWS has, and saved queries; the dashboard has tests of its own."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, Duration, Environment, Stack, Stage
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_sns as sns
from cdk_monitoring_constructs import MonitoringFacade
from cdk_nag import AwsSolutionsChecks
from traced_pipeline import (
    Check,
    ContainerWorkerOptions,
    IngestOptions,
    MonitoringOptions,
    PipelineError,
    PipelineMonitoring,
    TracedPipeline,
    WorkerOptions,
)

from tests.support.documented_metrics import DOCUMENTED
from tests.support.stacks import NewStack
from tests.support.templates import Synthesized, synthesize, warnings


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, context: dict[str, object]) -> Stack:
    """A pipeline that is watched, with workers that are added afterwards."""
    stack = Stack(App(outdir=str(tmp_path_factory.mktemp("watched")), context=context), "Shop")
    orders = TracedPipeline(stack, "Orders")
    topic = sns.Topic(stack, "OnCall", enforce_ssl=True)
    PipelineMonitoring(stack, "Watch", pipeline=orders, options=MonitoringOptions(alarm_topic=topic))
    orders.add_worker("Audit")
    image = ecs.ContainerImage.from_registry("registry.example.com/bill:1")
    orders.add_container_worker("Bill", ContainerWorkerOptions(image=image))
    return stack


@pytest.fixture(scope="module")
def template(stack: Stack) -> Synthesized:
    return synthesize(stack)


class TestDeadLetters:
    def test_have_an_alarm_by_default(self, default: Synthesized) -> None:
        alarm = default.one("AWS::CloudWatch::Alarm")
        queue = default.name_of("AWS::SQS::Queue", "DeadLetterQueue")
        assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": {"Fn::GetAtt": [queue, "QueueName"]}}]
        assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")
        assert (alarm["EvaluationPeriods"], alarm["Period"], alarm["Statistic"]) == (1, 60, "Maximum")
        assert alarm["TreatMissingData"] == "notBreaching"

    def test_have_none_where_it_is_switched_off(self, new_stack: NewStack) -> None:
        stack = new_stack()
        orders = TracedPipeline(stack, "Orders", dead_letter_alarms=False)
        orders.add_worker("Audit")
        orders.add_dead_letter_worker("Repair", WorkerOptions(table=orders.table))
        assert synthesize(stack).all("AWS::CloudWatch::Alarm") == {}
        assert orders.dead_letter_alarms == {}

    def test_of_every_worker_have_one(self, template: Synthesized) -> None:
        alarms = [name for name in template.all("AWS::CloudWatch::Alarm") if "DeadLetterAlarm" in name]
        assert len(alarms) == len(template.all("AWS::ECS::Service")) + 2 == 3

    @pytest.mark.parametrize("watched_first", [True, False], ids=["watched first", "watched last"])
    def test_that_fail_the_repair_too_have_one(self, new_stack: NewStack, watched_first: bool) -> None:
        stack = new_stack()
        orders = TracedPipeline(stack, "Orders")
        topic = sns.Topic(stack, "OnCall", enforce_ssl=True)
        options = MonitoringOptions(alarm_topic=topic)
        if watched_first:
            PipelineMonitoring(stack, "Watch", pipeline=orders, options=options)
        repair = orders.add_dead_letter_worker("Repair", WorkerOptions(table=orders.table))
        audit = orders.add_worker("Audit").add_dead_letter_worker("Repair", WorkerOptions(table=orders.table))
        if not watched_first:
            PipelineMonitoring(stack, "Watch", pipeline=orders, options=options)
        assert set(orders.dead_letter_alarms) == {"Worker", "Worker/Repair", "Audit", "Audit/Repair"}
        template = synthesize(stack)
        alarms = template.all("AWS::CloudWatch::Alarm")
        for worker in (repair, audit):
            assert worker.dead_letter_queue is not None
            queue = stack.resolve(worker.dead_letter_queue.queue_name)
            (alarm,) = (a for a in alarms.values() if a["Dimensions"] == [{"Name": "QueueName", "Value": queue}])
            assert (alarm["MetricName"], alarm["Threshold"]) == ("ApproximateNumberOfMessagesVisible", 0)
            assert alarm["AlarmActions"] == [stack.resolve(topic.topic_arn)]
            function = stack.resolve(worker.function.function_name)
            failing = [a for a in alarms.values() if a["Dimensions"] == [{"Name": "FunctionName", "Value": function}]]
            assert {a["MetricName"] for a in failing} == {"Errors", "Throttles"}
            group = stack.resolve(worker.traced_function.log_group.log_group_name)
            queries = template.all("AWS::Logs::QueryDefinition").values()
            assert all(group in query["LogGroupNames"] for query in queries)


class TestAlarms:
    def test_are_about_metrics_that_aws_has(self, template: Synthesized) -> None:
        for name, alarm in template.all("AWS::CloudWatch::Alarm").items():
            dimensions, source = DOCUMENTED[alarm["Namespace"], alarm["MetricName"]]
            assert {dimension["Name"] for dimension in alarm["Dimensions"]} == dimensions, (name, source)

    def test_all_notify_the_one_topic(self, template: Synthesized) -> None:
        topic = template.name_of("AWS::SNS::Topic", "OnCall")
        alarms = template.all("AWS::CloudWatch::Alarm")
        assert {json.dumps(alarm["AlarmActions"]) for alarm in alarms.values()} == {json.dumps([{"Ref": topic}])}

    def test_there_are_those_that_page_for_a_reason(self, template: Synthesized) -> None:
        counts = Counter(alarm["MetricName"] for alarm in template.all("AWS::CloudWatch::Alarm").values())
        assert counts == {
            "5XXError": 1,
            "Latency": 1,
            "ApproximateAgeOfOldestMessage": 3,
            "ApproximateNumberOfMessagesVisible": 3,
            "Errors": 2,
            "Throttles": 2,
        }

    def test_of_what_mends_itself_wait_until_it_lasts(self, template: Synthesized) -> None:
        for alarm in template.all("AWS::CloudWatch::Alarm").values():
            lasting = alarm["MetricName"] != "ApproximateNumberOfMessagesVisible"
            assert (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]) == ((3, 5) if lasting else (1, 1))

    def test_have_the_thresholds_that_are_chosen(self, new_stack: NewStack) -> None:
        stack = new_stack()
        options = MonitoringOptions(
            longest_wait=Duration.minutes(1), longest_request=Duration.seconds(2), server_errors=0.5
        )
        PipelineMonitoring(stack, "Watch", pipeline=TracedPipeline(stack, "Orders"), options=options)
        alarms = synthesize(stack).all("AWS::CloudWatch::Alarm").values()
        thresholds = {alarm["MetricName"]: alarm["Threshold"] for alarm in alarms}
        assert thresholds["ApproximateAgeOfOldestMessage"] == 60
        assert thresholds["Latency"] == 2000
        assert thresholds["5XXError"] == 0.5
        assert all("AlarmActions" not in alarm for alarm in alarms)


class TestQueries:
    def test_search_the_logs_of_all_functions_and_containers(self, template: Synthesized) -> None:
        wanted = ("IngestFunctionLogs", "WorkerFunctionLogs", "AuditFunctionLogs", "BillLogs")
        groups = [{"Ref": template.name_of("AWS::Logs::LogGroup", name)} for name in wanted]
        queries = template.all("AWS::Logs::QueryDefinition")
        assert len(queries) == 4
        assert all(query["LogGroupNames"] == groups for query in queries.values())

    def test_are_found_in_a_folder_of_the_pipeline(self, template: Synthesized) -> None:
        names = {query["Name"] for query in template.all("AWS::Logs::QueryDefinition").values()}
        assert names == {
            "Shop-Orders/lines of a trace",
            "Shop-Orders/failures by cause",
            "Shop-Orders/slowest invocations",
            "Shop-Orders/slowest messages",
        }


def test_each_part_can_be_left_out(new_stack: NewStack) -> None:
    stack = new_stack()
    options = MonitoringOptions(alarms=False, dashboard=False, queries=False)
    watch = PipelineMonitoring(stack, "Watch", pipeline=TracedPipeline(stack, "Orders"), options=options)
    template = synthesize(stack)
    assert len(template.all("AWS::CloudWatch::Alarm")) == 1
    assert template.all("AWS::CloudWatch::Dashboard") == template.all("AWS::Logs::QueryDefinition") == {}
    assert (watch.alarms, watch.dashboard, watch.queries) == ([], None, {})


def test_of_an_api_that_is_made_elsewhere_nothing_is_watched(new_stack: NewStack) -> None:
    stack = new_stack()
    api = apigateway.RestApi.from_rest_api_attributes(stack, "Mine", rest_api_id="a1", root_resource_id="r1")
    orders = TracedPipeline(stack, "Orders", ingest=IngestOptions(api=api, path="/orders"))
    PipelineMonitoring(stack, "Watch", pipeline=orders)
    template = synthesize(stack)
    namespaces = {alarm["Namespace"] for alarm in template.all("AWS::CloudWatch::Alarm").values()}
    assert namespaces == {"AWS/SQS", "AWS/Lambda"}
    assert "made elsewhere" in json.dumps(template.one("AWS::CloudWatch::Dashboard"))


def test_of_an_api_made_of_a_definition_the_stage_is_watched(new_stack: NewStack) -> None:
    stack = new_stack()
    definition = apigateway.ApiDefinition.from_inline({"swagger": "2.0", "info": {"title": "Mine"}, "paths": {}})
    traced = apigateway.StageOptions(tracing_enabled=True)
    api = apigateway.SpecRestApi(stack, "Mine", api_definition=definition, deploy_options=traced)
    orders = TracedPipeline(stack, "Orders", ingest=IngestOptions(api=api, path="/orders"))
    PipelineMonitoring(stack, "Watch", pipeline=orders)
    template = synthesize(stack)
    stage = {"Ref": template.name_of("AWS::ApiGateway::Stage")}
    alarms = [a for a in template.all("AWS::CloudWatch::Alarm").values() if a["Namespace"] == "AWS/ApiGateway"]
    assert {alarm["MetricName"] for alarm in alarms} == {"5XXError", "Latency"}
    for alarm in alarms:
        assert {d["Name"]: d["Value"] for d in alarm["Dimensions"]} == {"ApiName": "Mine", "Stage": stage}
    assert "made elsewhere" not in json.dumps(template.one("AWS::CloudWatch::Dashboard"))


def test_a_fraction_above_one_is_refused(new_stack: NewStack) -> None:
    stack = new_stack()
    orders = TracedPipeline(stack, "Orders")
    with pytest.raises(PipelineError, match="server_errors is 5, but must be from 0 to 1") as caught:
        PipelineMonitoring(stack, "Watch", pipeline=orders, options=MonitoringOptions(server_errors=5))
    assert caught.value.check is Check.OPTION_VALUE


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"longest_wait": Duration.minutes(1)}, "longest_wait given, but alarms is False"),
        (
            {"longest_request": Duration.seconds(1), "server_errors": 0.5},
            "longest_request and server_errors given, but alarms is False",
        ),
    ],
)
def test_the_threshold_of_an_alarm_that_is_left_out_is_refused(
    new_stack: NewStack, options: dict[str, Any], said: str
) -> None:
    stack = new_stack()
    orders = TracedPipeline(stack, "Orders")
    with pytest.raises(PipelineError, match=said) as caught:
        PipelineMonitoring(stack, "Watch", pipeline=orders, options=MonitoringOptions(alarms=False, **options))
    assert caught.value.check is Check.OPTION_CONFLICT


def test_the_threshold_of_an_api_that_is_made_elsewhere_is_refused(new_stack: NewStack) -> None:
    stack = new_stack()
    api = apigateway.RestApi.from_rest_api_attributes(stack, "Api", rest_api_id="a", root_resource_id="b")
    orders = TracedPipeline(stack, "Orders", ingest=IngestOptions(api=api))
    options = MonitoringOptions(server_errors=0.5)
    with pytest.raises(PipelineError, match="server_errors given, but API Shop/Api is imported"):
        PipelineMonitoring(stack, "Watch", pipeline=orders, options=options)


def test_the_pipelines_own_topic_is_refused(new_stack: NewStack) -> None:
    stack = new_stack()
    orders = TracedPipeline(stack, "Orders")
    with pytest.raises(PipelineError, match="the topic of the pipeline itself") as caught:
        PipelineMonitoring(stack, "Watch", pipeline=orders, options=MonitoringOptions(alarm_topic=orders.topic))
    assert caught.value.check is Check.OPTION_CONFLICT


def test_a_topic_that_no_alarm_would_notify_is_refused(new_stack: NewStack) -> None:
    stack = new_stack()
    orders = TracedPipeline(stack, "Orders", dead_letter_alarms=False)
    options = MonitoringOptions(alarms=False, alarm_topic=sns.Topic(stack, "OnCall"))
    with pytest.raises(PipelineError, match="there is no alarm") as caught:
        PipelineMonitoring(stack, "Watch", pipeline=orders, options=options)
    assert caught.value.check is Check.OPTION_CONFLICT


def test_a_topic_of_another_region_is_refused(new_stack: NewStack) -> None:
    stack = new_stack(env=Environment(account="111111111111", region="eu-west-1"))
    topic = sns.Topic.from_topic_arn(stack, "OnCall", "arn:aws:sns:us-east-1:111111111111:on-call")
    orders = TracedPipeline(stack, "Orders")
    with pytest.raises(PipelineError, match="an alarm notifies topics of its own Region only") as caught:
        PipelineMonitoring(stack, "Watch", pipeline=orders, options=MonitoringOptions(alarm_topic=topic))
    assert caught.value.check is Check.OUT_OF_REACH


def test_of_another_stack_names_the_logs_there(new_app: Callable[..., App]) -> None:
    app = new_app()
    orders = TracedPipeline(Stack(app, "Shop"), "Orders")
    there = Stack(app, "Watching")
    PipelineMonitoring(there, "Watch", pipeline=orders)
    queries = synthesize(there).all("AWS::Logs::QueryDefinition")
    assert len(queries) == 4
    for query in queries.values():
        assert len(query["LogGroupNames"]) == 2
        assert all("Ref" not in name for name in query["LogGroupNames"])


@pytest.mark.parametrize("of_topic", ["Watching", "Shop", "Third"])
def test_of_another_stack_notifies_a_topic_that_no_stack_waits_for(new_app: Callable[..., App], of_topic: str) -> None:
    app = new_app()
    stacks = {name: Stack(app, name) for name in dict.fromkeys(("Shop", "Watching", of_topic))}
    orders = TracedPipeline(stacks["Shop"], "Orders")
    options = MonitoringOptions(alarm_topic=sns.Topic(stacks[of_topic], "OnCall"))
    if of_topic == "Watching":
        with pytest.raises(PipelineError, match="each stack would wait for the other") as caught:
            PipelineMonitoring(stacks["Watching"], "Watch", pipeline=orders, options=options)
        assert caught.value.check is Check.OPTION_CONFLICT
    else:
        PipelineMonitoring(stacks["Watching"], "Watch", pipeline=orders, options=options)
        alarms = synthesize(stacks["Watching"]).all("AWS::CloudWatch::Alarm").values()
        assert all("Ref" not in alarm["AlarmActions"][0] for alarm in alarms)


@pytest.mark.parametrize(("account", "region"), [("111111111111", "us-east-1"), ("222222222222", "eu-west-1")])
def test_a_pipeline_of_another_account_or_region_is_refused(
    new_app: Callable[..., App], account: str, region: str
) -> None:
    app, here = new_app(), Environment(account="111111111111", region="eu-west-1")
    orders = TracedPipeline(Stack(app, "Shop", env=Environment(account=account, region=region)), "Orders")
    with pytest.raises(PipelineError, match="read their own account and Region only") as caught:
        PipelineMonitoring(
            Stack(app, "Watching", env=here), "Watch", pipeline=orders, options=MonitoringOptions(queries=False)
        )
    assert caught.value.check is Check.OUT_OF_REACH


def test_a_pipeline_of_another_stage_is_refused(new_app: Callable[..., App]) -> None:
    app = new_app()
    orders = TracedPipeline(Stack(Stage(app, "Prod"), "Shop"), "Orders")
    with pytest.raises(PipelineError, match=r"belongs to stage Prod, this to the app itself, .* a stack of stage Prod"):
        PipelineMonitoring(Stack(app, "Watching"), "Watch", pipeline=orders)


def test_works_beside_cdk_monitoring_constructs(new_stack: NewStack) -> None:
    def watched() -> tuple[Stack, TracedPipeline]:
        stack = new_stack()
        orders = TracedPipeline(stack, "Orders")
        PipelineMonitoring(stack, "Watch", pipeline=orders)
        return stack, orders

    stack, orders = watched()
    monitoring = MonitoringFacade(stack, "Monitoring")
    monitoring.monitor_lambda_function(lambda_function=orders.worker_function)
    monitoring.monitor_sqs_queue_with_dlq(queue=orders.queue, dead_letter_queue=orders.dead_letter_queue)
    beside, alone = synthesize(stack).resources, synthesize(watched()[0]).resources
    assert {name: beside.get(name) for name in alone} == alone
    assert sum(resource["Type"] == "AWS::CloudWatch::Dashboard" for resource in beside.values()) == 2


@pytest.mark.parametrize("where", ["the same stack", "a third stack"])
def test_a_topic_is_notified_once_by_an_alarm_that_is_watched_twice(new_app: Callable[..., App], where: str) -> None:
    app = new_app()
    stack = Stack(app, "Shop")
    orders = TracedPipeline(stack, "Orders")
    first, second = (sns.Topic(stack if where == "the same stack" else Stack(app, name), name) for name in ("A", "B"))
    for number, topic in enumerate((first, first, second)):
        PipelineMonitoring(stack, f"Watch{number}", pipeline=orders, options=MonitoringOptions(alarm_topic=topic))
    orders.add_worker("Audit")
    template = synthesize(stack)
    for worker in ("Worker", "Audit"):
        alarm = template.one("AWS::CloudWatch::Alarm", f"Orders{worker}DeadLetterAlarm")
        assert len(alarm["AlarmActions"]) == 2


def test_topics_of_one_name_in_two_stacks_are_both_notified(new_app: Callable[..., App]) -> None:
    app = new_app()
    stack = Stack(app, "Shop")
    orders = TracedPipeline(stack, "Orders")
    first, second = (sns.Topic(Stack(app, team), "OnCall") for team in ("First", "Second"))
    for number, topic in enumerate((first, second, second)):
        PipelineMonitoring(stack, f"Watch{number}", pipeline=orders, options=MonitoringOptions(alarm_topic=topic))
    actions = synthesize(stack).one("AWS::CloudWatch::Alarm", "OrdersWorkerDeadLetterAlarm")["AlarmActions"]
    assert [action["Fn::GetStackOutput"]["StackName"] for action in actions] == ["First", "Second"]


def test_nothing_is_warned_about_or_against_cdk_nag(stack: Stack) -> None:
    assert warnings(stack) == []
    violations = AwsSolutionsChecks(stack).validate_scope(stack.node.root).violations
    assert [v.rule_name for v in violations if v.severity == "error"] == []


@pytest.mark.parametrize("first", ["worker", "dead-letter worker"])
def test_workers_whose_ids_make_the_same_id_are_watched(new_stack: NewStack, first: str) -> None:
    stack = new_stack()
    orders = TracedPipeline(stack, "Orders")
    watch = PipelineMonitoring(stack, "Watch", pipeline=orders)
    add: list[Callable[[], object]] = [
        lambda: orders.add_worker("WorkerRepair"),
        lambda: orders.add_dead_letter_worker("Repair", WorkerOptions(table=orders.table)),
    ]
    for step in add if first == "worker" else add[::-1]:
        step()
    before = len(watch.alarms)
    orders.add_worker("Server")  # its alarm and the API's are ServerErrors
    assert len(watch.alarms) == before + 3
    assert len({alarm.node.id for alarm in watch.alarms}) == 2 + 3 + 3 + 2 + 3
