"""The `metric_*` methods: by AWS's names, of the block's own resources, with the CDK's keywords."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import replace
from operator import attrgetter

import pytest
import traced_pipeline
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_sqs as sqs
from constructs import Construct
from traced_pipeline import (
    Check,
    ContainerWorkerOptions,
    DeadLetterWorker,
    FunctionOptions,
    Handler,
    IngestOptions,
    PipelineError,
    TracedFunction,
    TracedPipeline,
    TracedTopic,
    TraceGroupOptions,
    WorkerOptions,
)
from traced_pipeline.metric_keywords import MetricKeywords

from tests.support.documented_metrics import DOCUMENTED, METRICS, OWN
from tests.support.stacks import NewStack
from tests.support.templates import ROOT, synthesize

EVERY = [(block, method) for block, methods in METRICS.items() for method in methods]


@pytest.fixture(scope="module")
def blocks(tmp_path_factory: pytest.TempPathFactory, context: dict[str, object]) -> dict[str, Construct]:
    """One of each block with metrics."""
    stack = Stack(App(outdir=str(tmp_path_factory.mktemp("metrics")), context=context), "Shop")
    worker = WorkerOptions(message_log=True, message_metrics=True)
    orders = TracedPipeline(stack, "Orders", trace_group=TraceGroupOptions(), worker=worker)
    image = ecs.ContainerImage.from_registry("registry.example.com/bill:1")
    handler = Handler(ROOT / "runtime" / "handlers" / "worker", "app.handler")
    made: list[Construct] = [
        orders,
        orders.ingest,
        TracedTopic(stack, "Topic"),
        TracedFunction(stack, "Report", options=FunctionOptions(handler=handler)),
        orders.worker,
        orders.add_dead_letter_worker("Repair", replace(worker, table=orders.table)),
        orders.add_container_worker(
            "Bill", ContainerWorkerOptions(image=image, message_log=True, message_metrics=True)
        ),
    ]
    return {type(block).__name__: block for block in made}


def dimensions_of(resource: object) -> dict[str, object]:
    """How AWS names a resource in its metrics."""
    match resource:
        case apigateway.Stage():
            return {"ApiName": resource.rest_api.rest_api_name, "Stage": resource.stage_name}
        case sqs.Queue():
            return {"QueueName": resource.queue_name}
        case ecs.FargateService():
            return {"ClusterName": resource.cluster.cluster_name, "ServiceName": resource.service_name}
    for dimension in ("FunctionName", "TopicName", "GroupName"):
        attribute = getattr(resource, f"{dimension.removesuffix('Name').lower()}_name", None)
        if attribute is not None:
            return {dimension: attribute}
    raise AssertionError(f"no name known of {resource}")


@pytest.mark.parametrize(("block", "method"), EVERY)
def test_is_the_documented_metric_of_the_blocks_resource(blocks: dict[str, Construct], block: str, method: str) -> None:
    namespace, name, statistic, resource = METRICS[block][method]
    metric: cloudwatch.Metric = getattr(blocks[block], method)()
    assert (metric.metric_name, metric.statistic) == (name, statistic)
    assert metric.period.to_minutes() == 5
    dimensions = metric.dimensions or {}
    documented, source = DOCUMENTED[namespace, name]
    assert set(dimensions) == documented, source
    stack = Stack.of(blocks[block])
    if namespace == OWN:
        assert metric.namespace == OWN + blocks[block].node.path.replace("/", "-")
        return
    assert metric.namespace == namespace
    assert stack.resolve(dimensions) == stack.resolve(dimensions_of(attrgetter(resource)(blocks[block])))


@pytest.mark.parametrize(("block", "method"), EVERY)
def test_has_the_name_that_the_cdk_gives_it(blocks: dict[str, Construct], block: str, method: str) -> None:
    # Of a second queue, a group of traces and the bridge's own lines the CDK has no method.
    if method in ("metric_dead_letter_messages", "metric_approximate_trace_count") or METRICS[block][method][0] == OWN:
        return
    assert callable(getattr(attrgetter(METRICS[block][method][3])(blocks[block]), method))


def test_these_are_all_there_are() -> None:
    found = {
        name: {member for member in dir(item) if member.startswith("metric_")}
        for name, item in vars(traced_pipeline).items()
        if inspect.isclass(item) and issubclass(item, Construct)
    }
    assert {name: methods for name, methods in found.items() if methods} == {b: set(m) for b, m in METRICS.items()}


@pytest.mark.parametrize(("block", "method"), EVERY)
def test_takes_the_keywords_of_the_cdk(blocks: dict[str, Construct], block: str, method: str) -> None:
    metric: cloudwatch.Metric = getattr(blocks[block], method)(
        period=Duration.minutes(1),
        statistic="Minimum",
        label="mine",
        color="#ff0000",
        unit=cloudwatch.Unit.COUNT,
        dimensions_map={"Mine": "own"},
    )
    assert (metric.period.to_seconds(), metric.statistic, metric.label) == (60, "Minimum", "mine")
    assert (metric.color, metric.unit) == ("#ff0000", cloudwatch.Unit.COUNT)
    assert metric.dimensions == {"Mine": "own"}


def test_the_keywords_are_those_of_the_cdk() -> None:
    theirs = set(inspect.signature(cloudwatch.MetricOptions.__init__).parameters) - {"self"}
    assert set(MetricKeywords.__annotations__) == theirs


def test_an_unknown_keyword_and_a_wrong_type_are_refused(blocks: dict[str, Construct]) -> None:
    for block, method in (("QueueWorker", "metric_errors"), ("TracedPipeline", "metric_approximate_trace_count")):
        with pytest.raises(TypeError, match="unexpected keyword argument 'statistics'"):
            getattr(blocks[block], method)(statistics="Sum")
        with pytest.raises(TypeError, match="period must be one of"):
            getattr(blocks[block], method)(period=60)


def test_a_user_makes_an_alarm_of_his_own(new_stack: NewStack) -> None:
    stack = new_stack()
    orders = TracedPipeline(stack, "Orders", trace_group=TraceGroupOptions(filter_expression="fault"))
    orders.metric_approximate_number_of_messages_visible(period=Duration.minutes(1)).create_alarm(
        stack, "Backlog", threshold=1000, evaluation_periods=3
    )
    orders.metric_approximate_trace_count().create_alarm(stack, "Faults", threshold=10, evaluation_periods=1)
    template = synthesize(stack)
    backlog = template.one("AWS::CloudWatch::Alarm", "Backlog")
    queue = template.name_of("AWS::SQS::Queue", "WorkerQueue")
    assert backlog["Dimensions"] == [{"Name": "QueueName", "Value": {"Fn::GetAtt": [queue, "QueueName"]}}]
    assert (backlog["Namespace"], backlog["MetricName"]) == ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
    assert (backlog["Threshold"], backlog["Period"]) == (1000, 60)
    faults = template.one("AWS::CloudWatch::Alarm", "Faults")
    group = template.one("AWS::XRay::Group")["GroupName"]
    assert (faults["MetricName"], faults["Dimensions"]) == (
        "ApproximateTraceCount",
        [{"Name": "GroupName", "Value": group}],
    )


def _apis(stack: Stack) -> Iterator[tuple[str, apigateway.IRestApi, str, Check]]:
    imported = apigateway.RestApi.from_rest_api_attributes(stack, "Mine", rest_api_id="a1", root_resource_id="r1")
    yield "Imported", imported, "stage's name of the imported API Shop/Mine is not known", Check.API_NOT_MANAGED
    undeployed = apigateway.RestApi(stack, "Later", deploy=False)
    yield "Undeployed", undeployed, "stage's name of API Shop/Later is not known", Check.API_NOT_DEPLOYED


def test_of_an_api_whose_stage_has_no_name_here_are_refused(new_stack: NewStack) -> None:
    stack = new_stack()
    for name, api, message, check in _apis(stack):
        orders = TracedPipeline(stack, name, ingest=IngestOptions(api=api, path="/orders"))
        for method in (orders.metric_latency, orders.ingest.metric_count):
            with pytest.raises(PipelineError, match=f"{message}.*dimensions ApiName and Stage") as caught:
                method()
            assert (caught.value.check, caught.value.path) == (check, f"Shop/{name}/Ingest")
        assert orders.metric_dead_letter_messages().metric_name == "ApproximateNumberOfMessagesVisible"


def test_of_traces_are_refused_without_a_trace_group(new_stack: NewStack) -> None:
    orders = TracedPipeline(new_stack(), "Orders")
    assert orders.trace_group is None
    with pytest.raises(PipelineError, match=r"give it trace_group=TraceGroupOptions\(\)") as caught:
        orders.metric_approximate_trace_count()
    assert (caught.value.check, caught.value.path) == (Check.OPTION_CONFLICT, "Shop/Orders")


def test_of_a_dead_letter_queue_that_is_not_known_are_refused(new_stack: NewStack) -> None:
    stack = new_stack()
    orders = TracedPipeline(stack, "Orders")
    queue = sqs.Queue.from_queue_arn(stack, "Theirs", f"arn:aws:sqs:{stack.region}:{stack.account}:theirs")
    repair = DeadLetterWorker(stack, "Repair", queue=queue, options=WorkerOptions(table=orders.table))
    with pytest.raises(PipelineError, match="queue Shop/Theirs is imported") as caught:
        repair.metric_dead_letter_messages()
    assert (caught.value.check, caught.value.path) == (Check.QUEUE_NOT_MANAGED, "Shop/Repair")
    assert repair.metric_approximate_number_of_messages_visible().metric_name == "ApproximateNumberOfMessagesVisible"
