"""What AWS documents for the values of single options: ranges, lengths and patterns.

A number stands here only with its source beside it. Where botocore's service model has it as well, a test holds the two
equal, so that a limit that AWS raises is noticed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Duration, Size, SizeRoundingBehavior, Token

from .checks import Check, PipelineError
from .container_options import ContainerWorkerOptions
from .function_options import FunctionOptions
from .ingest_options import IngestOptions
from .monitoring_options import MonitoringOptions
from .queue_options import QueueOptions
from .topic_options import TopicOptions
from .tracing_options import SamplingOptions, TraceGroupOptions
from .worker_options import WorkerOptions


@dataclass(frozen=True, kw_only=True)
class Limit:
    """What a value must keep within.

    Attributes:
        least: Smallest number, shortest text in characters, shortest time in seconds, or smallest size in MiB.
        most: The same at the other end; None where AWS documents none, or one that it moves.
        pattern: What a text must match as a whole; empty where any will do.
        meaning: What the pattern asks for, in words.
        source: The document it comes from.
        model: Where botocore's models have it: service, operation and members of its input; empty where they have not.
        model_least: What the models have for the smaller end, where the document asks for more.
    """

    least: float = 1
    most: float | None = None
    pattern: str = ""
    meaning: str = ""
    source: str
    model: str = ""
    model_least: float | None = None


_LAMBDA = "https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html"
_MAPPING = "https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html"
_POLLERS = "https://docs.aws.amazon.com/lambda/latest/api/API_ProvisionedPollerConfig.html"
_STAGE = "https://docs.aws.amazon.com/apigateway/latest/api/API_CreateStage.html"
_REDRIVE = (
    "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue.html"
)
_VISIBILITY = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html"
_FARGATE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html"
_CONTAINER = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html"
_SCALING = "https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html"
_ALARM = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"
_API_METRICS = "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html"
_RULE = "https://docs.aws.amazon.com/xray/latest/api/API_SamplingRule.html"

LIMITS: Mapping[type, Mapping[str, Limit]] = {
    FunctionOptions: {
        # How much and how long at most is not written down here: AWS raises both.
        "memory_size": Limit(least=128, source=_LAMBDA, model="lambda CreateFunction MemorySize"),
        "timeout": Limit(source=_LAMBDA, model="lambda CreateFunction Timeout"),
        "ephemeral_storage_size": Limit(least=512, source=_LAMBDA, model="lambda CreateFunction EphemeralStorage.Size"),
        "reserved_concurrent_executions": Limit(
            least=0,
            source="https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionConcurrency.html",
            model="lambda PutFunctionConcurrency ReservedConcurrentExecutions",
        ),
        "provisioned_concurrent_executions": Limit(
            source="https://docs.aws.amazon.com/lambda/latest/api/API_PutProvisionedConcurrencyConfig.html",
            model="lambda PutProvisionedConcurrencyConfig ProvisionedConcurrentExecutions",
        ),
        "bridge_layer": Limit(
            most=2048,
            pattern=r"arn:[a-z-]+:lambda:[a-z0-9-]+:\d{12}:layer:[A-Za-z0-9_-]+:[0-9]+",
            meaning="the form arn:aws:lambda:<region>:<account>:layer:<name>:<version>",
            source="https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersionByArn.html",
        ),
    },
    IngestOptions: {
        # A variable may be empty, a property's name may not.
        "message_group": Limit(source="https://docs.aws.amazon.com/lambda/latest/api/API_Environment.html"),
        "stage_name": Limit(
            most=128, pattern=r"[A-Za-z0-9_-]+", meaning="letters, digits, hyphens and underscores", source=_STAGE
        ),
        "throttling_rate_limit": Limit(least=0, source=_STAGE),
        "throttling_burst_limit": Limit(least=0, source=_STAGE),
    },
    WorkerOptions: {
        "batch_size": Limit(most=10_000, source=_MAPPING, model="lambda CreateEventSourceMapping BatchSize"),
        "max_batching_window": Limit(
            least=0,
            most=300,
            source=_MAPPING,
            model="lambda CreateEventSourceMapping MaximumBatchingWindowInSeconds",
        ),
        "max_concurrency": Limit(
            least=2,
            most=1000,
            source="https://docs.aws.amazon.com/lambda/latest/api/API_ScalingConfig.html",
            model="lambda CreateEventSourceMapping ScalingConfig.MaximumConcurrency",
        ),
        # What the API's reference says of SQS; the members are shared with other event sources.
        "minimum_pollers": Limit(
            least=2,
            most=200,
            source=_POLLERS,
            model="lambda CreateEventSourceMapping ProvisionedPollerConfig.MinimumPollers",
            model_least=1,
        ),
        "maximum_pollers": Limit(
            least=2,
            most=10_000,
            source=_POLLERS,
            model="lambda CreateEventSourceMapping ProvisionedPollerConfig.MaximumPollers",
            model_least=1,
        ),
    },
    TopicOptions: {
        "max_message_size": Limit(
            least=1024,
            most=1_048_576,
            source="https://docs.aws.amazon.com/sns/latest/dg/large-message-payloads.html",
        ),
    },
    QueueOptions: {
        "max_receive_count": Limit(most=1000, source=_REDRIVE),
        "visibility_timeout": Limit(least=0, most=43_200, source=_VISIBILITY),
    },
    ContainerWorkerOptions: {
        # Which go together: TASK_SIZES.
        "cpu": Limit(source=_FARGATE),
        "memory_limit_mib": Limit(source=_FARGATE),
        "longest_message": Limit(most=43_200, source=_VISIBILITY),
        "stop_timeout": Limit(least=2, most=120, source=_CONTAINER),
        "min_capacity": Limit(least=0, source=_SCALING),
        "max_capacity": Limit(source=_SCALING),
        "backlog_per_task": Limit(source=_SCALING),
    },
    MonitoringOptions: {
        "longest_wait": Limit(source=_ALARM),
        "longest_request": Limit(source=_ALARM),
        "server_errors": Limit(least=0, most=1, source=_API_METRICS),
    },
    SamplingOptions: {
        "path": Limit(most=128, source=_RULE, model="xray CreateSamplingRule SamplingRule.URLPath"),
        "method": Limit(most=10, source=_RULE, model="xray CreateSamplingRule SamplingRule.HTTPMethod"),
    },
    TraceGroupOptions: {
        "filter_expression": Limit(source="https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html")
    },
}

TASK_SIZES: Mapping[int, Sequence[int]] = {
    256: (512, 1024, 2048),
    512: (1024, 2048, 3072, 4096),
    1024: range(2048, 8192 + 1, 1024),
    2048: range(4096, 16384 + 1, 1024),
    4096: range(8192, 30720 + 1, 1024),
    8192: range(16384, 61440 + 1, 4096),
    16384: range(32768, 122880 + 1, 8192),
}
"""What memory a Fargate task can have, in MiB, by its CPU units. More CPU is not checked: AWS adds larger tasks."""

TASK_SIZES_SOURCE = _FARGATE

# What a sampling rule takes for the names of API and stage, and what of it is left to the API's.
SERVICE_NAME = Limit(most=64, source=_RULE, model="xray CreateSamplingRule SamplingRule.ServiceName")
API_NAME = Limit(most=50, source=_RULE)
POLICY_NAME = Limit(
    most=128,
    pattern=r"[\w+=,.@-]+",
    meaning="letters, digits and _+=,.@-",
    source="https://docs.aws.amazon.com/xray/latest/api/API_PutResourcePolicy.html",
    model="xray PutResourcePolicy PolicyName",
)
INDEXING_PERCENTAGE = Limit(
    least=0,
    most=100,
    source="https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-xray-transactionsearchconfig.html",
)

_UNITS: Mapping[type, str] = {Duration: " s", Size: " MiB", str: " characters"}


def limits_of(options: type) -> Mapping[str, Limit]:
    """Returns the limits of an options class's fields, those it inherits included."""
    return {name: limit for base in reversed(options.__mro__) for name, limit in LIMITS.get(base, {}).items()}


