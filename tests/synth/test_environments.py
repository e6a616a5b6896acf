"""Resources of other accounts, Regions and stacks: wired where AWS can, refused or warned of where it cannot."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, Duration, Environment, NestedStack, Stack, Stage
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from traced_pipeline import (
    Check,
    IngestOptions,
    PipelineError,
    QueueWorker,
    SnsTracePermission,
    TableOptions,
    TopicOptions,
    TracedPipeline,
    TracedTopic,
    WorkerOptions,
)

from tests.support.stacks import NewStack, make_function
from tests.support.templates import Synthesized, synthesize, warnings, warnings_of

NewApp = Callable[..., App]
HERE = Environment(account="111111111111", region="eu-west-1")
OTHER_ACCOUNT = Environment(account="222222222222", region="eu-west-1")
OTHER_REGION = Environment(account="111111111111", region="us-east-1")
ADMITTED = {"AWS": "arn:aws:iam::111111111111:root"}


def statements_for_us(template: Synthesized, kind: str, policy: str = "PolicyDocument") -> set[str]:
    """What a resource's policy lets the first account do."""
    documents = [properties[policy] for properties in template.all(kind).values()]
    admitting = [s for d in documents for s in d["Statement"] if json.dumps(ADMITTED) in json.dumps(s["Principal"])]
    return {action for s in admitting for action in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])}


class TestAcrossAccountsInOneApp:
    @pytest.mark.parametrize("fifo", [False, True])
    def test_topic(self, new_app: NewApp, fifo: bool) -> None:
        app = new_app()
        theirs, ours = Stack(app, "Theirs", env=OTHER_ACCOUNT), Stack(app, "Ours", env=HERE)
        topic = TracedTopic(theirs, "Topic", options=TopicOptions(fifo=fifo)).topic
        TracedPipeline(ours, "Orders", topic=topic)
        template = synthesize(ours)
        arn = json.dumps(template.one("AWS::SNS::Subscription")["TopicArn"])
        name = synthesize(theirs).one("AWS::SNS::Topic")["TopicName"]
        assert f":sns:eu-west-1:222222222222:{name}" in arn
        assert name.endswith(".fifo") is fifo
        assert json.dumps(template.variables("IngestFunction")["TOPIC_ARN"]) == arn
        assert "sns:Publish" in template.actions("IngestFunction")
        assert statements_for_us(synthesize(theirs), "AWS::SNS::TopicPolicy") == {"sns:Publish", "sns:Subscribe"}
        # The subscription needs the topic, which nothing of the other stack tells CloudFormation.
        assert [stack.node.path for stack in ours.dependencies] == ["Theirs"]
        assert theirs.dependencies == []

    def test_table(self, new_app: NewApp) -> None:
        app = new_app()
        theirs, ours = Stack(app, "Theirs", env=OTHER_ACCOUNT), Stack(app, "Ours", env=HERE)
        TracedPipeline(ours, "Orders", table=TracedPipeline(theirs, "Base").table)
        template = synthesize(ours)
        (replica,) = synthesize(theirs).one("AWS::DynamoDB::GlobalTable")["Replicas"]
        name = synthesize(theirs).one("AWS::DynamoDB::GlobalTable")["TableName"]
        called = json.dumps(template.variables("WorkerFunction")["TABLE_NAME"])
        assert f":dynamodb:eu-west-1:222222222222:table/{name}" in called
        assert "dynamodb:PutItem" in template.actions("WorkerFunction")
        (statement,) = replica["ResourcePolicy"]["PolicyDocument"]["Statement"]
        assert "dynamodb:PutItem" in statement["Action"]
        assert json.dumps(ADMITTED["AWS"])[1:-1].split("::")[1] in json.dumps(statement["Principal"])

    def test_topic_to_publish_to_with_a_customer_key(self, new_app: NewApp) -> None:
        app = new_app()
        theirs, ours = Stack(app, "Theirs", env=OTHER_ACCOUNT), Stack(app, "Ours", env=HERE)
        key = kms.Key(theirs, "Key")
        topic = TracedTopic(theirs, "Topic", options=TopicOptions(key=key)).topic
        TracedPipeline(ours, "Orders", worker=WorkerOptions(publish_to=topic))
        assert {"sns:Publish", "kms:GenerateDataKey*"} <= synthesize(ours).actions("WorkerFunction")
        admitted = statements_for_us(synthesize(theirs), "AWS::KMS::Key", "KeyPolicy")
        assert admitted == {"kms:Decrypt", "kms:GenerateDataKey*"}

    def test_queue_key_admits_the_other_accounts_topics(self, new_app: NewApp) -> None:
        app = new_app()
        theirs, ours = Stack(app, "Theirs", env=OTHER_ACCOUNT), Stack(app, "Ours", env=HERE)
        topic = TracedTopic(theirs, "Topic").topic
        TracedPipeline(ours, "Orders", topic=topic, worker=WorkerOptions(queue_key=kms.Key(ours, "Key")))
        policy = json.dumps(synthesize(ours).one("AWS::KMS::Key")["KeyPolicy"])
        assert ":sns:eu-west-1:222222222222:*" in policy

    def test_said_as_what_it_means_for_traces(self, new_app: NewApp) -> None:
        app = new_app()
        theirs, ours = Stack(app, "Theirs", env=OTHER_ACCOUNT), Stack(app, "Ours", env=HERE)
        table = TracedPipeline(theirs, "Base").table
        TracedPipeline(ours, "Orders", table=table)
        (warning,) = warnings_of(ours, Check.OTHER_ACCOUNT)
        assert "belongs to account 222222222222, this stack to 111111111111: each account records" in warning

    def test_names_are_left_to_cloudformation_where_nobody_needs_them(self, default: Synthesized) -> None:
        assert "TopicName" not in default.one("AWS::SNS::Topic")
        assert "TableName" not in default.one("AWS::DynamoDB::GlobalTable")


