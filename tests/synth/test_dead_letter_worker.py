"""A worker on the dead-letter queue, and a worker behind several topics."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from cdk_nag import AwsSolutionsChecks
from traced_pipeline import (
    Check,
    DeadLetterWorker,
    Handler,
    PipelineError,
    TopicOptions,
    TracedPipeline,
    TracedTopic,
    WorkerOptions,
)

from tests.support.stacks import NewStack, make_function
from tests.support.templates import synthesize, warnings, warnings_of

PLACE = Environment(account="111111111111", region="eu-west-1")
REPAIR = Handler(lambda_.Code.from_inline("def handler(event, context): ..."), "index.handler")
QUEUE, MAPPING = "AWS::SQS::Queue", "AWS::Lambda::EventSourceMapping"


def options(**more: Any) -> WorkerOptions:
    return WorkerOptions(handler=REPAIR, **more)


class TestDeadLetterWorker:
    def test_works_through_the_queue_and_keeps_what_fails_again(self, new_stack: NewStack) -> None:
        stack = new_stack()
        orders = TracedPipeline(stack, "Orders")
        repair = orders.add_dead_letter_worker("Repair", options(timeout=Duration.seconds(10), max_receive_count=3))
        template = synthesize(stack)
        first = template.one(QUEUE, "OrdersWorkerDeadLetterQueue")
        further = template.name_of(QUEUE, "RepairDeadLetterQueue")
        arn = {"Fn::GetAtt": [further, "Arn"]}
        assert first["RedrivePolicy"] == {"deadLetterTargetArn": arn, "maxReceiveCount": 3}
        assert first["VisibilityTimeout"] == 60
        mapping = template.one(MAPPING, "Repair")
        assert mapping["EventSourceArn"] == stack.resolve(orders.dead_letter_queue.queue_arn)
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert template.actions("Repair") >= {"sqs:ReceiveMessage", "xray:PutTraceSegments"}
        assert template.one("AWS::Lambda::Function", "Repair")["TracingConfig"] == {"Mode": "PassThrough"}
        assert stack.resolve(repair.dead_letter_queue.queue_arn) == arn  # type: ignore[union-attr]
        assert len(template.all("AWS::SNS::Subscription")) == 1
        assert warnings(stack) == []
        violations = AwsSolutionsChecks(stack).validate_scope(stack.node.root).violations
        assert [v.rule_name for v in violations if v.severity == "error"] == []

    def test_has_the_kind_and_key_of_the_queue(self, new_stack: NewStack) -> None:
        stack = new_stack()
        key = kms.Key(stack, "Key")
        orders = TracedPipeline(stack, "Orders", topic=TopicOptions(fifo=True), worker=WorkerOptions(queue_key=key))
        orders.add_dead_letter_worker("Repair", options())
        template = synthesize(stack)
        further = template.one(QUEUE, "RepairDeadLetterQueue")
        assert (further["FifoQueue"], further["KmsMasterKeyId"]) == (True, stack.resolve(key.key_arn))
        assert "kms:Decrypt" in template.actions("Repair")

    def test_messages_have_the_workers_envelope(self, new_stack: NewStack) -> None:
        stack = new_stack()
        orders = TracedPipeline(stack, "Orders", worker=WorkerOptions(raw_message_delivery=False))
        orders.add_dead_letter_worker("Repair", options())
        assert synthesize(stack).variables("RepairFunction")["TRACE_BRIDGE_ENVELOPE"] == "sns"

    def test_messages_cannot_have_another_envelope(self, new_stack: NewStack) -> None:
        orders = TracedPipeline(new_stack(), "Orders")
        with pytest.raises(PipelineError, match="raw_message_delivery is False, but") as caught:
            orders.add_dead_letter_worker("Repair", options(raw_message_delivery=False))
        assert caught.value.check is Check.OPTION_CONFLICT

    def test_keeps_what_the_queue_says_itself(self, new_stack: NewStack) -> None:
        stack = new_stack()
        last = sqs.Queue(stack, "Last")
        given = sqs.DeadLetterQueue(queue=last, max_receive_count=7)
        failed = sqs.Queue(stack, "Failed", visibility_timeout=Duration.minutes(5), dead_letter_queue=given)
        repair = DeadLetterWorker(stack, "Repair", queue=failed, options=options())
        template = synthesize(stack)
        assert template.one(QUEUE, "Failed")["VisibilityTimeout"] == 300
        assert template.one(QUEUE, "Failed")["RedrivePolicy"]["maxReceiveCount"] == 7
        assert repair.dead_letter_queue is last
        assert warnings(stack) == []

    @pytest.mark.parametrize(
        ("more", "said"),
        [
            ({"filter_policy": {}}, "filter_policy given, but a dead-letter worker has no subscription"),
            ({"deduplication_scope": sqs.DeduplicationScope.QUEUE}, "deduplication_scope given for a dead-letter"),
            ({"batch_size": 11}, "more than 10 need a max_batching_window"),
            ({"visibility_timeout": Duration.seconds(10)}, "visibility_timeout is 10 s, but the function may work"),
        ],
        ids=["filter", "scope", "batch", "visibility"],
    )
    def test_what_it_refuses(self, new_stack: NewStack, more: dict[str, Any], said: str) -> None:
        orders = TracedPipeline(new_stack(), "Orders")
        with pytest.raises(PipelineError, match=said):
            orders.add_dead_letter_worker("Repair", options(**more))

    def test_settings_that_the_queue_has_already(self, new_stack: NewStack) -> None:
        stack = new_stack()
        failed = sqs.Queue(stack, "Failed", visibility_timeout=Duration.minutes(5))
        with pytest.raises(PipelineError, match="visibility_timeout given for a visibility timeout") as caught:
            DeadLetterWorker(stack, "A", queue=failed, options=options(visibility_timeout=Duration.minutes(4)))
        assert caught.value.check is Check.OPTION_CONFLICT

    def test_the_reference_handler_needs_a_destination(self, new_stack: NewStack) -> None:
        orders = TracedPipeline(new_stack(), "Orders")
        with pytest.raises(PipelineError, match="nowhere to put its messages") as caught:
            orders.add_dead_letter_worker("Repair", WorkerOptions())
        assert caught.value.check is Check.WORKER_DESTINATION
        orders.add_dead_letter_worker("Again", WorkerOptions(table=orders.table))

    def test_a_second_worker_on_the_same_queue_is_refused(self, new_stack: NewStack) -> None:
        stack = new_stack()
        orders = TracedPipeline(stack, "Orders")
        orders.add_dead_letter_worker("Repair", options())
        with pytest.raises(PipelineError, match="DeadLetterQueue has a redrive policy already") as caught:
            orders.add_dead_letter_worker("Again", options())
        assert caught.value.check is Check.OPTION_CONFLICT

    @pytest.mark.parametrize("own", ["dead_letter_queue", "queue"])
    def test_a_further_queue_whose_messages_come_back_is_refused(self, new_stack: NewStack, own: str) -> None:
        orders = TracedPipeline(new_stack(), "Orders")
        with pytest.raises(PipelineError, match="whose messages come back to Shop/Orders/Worker/DeadLetterQueue"):
            orders.add_dead_letter_worker("Repair", options(dead_letter_queue=getattr(orders, own)))

    def test_of_another_stack(self, new_app: Any) -> None:
        app: App = new_app()
        orders = TracedPipeline(Stack(app, "Shop", env=PLACE), "Orders")
        with pytest.raises(PipelineError, match="put the worker into Shop") as caught:
            DeadLetterWorker(
                Stack(app, "Other", env=PLACE), "Repair", queue=orders.dead_letter_queue, options=options()
            )
        assert caught.value.check is Check.QUEUE_IN_OTHER_STACK

    def test_imported_queue(self, new_stack: NewStack) -> None:
        stack = new_stack(env=PLACE)
        failed = sqs.Queue.from_queue_arn(stack, "Failed", "arn:aws:sqs:eu-west-1:111111111111:failed")
        given = options(visibility_timeout=Duration.minutes(3))
        with pytest.raises(PipelineError, match="visibility_timeout given for a queue that is made elsewhere"):
            DeadLetterWorker(stack, "Refused", queue=failed, options=given)
        repair = DeadLetterWorker(stack, "Repair", queue=failed, options=options())
        (warning,) = warnings_of(stack, Check.QUEUE_NOT_MANAGED)
        assert "dead-letter queue Shop/Failed is imported" in warning
        assert repair.dead_letter_queue is None


class TestSeveralTopics:
    def test_into_one_queue(self, new_stack: NewStack) -> None:
        stack = new_stack()
        refunds = TracedTopic(stack, "Refunds").topic
        orders = TracedPipeline(stack, "Orders")
        big = sns.SubscriptionFilter.string_filter(allowlist=["big"])
        orders.worker.add_topic(refunds, filter_policy={"kind": big})
        template = synthesize(stack)
        subscriptions = template.all("AWS::SNS::Subscription").values()
        assert {json.dumps(s["Endpoint"]) for s in subscriptions} == {json.dumps(stack.resolve(orders.queue.queue_arn))}
        assert {json.dumps(s["TopicArn"]) for s in subscriptions} == {
            json.dumps(stack.resolve(topic.topic_arn)) for topic in (orders.topic, refunds)
        }
        assert [s.get("FilterPolicy") for s in subscriptions if "FilterPolicy" in s] == [{"kind": ["big"]}]
        assert len(template.all(MAPPING)) == 1
        policy = json.dumps(template.one("AWS::SQS::QueuePolicy", "WorkerQueue"))
        assert template.name_of("AWS::SNS::Topic", "Refunds") in policy
        assert warnings(stack) == []

    def test_the_same_topic_again(self, new_stack: NewStack) -> None:
        orders = TracedPipeline(new_stack(), "Orders")
        with pytest.raises(PipelineError, match="is subscribed to topic") as caught:
            orders.worker.add_topic(orders.topic)
        assert caught.value.check is Check.DUPLICATE_SUBSCRIPTION

    def test_a_topic_of_the_other_kind(self, new_stack: NewStack) -> None:
        stack = new_stack()
        orders = TracedPipeline(stack, "Orders", topic=TopicOptions(fifo=True))
        with pytest.raises(PipelineError, match="is FIFO, but the topic before it is standard") as caught:
            orders.worker.add_topic(TracedTopic(stack, "Refunds").topic)
        assert caught.value.check is Check.FIFO_MISMATCH

    def test_a_topic_for_larger_messages_than_the_next(self, new_stack: NewStack) -> None:
        stack = new_stack()
        invoices = TracedTopic(stack, "Invoices").topic
        orders = TracedPipeline(stack, "Orders", worker=WorkerOptions(publish_to=invoices))
        large = TracedTopic(stack, "Refunds", options=TopicOptions(max_message_size=1_048_576)).topic
        orders.worker.add_topic(large)
        assert len(warnings_of(stack, Check.MESSAGE_SIZE)) == 1

    def test_the_topic_that_the_worker_publishes_to(self, new_stack: NewStack) -> None:
        stack = new_stack()
        invoices = TracedTopic(stack, "Invoices").topic
        orders = TracedPipeline(stack, "Orders", worker=WorkerOptions(publish_to=invoices))
        with pytest.raises(PipelineError, match="they would come back to it again and again") as caught:
            orders.worker.add_topic(invoices)
        assert caught.value.check is Check.OPTION_CONFLICT

    def test_behind_an_own_function(self, new_stack: NewStack) -> None:
        stack = new_stack()
        orders = TracedPipeline(stack, "Orders", worker=WorkerOptions(handler=make_function(stack)))
        orders.worker.add_topic(TracedTopic(stack, "Refunds").topic)
        assert len(synthesize(stack).all("AWS::SNS::Subscription")) == 2
