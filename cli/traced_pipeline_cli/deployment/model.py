"""What is deployed, as plain data: the configuration that decides whether a trace goes through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ..aws.read_errors import Unread
from ..aws.transaction_search import Destination
from ..traces.model import JsonObject

Word: TypeAlias = Literal["create", "existing"]
PartName: TypeAlias = Literal[
    "sns_permission", "api_logging_role", "transaction_search", "application_signals", "sampling_rule"
]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage of a REST API.

    Attributes:
        service: Its name in X-Ray, `<API's name>/<stage>`.
        traced: Whether the stage records traces; None where that could not be read.
        functions: The ARNs of the functions behind its methods; None where they could not be read.
    """

    service: str
    traced: bool | None
    functions: tuple[str, ...] | None


@dataclass(frozen=True, kw_only=True)
class Network:
    """Where a function in a VPC can reach X-Ray.

    Attributes:
        vpc: The VPC's id.
        endpoint: Whether the VPC has an interface endpoint for X-Ray; None where that could not be read.
        way_out: Whether every subnet of the function has a default route other than to an internet gateway, which a
            function cannot use; None where that could not be read.
    """

    vpc: str
    endpoint: bool | None
    way_out: bool | None


@dataclass(frozen=True, kw_only=True)
class Function:
    """A Lambda function.

    Attributes:
        name: Its name.
        arn: Its ARN, without a version.
        active: Whether Lambda records its invocations.
        environment: Its environment variables; empty where they could not be read.
        bridged: Whether one of its layers holds the bridge; None where that could not be read.
        log_group: Where it logs.
        may_send: Whether its role may send segments; None where that could not be read.
        concurrency: How many invocations are reserved for it; None where none are, or that could not be read.
        network: Its VPC; None where it is in none.
    """

    name: str
    arn: str
    active: bool
    environment: Mapping[str, str]
    bridged: bool | None
    log_group: str
    may_send: bool | None
    concurrency: int | None
    network: Network | None


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """A queue's subscription to a topic.

    Attributes:
        arn: The subscription's ARN.
        topic: The topic's ARN.
        queue: The queue's ARN.
        filter_policy: The filter as JSON text; None where every message passes.
        dead_letter_queue: The ARN of the queue for what could not be delivered, if there is one.
    """

    arn: str
    topic: str
    queue: str
    filter_policy: str | None
    dead_letter_queue: str | None


@dataclass(frozen=True, kw_only=True)
class Topic:
    """An SNS topic.

    Attributes:
        arn: Its ARN.
        active: Whether it records messages; None where that could not be read.
        subscriptions: The queues subscribed to it; None where they could not be read.
    """

    arn: str
    active: bool | None
    subscriptions: tuple[Subscription, ...] | None

    @property
    def name(self) -> str:
        """Its name."""
        return self.arn.rsplit(":", 1)[-1]


@dataclass(frozen=True, kw_only=True)
class Queue:
    """An SQS queue.

    Attributes:
        url: Its URL.
        arn: Its ARN.
        policy: Its access policy; None where it has none.
        key: The KMS key it is encrypted with; None where SQS's own keys do it.
        dead_letter_queue: The ARN of its dead-letter queue, if it has one.
        attempts: How often a message is received before it goes there; None where it never does.
        waiting: How many messages wait in it, about.
        in_flight: How many are hidden, about: received, and neither deleted nor visible again.
        visibility_timeout: Seconds after which a received message is visible again, unless its receiver says otherwise.
        retention: Seconds a message is kept.
    """

    url: str
    arn: str
    policy: JsonObject | None
    key: str | None
    dead_letter_queue: str | None
    attempts: int | None
    waiting: int
    in_flight: int
    visibility_timeout: int
    retention: int

    @property
    def name(self) -> str:
        """Its name."""
        return self.arn.rsplit(":", 1)[-1]


@dataclass(frozen=True, kw_only=True)
class EventSource:
    """An event source mapping: a function that works through a queue.

    Attributes:
        id: The mapping's id.
        queue: The queue's ARN.
        function: The function's ARN, without a version.
        state: Its state, such as `Enabled`.
        filtered: Whether it has filter criteria.
        reports_failures: Whether the function answers for each message of a batch (`ReportBatchItemFailures`).
    """

    id: str
    queue: str
    function: str
    state: str
    filtered: bool
    reports_failures: bool


@dataclass(frozen=True, kw_only=True)
class SamplingRule:
    """A sampling rule of the account.

    Attributes:
        name: Its name.
        priority: Which of several that fit is taken: the lowest.
        rate: The fraction recorded beyond the reservoir, 0 to 1.
        reservoir: Requests a second that are recorded in any case.
        service: The services it is for, with `*` and `?`.
        service_type: Their type, likewise.
    """

    name: str
    priority: int
    rate: float
    reservoir: int
    service: str
    service_type: str


@dataclass(frozen=True, kw_only=True)
class XRaySettings:
    """What the account says about tracing.

    Attributes:
        policies: X-Ray's resource policies, read; None where they could not be read.
        rules: The sampling rules; None where they could not be read.
        destination: Where segments go: `CloudWatchLogs` with Transaction Search on; None where that could not be read.
    """

    policies: tuple[JsonObject, ...] | None
    rules: tuple[SamplingRule, ...] | None
    destination: Destination | None


@dataclass(frozen=True, kw_only=True)
class AccountPart:
    """One part of an account's tracing.

    Attributes:
        name: The argument of `AccountTracing` that it is about.
        word: The word that is right there if the part is wanted; None where it could not be read.
        text: What was read, or why it could not be.
    """

    name: PartName
    word: Word | None
    text: str


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A stack's pipeline and what surrounds it.

    Attributes:
        stack: The stack's name.
        stage: The API's stage; None where the stack has none.
        functions: Functions of the stack, and those that work through its queues.
        topics: Topics of the stack, and those its functions' environments name.
        queues: Queues of the stack, and those subscribed to its topics.
        event_sources: What works through the queues.
        tables: The names of the stack's tables.
        xray: The account's tracing settings.
        unread: What could not be read.
        account: What the account has for tracing; None where that was not asked for.
    """

    stack: str
    stage: Stage | None
    functions: tuple[Function, ...]
    topics: tuple[Topic, ...]
    queues: tuple[Queue, ...]
    event_sources: tuple[EventSource, ...]
    tables: tuple[str, ...]
    xray: XRaySettings
    unread: tuple[Unread, ...]
    account: tuple[AccountPart, ...] | None = None

    def function(self, arn: str) -> Function | None:
        """Returns the function of an ARN, with or without a version."""
        return next((function for function in self.functions if function.arn == unversioned(arn)), None)

    def queue(self, arn: str) -> Queue | None:
        """Returns the queue of an ARN."""
        return next((queue for queue in self.queues if queue.arn == arn), None)


def unversioned(function_arn: str) -> str:
    """Returns a function's unqualified ARN: `arn:<partition>:lambda:<region>:<account>:function:<name>`."""
    return ":".join(function_arn.split(":")[:7])
