"""A stack's dead-letter queues, and where each one's messages belong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ..aws.read_errors import Reads
from ..aws.stack import Pipeline
from ..deployment.inspect_messaging import json_object, read_queue
from ..deployment.inspect_stack import inspect_messaging
from ..deployment.model import Deployment, Queue, Subscription
from ..errors import NotFoundError
from .message import DeadLetterMessage

if TYPE_CHECKING:
    import boto3


@dataclass(frozen=True, kw_only=True)
class DeadLetterQueue:
    """A queue for what could not be delivered or processed.

    Attributes:
        queue: The queue.
        source_queues: The queues whose redrive policy names it.
        subscriptions: The subscriptions that name it.
        subscribed_queues: The queues behind those subscriptions, by ARN.
    """

    queue: Queue
    source_queues: tuple[Queue, ...]
    subscriptions: tuple[Subscription, ...]
    subscribed_queues: Mapping[str, Queue]

    def attempts_of(self, message: DeadLetterMessage) -> int | None:
        """How often a worker tried a message: as often as its queue lets it, never where SNS could not deliver it."""
        if message.origin == "subscription":
            return 0
        source_queue = next((queue for queue in self.source_queues if queue.arn == message.source), None)
        return source_queue.attempts if source_queue is not None else None

    def source_queue_of(self, message: DeadLetterMessage) -> Queue | None:
        """Returns the queue a message belongs to; None where several could be meant.

        A message that a queue put there goes back to it; one that SNS could not deliver, to the queue subscribed to its
        topic, which the body tells unless the delivery is raw.
        """
        if message.source is not None:
            return next((queue for queue in self.source_queues if queue.arn == message.source), None)
        topic = json_object(message.body).get("TopicArn")
        fitting = [subscription for subscription in self.subscriptions if subscription.topic == topic] or list(
            self.subscriptions
        )
        arns = {subscription.queue for subscription in fitting} or {queue.arn for queue in self.source_queues}
        known = {**{queue.arn: queue for queue in self.source_queues}, **self.subscribed_queues}
        return known.get(next(iter(arns))) if len(arns) == 1 else None


@dataclass(frozen=True, kw_only=True)
class DeadLetterQueues:
    """All of a stack's.

    Attributes:
        deployment: The stack's topics and queues.
        queues: Its dead-letter queues.
        log_groups: The log groups of its functions, by the function's ARN.
        complete: Whether every queue of the stack, and every dead-letter queue that its resources or outputs name,
            could be read.
    """

    deployment: Deployment
    queues: tuple[DeadLetterQueue, ...]
    log_groups: Mapping[str, str]
    complete: bool = True

    @property
    def source_queues(self) -> tuple[Queue, ...]:
        """The stack's queues that are not for dead-letter messages themselves."""
        own = {place.queue.arn for place in self.queues}
        return tuple(queue for queue in self.deployment.queues if queue.arn not in own)


def dead_letter_queues(session: boto3.Session, pipeline: Pipeline, reads: Reads) -> DeadLetterQueues:
    """Finds a stack's dead-letter queues: those its queues, subscriptions and functions name, and its output's.

    Args:
        session: The session to read with.
        pipeline: The pipeline.
        reads: Records what could not be read.

    Raises:
        NotFoundError: It has none.
    """
    deployment = inspect_messaging(session, pipeline, reads)
    subscriptions = [subscription for topic in deployment.topics for subscription in topic.subscriptions or ()]
    log_groups, own = _functions(session, pipeline, reads)
    arns = dict.fromkeys(
        arn
        for arn in (
            *(queue.dead_letter_queue for queue in deployment.queues),
            *(subscription.dead_letter_queue for subscription in subscriptions),
            *own,
        )
        if arn is not None
    )
    sqs = session.client("sqs")
    by_arn = {arn: deployment.queue(arn) or read_queue(reads, sqs, arn=arn) for arn in arns}
    read = {queue.url for queue in deployment.queues}
    complete = None not in by_arn.values() and read.issuperset(pipeline.queues)
    if (stated := pipeline.dead_letter_queue_url) is not None:
        queue = read_queue(reads, sqs, url=stated)
        complete = complete and queue is not None
        if queue is not None:
            by_arn.setdefault(queue.arn, queue)
    queues = tuple(_assembled(queue, deployment) for queue in by_arn.values() if queue is not None)
    if not queues and not reads.unread:
        raise NotFoundError(f"The stack {pipeline.stack} has no dead-letter queue; its status is {pipeline.status}.")
    return DeadLetterQueues(deployment=deployment, queues=queues, log_groups=log_groups, complete=complete)


def _assembled(queue: Queue, deployment: Deployment) -> DeadLetterQueue:
    subscriptions = tuple(
        subscription
        for topic in deployment.topics
        for subscription in topic.subscriptions or ()
        if subscription.dead_letter_queue == queue.arn
    )
    subscribed_queues = (deployment.queue(subscription.queue) for subscription in subscriptions)
    return DeadLetterQueue(
        queue=queue,
        source_queues=tuple(
            source_queue for source_queue in deployment.queues if source_queue.dead_letter_queue == queue.arn
        ),
        subscriptions=subscriptions,
        subscribed_queues={subscribed.arn: subscribed for subscribed in subscribed_queues if subscribed is not None},
    )


def _functions(session: boto3.Session, pipeline: Pipeline, reads: Reads) -> tuple[dict[str, str], list[str]]:
    """Returns the functions' log groups, and the queues that are their own dead-letter queues."""
    client = session.client("lambda")
    log_groups: dict[str, str] = {}
    own: list[str] = []
    for name in pipeline.functions:
        configuration = reads.read(
            f"the function {name}", partial(client.get_function_configuration, FunctionName=name)
        )
        if configuration is not None:
            group = configuration.get("LoggingConfig", {}).get("LogGroup", "")
            log_groups[configuration.get("FunctionArn", "")] = group or f"/aws/lambda/{name}"
            target = configuration.get("DeadLetterConfig", {}).get("TargetArn", "")
            own += [target] if ":sqs:" in target else []
    return log_groups, own
