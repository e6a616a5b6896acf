"""Subscriptions and event source mappings of an app beside each other, whoever makes them, and in whatever order."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aws_cdk import App, BootstraplessSynthesizer, Duration, Environment, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from traced_pipeline import (
    Check,
    FunctionOptions,
    Handler,
    IngestOptions,
    PipelineError,
    QueueWorker,
    TracedFunction,
    TracedPipeline,
    TracedTopic,
    WorkerOptions,
)

from tests.support.stacks import NewStack, make_function
from tests.support.templates import synthesize, warnings_of

HERE = Environment(account="111111111111", region="eu-west-1")
LAYER = "arn:aws:lambda:eu-west-1:111111111111:layer:trace-bridge:3"
INLINE = Handler(lambda_.Code.from_inline("def handler(event, context): ..."), "index.handler")


def jobs(stack: Stack, name: str = "Jobs") -> sqs.Queue:
    dead = sqs.DeadLetterQueue(queue=sqs.Queue(stack, f"{name}Dead"), max_receive_count=5)
    return sqs.Queue(stack, name, visibility_timeout=Duration.minutes(3), dead_letter_queue=dead)


class TestSubscriptions:
    def test_of_the_pair_that_exists_already(self, new_stack: NewStack) -> None:
        stack = new_stack()
        topic, queue = TracedTopic(stack, "Topic").topic, jobs(stack)
        topic.add_subscription(subscriptions.SqsSubscription(queue))
        with pytest.raises(PipelineError, match="queue Shop/Jobs is subscribed to topic Shop/Topic/Resource") as caught:
            TracedPipeline(stack, "Orders", topic=topic, worker=WorkerOptions(queue=queue))
        assert caught.value.check is Check.DUPLICATE_SUBSCRIPTION

    def test_of_the_pair_that_is_added_later(self, new_stack: NewStack) -> None:
        stack = new_stack()
        orders = TracedPipeline(stack, "Orders", worker=WorkerOptions(queue=jobs(stack)))
        sns.CfnSubscription(
            stack, "Again", topic_arn=orders.topic.topic_arn, protocol="sqs", endpoint=orders.queue.queue_arn
        )
        with pytest.raises(RuntimeError, match="and Shop/Again subscribe the same endpoint to the same topic"):
            synthesize(stack)

    def test_of_a_queue_imported_twice(self, new_stack: NewStack) -> None:
        stack = new_stack(env=HERE)
        topic = TracedTopic(stack, "Topic").topic
        for name in ("One", "Two"):
            queue = sqs.Queue.from_queue_arn(stack, f"{name}Queue", "arn:aws:sqs:eu-west-1:111111111111:jobs")
            function = make_function(stack, name)
            QueueWorker(stack, f"{name}Worker", topic=topic, options=WorkerOptions(queue=queue, handler=function))
        with pytest.raises(RuntimeError, match=Check.DUPLICATE_SUBSCRIPTION.value):
            synthesize(stack)

    def test_alike_stacks_are_no_duplicates(self, new_stack: NewStack) -> None:
        stack = new_stack()
        app = stack.node.root
        assert isinstance(app, App)
        for one in (stack, Stack(app, "Other")):
            TracedPipeline(one, "Orders", worker=WorkerOptions(queue=jobs(one))).add_worker("Audit", WorkerOptions())
        synthesize(stack)


class TestEventSources:
    def test_of_the_pair_that_exists_already(self, new_stack: NewStack) -> None:
        stack = new_stack()
        queue, function = jobs(stack), make_function(stack)
        function.add_event_source(event_sources.SqsEventSource(queue, report_batch_item_failures=True))
        with pytest.raises(PipelineError, match="function Shop/Mine works through queue Shop/Jobs already") as caught:
            TracedPipeline(stack, "Orders", worker=WorkerOptions(queue=queue, handler=function))
        assert caught.value.path == "Shop/Orders/Worker"

    def test_of_the_pair_that_is_added_later(self, new_stack: NewStack) -> None:
        stack = new_stack()
        orders = TracedPipeline(stack, "Orders")
        lambda_.EventSourceMapping(
            stack,
            "Again",
            target=orders.worker_function,
            event_source_arn=orders.queue.queue_arn,
            report_batch_item_failures=True,
        )
        with pytest.raises(RuntimeError, match=Check.DUPLICATE_EVENT_SOURCE.value):
            synthesize(stack)


class TestBatchFailures:
    @pytest.mark.parametrize("target", ["function", "alias"])
    def test_ignored_in_front_of_a_function_with_the_bridge(self, new_stack: NewStack, target: str) -> None:
        stack = new_stack()
        worker = WorkerOptions(handler=INLINE, provisioned_concurrent_executions=1)
        orders = TracedPipeline(stack, "Orders", worker=worker)
        called = orders.worker_function
        if target == "alias":
            called = lambda_.Alias(stack, "Next", alias_name="next", version=make_version(stack))
        called.add_event_source(event_sources.SqsEventSource(jobs(stack, "More")))
        (warning,) = warnings_of(stack, Check.BATCH_FAILURES_IGNORED)
        assert "make it with report_batch_item_failures=True" in warning

    def test_nothing_is_said_of_other_functions_and_other_sources(self, new_stack: NewStack) -> None:
        stack = new_stack()
        TracedPipeline(stack, "Orders")
        make_function(stack).add_event_source(event_sources.SqsEventSource(jobs(stack, "More")))
        assert warnings_of(stack, Check.BATCH_FAILURES_IGNORED) == []


def make_version(stack: Stack) -> lambda_.Version:
    return TracedFunction(stack, "Other", options=FunctionOptions(handler=INLINE)).function.current_version


class TestBridgeLayer:
    """A layer of the bridge that is published elsewhere."""

    def test_pipeline_in_a_stack_without_assets(self, new_app: Callable[..., App]) -> None:
        stack = self.plain(new_app)
        TracedPipeline(
            stack,
            "Orders",
            ingest=IngestOptions(handler=INLINE, bridge_layer=LAYER),
            worker=WorkerOptions(handler=INLINE, bridge_layer=LAYER),
        )
        functions = synthesize(stack).all("AWS::Lambda::Function")
        assert [function["Layers"] for function in functions.values()] == [[LAYER], [LAYER]]

    def test_layer_of_the_cdk_for_an_existing_function(self, new_app: Callable[..., App]) -> None:
        stack = self.plain(new_app)
        layer = lambda_.LayerVersion.from_layer_version_arn(stack, "Bridge", LAYER)
        mine = make_function(stack, timeout=Duration.seconds(3))
        options = WorkerOptions(handler=mine, bridge_layer=layer)
        topic = TracedTopic(stack, "Topic").topic
        for name in ("One", "Two"):
            QueueWorker(stack, name, topic=topic, options=options)
        assert synthesize(stack).one("AWS::Lambda::Function")["Layers"] == [LAYER]

    def test_without_it_the_refusal_says_what_to_give(self, new_app: Callable[..., App]) -> None:
        with pytest.raises(PipelineError, match="give bridge_layer the ARN of a layer version") as caught:
            TracedPipeline(self.plain(new_app), "Orders")
        assert caught.value.check is Check.NO_ASSETS

    def test_a_handlers_folder_is_refused_as_well(self, new_app: Callable[..., App]) -> None:
        options = IngestOptions(bridge_layer=LAYER)
        with pytest.raises(PipelineError, match=r"give a Handler with lambda_\.Code\.from_bucket") as caught:
            TracedPipeline(self.plain(new_app), "Orders", ingest=options)
        assert caught.value.check is Check.NO_ASSETS

    @pytest.mark.parametrize("given", ["trace-bridge", "arn:aws:lambda:eu-west-1:111111111111:layer:trace-bridge", ""])
    def test_that_is_no_layer_version(self, new_stack: NewStack, given: str) -> None:
        with pytest.raises(PipelineError, match=r"FunctionOptions\.bridge_layer is") as caught:
            TracedFunction(new_stack(), "Work", options=FunctionOptions(handler=INLINE, bridge_layer=given))
        assert caught.value.check is Check.OPTION_VALUE

    def test_of_another_region(self, new_stack: NewStack) -> None:
        elsewhere = LAYER.replace("eu-west-1", "us-east-1")
        with pytest.raises(PipelineError, match="a function takes layers of its own Region only") as caught:
            TracedFunction(new_stack(env=HERE), "Work", options=FunctionOptions(handler=INLINE, bridge_layer=elsewhere))
        assert caught.value.check is Check.OUT_OF_REACH

    def plain(self, new_app: Callable[..., App]) -> Stack:
        return Stack(new_app(), "Plain", synthesizer=BootstraplessSynthesizer())


class TestLoop:
    """A worker that publishes to the topic it gets its messages from."""

    @pytest.mark.parametrize("imported", [False, True])
    def test_of_the_reference_handler_is_refused(self, new_stack: NewStack, imported: bool) -> None:
        stack = new_stack()
        arn = "arn:aws:sns:eu-west-1:111111111111:orders"
        topic = sns.Topic.from_topic_arn(stack, "Topic", arn) if imported else TracedTopic(stack, "Topic").topic
        again = sns.Topic.from_topic_arn(stack, "Again", arn) if imported else topic
        with pytest.raises(PipelineError, match="they would come back to it again and again") as caught:
            QueueWorker(stack, "Work", topic=topic, options=WorkerOptions(publish_to=again))
        assert caught.value.check is Check.OPTION_CONFLICT
        assert caught.value.path == "Shop/Work"

    def test_is_the_callers_own_to_end_by_a_filter_or_a_handler(self, new_stack: NewStack) -> None:
        stack = new_stack()
        topic = TracedTopic(stack, "Topic").topic
        new = {"kind": sns.SubscriptionFilter.string_filter(allowlist=["new"])}
        QueueWorker(stack, "Filtered", topic=topic, options=WorkerOptions(publish_to=topic, filter_policy=new))
        mine = WorkerOptions(publish_to=topic, handler=make_function(stack))
        QueueWorker(stack, "Unfiltered", topic=topic, options=mine)
        assert len(synthesize(stack).all("AWS::SNS::Subscription")) == 2
