"""A deployed pipeline as plain data, whole; tests take something away from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from traced_pipeline_cli.deployment.model import (
    Deployment,
    EventSource,
    Function,
    Queue,
    SamplingRule,
    Stage,
    Subscription,
    Topic,
    XRaySettings,
)
from traced_pipeline_cli.traces.model import JsonObject

ACCOUNT = "111122223333"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:orders"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:work"
DEAD = f"arn:aws:sqs:us-east-1:{ACCOUNT}:dead"


def function_arn(name: str) -> str:
    return f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"


def policy(*, action: str, resource: str, **condition: JsonObject) -> JsonObject:
    """A policy that lets SNS in."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": action,
                "Resource": resource,
                "Condition": dict(condition),
            }
        ],
    }


def function(name: str, **changes: Any) -> Function:
    whole = Function(
        name=name,
        arn=function_arn(name),
        active=name == "ingest",
        environment={},
        bridged=True,
        log_group=f"/aws/lambda/{name}",
        may_send=True,
        concurrency=None,
        network=None,
    )
    return replace(whole, **changes)


def queue(arn: str = QUEUE, **changes: Any) -> Queue:
    whole = Queue(
        url=f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/{arn.rsplit(':', 1)[-1]}",
        arn=arn,
        policy=policy(action="sqs:SendMessage", resource=arn, ArnEquals={"aws:SourceArn": TOPIC}),
        key=None,
        dead_letter_queue=DEAD,
        attempts=3,
        waiting=0,
        in_flight=0,
        visibility_timeout=180,
        retention=345_600,
    )
    return replace(whole, **changes)


SUBSCRIPTION = Subscription(arn=f"{TOPIC}:1", topic=TOPIC, queue=QUEUE, filter_policy=None, dead_letter_queue=DEAD)
SOURCE = EventSource(
    id="esm-1", queue=QUEUE, function=function_arn("worker"), state="Enabled", filtered=False, reports_failures=True
)

WHOLE = Deployment(
    stack="Orders",
    stage=Stage(service="Orders/prod", traced=True, functions=(function_arn("ingest"),)),
    functions=(
        function("ingest", environment={"TOPIC_ARN": TOPIC}),
        function("worker", environment={"TABLE_NAME": "items"}),
    ),
    topics=(Topic(arn=TOPIC, active=True, subscriptions=(SUBSCRIPTION,)),),
    queues=(queue(), queue(DEAD, policy=None, dead_letter_queue=None, attempts=None)),
    event_sources=(SOURCE,),
    tables=("items",),
    xray=XRaySettings(
        policies=(
            policy(
                action="xray:PutTraceSegments",
                resource="*",
                StringEquals={"aws:SourceAccount": ACCOUNT},
                StringLike={"aws:SourceArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:*"},
            ),
        ),
        rules=(SamplingRule(name="Default", priority=10_000, rate=0.05, reservoir=1, service="*", service_type="*"),),
        destination="XRay",
    ),
    unread=(),
)


def with_worker(**changes: Any) -> Deployment:
    """The deployment with a worker that is different."""
    ingest, worker = WHOLE.functions
    return replace(WHOLE, functions=(ingest, replace(worker, **changes)))


def with_queue(**changes: Any) -> Deployment:
    """The deployment with a work queue that is different."""
    work, dead = WHOLE.queues
    return replace(WHOLE, queues=(replace(work, **changes), dead))


def with_subscription(**changes: Any) -> Deployment:
    """The deployment with a subscription that is different."""
    topic = WHOLE.topics[0]
    return replace(WHOLE, topics=(replace(topic, subscriptions=(replace(SUBSCRIPTION, **changes),)),))
