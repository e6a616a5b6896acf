"""Messages above SNS's 256 KiB: the topic that takes them, and the hops that take less."""

from __future__ import annotations

import re
from collections.abc import Callable

import botocore.session
import pytest
from aws_cdk import CfnParameter, Environment, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from traced_pipeline import (
    Check,
    IngestOptions,
    PipelineError,
    TopicOptions,
    TracedPipeline,
    TracedTopic,
    WorkerOptions,
)
from traced_pipeline.limits import limits_of
from traced_pipeline.message_size import MOST_SUBSCRIPTIONS, QUEUE_BYTES, TOPIC_BYTES

from tests.support.stacks import NewStack, make_function
from tests.support.templates import synthesize, warnings, warnings_of

MEBIBYTE = 1024 * 1024
LARGE = TopicOptions(max_message_size=MEBIBYTE)


def text_of(service: str, operation: str) -> str:
    """What botocore's model says of the attributes of a topic or queue, on one line and without markup."""
    shape = botocore.session.get_session().get_service_model(service).operation_model(operation).input_shape
    assert shape is not None
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", shape.members["Attributes"].documentation))


def test_numbers_are_those_of_the_documentation() -> None:
    topics = text_of("sns", "CreateTopic")
    limit = limits_of(TopicOptions)["max_message_size"]
    assert f"Valid values are {limit.least} to {limit.most} (1 MiB). The default is {TOPIC_BYTES}" in topics
    assert f"must have {MOST_SUBSCRIPTIONS} or fewer subscriptions, and each subscription must be an" in topics
    assert "Amazon SQS, Amazon Data Firehose, or Lambda subscription" in topics
    queues = text_of("sqs", "CreateQueue")
    assert f"Default: {QUEUE_BYTES:,} bytes" in queues[queues.index("MaximumMessageSize") :]


def test_from_the_api_to_the_worker(new_stack: NewStack) -> None:
    stack = new_stack()
    TracedPipeline(stack, "Orders", topic=LARGE)
    template = synthesize(stack)
    assert template.one("AWS::SNS::Topic")["MaximumMessageSize"] == MEBIBYTE
    assert template.variables("Ingest")["TOPIC_MAX_MESSAGE_SIZE"] == str(MEBIBYTE)
    # What a queue takes by itself is as much.
    assert [q for q in template.all("AWS::SQS::Queue").values() if "MaximumMessageSize" in q] == []
    assert warnings(stack) == []


def test_a_size_that_is_known_at_deployment_only(new_stack: NewStack) -> None:
    stack = new_stack()
    size = CfnParameter(stack, "Size", type="Number").value_as_number
    TracedPipeline(stack, "Orders", topic=TopicOptions(max_message_size=size))  # type: ignore[arg-type]
    template = synthesize(stack)
    assert template.one("AWS::SNS::Topic")["MaximumMessageSize"] == {"Ref": "Size"}
    assert template.variables("Ingest")["TOPIC_MAX_MESSAGE_SIZE"] == {"Ref": "Size"}


def email(topic: sns.ITopic, _stack: Stack) -> None:
    topic.add_subscription(subscriptions.EmailSubscription("orders@example.com"))


def function(topic: sns.ITopic, stack: Stack) -> None:
    mine = lambda_.Function.from_function_arn(stack, "Mine", "arn:aws:lambda:eu-west-1:111111111111:function:mine")
    topic.add_subscription(subscriptions.LambdaSubscription(mine))


@pytest.mark.parametrize(
    ("size", "subscribe", "refused"),
    [(TOPIC_BYTES + 1, email, True), (TOPIC_BYTES, email, False), (TOPIC_BYTES + 1, function, False)],
    ids=["email above", "email within", "function above"],
)
def test_other_subscribers(
    new_stack: NewStack, size: int, subscribe: Callable[[sns.ITopic, Stack], None], refused: bool
) -> None:
    stack = new_stack()
    topic = TracedTopic(stack, "Orders", options=TopicOptions(max_message_size=size)).topic
    subscribe(topic, stack)
    if refused:
        with pytest.raises(RuntimeError, match="is of protocol 'email', and SNS delivers messages above 262144 bytes"):
            synthesize(stack)
    else:
        assert synthesize(stack).one("AWS::SNS::Topic")["MaximumMessageSize"] == size


