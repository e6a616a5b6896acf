"""What a pipeline's hops can be told; every field has a default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, TypeAlias

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_xray as xray

from .words import ChecksWords

WorkerTracing: TypeAlias = Literal["continued", "linked", "unbridged"]
AccountLoggingRole: TypeAlias = Literal["existing", "create", "none"]
Authorizer: TypeAlias = Literal["iam", "api", "none"] | apigateway.IAuthorizer
JsonSchema: TypeAlias = Mapping[str, object]


@dataclass(frozen=True)
class Handler(ChecksWords):
    """A function's code and the place in it where Lambda enters.

    Attributes:
        code: A folder, absolute or relative to the working directory of the CDK app, but not that directory itself; it
            becomes the root of the function's code. Or a `Code` of the CDK, which is taken as it is.
        entry_point: `module.function` as Lambda reads it; packages are separated by dots or slashes.
            Where `code` is a folder the module must exist in it. Default: `app.handler`.
        install_requirements: Install what the folder's `requirements.txt` names beside the code, or else its `uv.lock`,
            or else the dependencies of its `pyproject.toml`: wheels for the function's Python and architecture, by pip
            or uv, without Docker. Default: on; where none of them names anything, nothing is installed.
    """

    code: str | Path | lambda_.Code
    entry_point: str = "app.handler"
    install_requirements: bool = True


@dataclass(frozen=True, kw_only=True)
class FunctionOptions(ChecksWords):
    """A Lambda function.

    Attributes:
        handler: The code to run, or an existing function, version or alias. That keeps its own settings, so
            that every other field of this class must stay at its default; it gets the hop's permissions and
            variables (`TOPIC_ARN`, `TABLE_NAME`), as far as it is made in this app. Default: the hop's
            reference handler; a function that belongs to no hop has none and needs a handler.
        memory_size: Megabytes, at least 128. Default: 256.
            https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
        timeout: Longest time for one invocation, in whole seconds. Default: 30 seconds; for an ingest
            function 10 seconds, since its caller waits.
            https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html
        environment: Variables for the function beside those the hop sets. Default: none.
        architecture: The processors it runs on. Default: ARM64.
        runtime: Python 3.11 or newer, as far as the bridge's layer is for it. Default: the newest Python that the CDK
            release knows.
        vpc: The VPC the function runs in. Default: none.
        vpc_subnets: Where in the VPC. Default: the private subnets.
        security_groups: Those of its network interfaces. Default: one is created when there is a VPC.
        reserved_concurrent_executions: Executions set aside for this function, and its upper limit. Default: the
            account's shared pool.
        provisioned_concurrent_executions: Executions kept warm, behind an alias `live` that the hop then calls.
            Default: none, and no alias.
        bridge_layer: The bridge's layer, where the stack cannot make it: the ARN of a layer version, or one of the CDK.
            A stack that takes no assets (`BootstraplessSynthesizer`) needs one. Default: one a stack, made of
            the installed packages.
        log_group: Where the function logs. Default: a log group of its own is created.
        log_retention: How long the created log group keeps its events. Default: one month.
        log_key: Customer key for the created log group. Default: encrypted with a key of CloudWatch Logs.
        removal_policy: What happens to the created log group when it leaves the stack. Default: the
            pipeline's policy, by itself it is kept.
    """

    DEFAULT_TIMEOUT_SECONDS: ClassVar[int] = 30

    handler: Handler | lambda_.IFunction | None = None
    memory_size: int = 256
    timeout: Duration | None = None
    environment: Mapping[str, str] | None = None
    architecture: lambda_.Architecture | None = None
    runtime: lambda_.Runtime | None = None
    vpc: ec2.IVpc | None = None
    vpc_subnets: ec2.SubnetSelection | None = None
    security_groups: Sequence[ec2.ISecurityGroup] | None = None
    reserved_concurrent_executions: int | None = None
    provisioned_concurrent_executions: int | None = None
    bridge_layer: str | lambda_.ILayerVersion | None = None
    log_group: logs.ILogGroup | None = None
    log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH
    log_key: kms.IKey | None = None
    removal_policy: RemovalPolicy | None = None


@dataclass(frozen=True, kw_only=True)
class IngestOptions(FunctionOptions):
    """The ingest API: a REST API and the function behind it.

    Attributes:
        path: The resource's path; segments in braces are path parameters. Default: the API's root.
        method: The HTTP method. Default: `POST`.
        schema: JSON schema (draft 4, and no keyword beyond it) of a request's body, which API Gateway checks before the
            function runs. Default: any JSON object with at least one property, whose `id`, if present, is a
            string of 1 to 256 characters.
        authorizer: `"iam"`: callers sign their requests (Signature Version 4) and need
            `execute-api:Invoke`; `"api"`: the default authorization of the API given as `api`, which must be made in
            this app and have one; `"none"`: anyone may call; or an authorizer of the CDK.
            Default: `"iam"`.
        api: A REST API to add the route to. It keeps its own stage, tracing, logs and throttling: the
            fields below must then stay at their defaults. Default: one is created.
        api_name: Name of the created API, of at most 50 characters; with the stage's name it is the name
            of the node on the trace map. Default: derived from the stack's name and the construct's path.
        stage_name: Name of the created API's stage: letters, digits, hyphens and underscores, at most 128. Default:
            `prod`.
        throttling_rate_limit: Requests a second, averaged, that the stage lets through. Default: 100.
        throttling_burst_limit: Requests that may come at once. Default: 200.
        account_logging_role: API Gateway logs only where the account has a role for it, one per account
            and Region. `"existing"`: the account has one, and is left alone; `"create"`: the stack
            sets it (and leaves it when it goes, since other APIs come to rely on it); `"none"`: the API
            logs nothing. Default: `"existing"`.
            https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
    """

    DEFAULT_TIMEOUT_SECONDS: ClassVar[int] = 10

    path: str = "/"
    method: str = "POST"
    schema: JsonSchema | None = None
    authorizer: Authorizer = "iam"
    api: apigateway.IRestApi | None = None
    api_name: str | None = None
    stage_name: str = "prod"
    throttling_rate_limit: float = 100
    throttling_burst_limit: int = 200
    account_logging_role: AccountLoggingRole = "existing"


@dataclass(frozen=True, kw_only=True)
class TopicOptions(ChecksWords):
    """The topic.

    Attributes:
        fifo: Keep the order of the messages of a group, and drop duplicates for five minutes. Queues and
            dead-letter queues behind the topic then are FIFO too; publishers name a message group.
            Default: a standard topic.
        content_based_deduplication: With `fifo`: a message's body decides whether it is a duplicate,
            instead of an id the publisher gives. Default: on.
        key: Customer key that encrypts messages at rest. Default: none. The AWS-managed key `alias/aws/sns` is
            no choice here: its policy cannot be changed to let other publishers in.
        trace_permission: SNS records segments only where a resource policy of X-Ray lets it, of which an
            account holds five in a Region. `"stack"`: the stack has one, shared by its topics;
            `"none"`: the account has one already, or another stack makes it; or a resource policy of
            your own, which the topic then waits for. Default: `"stack"`.
            https://docs.aws.amazon.com/sns/latest/dg/sns-active-tracing.html
    """

    fifo: bool = False
    content_based_deduplication: bool = True
    key: kms.IKey | None = None
    trace_permission: Literal["stack", "none"] | xray.CfnResourcePolicy = "stack"


@dataclass(frozen=True, kw_only=True)
class WorkerOptions(FunctionOptions):
    """A subscription, its queue with a dead-letter queue, and the function that works through it.

    Attributes:
        tracing: `"continued"`: each message goes on in the trace it came with, and Lambda's own
            tracing of the function is `PassThrough`, so that nothing is recorded twice; `"linked"`:
            Lambda's own trace is kept beside it (`Active`); `"unbridged"`: what AWS does by itself,
            `Active` and without the bridge. Default: `"continued"`.
        zero_code: Let the bridge call the handler once for each message, with an event of that one
            record; the function's code needs no change. Default: off.
        batch_size: Most messages given to one invocation: 1 to 10000, with `fifo` at most 10; more
            than 10 needs a `max_batching_window`. Default: 10.
        max_batching_window: How long Lambda may wait to fill a batch, at most 5 minutes; not with `fifo`. Default:
            not at all.
        max_concurrency: Most invocations at once for this queue, 2 to 1000; unlike a reserved concurrency
            it does not send throttled messages towards the dead-letter queue. Default: no limit of its
            own.
            https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
        filters: Messages Lambda passes to the function, by patterns of `FilterCriteria.filter`; the
            others are deleted from the queue. Default: all.
        filter_policy: Messages SNS delivers to the queue, by message attributes. Default: all.
        filter_policy_with_message_body: The same by the message's body, instead. Default: all.
        raw_message_delivery: Put the published message itself into the queue, without SNS's envelope.
            Default: on.
        max_receive_count: Attempts before a message goes to the dead-letter queue. Default: 5, the least that AWS
            recommends, so that throttling alone takes no message there.
            https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
        visibility_timeout: How long a message given to the function stays hidden from others, at most 12 hours.
            Default: six times the function's timeout plus the batching window, as AWS recommends.
            https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
        queue: A queue to use, with its own settings. Default: one is created.
        queue_key: Customer key that encrypts the created queues; it may be the topic's. Default: keys of SQS.
        dead_letter_queue: Where messages end that could not be delivered or processed. Default: the given
            queue's own, otherwise one is created that keeps them 14 days.
        table: Table the worker writes to; its name comes as `TABLE_NAME`. Default: the pipeline's, for
            the pipeline's own worker and for added ones that run the reference handler.
        table_actions: What the function may do with the table, for example
            `["dynamodb:PutItem", "dynamodb:Query"]`. Default: `dynamodb:PutItem` for the reference handler, which does
            nothing else; for a handler of your own what `grant_write_data` of the CDK allows.
        publish_to: Topic of a further pipeline; its ARN comes as `TOPIC_ARN`. Default: none.
    """

    tracing: WorkerTracing = "continued"
    zero_code: bool = False
    batch_size: int = 10
    max_batching_window: Duration | None = None
    max_concurrency: int | None = None
    filters: Sequence[Mapping[str, object]] | None = None
    filter_policy: Mapping[str, sns.SubscriptionFilter] | None = None
    filter_policy_with_message_body: Mapping[str, sns.FilterOrPolicy] | None = None
    raw_message_delivery: bool = True
    max_receive_count: int = 5
    visibility_timeout: Duration | None = None
    queue: sqs.IQueue | None = None
    queue_key: kms.IKey | None = None
    dead_letter_queue: sqs.IQueue | None = None
    table: dynamodb.ITable | None = None
    table_actions: Sequence[str] | None = None
    publish_to: sns.ITopic | None = None


@dataclass(frozen=True, kw_only=True)
class TableOptions(ChecksWords):
    """The table, with the partition key `id` (a string), on-demand capacity and point-in-time recovery.

    Attributes:
        key: Customer key that encrypts the table; the stack then needs a Region. Default: a key that
            DynamoDB owns; it encrypts as well and costs nothing, but shows no use in CloudTrail.
        removal_policy: What happens to the table when it leaves the stack. Default: the pipeline's
            policy, by itself it is kept.
    """

    key: kms.IKey | None = None
    removal_policy: RemovalPolicy | None = None


@dataclass(frozen=True, kw_only=True)
class SamplingOptions(ChecksWords):
    """How many of the API's requests X-Ray records: a sampling rule of its own.

    Attributes:
        rate: Fraction recorded beyond the reservoir, 0 to 1. Default: 0.05.
        reservoir: Requests a second that are recorded before the rate applies. Default: 1.
        priority: 1 to 9999; of the rules that match, the lowest number decides. Default: 1000.
        path: The requests' path, with `*` and `?` as wildcards, at most 128 characters. Default: all.
        method: The requests' HTTP method, at most 10 characters. Default: all.
    """

    rate: float = 0.05
    reservoir: int = 1
    priority: int = 1000
    path: str = "*"
    method: str = "*"


@dataclass(frozen=True, kw_only=True)
class TraceGroupOptions(ChecksWords):
    """A group of traces in X-Ray, with metrics of its own.

    Attributes:
        filter_expression: Which traces belong to it. Default: those that go through the pipeline's API.
            https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html
        insights: Let X-Ray look for anomalies in the group. Default: on.
        notifications: Send what it finds to EventBridge; needs `insights`. Default: off.
    """

    filter_expression: str | None = None
    insights: bool = True
    notifications: bool = False