def check_limit(name: str, value: object, limit: Limit) -> None:
    """Refuses a value that AWS would refuse. None is none, and a token is known too late to judge.

    Args:
        name: Name of the option or argument, for the message.
        value: A number, a text, a duration or a size.
        limit: What it must keep within.

    Raises:
        PipelineError: The value is outside of the limit, or a duration is not of whole seconds, or a size not of whole
            mebibytes.
    """
    size = _size_of(name, value)
    if size is None:
        return
    unit = next((unit for kind, unit in _UNITS.items() if isinstance(value, kind)), "")
    if size < limit.least or (limit.most is not None and size > limit.most):
        within = f"at least {limit.least:g}" if limit.most is None else f"from {limit.least:g} to {_plain(limit.most)}"
        shown = f"{_plain(size)}{unit}" if unit else repr(value)
        raise PipelineError(Check.OPTION_VALUE, f"{name} is {shown}, but must be {within}{unit}; see {limit.source}")
    if isinstance(value, str) and limit.pattern and not re.fullmatch(limit.pattern, value, re.ASCII):
        raise PipelineError(
            Check.OPTION_VALUE, f"{name} is {value!r}, but must be of {limit.meaning}; see {limit.source}"
        )


def _size_of(name: str, value: object) -> float | None:
    if isinstance(value, Duration):
        return None if value.is_unresolved() else _whole_seconds(name, value)
    if isinstance(value, Size):
        return None if value.is_unresolved() else _whole_mebibytes(name, value)
    if not isinstance(value, int | float | str) or Token.is_unresolved(value):
        return None
    return len(value) if isinstance(value, str) else value


def _whole_seconds(name: str, duration: Duration) -> float:
    milliseconds = float(duration.to_milliseconds(integral=False))
    if milliseconds % 1000 != 0:
        raise PipelineError(
            Check.OPTION_VALUE,
            f"{name} is {milliseconds:g} ms, but must be of whole seconds; give Duration.seconds(...)",
        )
    return milliseconds / 1000


def _whole_mebibytes(name: str, size: Size) -> float:
    mebibytes = float(size.to_mebibytes(rounding=SizeRoundingBehavior.NONE))
    if not mebibytes.is_integer():
        raise PipelineError(
            Check.OPTION_VALUE, f"{name} is {mebibytes:g} MiB, but must be of whole MiB; give Size.mebibytes(...)"
        )
    return mebibytes


def _plain(number: float) -> str:
    return str(int(number)) if math.isfinite(number) and number == int(number) else str(number)