class TestTableName:
    @pytest.mark.parametrize(
        ("arn", "env", "expected"),
        [
            ("eu-west-1:111111111111", HERE, "orders"),
            ("eu-west-1:222222222222", HERE, "arn:aws:dynamodb:eu-west-1:222222222222:table/orders"),
            ("eu-west-1:222222222222", None, "arn:aws:dynamodb:eu-west-1:222222222222:table/orders"),
            ("us-east-1:111111111111", HERE, "arn:aws:dynamodb:us-east-1:111111111111:table/orders"),
        ],
    )
    def test_is_the_arn_where_the_name_may_be_another_tables(
        self, new_stack: NewStack, arn: str, env: Environment | None, expected: str
    ) -> None:
        stack = new_stack(env=env)
        table = dynamodb.Table.from_table_arn(stack, "Table", f"arn:aws:dynamodb:{arn}:table/orders")
        TracedPipeline(stack, "Orders", table=table, worker=WorkerOptions(handler=make_function(stack)))
        assert synthesize(stack).variables("Mine")["TABLE_NAME"] == expected


def imported(stack: Stack, what: str, place: str) -> dict[str, Any]:
    """The arguments of a pipeline that uses a resource of another place."""
    own = make_function(stack, timeout=Duration.seconds(3))
    match what:
        case "queue":
            return {"worker": WorkerOptions(queue=sqs.Queue.from_queue_arn(stack, "Q", f"arn:aws:sqs:{place}:q"))}
        case "dead-letter queue":
            dead = sqs.Queue.from_queue_arn(stack, "Q", f"arn:aws:sqs:{place}:q")
            return {"worker": WorkerOptions(dead_letter_queue=dead)}
        case "function":
            function = lambda_.Function.from_function_arn(stack, "F", f"arn:aws:lambda:{place}:function:f")
            return {"worker": WorkerOptions(handler=function, visibility_timeout=Duration.minutes(3))}
        case "ingest function":
            function = lambda_.Function.from_function_arn(stack, "F", f"arn:aws:lambda:{place}:function:f")
            return {"ingest": IngestOptions(handler=function)}
        case "table" | "table of own":
            table = dynamodb.Table.from_table_arn(stack, "T", f"arn:aws:dynamodb:{place}:table/t")
            return {"table": table, "worker": WorkerOptions(handler=own if what == "table of own" else None)}
    topic = sns.Topic.from_topic_arn(stack, "T", f"arn:aws:sns:{place}:t")
    match what:
        case "topic":
            return {"topic": topic}
        case "topic of own":
            return {"topic": topic, "ingest": IngestOptions(handler=own)}
        case "publish_to":
            return {"worker": WorkerOptions(publish_to=topic)}
    assert what == "publish_to of own"
    return {"worker": WorkerOptions(publish_to=topic, handler=own)}


