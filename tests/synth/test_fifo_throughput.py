"""FIFO pipelines with high throughput: topic, queue and dead-letter queue look for duplicates in the same place."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from traced_pipeline import Check, PipelineError, TopicOptions, TracedPipeline, WorkerOptions

from tests.support.stacks import NewStack
from tests.support.templates import synthesize, warnings, warnings_of

BY_GROUP = TopicOptions(fifo=True, fifo_throughput_scope=sns.FifoThroughputScope.MESSAGE_GROUP)
QUEUE, GROUP = sqs.DeduplicationScope.QUEUE, sqs.DeduplicationScope.MESSAGE_GROUP
HIGH, LOW = sqs.FifoThroughputLimit.PER_MESSAGE_GROUP_ID, sqs.FifoThroughputLimit.PER_QUEUE


def settings(queue: dict[str, Any]) -> tuple[str | None, str | None]:
    return queue.get("DeduplicationScope"), queue.get("FifoThroughputLimit")


def test_one_option_for_topic_and_queues(new_stack: NewStack) -> None:
    stack = new_stack()
    TracedPipeline(stack, "Orders", topic=BY_GROUP).add_worker("Audit")
    template = synthesize(stack)
    assert template.one("AWS::SNS::Topic")["FifoThroughputScope"] == "MessageGroup"
    queues = template.all("AWS::SQS::Queue").values()
    assert [settings(queue) for queue in queues] == [("messageGroup", "perMessageGroupId")] * 4
    assert warnings(stack) == []


@pytest.mark.parametrize(
    ("topic", "options", "made"),
    [
        (TopicOptions(fifo=True), {}, (None, None)),
        (TopicOptions(fifo=True), {"deduplication_scope": GROUP}, ("messageGroup", None)),
        (
            TopicOptions(fifo=True),
            {"deduplication_scope": GROUP, "fifo_throughput_limit": HIGH},
            ("messageGroup", "perMessageGroupId"),
        ),
        (BY_GROUP, {"fifo_throughput_limit": LOW}, ("messageGroup", "perQueue")),
    ],
    ids=["default", "scope", "both", "limit behind a topic by group"],
)
def test_a_workers_own_settings(
    new_stack: NewStack, topic: TopicOptions, options: dict[str, Any], made: tuple[str | None, str | None]
) -> None:
    stack = new_stack()
    TracedPipeline(stack, "Orders", topic=topic, worker=WorkerOptions(**options))
    assert settings(synthesize(stack).one("AWS::SQS::Queue", "WorkerQueue")) == made
    assert warnings(stack) == []


@pytest.mark.parametrize(
    ("topic", "options", "said"),
    [
        (TopicOptions(), {"deduplication_scope": GROUP}, "deduplication_scope given for the queue of a standard topic"),
        (TopicOptions(fifo=True), {"fifo_throughput_limit": HIGH}, "give deduplication_scope"),
        (BY_GROUP, {"fifo_throughput_limit": HIGH, "deduplication_scope": QUEUE}, "give deduplication_scope"),
    ],
    ids=["standard", "limit alone", "limit and queue"],
)
def test_settings_that_contradict(new_stack: NewStack, topic: TopicOptions, options: dict[str, Any], said: str) -> None:
    with pytest.raises(PipelineError, match=said) as caught:
        TracedPipeline(new_stack(), "Orders", topic=topic, worker=WorkerOptions(**options))
    assert caught.value.check is Check.OPTION_CONFLICT


def test_scope_of_a_standard_topic(new_stack: NewStack) -> None:
    topic = TopicOptions(fifo_throughput_scope=sns.FifoThroughputScope.TOPIC)
    with pytest.raises(PipelineError, match="fifo_throughput_scope is given for a standard topic") as caught:
        TracedPipeline(new_stack(), "Orders", topic=topic)
    assert caught.value.check is Check.OPTION_CONFLICT


def test_queue_that_drops_what_the_topic_takes(new_stack: NewStack) -> None:
    stack = new_stack()
    TracedPipeline(stack, "Orders", topic=BY_GROUP, worker=WorkerOptions(deduplication_scope=QUEUE))
    (warning,) = warnings_of(stack, Check.DEDUPLICATION_SCOPE)
    assert "deduplication_scope is QUEUE behind topic Shop/Orders/Topic/Resource" in warning


@pytest.mark.parametrize(("scope", "warned"), [(GROUP, 0), (QUEUE, 1), (None, 1)], ids=str)
def test_existing_queue(new_stack: NewStack, scope: sqs.DeduplicationScope | None, warned: int) -> None:
    stack = new_stack()
    failed = sqs.Queue(stack, "Failed", fifo=True)
    queue = sqs.Queue(
        stack,
        "Jobs",
        fifo=True,
        deduplication_scope=scope,
        visibility_timeout=None,
        dead_letter_queue=sqs.DeadLetterQueue(queue=failed, max_receive_count=5),
    )
    TracedPipeline(stack, "Orders", topic=BY_GROUP, worker=WorkerOptions(queue=queue))
    assert len(warnings_of(stack, Check.DEDUPLICATION_SCOPE)) == warned
