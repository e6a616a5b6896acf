"""Existing resources: wired where that is possible, warned about where it is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_xray as xray
from traced_pipeline import (
    Check,
    IngestApi,
    IngestOptions,
    PipelineError,
    QueueWorker,
    SnsTracePermission,
    TopicOptions,
    TracedPipeline,
    TracedTopic,
    WorkerOptions,
)

from tests.support.stacks import NewStack
from tests.support.templates import synthesize, warnings, warnings_of

PLACE = "eu-west-1:222222222222"


class TestTopic:
    def test_traced(self, new_stack: NewStack) -> None:
        stack = new_stack()
        topic = sns.Topic(stack, "Mine", tracing_config=sns.TracingConfig.ACTIVE)
        SnsTracePermission.of(topic)
        TracedPipeline(stack, "Orders", topic=topic)
        assert warnings(stack) == []
        template = synthesize(stack)
        assert len(template.all("AWS::SNS::Topic")) == 1
        assert "sns:Publish" in template.actions("IngestFunction")

    def test_untraced(self, new_stack: NewStack) -> None:
        stack = new_stack()
        TracedPipeline(stack, "Orders", topic=sns.Topic(stack, "Mine"))
        (warning,) = warnings(stack)
        assert Check.TOPIC_NOT_TRACED.value in warning
        assert "topic Shop/Mine has tracing PassThrough" in warning

    def test_untraced_is_said_once_whoever_uses_it(self, new_stack: NewStack) -> None:
        stack = new_stack()
        mine, next_one = sns.Topic(stack, "Mine"), sns.Topic(stack, "Next")
        IngestApi(stack, "In", topic=mine)
        for name in ("Work", "Audit"):
            QueueWorker(stack, name, topic=mine, options=WorkerOptions(publish_to=next_one))
        said = warnings(stack)
        assert [Check.TOPIC_NOT_TRACED.value in warning for warning in said] == [True, True]
        assert {warning.split()[1] for warning in said} == {"Shop/Mine", "Shop/Next"}

    @pytest.mark.parametrize(("permission_region", "warned"), [(None, 1), ("eu-west-1", 0), ("eu-west-2", 1)], ids=str)
    def test_whose_segments_nothing_lets_in(
        self, new_app: Callable[..., App], permission_region: str | None, warned: int
    ) -> None:
        app = new_app()
        place = Environment(account="111111111111", region="eu-west-1")
        stack = Stack(app, "Shop", env=place)
        if permission_region:
            there = Environment(account="111111111111", region=permission_region)
            SnsTracePermission(Stack(app, "Account", env=there), "Topics")
        topic = sns.Topic(stack, "Mine", tracing_config=sns.TracingConfig.ACTIVE)
        TracedPipeline(stack, "Orders", topic=topic)
        found = warnings_of(stack, Check.TOPIC_WITHOUT_PERMISSION)
        assert len(found) == warned
        assert all("call SnsTracePermission.of(topic)" in warning for warning in found)

    def test_of_a_traced_topic_that_has_decided_itself(self, new_stack: NewStack) -> None:
        stack = new_stack()
        topic = TracedTopic(stack, "Mine", options=TopicOptions(trace_permission="none")).topic
        TracedPipeline(stack, "Orders", topic=topic)
        assert warnings(stack) == []

    def test_imported(self, new_stack: NewStack) -> None:
        stack = new_stack()
        topic = sns.Topic.from_topic_arn(stack, "Mine", f"arn:aws:sns:{PLACE}:mine")
        TracedPipeline(stack, "Orders", topic=topic)
        assert len(warnings_of(stack, Check.TOPIC_NOT_MANAGED)) == 1
        assert synthesize(stack).one("AWS::SNS::Subscription")["TopicArn"] == f"arn:aws:sns:{PLACE}:mine"

    def test_of_another_account(self, new_stack: NewStack) -> None:
        stack = new_stack(env=Environment(account="111111111111", region="eu-west-1"))
        topic = sns.Topic.from_topic_arn(stack, "Mine", f"arn:aws:sns:{PLACE}:mine")
        TracedPipeline(stack, "Orders", topic=topic)
        (warning,) = warnings_of(stack, Check.OTHER_ACCOUNT)
        assert "belongs to account 222222222222, this stack to 111111111111" in warning

    def test_of_another_stack(self, new_app: Callable[..., App]) -> None:
        app = new_app()
        shared, shop = Stack(app, "Shared"), Stack(app, "Shop")
        topic = TracedTopic(shared, "Topic").topic
        TracedPipeline(shop, "Orders", topic=topic)
        template = synthesize(shop)
        assert "AWS::SNS::Topic" not in {r["Type"] for r in template.resources.values()}
        assert template.one("AWS::SNS::Subscription")["TopicArn"] == template.variables("Ingest")["TOPIC_ARN"]


class TestQueue:
    def test_with_its_own_dead_letters(self, new_stack: NewStack) -> None:
        stack = new_stack()
        letters = sqs.Queue(stack, "Letters")
        queue = sqs.Queue(
            stack,
            "Mine",
            visibility_timeout=Duration.minutes(3),
            dead_letter_queue=sqs.DeadLetterQueue(queue=letters, max_receive_count=5),
        )
        orders = TracedPipeline(stack, "Orders", worker=WorkerOptions(queue=queue))
        assert warnings(stack) == []
        assert orders.dead_letter_queue.node.path == "Shop/Letters"
        template = synthesize(stack)
        assert len(template.all("AWS::SQS::Queue")) == 2
        letters_arn = {"Fn::GetAtt": [template.name_of("AWS::SQS::Queue", "Letters"), "Arn"]}
        assert template.one("AWS::SNS::Subscription")["RedrivePolicy"] == {"deadLetterTargetArn": letters_arn}

    def test_without_dead_letters(self, new_stack: NewStack) -> None:
        stack = new_stack()
        queue = sqs.Queue(stack, "Mine", visibility_timeout=Duration.minutes(3))
        orders = TracedPipeline(stack, "Orders", worker=WorkerOptions(queue=queue))
        (warning,) = warnings(stack)
        assert Check.QUEUE_WITHOUT_DEAD_LETTER_QUEUE.value in warning
        assert orders.dead_letter_queue.node.path == "Shop/Orders/Worker/DeadLetterQueue"

    def test_with_the_visibility_nobody_set(self, new_stack: NewStack) -> None:
        stack = new_stack()
        with pytest.raises(PipelineError, match="Shop/Mine is 30 s, but the function may work for 60 s") as caught:
            TracedPipeline(
                stack,
                "Orders",
                worker=WorkerOptions(queue=sqs.Queue(stack, "Mine"), timeout=Duration.seconds(60)),
            )
        assert caught.value.check is Check.VISIBILITY_TOO_SHORT

    def test_imported(self, new_stack: NewStack) -> None:
        stack = new_stack()
        queue = sqs.Queue.from_queue_arn(stack, "Mine", f"arn:aws:sqs:{PLACE}:mine")
        TracedPipeline(stack, "Orders", worker=WorkerOptions(queue=queue))
        assert len(warnings_of(stack, Check.QUEUE_NOT_MANAGED)) == 1
        assert synthesize(stack).one("AWS::SNS::Subscription")["Endpoint"] == f"arn:aws:sqs:{PLACE}:mine"

    def test_of_another_stack(self, new_app: Callable[..., App]) -> None:
        app = new_app()
        shared, shop = Stack(app, "Shared"), Stack(app, "Shop")
        queue = sqs.Queue(shared, "Mine", visibility_timeout=Duration.minutes(3))
        with pytest.raises(
            PipelineError, match="queue Shared/Mine belongs to stack Shared, topic and worker"
        ) as caught:
            TracedPipeline(shop, "Orders", worker=WorkerOptions(queue=queue))
        assert caught.value.check is Check.QUEUE_IN_OTHER_STACK

    def test_settings_beside_it(self, new_stack: NewStack) -> None:
        stack = new_stack()
        worker = WorkerOptions(queue=sqs.Queue(stack, "Mine"), max_receive_count=7)
        with pytest.raises(PipelineError, match="max_receive_count given for a queue") as caught:
            TracedPipeline(stack, "Orders", worker=worker)
        assert caught.value.check is Check.OPTION_CONFLICT

    @pytest.mark.parametrize("refused", ["dead_letter_queue", "queue_key"])
    def test_dead_letters_that_it_has_already(self, new_stack: NewStack, refused: str) -> None:
        stack = new_stack()
        dead_letters = sqs.DeadLetterQueue(queue=sqs.Queue(stack, "Failed"), max_receive_count=3)
        queue = sqs.Queue(stack, "Mine", visibility_timeout=Duration.minutes(3), dead_letter_queue=dead_letters)
        given = {"dead_letter_queue": sqs.Queue(stack, "Other"), "queue_key": kms.Key(stack, "Key")}[refused]
        with pytest.raises(PipelineError, match=f"{refused} (is )?given") as caught:
            TracedPipeline(stack, "Orders", worker=WorkerOptions(queue=queue, **{refused: given}))  # type: ignore[arg-type]
        assert caught.value.check is Check.OPTION_CONFLICT


class TestApi:
    def test_traced(self, new_stack: NewStack) -> None:
        stack = new_stack()
        api = apigateway.RestApi(stack, "Mine", deploy_options=apigateway.StageOptions(tracing_enabled=True))
        TracedPipeline(stack, "Orders", ingest=IngestOptions(api=api, path="/orders"))
        assert warnings(stack) == []
        template = synthesize(stack)
        assert len(template.all("AWS::ApiGateway::RestApi")) == 1
        deployment = template.name_of("AWS::ApiGateway::Deployment")
        method = template.name_of("AWS::ApiGateway::Method")
        assert method in template.resources[deployment]["DependsOn"]

    def test_untraced(self, new_stack: NewStack) -> None:
        stack = new_stack()
        TracedPipeline(stack, "Orders", ingest=IngestOptions(api=apigateway.RestApi(stack, "Mine"), path="/orders"))
        (warning,) = warnings(stack)
        assert Check.API_NOT_TRACED.value in warning
        assert "tracing_enabled=True" in warning

    def test_imported(self, new_stack: NewStack) -> None:
        stack = new_stack()
        api = apigateway.RestApi.from_rest_api_attributes(stack, "Mine", rest_api_id="a1", root_resource_id="r1")
        orders = TracedPipeline(stack, "Orders", ingest=IngestOptions(api=api, path="/orders"))
        assert len(warnings_of(stack, Check.API_NOT_MANAGED)) == 1
        with pytest.raises(PipelineError, match="the address of the imported API Shop/Mine is not known here"):
            _ = orders.url

    def test_made_here_without_a_deployment_is_not_called_imported(self, new_stack: NewStack) -> None:
        stack = new_stack()
        api = apigateway.RestApi(stack, "Mine", deploy=False)
        orders = TracedPipeline(stack, "Orders", ingest=IngestOptions(api=api, path="/orders"))
        apigateway.Stage(stack, "Stage", deployment=apigateway.Deployment(stack, "Deployment", api=api))
        (warning,) = warnings(stack)
        assert Check.API_NOT_DEPLOYED.value in warning
        assert "imported" not in warning
        for unknown in ("url", "service_name"):
            with pytest.raises(
                PipelineError, match="API Shop/Mine is not known here, since it is made with deploy=False"
            ):
                getattr(orders.ingest, unknown)

    def test_http_api(self, new_stack: NewStack) -> None:
        stack = new_stack()
        api = apigatewayv2.HttpApi(stack, "Mine")
        with pytest.raises(PipelineError, match="api is of type HttpApi, but X-Ray traces no other") as caught:
            TracedPipeline(stack, "Orders", ingest=IngestOptions(api=api))  # type: ignore[arg-type]
        assert caught.value.check is Check.HTTP_API

    def test_settings_beside_it(self, new_stack: NewStack) -> None:
        stack = new_stack()
        options = IngestOptions(api=apigateway.RestApi(stack, "Mine"), throttling_rate_limit=5)
        with pytest.raises(PipelineError, match="throttling_rate_limit given for an API") as caught:
            TracedPipeline(stack, "Orders", ingest=options)
        assert caught.value.check is Check.OPTION_CONFLICT


class TestTable:
    def test_own(self, new_stack: NewStack) -> None:
        stack = new_stack()
        key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        table = dynamodb.Table(stack, "Mine", partition_key=key)
        orders = TracedPipeline(stack, "Orders", table=table)
        template = synthesize(stack)
        assert template.all("AWS::DynamoDB::GlobalTable") == {}
        assert template.variables("Worker") == {"TABLE_NAME": {"Ref": template.name_of("AWS::DynamoDB::Table")}}
        assert orders.table.node.path == "Shop/Mine"

    def test_imported_of_another_account(self, new_stack: NewStack) -> None:
        stack = new_stack(env=Environment(account="111111111111", region="eu-west-1"))
        table = dynamodb.Table.from_table_arn(stack, "Mine", f"arn:aws:dynamodb:{PLACE}:table/mine")
        TracedPipeline(stack, "Orders", table=table)
        assert len(warnings_of(stack, Check.OTHER_ACCOUNT)) == 1
        assert synthesize(stack).variables("Worker") == {"TABLE_NAME": f"arn:aws:dynamodb:{PLACE}:table/mine"}


class TestTracePermission:
    def test_none(self, new_stack: NewStack) -> None:
        stack = new_stack()
        TracedPipeline(stack, "Orders", topic=TopicOptions(trace_permission="none"))
        template = synthesize(stack)
        assert template.all("AWS::XRay::ResourcePolicy") == {}
        assert template.one("AWS::SNS::Topic")["TracingConfig"] == "Active"

    def test_own(self, new_stack: NewStack) -> None:
        stack = new_stack()
        own = xray.CfnResourcePolicy(stack, "Mine", policy_name="mine", policy_document="{}")
        TracedPipeline(stack, "Orders", topic=TopicOptions(trace_permission=own))
        template = synthesize(stack)
        assert list(template.all("AWS::XRay::ResourcePolicy")) == ["Mine"]
        assert template.resources[template.name_of("AWS::SNS::Topic")]["DependsOn"] == ["Mine"]

    def test_by_default_it_lets_this_accounts_topics_in(self, new_stack: NewStack) -> None:
        stack = new_stack(env=Environment(account="111111111111", region="eu-west-1"))
        SnsTracePermission.of(stack)
        policy = synthesize(stack).one("AWS::XRay::ResourcePolicy")
        document = str(policy["PolicyDocument"])
        assert policy["PolicyName"] == "Shop-SnsTracePermission"
        assert "sns.amazonaws.com" in document
        assert '"aws:SourceAccount":"111111111111"' in document
        assert ":sns:eu-west-1:111111111111:*" in document

    def test_stacks_do_not_overwrite_each_others(self, new_app: Callable[..., App]) -> None:
        app = new_app()
        stacks = [Stack(app, name) for name in ("One", "Two")]
        for stack in stacks:
            TracedTopic(stack, "Topic")
        names = {synthesize(stack).one("AWS::XRay::ResourcePolicy")["PolicyName"] for stack in stacks}
        assert len(names) == 2


class TestPassiveTopic:
    """X-Ray infers no queue behind a topic that records nothing."""

    @pytest.mark.parametrize(("active", "expected"), [(False, "always"), (True, None)])
    def test_the_bridge_draws_the_queue(self, new_stack: NewStack, active: bool, expected: str | None) -> None:
        stack = new_stack()
        tracing = sns.TracingConfig.ACTIVE if active else sns.TracingConfig.PASS_THROUGH
        TracedPipeline(stack, "Orders", topic=sns.Topic(stack, "Mine", tracing_config=tracing))
        variables = synthesize(stack).variables("WorkerFunction")
        assert variables.get("TRACE_BRIDGE_QUEUE_SEGMENT") == expected

    def test_a_choice_of_the_users_stays(self, new_stack: NewStack) -> None:
        stack = new_stack()
        mine = WorkerOptions(environment={"TRACE_BRIDGE_QUEUE_SEGMENT": "never"})
        TracedPipeline(stack, "Orders", topic=sns.Topic(stack, "Mine"), worker=mine)
        assert synthesize(stack).variables("WorkerFunction")["TRACE_BRIDGE_QUEUE_SEGMENT"] == "never"
