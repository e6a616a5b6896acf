"""Customer keys of topics and queues: every combination can be deployed, and lets in whom AWS needs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct
from traced_pipeline import (
    Check,
    PipelineError,
    QueueWorker,
    TableOptions,
    TopicOptions,
    TracedPipeline,
    TracedTopic,
    WorkerOptions,
)

from tests.support.stacks import NewStack, make_function
from tests.support.templates import Synthesized, synthesize, warnings_of

PLACE = Environment(account="111111111111", region="eu-west-1")
RESTRICTED = "@aws-cdk/aws-sns-subscriptions:restrictSqsDescryption"
ALIAS_RIGHTS = "@aws-cdk/aws-kms:applyImportedAliasPermissionsToPrincipal"
IMPORTED = "arn:aws:kms:eu-west-1:111111111111:key/01234567-0123-0123-0123-0123456789ab"

# Where a key comes from; a queue's may be the topic's, or an alias of it.
TOPIC_KEYS = ("none", "created", "alias", "elsewhere", "alias elsewhere", "imported", "imported alias")
QUEUE_KEYS = (*TOPIC_KEYS[1:], "shared", "alias of shared")
PARTS = ("queue_key", "queue", "dead_letter_queue", "dead_letter_queue of the queue")


@dataclass(frozen=True, kw_only=True)
class Combination:
    """One hop: a topic, and a queue or dead-letter queue with a customer key."""

    part: str
    key: str
    topic: sns.Topic
    made: kms.Key | None
    function: lambda_.Function

    def admitting(self) -> list[dict[str, Any]]:
        """The statements of the key's policy that are about SNS."""
        assert self.made is not None
        resource = self.made.node.default_child
        assert isinstance(resource, kms.CfnKey)
        statements = self.made.stack.resolve(resource.key_policy)["Statement"]
        return [s for s in statements if s["Principal"] == {"Service": "sns.amazonaws.com"}]

    def admits_the_topic(self) -> bool:
        name = json.dumps(self.topic.stack.resolve(self.topic.topic_arn))
        return any(
            {"kms:Decrypt", "kms:GenerateDataKey"} <= set(statement["Action"])
            and (
                json.dumps(statement["Condition"].get("ArnEquals", {}).get("aws:SourceArn")) == name
                or "sns:eu-west-1:111111111111:*" in json.dumps(statement["Condition"].get("ArnLike"))
            )
            for statement in self.admitting()
        )


class Keys:
    """The keys of one combination."""

    def __init__(self, scope: Construct, elsewhere: Stack) -> None:
        self._scope, self._there = scope, Construct(elsewhere, scope.node.id)
        self._made: dict[str, kms.Key] = {}

    def make(self, kind: str, name: str) -> kms.IKey | None:
        if kind == "none":
            return None
        if kind == "imported":
            return kms.Key.from_key_arn(self._scope, name, IMPORTED)
        if kind == "imported alias":
            return kms.Alias.from_alias_name(self._scope, name, "alias/app")
        scope = self._there if kind.endswith("elsewhere") else self._scope
        made = self._made[name] = kms.Key(scope, name)
        return self._alias(scope, name, made) if kind.startswith("alias") else made

    def of_queue(self, kind: str, topic_key: kms.IKey | None) -> tuple[kms.IKey | None, kms.Key | None]:
        """The queue's key, and the key that is made for it."""
        if not kind.endswith("shared"):
            return self.make(kind, "QueueKey"), self._made.get("QueueKey")
        made = self._made.get("TopicKey")
        return self._alias(self._scope, "Shared", made) if made and kind.startswith("alias") else topic_key, made

    def _alias(self, scope: Construct, name: str, key: kms.Key) -> kms.Alias:
        return kms.Alias(scope, f"{name}Alias", alias_name=f"alias/{self._scope.node.addr}{name}", target_key=key)


def options_for(scope: Construct, part: str, key: kms.IKey | None) -> dict[str, Any]:
    if part == "queue_key":
        return {"queue_key": key}
    seconds = Duration.minutes(3)
    keyed = sqs.Queue(scope, "Keyed", encryption_master_key=key, visibility_timeout=seconds)
    if part != "dead_letter_queue of the queue":
        return {part: keyed}
    dead = sqs.DeadLetterQueue(queue=keyed, max_receive_count=5)
    return {"queue": sqs.Queue(scope, "Jobs", visibility_timeout=seconds, dead_letter_queue=dead)}


def combine(stack: Stack, elsewhere: Stack, topic_kind: str) -> Iterator[Combination]:
    function = make_function(stack)
    for number, (kind, part) in enumerate(product(QUEUE_KEYS, PARTS)):
        scope = Construct(stack, f"Hop{number}")
        keys = Keys(scope, elsewhere)
        topic_key = keys.make(topic_kind, "TopicKey")
        topic = TracedTopic(scope, "Topic", options=TopicOptions(key=topic_key)).topic
        key, made = keys.of_queue(kind, topic_key)
        options = WorkerOptions(handler=function, **options_for(scope, part, key))
        QueueWorker(scope, "Work", topic=topic, options=options)
        yield Combination(part=part, key=kind, topic=topic, made=made, function=function)


