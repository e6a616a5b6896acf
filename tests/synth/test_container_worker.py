"""The worker in containers: its queue, its task, how it stops and how many there are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from cdk_nag import AwsSolutionsChecks
from traced_pipeline import (
    ContainerWorker,
    ContainerWorkerOptions,
    TopicOptions,
    TracedPipeline,
    TracedTopic,
)

from tests.support.stacks import NewStack
from tests.support.templates import Synthesized, synthesize, warnings

IMAGE = ecs.ContainerImage.from_registry("registry.example.com/audit:1")
RECEIVE = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"}
TRACE = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
WRITE = {
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:DescribeTable",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, context: dict[str, object]) -> Stack:
    """A pipeline with three workers in containers: all defaults, from a folder, and with all that goes together."""
    folder = tmp_path_factory.mktemp("image")
    (folder / "Dockerfile").write_text("FROM scratch\n")
    stack = Stack(App(outdir=str(tmp_path_factory.mktemp("containers")), context=context), "Shop")
    orders = TracedPipeline(stack, "Orders")
    orders.add_container_worker("Plain", ContainerWorkerOptions(image=IMAGE))
    orders.add_container_worker(
        "Built", ContainerWorkerOptions(image=folder, cpu_architecture="ARM64", sidecar="xray-daemon")
    )
    orders.add_container_worker(
        "Rich",
        ContainerWorkerOptions(
            image=IMAGE,
            command=["python", "-m", "audit"],
            environment={"LEVEL": "debug", "AWS_XRAY_TRACING_NAME": "audit"},
            longest_message=Duration.seconds(60),
            min_capacity=0,
            max_capacity=30,
            backlog_per_task=5,
            sidecar="adot-collector",
            table=orders.table,
            publish_to=TracedTopic(stack, "Audited").topic,
            raw_message_delivery=False,
            filter_policy={"kind": sns.SubscriptionFilter.string_filter(allowlist=["big"])},
            max_receive_count=7,
        ),
    )
    return stack


@pytest.fixture(scope="module")
def template(stack: Stack) -> Synthesized:
    return synthesize(stack)


def containers(template: Synthesized, worker: str) -> dict[str, dict[str, Any]]:
    """The containers of a worker's task, by name."""
    definitions = template.one("AWS::ECS::TaskDefinition", f"{worker}Task")["ContainerDefinitions"]
    return {definition["Name"]: definition for definition in definitions}


def variables(template: Synthesized, worker: str, container: str = "Worker") -> dict[str, Any]:
    return {entry["Name"]: entry["Value"] for entry in containers(template, worker)[container]["Environment"]}


def role_of(template: Synthesized, worker: str) -> str:
    return template.name_of("AWS::IAM::Role", f"{worker}TaskRole")


class TestQueue:
    def test_is_like_that_of_a_function(self, template: Synthesized) -> None:
        def described(worker: str) -> dict[str, Any]:
            queue = dict(template.one("AWS::SQS::Queue", f"{worker}Queue"))
            del queue["VisibilityTimeout"]
            return {**queue, "RedrivePolicy": queue["RedrivePolicy"]["maxReceiveCount"]}

        assert described("Plain") == described("Worker")
        assert described("Rich")["RedrivePolicy"] == 7
        failed = template.one("AWS::SQS::Queue", "PlainDeadLetterQueue")
        assert failed == template.one("AWS::SQS::Queue", "WorkerDeadLetterQueue")

    def test_hides_a_message_as_long_as_it_may_take(self, template: Synthesized) -> None:
        assert template.one("AWS::SQS::Queue", "PlainQueue")["VisibilityTimeout"] == 30
        assert template.one("AWS::SQS::Queue", "RichQueue")["VisibilityTimeout"] == 60

    def test_is_subscribed_like_that_of_a_function(self, template: Synthesized) -> None:
        plain, rich = (template.one("AWS::SNS::Subscription", f"{worker}Queue") for worker in ("Plain", "Rich"))
        assert plain["RawMessageDelivery"] is True
        assert "RedrivePolicy" in plain
        assert rich["FilterPolicy"] == {"kind": ["big"]}
        assert rich.get("RawMessageDelivery") is not True

    def test_is_fifo_behind_a_fifo_topic(self, new_stack: NewStack) -> None:
        stack = new_stack()
        orders = TracedPipeline(stack, "Orders", topic=TopicOptions(fifo=True))
        audit = orders.add_container_worker("Audit", ContainerWorkerOptions(image=IMAGE))
        assert (audit.queue.fifo, audit.dead_letter_queue.fifo) == (True, True)

    def test_that_exists_is_used(self, new_stack: NewStack) -> None:
        stack = new_stack()
        failed = sqs.Queue(stack, "Failed")
        dead_letters = sqs.DeadLetterQueue(queue=failed, max_receive_count=3)
        mine = sqs.Queue(stack, "Mine", dead_letter_queue=dead_letters)
        audit = TracedPipeline(stack, "Orders").add_container_worker(
            "Audit", ContainerWorkerOptions(image=IMAGE, queue=mine)
        )
        assert (audit.queue, audit.dead_letter_queue) == (mine, failed)
        assert warnings(stack) == []


