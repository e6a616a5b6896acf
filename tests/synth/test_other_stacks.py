"""What belongs to another stack is refused where the CDK or AWS cannot reach it from this one."""

from __future__ import annotations

from collections.abc import Callable

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from traced_pipeline import TopicOptions, TracedPipeline, WorkerOptions

from tests.support.templates import refusal

KNOWN = Environment(account="111111111111", region="eu-west-1")


class TestOtherStacks:
    def test_a_table_of_an_environment_where_it_has_no_name(self, new_app: Callable[..., App]) -> None:
        app = new_app()
        shared, shop = Stack(app, "Shared", env=KNOWN), Stack(app, "Shop")
        partition_key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        table = dynamodb.Table(shared, "Table", partition_key=partition_key)
        text = refusal(lambda: TracedPipeline(shop, "Orders", table=table))
        assert "table is Shared/Table of stack Shared (aws://111111111111/eu-west-1), to which this stack" in text

    def test_a_key_of_another_region(self, new_app: Callable[..., App]) -> None:
        app = new_app()
        key = kms.Key(Stack(app, "Shared", env=KNOWN), "Key")
        shop = Stack(app, "Shop", env=Environment(account="111111111111", region="us-east-1"))
        text = refusal(lambda: TracedPipeline(shop, "Orders", topic=TopicOptions(key=key)))
        assert "key Shared/Key belongs to Region eu-west-1, this stack to us-east-1" in text

    def test_a_dead_letter_queue_that_would_wait_for_the_topic(self, new_app: Callable[..., App]) -> None:
        app = new_app()
        shared, shop = Stack(app, "Shared", env=KNOWN), Stack(app, "Shop", env=KNOWN)
        worker = WorkerOptions(dead_letter_queue=sqs.Queue(shared, "Failed"))
        text = refusal(lambda: TracedPipeline(shop, "Orders", worker=worker))
        assert "dead-letter queue Shared/Failed belongs to stack Shared, topic and worker to Shop" in text

    def test_a_topic_that_waits_for_a_key_of_this_stack(self, new_app: Callable[..., App]) -> None:
        app = new_app()
        shop = Stack(app, "Shop", env=KNOWN)
        topic = sns.Topic(Stack(app, "Shared", env=KNOWN), "Topic", master_key=kms.Key(shop, "Key"))
        text = refusal(lambda: TracedPipeline(shop, "Orders", topic=topic))
        assert "topic is Shared/Topic of stack Shared, which waits for its key Shop/Key of this stack" in text
