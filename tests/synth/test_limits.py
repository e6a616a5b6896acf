"""The limits of options are those that AWS documents, and those of the service models."""

from __future__ import annotations

import re
from typing import Any

import botocore.session
import pytest
from aws_cdk import aws_lambda as lambda_
from traced_pipeline import (
    ContainerWorkerOptions,
    datadog_logs,
    function_settings,
    ingest_checks,
    layer,
    message_log,
    sampling_rule,
    sns_trace_permission,
    trace_group,
    work_queue,
    worker_checks,
    xray_policies,
)
from traced_pipeline.limits import (
    API_NAME,
    INDEXING_PERCENTAGE,
    LIMITS,
    POLICY_NAME,
    SERVICE_NAME,
    TASK_SIZES,
    Limit,
)

from tests.support.stacks import NewStack, make_function

NAMED = {f"{options.__name__}.{name}": limit for options, fields in LIMITS.items() for name, limit in fields.items()}
NAMED |= {
    "policy_name": POLICY_NAME,
    "service_name": SERVICE_NAME,
    "api_name": API_NAME,
    "indexing_percentage": INDEXING_PERCENTAGE,
}


@pytest.mark.parametrize("name", [name for name, limit in NAMED.items() if limit.model])
def test_limits_are_those_of_the_service_model(name: str) -> None:
    limit = NAMED[name]
    service, operation, members = limit.model.split()
    shape: Any = botocore.session.get_session().get_service_model(service).operation_model(operation).input_shape
    for member in members.split("."):
        shape = shape.members[member]
    is_text = shape.type_name == "string"
    least = limit.least if limit.model_least is None else limit.model_least
    assert shape.metadata.get("min", 1 if is_text else None) == least
    # A document may ask for more than a model that is for other kinds as well.
    assert least <= limit.least
    # What AWS raises is not written down; what is, is what the model has.
    assert limit.most in (None, shape.metadata.get("max"))
    if limit.pattern:
        assert shape.metadata["pattern"] == limit.pattern


LENGTHS = {
    "name of a sampling rule": (
        "xray CreateSamplingRule SamplingRule.RuleName",
        sampling_rule._RULE_NAME_LENGTH,
    ),
    "last priority of a sampling rule": (
        "xray CreateSamplingRule SamplingRule.Priority",
        sampling_rule._LAST_PRIORITY,
    ),
    "name of a trace group": ("xray CreateGroup GroupName", trace_group._GROUP_NAME_LENGTH),
    "name of the permission for SNS": (
        "xray PutResourcePolicy PolicyName",
        sns_trace_permission._POLICY_NAME_LENGTH,
    ),
    "namespace of the metrics of messages": ("cloudwatch PutMetricAlarm Namespace", message_log._LONGEST_NAMESPACE),
}


@pytest.mark.parametrize(("model", "most"), LENGTHS.values(), ids=LENGTHS)
def test_what_names_are_cut_to_is_what_the_service_model_takes(model: str, most: int) -> None:
    service, operation, members = model.split()
    shape: Any = botocore.session.get_session().get_service_model(service).operation_model(operation).input_shape
    for member in members.split("."):
        shape = shape.members[member]
    assert shape.metadata["max"] == most


IN_WORDS = {
    "largest batch of a FIFO queue": (
        "lambda CreateEventSourceMapping BatchSize",
        f"For FIFO queues the max is {worker_checks._LARGEST_OF_FIFO}.",
    ),
    "timeout of a function that says none": (
        "lambda CreateFunction Timeout",
        f"The default is {function_settings.DEFAULT_TIMEOUT_SECONDS} seconds",
    ),
    "visibility timeout of a queue that says none": (
        "sqs CreateQueue Attributes",
        f"to 43,200 (12 hours). Default: {work_queue._SQS_DEFAULT_VISIBILITY_SECONDS}.",
    ),
    "longest visibility timeout": (
        "sqs CreateQueue Attributes",
        f"0 to {NAMED['QueueOptions.visibility_timeout'].most:,} (12 hours)",
    ),
    "largest batch without a window": (
        "lambda CreateEventSourceMapping MaximumBatchingWindowInSeconds",
        f"when you set BatchSize to a value greater than {worker_checks._LARGEST_WITHOUT_WINDOW}, you must set",
    ),
    "longest retention": (
        "sqs CreateQueue Attributes",
        f"to {work_queue._DEAD_LETTER_DAYS * 24 * 3600:,} seconds ({work_queue._DEAD_LETTER_DAYS} days)",
    ),
    "API Gateway's patience": (
        "apigateway PutIntegration timeoutInMillis",
        f"The default value is 29,000 milliseconds or {ingest_checks._INTEGRATION_TIMEOUT_SECONDS} seconds.",
    ),
}