class TestEnvironment:
    def test_names_the_queue_and_the_worker(self, template: Synthesized) -> None:
        assert variables(template, "Plain") == {
            "AWS_DEFAULT_REGION": {"Ref": "AWS::Region"},
            "AWS_XRAY_TRACING_NAME": "Shop-Orders-Plain",
            "OTEL_SERVICE_NAME": "Shop-Orders-Plain",
            "QUEUE_URL": {"Ref": template.name_of("AWS::SQS::Queue", "PlainQueue")},
        }

    def test_names_what_the_worker_writes_to(self, template: Synthesized) -> None:
        rich = variables(template, "Rich")
        assert rich["TABLE_NAME"] == {"Ref": template.name_of("AWS::DynamoDB::GlobalTable")}
        assert rich["TOPIC_ARN"] == {"Ref": template.name_of("AWS::SNS::Topic", "Audited")}
        assert rich["TRACE_BRIDGE_ENVELOPE"] == "sns"

    def test_has_the_teams_own_variables_except_for_those_of_the_hop(self, template: Synthesized) -> None:
        rich = variables(template, "Rich")
        assert (rich["LEVEL"], rich["AWS_XRAY_TRACING_NAME"]) == ("debug", "audit")
        assert rich["QUEUE_URL"] == {"Ref": template.name_of("AWS::SQS::Queue", "RichQueue")}

    def test_of_a_worker_behind_a_topic_that_is_not_traced(self, new_stack: NewStack) -> None:
        stack = new_stack()
        ContainerWorker(stack, "Audit", topic=sns.Topic(stack, "Plain"), options=ContainerWorkerOptions(image=IMAGE))
        assert variables(synthesize(stack), "Audit")["TRACE_BRIDGE_QUEUE_SEGMENT"] == "always"