@pytest.mark.parametrize("restricted", [True, False], ids=["restricted", "unrestricted"])
@pytest.mark.parametrize("topic_key", TOPIC_KEYS)
def test_every_combination_of_keys_can_be_deployed(
    new_app: Callable[..., App], topic_key: str, restricted: bool
) -> None:
    app = new_app(**{RESTRICTED: restricted, "aws:cdk:disable-asset-staging": True})
    stack, elsewhere = Stack(app, "Shop", env=PLACE), Stack(app, "Keys", env=PLACE)
    combinations = list(combine(stack, elsewhere, topic_key))
    template = synthesize(stack)  # refuses a circular dependency within a stack; between stacks the synthesis does
    rights = json.dumps(template.statements("MineServiceRole"))
    for combination in combinations:
        if combination.made is None:
            continue
        assert combination.admits_the_topic(), combination
        if combination.part in ("queue_key", "queue"):
            assert json.dumps(stack.resolve(combination.made.key_arn)) in rights, combination
    assert '"kms:ResourceAliases": "alias/app"' in rights
    assert IMPORTED in rights


class TestPolicies:
    def test_key_of_its_own_admits_the_one_topic(self, new_stack: NewStack) -> None:
        stack = new_stack(env=PLACE)
        queues = kms.Key(stack, "Queues")
        TracedPipeline(
            stack, "Orders", topic=TopicOptions(key=kms.Key(stack, "Topics")), worker=WorkerOptions(queue_key=queues)
        )
        template = synthesize(stack)
        statements = template.one("AWS::KMS::Key", "Queues")["KeyPolicy"]["Statement"]
        (admitting,) = [s for s in statements if s["Principal"] == {"Service": "sns.amazonaws.com"}]
        topic = {"Ref": template.name_of("AWS::SNS::Topic")}
        assert admitting["Condition"] == {"ArnEquals": {"aws:SourceArn": topic}}

    def test_two_pipelines_whose_keys_are_crossed(self, new_stack: NewStack) -> None:
        stack = new_stack(env=PLACE)
        one, other = kms.Key(stack, "One"), kms.Key(stack, "Other")
        TracedPipeline(stack, "Orders", topic=TopicOptions(key=one), worker=WorkerOptions(queue_key=other))
        TracedPipeline(stack, "Returns", topic=TopicOptions(key=other), worker=WorkerOptions(queue_key=one))
        assert len(synthesize(stack).all("AWS::KMS::Key")) == 2

    @pytest.mark.parametrize("part", ["queue", "dead_letter_queue"])
    def test_aws_managed_key_is_refused(self, new_stack: NewStack, part: str) -> None:
        stack = new_stack()
        managed = sqs.Queue(
            stack, "Jobs", encryption=sqs.QueueEncryption.KMS_MANAGED, visibility_timeout=Duration.minutes(3)
        )
        with pytest.raises(PipelineError, match="AWS managed key alias/aws/sqs, which SNS cannot use") as caught:
            TracedPipeline(stack, "Orders", worker=WorkerOptions(**{part: managed}))  # type: ignore[arg-type]
        assert caught.value.path == "Shop/Orders/Worker"

    def test_imported_key_of_a_dead_letter_queue_is_said(self, new_stack: NewStack) -> None:
        stack = new_stack()
        key = kms.Key.from_key_arn(stack, "Key", IMPORTED)
        dead = sqs.DeadLetterQueue(queue=sqs.Queue(stack, "Dead", encryption_master_key=key), max_receive_count=5)
        queue = sqs.Queue(stack, "Jobs", visibility_timeout=Duration.minutes(3), dead_letter_queue=dead)
        TracedPipeline(stack, "Orders", worker=WorkerOptions(queue=queue))
        (warning,) = warnings_of(stack, Check.KEY_NOT_MANAGED)
        assert "it encrypts queue Shop/Dead behind a topic" in warning


@pytest.mark.parametrize("flag", [True, False])
class TestImportedAlias:
    """Without the CDK's flag its grants on a key imported by its alias come to nothing."""

    def test_functions_may_use_the_keys_of_topic_queue_and_table(self, new_stack: NewStack, flag: bool) -> None:
        stack = new_stack(env=PLACE, **{ALIAS_RIGHTS: flag})
        topic, queue, table = (kms.Alias.from_alias_name(stack, name, f"alias/{name}") for name in ("to", "qu", "ta"))
        TracedPipeline(
            stack,
            "Orders",
            topic=TopicOptions(key=topic),
            worker=WorkerOptions(queue_key=queue),
            table=TableOptions(key=table),
        )
        template = synthesize(stack)
        assert self.aliases(template, "IngestFunction") == {"alias/to"}
        assert self.aliases(template, "WorkerFunction") == {"alias/qu", "alias/ta"}

    def test_of_a_topic_to_publish_to(self, new_stack: NewStack, flag: bool) -> None:
        stack = new_stack(env=PLACE, **{ALIAS_RIGHTS: flag})
        key = kms.Alias.from_alias_name(stack, "Key", "alias/next")
        following = TracedTopic(stack, "Next", options=TopicOptions(key=key)).topic
        TracedPipeline(stack, "Orders", worker=WorkerOptions(publish_to=following))
        assert self.aliases(synthesize(stack), "WorkerFunction") == {"alias/next"}

    def aliases(self, template: Synthesized, role: str) -> set[str]:
        return {
            statement["Condition"]["ForAnyValue:StringEquals"]["kms:ResourceAliases"]
            for statement in template.statements(role)
            if "kms:Decrypt" in statement["Action"]
        }