class TestOtherRegion:
    @pytest.mark.parametrize("what", ["queue", "dead-letter queue", "function", "table", "topic", "publish_to"])
    def test_is_refused_where_it_cannot_work(self, new_stack: NewStack, what: str) -> None:
        stack = new_stack(env=HERE)
        with pytest.raises(PipelineError, match="belongs to Region us-east-1, this stack to eu-west-1, but") as caught:
            TracedPipeline(stack, "Orders", **imported(stack, what, "us-east-1:111111111111"))
        assert caught.value.check is Check.OUT_OF_REACH

    @pytest.mark.parametrize("what", ["table of own", "topic of own", "publish_to of own", "ingest function"])
    def test_is_warned_of_where_a_handler_can_reach_it(self, new_stack: NewStack, what: str) -> None:
        stack = new_stack(env=HERE)
        TracedPipeline(stack, "Orders", **imported(stack, what, "us-east-1:111111111111"))
        (warning,) = warnings_of(stack, Check.OTHER_REGION)
        assert "belongs to Region us-east-1, this stack to eu-west-1" in warning
        assert warnings_of(stack, Check.OTHER_ACCOUNT) == []

    @pytest.mark.parametrize("env", [None, HERE])
    @pytest.mark.parametrize("what", ["queue", "dead-letter queue", "function", "table", "topic", "publish_to"])
    def test_nothing_is_said_of_the_same_or_an_unknown_one(
        self, new_stack: NewStack, what: str, env: Environment | None
    ) -> None:
        stack = new_stack(env=env)
        TracedPipeline(stack, "Orders", **imported(stack, what, "eu-west-1:111111111111"))
        assert warnings_of(stack, Check.OTHER_REGION) == []

    def test_of_a_topic_in_the_app(self, new_app: NewApp) -> None:
        app = new_app()
        theirs, ours = Stack(app, "Theirs", env=OTHER_REGION), Stack(app, "Ours", env=HERE)
        topic = TracedTopic(theirs, "Topic").topic
        QueueWorker(ours, "Work", topic=topic, options=WorkerOptions(handler=make_function(ours)))
        assert synthesize(ours).one("AWS::SNS::Subscription")["Region"] == "us-east-1"
        assert len(warnings_of(theirs, Check.OTHER_REGION)) == 1


def key_of(stack: Stack) -> kms.IKey:
    return kms.Key.from_key_arn(stack, "Key", f"arn:aws:kms:us-east-1:111111111111:key/{'0' * 8}")


def logs_of(stack: Stack, place: str) -> logs.ILogGroup:
    return logs.LogGroup.from_log_group_arn(stack, "Logs", f"arn:aws:logs:{place}:log-group:mine:*")