@pytest.mark.parametrize("count", [MOST_SUBSCRIPTIONS, MOST_SUBSCRIPTIONS + 1])
def test_many_subscribers(new_stack: NewStack, count: int) -> None:
    stack = new_stack()
    topic = TracedTopic(stack, "Orders", options=LARGE).topic
    for number in range(count):
        arn = f"arn:aws:sqs:eu-west-1:111111111111:jobs-{number}"
        sns.CfnSubscription(stack, f"S{number}", topic_arn=topic.topic_arn, protocol="sqs", endpoint=arn)
    if count > MOST_SUBSCRIPTIONS:
        with pytest.raises(RuntimeError, match="has 101 subscriptions, but SNS lets a topic for messages above"):
            synthesize(stack)
    else:
        assert len(synthesize(stack).all("AWS::SNS::Subscription")) == count


def test_subscriptions_of_another_environment_give_no_name(new_stack: NewStack) -> None:
    stack = new_stack()
    topic = TracedTopic(stack, "Orders", options=LARGE).topic
    other = Stack(stack.node.root, "Other", env=Environment(account="222222222222", region="us-east-1"))  # type: ignore[arg-type]
    sns.Topic(other, "Theirs").add_subscription(subscriptions.EmailSubscription("orders@example.com"))
    assert "TopicName" not in synthesize(stack).one("AWS::SNS::Topic")
    assert topic.topic_arn


class TestNarrowerHops:
    def test_queue(self, new_stack: NewStack) -> None:
        stack = new_stack()
        failed = sqs.Queue(stack, "Failed")
        letters = sqs.DeadLetterQueue(queue=failed, max_receive_count=5)
        queue = sqs.Queue(stack, "Jobs", max_message_size_bytes=TOPIC_BYTES, dead_letter_queue=letters)
        TracedPipeline(stack, "Orders", topic=LARGE, worker=WorkerOptions(queue=queue, handler=make_function(stack)))
        (warning,) = warnings_of(stack, Check.MESSAGE_SIZE)
        assert "queue Shop/Jobs takes messages of 262144 bytes, but the topic Shop/Orders/Topic" in warning
        assert "before it takes 1048576" in warning

    def test_dead_letter_queue_of_a_topic_that_says_nothing(self, new_stack: NewStack) -> None:
        stack = new_stack()
        failed = sqs.Queue(stack, "Failed", max_message_size_bytes=1024)
        TracedPipeline(stack, "Orders", worker=WorkerOptions(dead_letter_queue=failed))
        (warning,) = warnings_of(stack, Check.MESSAGE_SIZE)
        assert "dead-letter queue Shop/Failed takes messages of 1024 bytes" in warning

    def test_next_topic(self, new_stack: NewStack) -> None:
        stack = new_stack()
        narrow = TracedTopic(stack, "Shipped").topic
        TracedPipeline(stack, "Orders", topic=LARGE, worker=WorkerOptions(publish_to=narrow))
        (warning,) = warnings_of(stack, Check.MESSAGE_SIZE)
        assert "publish_to is Shop/Shipped/Resource, which takes messages of 262144 bytes" in warning

    @pytest.mark.parametrize("own", [True, False], ids=["own handler", "wide topic"])
    def test_next_topic_that_is_wide_enough(self, new_stack: NewStack, own: bool) -> None:
        stack = new_stack()
        shipped = TracedTopic(stack, "Shipped", options=None if own else LARGE).topic
        handler = make_function(stack) if own else None
        TracedPipeline(stack, "Orders", topic=LARGE, worker=WorkerOptions(publish_to=shipped, handler=handler))
        assert warnings(stack) == []


@pytest.mark.parametrize("size", [1023, MEBIBYTE + 1])
def test_sizes_that_sns_does_not_have(new_stack: NewStack, size: int) -> None:
    with pytest.raises(PipelineError, match=rf"max_message_size is {size}, but must be from 1024 to 1048576") as caught:
        TracedPipeline(new_stack(), "Orders", topic=TopicOptions(max_message_size=size))
    assert caught.value.check is Check.OPTION_VALUE


def test_message_group(new_stack: NewStack) -> None:
    stack = new_stack()
    TracedPipeline(stack, "Orders", ingest=IngestOptions(message_group="customer"))
    assert synthesize(stack).variables("Ingest")["MESSAGE_GROUP_PROPERTY"] == "customer"
    with pytest.raises(PipelineError, match="message_group is 0 characters, but must be at least 1"):
        TracedPipeline(new_stack(), "Orders", ingest=IngestOptions(message_group=""))