@pytest.mark.parametrize(("model", "words"), IN_WORDS.values(), ids=IN_WORDS)
def test_numbers_that_the_service_model_has_in_words(model: str, words: str) -> None:
    service, operation, member = model.split()
    shape: Any = botocore.session.get_session().get_service_model(service).operation_model(operation).input_shape
    said = re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", shape.members[member].documentation))
    assert words in said


def test_the_number_of_subscription_filters_is_that_of_the_service_model() -> None:
    model = botocore.session.get_session().get_service_model("logs").operation_model("PutSubscriptionFilter")
    assert "Each log group can have up to two subscription filters" in re.sub(r"\s+", " ", model.documentation)
    assert datadog_logs.MOST_SUBSCRIPTIONS == 2


def test_the_number_of_resource_policies_is_that_of_the_service_model() -> None:
    model = botocore.session.get_session().get_service_model("xray").operation_model("PutResourcePolicy")
    assert f"a maximum of {xray_policies.MOST_POLICIES} resource policies" in re.sub(r"\s+", " ", model.documentation)


def test_the_time_to_stop_is_that_of_the_service_model() -> None:
    shape = botocore.session.get_session().get_service_model("ecs").shape_for("ContainerDefinition")
    said = shape.members["stopTimeout"].documentation  # type: ignore[attr-defined]
    limit = LIMITS[ContainerWorkerOptions]["stop_timeout"]
    assert f"valid values for Fargate are {limit.least}-{limit.most} seconds" in said


def test_the_number_of_layers_is_that_of_the_cdk(new_stack: NewStack) -> None:
    # Of the service model it is no part.
    stack = new_stack()
    arns = [f"arn:aws:lambda:eu-west-1:111111111111:layer:tools{number}:1" for number in range(layer.MOST_LAYERS + 1)]
    layers = [lambda_.LayerVersion.from_layer_version_arn(stack, f"L{n}", arn) for n, arn in enumerate(arns)]
    function = make_function(stack, layers=layers[:-1])
    with pytest.raises(RuntimeError, match=f"already uses {layer.MOST_LAYERS} layers"):
        function.add_layers(layers[-1])


def test_the_sizes_of_tasks_are_those_of_the_service_model() -> None:
    service = botocore.session.get_session().get_service_model("ecs")
    shape: Any = service.operation_model("RegisterTaskDefinition").input_shape
    said = shape.members["memory"].documentation
    sizes = {}
    for memory, cpu in re.findall(r"<li> <p>(.*?) - Available <code>cpu</code> values: (\d+)", said):
        numbers = [int(number) for number in re.findall(r"(\d+) ?GB", memory.replace("0.5 GB", "0 GB"))]
        if memory.startswith("Between"):
            least, most, step = numbers
            numbers = [*range(least, most + 1, step)]
        sizes[int(cpu)] = [number * 1024 or 512 for number in numbers]
    assert len(sizes) >= 7
    assert {cpu: [*memories] for cpu, memories in TASK_SIZES.items()} == sizes


@pytest.mark.parametrize("limit", NAMED.values(), ids=NAMED)
def test_every_limit_has_its_source(limit: Limit) -> None:
    assert limit.source.startswith("https://docs.aws.amazon.com/")