class TestWhatWorksInOnePlaceOnly:
    """AWS takes keys, log groups and permissions of the place where they are used."""

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (lambda s: {"topic": TopicOptions(key=key_of(s))}, "key Shop/Key"),
            (lambda s: {"table": TableOptions(key=key_of(s))}, "key Shop/Key"),
            (lambda s: {"worker": WorkerOptions(queue_key=key_of(s))}, "queue_key Shop/Key"),
            (lambda s: {"worker": WorkerOptions(log_key=key_of(s))}, "log_key Shop/Key"),
            (lambda s: {"ingest": IngestOptions(log_key=key_of(s))}, "log_key Shop/Key"),
            (
                lambda s: {"worker": WorkerOptions(log_group=logs_of(s, "us-east-1:111111111111"))},
                "log_group Shop/Logs",
            ),
        ],
    )
    def test_of_another_region(
        self, new_stack: NewStack, options: Callable[[Stack], dict[str, Any]], said: str
    ) -> None:
        stack = new_stack(env=HERE)
        with pytest.raises(
            PipelineError, match=f"{said} belongs to Region us-east-1, this stack to eu-west-1"
        ) as caught:
            TracedPipeline(stack, "Orders", **options(stack))
        assert caught.value.check is Check.OUT_OF_REACH

    def test_log_group_of_another_account(self, new_stack: NewStack) -> None:
        stack = new_stack(env=HERE)
        options = IngestOptions(log_group=logs_of(stack, "eu-west-1:222222222222"))
        with pytest.raises(PipelineError, match="belongs to account 222222222222, this stack to 111111111111"):
            TracedPipeline(stack, "Orders", ingest=options)

    def test_permission_of_another_region(self, new_app: NewApp) -> None:
        app = new_app()
        ours, theirs = Stack(app, "Ours", env=HERE), Stack(app, "Theirs", env=OTHER_REGION)
        options = TopicOptions(trace_permission=SnsTracePermission.of(theirs).resource_policy)
        with pytest.raises(PipelineError, match="is for its own account and Region"):
            TracedTopic(ours, "Topic", options=options)

    @pytest.mark.parametrize("name", [None, "mine"])
    def test_function_of_another_account(self, new_app: NewApp, name: str | None) -> None:
        app = new_app()
        ours, theirs = Stack(app, "Ours", env=HERE), Stack(app, "Theirs", env=OTHER_ACCOUNT)
        handler = make_function(theirs, function_name=name)
        with pytest.raises(PipelineError, match="handler is Theirs/Mine of stack Theirs") as caught:
            TracedPipeline(ours, "Orders", worker=WorkerOptions(handler=handler))
        assert caught.value.path == "Ours/Orders/Worker"

    @pytest.mark.parametrize("imported", [True, False])
    def test_api_of_another_environment(self, new_app: NewApp, imported: bool) -> None:
        app = new_app()
        ours, theirs = Stack(app, "Ours", env=HERE), Stack(app, "Theirs", env=OTHER_REGION)
        if imported:
            api = apigateway.RestApi.from_rest_api_attributes(theirs, "Api", rest_api_id="a1", root_resource_id="r1")
        else:
            api = apigateway.RestApi(theirs, "Api")
        with pytest.raises(PipelineError, match="api is Theirs/Api of stack Theirs") as caught:
            TracedPipeline(ours, "Orders", ingest=IngestOptions(api=api, path="/orders"))
        assert caught.value.check is Check.OUT_OF_REACH

    def test_security_group_of_another_environment(self, new_app: NewApp) -> None:
        app = new_app()
        ours, theirs = Stack(app, "Ours", env=HERE), Stack(app, "Theirs", env=OTHER_REGION)
        vpc, other = (ec2.Vpc(stack, "Net", max_azs=1) for stack in (ours, theirs))
        options = WorkerOptions(vpc=vpc, security_groups=[ec2.SecurityGroup(theirs, "Group", vpc=other)])
        with pytest.raises(PipelineError, match="security_groups is Theirs/Group of stack Theirs"):
            TracedPipeline(ours, "Orders", worker=options)