class TestTask:
    def test_runs_the_image_that_is_brought(self, template: Synthesized) -> None:
        worker = containers(template, "Rich")["Worker"]
        assert (worker["Image"], worker["Command"]) == ("registry.example.com/audit:1", ["python", "-m", "audit"])
        assert "Command" not in containers(template, "Plain")["Worker"]

    def test_runs_an_image_that_is_built_for_its_architecture(self, stack: Stack, template: Synthesized) -> None:
        assert "cdk-" in json.dumps(containers(template, "Built")["Worker"]["Image"])
        task = template.one("AWS::ECS::TaskDefinition", "BuiltTask")
        assert task["RuntimePlatform"] == {"CpuArchitecture": "ARM64", "OperatingSystemFamily": "LINUX"}
        app = stack.node.root
        assert isinstance(app, App)
        assets = json.loads((Path(app.outdir) / "Shop.assets.json").read_text())["dockerImages"]
        assert [image["source"]["platform"] for image in assets.values()] == ["linux/arm64"]

    def test_is_small_by_default(self, template: Synthesized) -> None:
        task = template.one("AWS::ECS::TaskDefinition", "PlainTask")
        assert (task["Cpu"], task["Memory"], task["NetworkMode"]) == ("256", "512", "awsvpc")
        assert task["RequiresCompatibilities"] == ["FARGATE"]

    def test_is_stopped_so_that_a_message_can_be_finished(self, template: Synthesized) -> None:
        timeouts = {worker: containers(template, worker)["Worker"]["StopTimeout"] for worker in ("Plain", "Rich")}
        assert timeouts == {"Plain": 40, "Rich": 70}

    def test_logs_to_a_group_of_its_own(self, template: Synthesized) -> None:
        group = template.name_of("AWS::Logs::LogGroup", "OrdersPlainLogs")
        options = containers(template, "Plain")["Worker"]["LogConfiguration"]["Options"]
        assert options["awslogs-group"] == {"Ref": group}
        assert template.all("AWS::Logs::LogGroup")[group]["RetentionInDays"] == 30

    def test_may_do_what_it_does_and_nothing_more(self, template: Synthesized) -> None:
        assert template.actions(role_of(template, "Plain")) == RECEIVE | TRACE
        assert template.actions(role_of(template, "Rich")) == RECEIVE | TRACE | WRITE | {"sns:Publish"}

    def test_may_do_with_the_table_what_is_chosen(self, new_stack: NewStack) -> None:
        stack = new_stack()
        orders = TracedPipeline(stack, "Orders")
        options = ContainerWorkerOptions(image=IMAGE, table=orders.table, table_actions=["dynamodb:PutItem"])
        orders.add_container_worker("Audit", options)
        template = synthesize(stack)
        assert template.actions(role_of(template, "Audit")) == RECEIVE | TRACE | {"dynamodb:PutItem"}

    def test_may_use_the_customer_key_of_its_queue(self, new_stack: NewStack) -> None:
        stack = new_stack()
        options = ContainerWorkerOptions(image=IMAGE, queue_key=kms.Key(stack, "Key"))
        TracedPipeline(stack, "Orders").add_container_worker("Audit", options)
        template = synthesize(stack)
        assert template.actions(role_of(template, "Audit")) == RECEIVE | TRACE | {"kms:Decrypt"}


