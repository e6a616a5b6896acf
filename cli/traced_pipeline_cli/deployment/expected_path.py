"""The way a request should take through a deployment, hop by hop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..traces.resource_types import NodeKind
from .model import Deployment, EventSource, Function, Queue, Topic


@dataclass(frozen=True, kw_only=True)
class Hop:
    """One resource a request passes.

    Attributes:
        kind: What it is.
        name: Its name, as AWS has it.
        depth: How many hops came before it.
        previous: The place of the hop before it in the route; None for the first.
    """

    kind: NodeKind
    name: str
    depth: int
    previous: int | None


def route_of(deployment: Deployment) -> tuple[Hop, ...]:
    """Returns the hops in order; behind a topic with several queues, one branch after the other.

    The wiring is read from the API's integrations, the topics' subscriptions, the event source mappings, and the
    functions' environments, which name topics, queues and tables. Where no environment names any, the stack's only
    table, and those of its topics that no worker publishes to, are taken.

    Args:
        deployment: What is deployed.
    """
    return tuple(_Walk(deployment).hops)


class _Walk:
    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._workers = {source.function for source in deployment.event_sources}
        self._passed: set[str] = set()
        self.hops: list[Hop] = []
        first = self._add("stage", deployment.stage.service, None) if deployment.stage is not None else None
        for function in self._entrances():
            self._function(function, first)
        if self.hops and all(hop.kind != "table" for hop in self.hops):
            # The wiring leads to no table, but requests are meant to end in one.
            for table in deployment.tables:
                self._add("table", table, len(self.hops) - 1)

    def _add(self, kind: NodeKind, name: str, previous: int | None) -> int:
        depth = 0 if previous is None else self.hops[previous].depth + 1
        self.hops.append(Hop(kind=kind, name=name, depth=depth, previous=previous))
        return len(self.hops) - 1

    def _entrances(self) -> list[Function]:
        """Returns the functions behind the API; where these are not known, those that work through no queue."""
        deployment = self._deployment
        integrated = deployment.stage.functions if deployment.stage is not None else None
        if integrated:
            return [function for arn in dict.fromkeys(integrated) if (function := deployment.function(arn)) is not None]
        return [function for function in deployment.functions if function.arn not in self._workers]

    def _function(self, function: Function, previous: int | None) -> None:
        if function.arn in self._passed:
            return
        self._passed.add(function.arn)
        own = self._add("function", function.name, previous)
        for topic in self._topics(function):
            self._topic(topic, own)
        for queue in self._deployment.queues:
            if _names(function, queue.url, queue.arn, queue.name):
                self._queue(queue, own)
        for table in self._tables(function):
            self._add("table", table, own)

    def _topics(self, function: Function) -> list[Topic]:
        named = [topic for topic in self._deployment.topics if _names(function, topic.arn, topic.name)]
        if named or function.arn in self._workers or self._named_queues(function):
            return named
        workers = [function for function in self._deployment.functions if function.arn in self._workers]
        return [
            topic
            for topic in self._deployment.topics
            if not any(_names(worker, topic.arn, topic.name) for worker in workers)
        ]

    def _named_queues(self, function: Function) -> bool:
        return any(_names(function, queue.url, queue.arn, queue.name) for queue in self._deployment.queues)

    def _tables(self, function: Function) -> Iterator[str]:
        named = [table for table in self._deployment.tables if _names(function, table)]
        if named:
            yield from named
        elif function.arn in self._workers and len(self._deployment.tables) == 1 and not self._topics(function):
            yield self._deployment.tables[0]

    def _topic(self, topic: Topic, previous: int) -> None:
        if topic.arn in self._passed:
            return
        self._passed.add(topic.arn)
        own = self._add("topic", topic.name, previous)
        for subscription in topic.subscriptions or ():
            if (queue := self._deployment.queue(subscription.queue)) is not None:
                self._queue(queue, own)
        if not topic.subscriptions:
            self._orphans(own)

    def _orphans(self, previous: int) -> None:
        """Behind a topic that nothing is subscribed to: the queues that something works through all the same."""
        subscribed = {
            subscription.queue for topic in self._deployment.topics for subscription in topic.subscriptions or ()
        }
        for queue in self._deployment.queues:
            if queue.arn not in subscribed and self._sources(queue):
                self._queue(queue, previous)

    def _sources(self, queue: Queue) -> list[EventSource]:
        return [source for source in self._deployment.event_sources if source.queue == queue.arn]

    def _queue(self, queue: Queue, previous: int) -> None:
        if queue.arn in self._passed:
            return
        self._passed.add(queue.arn)
        own = self._add("queue", queue.name, previous)
        for source in self._sources(queue):
            if (function := self._deployment.function(source.function)) is not None:
                self._function(function, own)


def _names(function: Function, *names: str) -> bool:
    """Returns whether a function's environment holds one of the names, URLs or ARNs."""
    return any(value in names for value in function.environment.values())
