"""Reads the configuration of a stack's pipeline, without changing anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from ..aws.read_errors import Reads
from ..aws.stack import Pipeline, stage_service
from .inspect_functions import FunctionReader
from .inspect_messaging import event_sources_of, read_queue, read_topic
from .inspect_xray import read_xray_settings
from .model import Deployment, EventSource, Function, Queue, Stage, Topic, XRaySettings, unversioned

if TYPE_CHECKING:
    import boto3
    from types_boto3_apigateway import APIGatewayClient


def inspect(session: boto3.Session, pipeline: Pipeline, *, progress: Callable[[str], None] | None = None) -> Deployment:
    """Reads what is deployed; what may not be read is noted and left open.

    Besides the stack's own resources, it reads the topics that its functions' environments name, the queues
    subscribed to its topics, and the functions that work through its queues.

    Args:
        session: The session to read with.
        pipeline: The pipeline.
        progress: Called with what is read next.
    """
    tell = progress or (lambda _: None)
    reads = Reads()
    tell("the API")
    stage = _stage(reads, session.client("apigateway"), pipeline)
    tell("the functions")
    reader = FunctionReader(session, reads)
    functions = {function.arn: function for name in pipeline.functions if (function := reader.read(name)) is not None}
    tell("the topics")
    sns = session.client("sns")
    topics = tuple(read_topic(reads, sns, arn) for arn in _topic_arns(pipeline, functions.values()))
    tell("the queues")
    queues, event_sources = _queues(reads, session, pipeline, topics)
    wanted = [*(source.function for source in event_sources), *((stage.functions or ()) if stage else ())]
    for arn in dict.fromkeys(map(unversioned, wanted)):
        if arn not in functions and (function := reader.read(arn)) is not None:
            functions[function.arn] = function
    tell("X-Ray's settings")
    xray = read_xray_settings(reads, session.client("xray"))
    return Deployment(
        stack=pipeline.stack,
        stage=stage,
        functions=tuple(functions.values()),
        topics=topics,
        queues=queues,
        event_sources=event_sources,
        tables=pipeline.tables,
        xray=xray,
        unread=tuple(reads.unread),
    )


def inspect_messaging(session: boto3.Session, pipeline: Pipeline, reads: Reads) -> Deployment:
    """Reads the topics and queues alone, and what works through them; the rest is left out.

    Args:
        session: The session to read with.
        pipeline: The pipeline.
        reads: Records what could not be read.
    """
    sns = session.client("sns")
    topics = tuple(read_topic(reads, sns, arn) for arn in pipeline.topics)
    queues, event_sources = _queues(reads, session, pipeline, topics)
    return Deployment(
        stack=pipeline.stack,
        stage=None,
        functions=(),
        topics=topics,
        queues=queues,
        event_sources=event_sources,
        tables=(),
        xray=XRaySettings(policies=None, rules=None, destination=None),
        unread=(),
    )


def _stage(reads: Reads, client: APIGatewayClient, pipeline: Pipeline) -> Stage | None:
    api_id, name = pipeline.api_id, pipeline.stage
    if api_id is None or name is None:
        return None
    service = reads.read_route("the API's name", lambda: stage_service(client, pipeline))
    stage = reads.read("the API's stage", lambda: client.get_stage(restApiId=api_id, stageName=name))
    integrated = reads.read_route("the API's methods", lambda: tuple(_integrated(client, api_id, pipeline.api_path)))
    return Stage(
        service=service or name,
        traced=None if stage is None else bool(stage.get("tracingEnabled")),
        functions=integrated,
    )


def _integrated(client: APIGatewayClient, api_id: str, path: str | None) -> Iterator[str]:
    """The functions behind the methods of a path, or of all paths where none has that path."""
    pages = client.get_paginator("get_resources").paginate(restApiId=api_id, embed=["methods"])
    resources = [resource for page in pages for resource in page.get("items", [])]
    chosen = [resource for resource in resources if resource.get("path") == path] or resources
    for resource in chosen:
        for method in resource.get("resourceMethods", {}).values():
            uri = method.get("methodIntegration", {}).get("uri", "")
            # arn:aws:apigateway:<region>:lambda:path/2015-03-31/functions/<the function's ARN>/invocations
            if "/functions/arn:" in uri:
                yield uri.partition("/functions/")[2].removesuffix("/invocations")


def _topic_arns(pipeline: Pipeline, functions: Iterable[Function]) -> list[str]:
    named = [
        value
        for function in functions
        for value in function.environment.values()
        if value.startswith("arn:") and value.split(":")[2:3] == ["sns"] and value.count(":") == 5
    ]
    return list(dict.fromkeys([*pipeline.topics, *named]))


def _queues(
    reads: Reads, session: boto3.Session, pipeline: Pipeline, topics: Iterable[Topic]
) -> tuple[tuple[Queue, ...], tuple[EventSource, ...]]:
    sqs, functions = session.client("sqs"), session.client("lambda")
    by_arn = {queue.arn: queue for url in pipeline.queues if (queue := read_queue(reads, sqs, url=url)) is not None}
    for topic in topics:
        for subscription in topic.subscriptions or ():
            if (
                subscription.queue not in by_arn
                and (queue := read_queue(reads, sqs, arn=subscription.queue)) is not None
            ):
                by_arn[queue.arn] = queue
    sources = [source for arn in by_arn for source in event_sources_of(reads, functions, arn)]
    return tuple(by_arn.values()), tuple(sources)