class TestSidecar:
    def test_none_by_default(self, template: Synthesized) -> None:
        assert list(containers(template, "Plain")) == ["Worker"]

    @pytest.mark.parametrize(
        ("worker", "image"),
        [
            ("Built", "public.ecr.aws/xray/aws-xray-daemon:latest"),
            ("Rich", "public.ecr.aws/aws-observability/aws-otel-collector:latest"),
        ],
    )
    def test_starts_before_the_worker_and_stops_no_task(self, template: Synthesized, worker: str, image: str) -> None:
        both = containers(template, worker)
        assert (both["Sidecar"]["Image"], both["Sidecar"]["Essential"], both["Worker"]["Essential"]) == (
            image,
            False,
            True,
        )
        assert both["Worker"]["DependsOn"] == [{"ContainerName": "Sidecar", "Condition": "START"}]

    def test_is_found_by_the_worker(self, template: Synthesized) -> None:
        daemon, collector = variables(template, "Built"), variables(template, "Rich")
        assert daemon["AWS_XRAY_DAEMON_ADDRESS"] == collector["AWS_XRAY_DAEMON_ADDRESS"] == "127.0.0.1:2000"
        assert "OTEL_EXPORTER_OTLP_ENDPOINT" not in daemon
        assert collector["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://127.0.0.1:4318"
        assert not {"AWS_XRAY_DAEMON_ADDRESS", "OTEL_EXPORTER_OTLP_ENDPOINT"} & set(variables(template, "Plain"))

    def test_collector_receives_where_the_worker_sends(self, template: Synthesized) -> None:
        worker = variables(template, "Rich")
        config = json.loads(variables(template, "Rich", "Sidecar")["AOT_CONFIG_CONTENT"])
        receivers = config["receivers"]
        assert receivers["awsxray"]["endpoint"] == worker["AWS_XRAY_DAEMON_ADDRESS"]
        http = receivers["otlp"]["protocols"]["http"]["endpoint"]
        assert f"http://{http}" == worker["OTEL_EXPORTER_OTLP_ENDPOINT"]
        (pipeline,) = config["service"]["pipelines"].values()
        assert set(pipeline["receivers"]) == set(receivers)
        assert pipeline["exporters"] == ["awsxray"]

    def test_image_may_be_brought(self, new_stack: NewStack) -> None:
        stack = new_stack()
        image = ecs.ContainerImage.from_registry("registry.example.com/daemon:3")
        options = ContainerWorkerOptions(image=IMAGE, sidecar="xray-daemon", sidecar_image=image)
        TracedPipeline(stack, "Orders").add_container_worker("Audit", options)
        assert containers(synthesize(stack), "Audit")["Sidecar"]["Image"] == "registry.example.com/daemon:3"


class TestScaling:
    def test_keeps_the_backlog_per_task_near_a_target(self, template: Synthesized) -> None:
        """The metrics of AWS's own example; the source stands in `container_scaling`."""
        policy = template.one("AWS::ApplicationAutoScaling::ScalingPolicy", "RichServiceBacklog")
        assert policy["PolicyType"] == "TargetTrackingScaling"
        tracking = policy["TargetTrackingScalingPolicyConfiguration"]
        assert tracking["TargetValue"] == 5
        waiting, running, backlog = tracking["CustomizedMetricSpecification"]["Metrics"]
        assert (waiting["MetricStat"]["Stat"], running["MetricStat"]["Stat"]) == ("Sum", "Average")
        assert waiting["MetricStat"]["Metric"]["Namespace"] == "AWS/SQS"
        assert waiting["MetricStat"]["Metric"]["MetricName"] == "ApproximateNumberOfMessagesVisible"
        assert running["MetricStat"]["Metric"]["Namespace"] == "ECS/ContainerInsights"
        assert running["MetricStat"]["Metric"]["MetricName"] == "RunningTaskCount"
        assert [d["Name"] for d in waiting["MetricStat"]["Metric"]["Dimensions"]] == ["QueueName"]
        assert [d["Name"] for d in running["MetricStat"]["Metric"]["Dimensions"]] == ["ClusterName", "ServiceName"]
        assert backlog["Expression"] == f"{waiting['Id']} / {running['Id']}"
        assert [metric["ReturnData"] for metric in (waiting, running, backlog)] == [False, False, True]

    @pytest.mark.parametrize(("worker", "range_"), [("Plain", (1, 10)), ("Rich", (0, 30))])
    def test_within_the_capacity(self, template: Synthesized, worker: str, range_: tuple[int, int]) -> None:
        target = template.one("AWS::ApplicationAutoScaling::ScalableTarget", f"{worker}Service")
        assert (target["MinCapacity"], target["MaxCapacity"]) == range_

    def test_is_not_undone_by_a_deployment(self, template: Synthesized) -> None:
        assert all("DesiredCount" not in service for service in template.all("AWS::ECS::Service").values())

    def test_from_zero_starts_a_task_where_messages_wait(self, template: Synthesized) -> None:
        alarm = template.one("AWS::CloudWatch::Alarm", "RichServiceWaiting")
        start = template.name_of("AWS::ApplicationAutoScaling::ScalingPolicy", "RichServiceStart")
        assert alarm["AlarmActions"] == [{"Ref": start}]
        expression = next(metric["Expression"] for metric in alarm["Metrics"] if "Expression" in metric)
        assert expression == "IF(waiting > 0 AND hidden < 1, waiting, 0)"
        configuration = template.all("AWS::ApplicationAutoScaling::ScalingPolicy")[start]
        steps = configuration["StepScalingPolicyConfiguration"]
        assert steps["AdjustmentType"] == "ChangeInCapacity"
        assert [step["ScalingAdjustment"] for step in steps["StepAdjustments"]] == [1]

    def test_otherwise_has_no_alarm(self, template: Synthesized) -> None:
        assert not [name for name in template.all("AWS::CloudWatch::Alarm") if "OrdersPlainService" in name]

    def test_can_have_schedules_besides(self, stack: Stack) -> None:
        worker = stack.node.find_child("Orders").node.find_child("Plain")
        assert isinstance(worker, ContainerWorker)
        assert isinstance(worker.scaling, ecs.ScalableTaskCount)


class TestWhereItRuns:
    def test_workers_of_a_pipeline_share_a_cluster(self, template: Synthesized) -> None:
        cluster = template.name_of("AWS::ECS::Cluster")
        assert {service["Cluster"]["Ref"] for service in template.all("AWS::ECS::Service").values()} == {cluster}
        assert template.all("AWS::ECS::Cluster")[cluster]["ClusterSettings"] == [
            {"Name": "containerInsights", "Value": "enabled"}
        ]
        assert len(template.all("AWS::EC2::NatGateway")) == 1

    def test_nothing_is_let_in(self, template: Synthesized) -> None:
        groups = [g for name, g in template.all("AWS::EC2::SecurityGroup").items() if "Service" in name]
        assert len(groups) == 3
        assert all("SecurityGroupIngress" not in group for group in groups)
        assert template.all("AWS::EC2::SecurityGroupIngress") == {}

    def test_an_existing_cluster_and_its_network(self, new_stack: NewStack) -> None:
        stack = new_stack()
        vpc = ec2.Vpc(stack, "Net", max_azs=2)
        cluster = ecs.Cluster(stack, "Mine", vpc=vpc, container_insights_v2=ecs.ContainerInsights.ENHANCED)
        group = ec2.SecurityGroup(stack, "Group", vpc=vpc)
        options = ContainerWorkerOptions(
            image=IMAGE,
            cluster=cluster,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
            assign_public_ip=True,
            security_groups=[group],
            log_group=logs.LogGroup(stack, "Logs"),
        )
        audit = ContainerWorker(stack, "Audit", topic=TracedTopic(stack, "Topic").topic, options=options)
        template = synthesize(stack)
        assert len(template.all("AWS::ECS::Cluster")) == len(template.all("AWS::EC2::VPC")) == 1
        network = template.one("AWS::ECS::Service")["NetworkConfiguration"]["AwsvpcConfiguration"]
        assert network["AssignPublicIp"] == "ENABLED"
        assert all("PublicSubnet" in subnet["Ref"] for subnet in network["Subnets"])
        assert [ids["Fn::GetAtt"][0] for ids in network["SecurityGroups"]] == [
            template.name_of("AWS::EC2::SecurityGroup", "Group")
        ]
        assert (audit.cluster, audit.log_group) == (cluster, options.log_group)
        assert len(template.all("AWS::Logs::LogGroup")) == 1
        assert warnings(stack) == []

    def test_an_existing_vpc(self, new_stack: NewStack) -> None:
        stack = new_stack()
        options = ContainerWorkerOptions(image=IMAGE, vpc=ec2.Vpc(stack, "Net"))
        TracedPipeline(stack, "Orders").add_container_worker("Audit", options)
        assert len(synthesize(stack).all("AWS::EC2::VPC")) == 1

    def test_what_is_kept_follows_the_pipeline(self, new_stack: NewStack) -> None:
        stack = new_stack()
        orders = TracedPipeline(stack, "Orders", removal_policy=RemovalPolicy.DESTROY)
        orders.add_container_worker("Audit", ContainerWorkerOptions(image=IMAGE))
        policies = {r["DeletionPolicy"] for r in synthesize(stack).resources.values() if "LogGroup" in r["Type"]}
        assert policies == {"Delete"}


def test_nothing_is_warned_about(stack: Stack) -> None:
    assert warnings(stack) == []


def test_cdk_nag_has_nothing_against_it(stack: Stack) -> None:
    violations = AwsSolutionsChecks(stack).validate_scope(stack.node.root).violations
    assert [v.rule_name for v in violations if v.severity == "error"] == []


def test_what_is_acknowledged_of_containers_is_little(stack: Stack) -> None:
    acknowledged = {
        (construct.node.path.removeprefix("Shop/Orders/"), str(rule).removeprefix("Annotation::"))
        for construct in stack.node.find_child("Orders").node.find_child("Built").node.find_all()
        for entry in construct.node.metadata
        if "acknowledged" in entry.type.lower()
        for rule in entry.data
    }
    assert acknowledged == {
        ("Built/TaskRole/Resource", "AwsSolutions-IAM5[Resource::*]"),
        ("Built/Task/ExecutionRole/DefaultPolicy/Resource", "AwsSolutions-IAM5[Resource::*]"),
        ("Built/Task/Resource", "AwsSolutions-ECS2"),
    }