class TestStages:
    """The CDK deploys a stage as a whole: no stack of one can wait for a stack of another."""

    @pytest.mark.parametrize("outer", [True, False], ids=["of another stage", "of the app"])
    def test_topic_of_another_stage_is_refused(self, new_app: NewApp, outer: bool) -> None:
        app = new_app()
        theirs = Stack(Stage(app, "Theirs", env=HERE) if outer else app, "Base", env=HERE)
        ours = Stack(Stage(app, "Ours", env=HERE), "Shop")
        with pytest.raises(PipelineError, match="the CDK lets no stack wait for one of another stage") as caught:
            TracedPipeline(ours, "Orders", topic=TracedTopic(theirs, "Topic").topic)
        assert caught.value.check is Check.OUT_OF_REACH
        assert ("in stage Theirs" if outer else "in the app itself") in str(caught.value)

    def test_topic_of_another_accounts_stage_is_known_by_its_name(self, new_app: NewApp) -> None:
        app = new_app()
        theirs = Stack(Stage(app, "Theirs", env=OTHER_ACCOUNT), "Base")
        ours = Stack(Stage(app, "Ours", env=HERE), "Shop")
        TracedPipeline(ours, "Orders", topic=TracedTopic(theirs, "Topic").topic)
        app.synth()
        arn = json.dumps(synthesize(ours).one("AWS::SNS::Subscription")["TopicArn"])
        assert ":sns:eu-west-1:222222222222:" in arn


class TestDeadLetterQueue:
    def test_of_another_account_is_refused(self, new_stack: NewStack) -> None:
        stack = new_stack(env=HERE)
        with pytest.raises(PipelineError, match="dead-letter queues of the same account and Region only") as caught:
            TracedPipeline(stack, "Orders", **imported(stack, "dead-letter queue", "eu-west-1:222222222222"))
        assert caught.value.check is Check.OUT_OF_REACH

    def test_imported_has_no_permission_for_sns(self, new_stack: NewStack) -> None:
        stack = new_stack(env=HERE)
        TracedPipeline(stack, "Orders", **imported(stack, "dead-letter queue", "eu-west-1:111111111111"))
        (warning,) = warnings_of(stack, Check.QUEUE_NOT_MANAGED)
        assert "dead-letter queue Shop/Q is imported" in warning
        assert "let sns.amazonaws.com send to it" in warning


class TestNestedStacks:
    @pytest.mark.parametrize("nested", ["worker", "topic", "both"])
    def test_worker_and_topic(self, new_stack: NewStack, nested: str) -> None:
        stack = new_stack(env=HERE)
        table = dynamodb.Table.from_table_name(stack, "Table", "orders")
        topic_stack = stack if nested == "worker" else NestedStack(stack, "Topics")
        worker_stack = stack if nested == "topic" else NestedStack(stack, "Workers")
        topic = TracedTopic(topic_stack, "Topic").topic
        QueueWorker(worker_stack, "Work", topic=topic, options=WorkerOptions(table=table))
        assert len(synthesize(worker_stack).all("AWS::SNS::Subscription")) == 1
        assert warnings(stack) == []

    def test_pipeline_behind_a_topic_of_the_stack_around_it(self, new_stack: NewStack) -> None:
        stack = new_stack(env=HERE)
        topic = TracedTopic(stack, "Topic", options=TopicOptions(key=kms.Key(stack, "Key"))).topic
        dead = sqs.Queue(stack, "Dead")
        nested = NestedStack(stack, "Nested")
        options = WorkerOptions(dead_letter_queue=dead)
        TracedPipeline(nested, "Orders", topic=topic, worker=options, table=TableOptions())
        synthesize(stack)
        assert len(synthesize(nested).all("AWS::SQS::Queue")) == 1


def test_alias_of_another_stacks_key(new_app: NewApp) -> None:
    app = new_app()
    shared, shop = Stack(app, "Shared", env=HERE), Stack(app, "Shop", env=HERE)
    alias = kms.Alias(shared, "Alias", alias_name="alias/shop", target_key=kms.Key(shared, "Key"))
    TracedPipeline(shop, "Orders", topic=TopicOptions(key=alias), worker=WorkerOptions(queue_key=alias, log_key=alias))
    synthesize(shop)
    assert shared.dependencies == []
