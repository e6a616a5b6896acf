"""The functions of an app that work through SQS queues, and by which event source mappings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aws_cdk import CfnResource
from constructs import IConstruct

from .function_references import FunctionReferences, StackPaths, logical_ids_of
from .function_settings import SAM_FUNCTION
from .intrinsics import logical_ids_in, part_of, text_of
from .resource import properties_of, referenced_resource
from .synthesis_checks import resources_in_app

MAPPING = "AWS::Lambda::EventSourceMapping"
_QUEUE = "AWS::SQS::Queue"
_SQS_ARN = ":sqs:"
_SAM_SQS_EVENT = "SQS"
# What mappings of all event sources but SQS must have one of.
# https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
_OF_OTHER_SOURCES = ("startingPosition", "queues", "topics", "selfManagedEventSource", "documentDbEventSourceConfig")
REPORTS_FAILURES = "ReportBatchItemFailures"
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
_DEFAULT_VISIBILITY_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A queue of the app.

    Attributes:
        path: The path of its resource.
        visibility_timeout: In seconds; None where only a deployment knows it.
    """

    path: str
    visibility_timeout: float | None


@dataclass(frozen=True, kw_only=True)
class QueueMapping:
    """What passes the messages of a queue to a function: an event source mapping, or an event of a SAM function.

    Attributes:
        resource: The resource it stands in.
        path: The path of that.
        event: The name of a SAM function's event; otherwise empty.
        function: The path of the function's resource; empty where that is not of this app, or not known.
        fixed_version: As in `NamedFunction`.
        reports_failures: Whether it has Lambda take a batch's failed messages from the function's answer.
        queue: The queue, if it is of this app.
    """

    resource: CfnResource
    path: str
    event: str
    function: str
    fixed_version: str
    reports_failures: bool
    queue: Queue | None


class SqsConsumers:
    """The consumers of an app, as it is when this is made; for use at synthesis.

    Args:
        references: The functions of the app.
        scope: Any construct of the app.
    """

    def __init__(self, references: FunctionReferences, scope: IConstruct) -> None:
        self.references = references
        self._stacks = StackPaths()
        self._queues: Mapping[tuple[str, str], CfnResource] | None = None
        self._scope = scope
        self.other_mappings: list[tuple[str, str]] = []
        """The function and the path of each mapping of another event source."""
        self._mappings: set[str] = set()
        self._by_path: dict[str, QueueMapping] = {}
        self._by_function: dict[str, list[QueueMapping]] = defaultdict(list)
        for resource in resources_in_app(scope, MAPPING, SAM_FUNCTION):
            of_sam = resource.cfn_resource_type == SAM_FUNCTION
            for mapping in self._events_of(resource) if of_sam else self._mapping(resource):
                self._by_path.setdefault(mapping.path, mapping)
                self._by_function[mapping.function].append(mapping)

    def of(self, function: str) -> list[QueueMapping]:
        """Returns the mappings of the function at a path."""
        return self._by_function.get(function, [])

    def at(self, path: str) -> QueueMapping | None:
        """Returns the mapping whose resource is at a path, if it is one of SQS."""
        return self._by_path.get(path)

    def knows(self, path: str) -> bool:
        """Returns whether the mapping at a path was there when this was made."""
        return path in self._mappings

    def _mapping(self, resource: CfnResource) -> Iterator[QueueMapping]:
        properties, path = properties_of(resource), resource.node.path
        named = self.references.named_by(properties.get("functionName"), resource)
        if len(named) > 1:  # resources of several stacks have the same logical id
            target = referenced_resource(getattr(resource, "function_name", ""))
            named = [function for function in named if target is not None and function.path == target.node.path]
        function = named[0].path if named else ""
        self._mappings.add(path)
        if not _is_of_sqs(properties):
            self.other_mappings.append((function, path))
            return
        yield QueueMapping(
            resource=resource,
            path=path,
            event="",
            function=function,
            fixed_version=named[0].fixed_version if named else "",
            reports_failures=properties.get("functionResponseTypes") == [REPORTS_FAILURES],
            queue=self._queue(properties.get("eventSourceArn"), resource),
        )

    def _events_of(self, function: CfnResource) -> Iterator[QueueMapping]:
        events, path = properties_of(function).get("events"), function.node.path
        if not isinstance(events, Mapping):
            return
        for name, event in events.items():
            if part_of(event, "type") == _SAM_SQS_EVENT:
                properties = part_of(event, "properties")
                yield QueueMapping(
                    resource=function,
                    path=path,
                    event=name,
                    function=path,
                    fixed_version="",
                    reports_failures=False,  # the CDK does not know this property, and so does not show it
                    queue=self._queue(part_of(properties, "queue"), function),
                )

    def _queue(self, arn: object, resource: CfnResource) -> Queue | None:
        if self._queues is None:
            queues = resources_in_app(self._scope, _QUEUE)
            ids = zip(queues, logical_ids_of(queues), strict=True)
            self._queues = {(self._stacks.of(queue), logical_id): queue for queue, logical_id in ids}
        for logical_id in logical_ids_in(arn):
            queue = self._queues.get((self._stacks.of(resource), logical_id))
            if queue is not None:
                seconds = properties_of(queue).get("visibilityTimeout", _DEFAULT_VISIBILITY_SECONDS)
                known = seconds if isinstance(seconds, int | float) else None
                return Queue(path=queue.node.path, visibility_timeout=known)
        return None


def _is_of_sqs(properties: Mapping[str, object]) -> bool:
    source = text_of(properties.get("eventSourceArn"))
    if _SQS_ARN in source:
        return True
    known_otherwise = source.startswith("arn:") and source.count(":") >= 3
    return not known_otherwise and not any(name in properties for name in _OF_OTHER_SOURCES)
