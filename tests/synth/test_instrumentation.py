"""`instrumentation=`: what each choice makes of functions, of a pipeline and of one hop; and what is refused."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_lambda as lambda_
from cdk_nag import AwsSolutionsChecks
from traced_pipeline import (
    Check,
    FunctionOptions,
    Handler,
    IngestOptions,
    Instrumentation,
    PipelineError,
    QueueWorker,
    TraceBridgeLayer,
    TracedFunction,
    TracedPipeline,
    TracedTopic,
    WorkerOptions,
)

from tests.support.bridge import Settings
from tests.support.stacks import NewStack, make_function
from tests.support.templates import ROOT, Properties, Synthesized, synthesize, warnings

ADOT = "arn:aws:lambda:eu-west-1:615299751070:layer:AWSOpenTelemetryDistroPython:16"
THEIRS = [f"arn:aws:lambda:eu-west-1:222222222222:layer:Theirs:{number}" for number in range(1, 5)]
ANY: Any = Instrumentation  # for values that a type checker refuses already
WORKERS = {
    "Plain": WorkerOptions(instrumentation=Instrumentation.xray()),
    "Linked": WorkerOptions(instrumentation=Instrumentation.open_telemetry(relation="link", annotations=["order.id"])),
    "AdotDaemon": WorkerOptions(instrumentation=Instrumentation.adot(ADOT)),
    "AdotLinked": WorkerOptions(instrumentation=Instrumentation.adot(ADOT, relation="link", export="otlp")),
    "AdotOtlp": WorkerOptions(instrumentation=Instrumentation.adot(ADOT, export="otlp")),
    "AdotSegments": WorkerOptions(
        instrumentation=Instrumentation.adot(ADOT, export="segments"),
        environment={"OTEL_PROPAGATORS": "xray", "LEVEL": "info"},
    ),
    "AdotUnbridged": WorkerOptions(tracing="unbridged", instrumentation=Instrumentation.adot(ADOT)),
    "Vendor": WorkerOptions(instrumentation=Instrumentation.vendor(THEIRS)),
    "VendorSpans": WorkerOptions(instrumentation=Instrumentation.vendor(THEIRS[:1], engine="auto")),
}
OTEL = {"TRACE_BRIDGE_ENGINE": "otel", "OTEL_PYTHON_TRACER_PROVIDER": "trace_bridge"}
OF_ADOT = {
    "AWS_LAMBDA_EXEC_WRAPPER": "/opt/otel-instrument",
    "TRACE_BRIDGE_ENGINE": "otel",
    "OTEL_PROPAGATORS": "baggage,xray,tracecontext",
    "OTEL_AWS_APPLICATION_SIGNALS_ENABLED": "false",
    "OTEL_PYTHON_DISTRO": "aws_distro",
    "OTEL_PYTHON_CONFIGURATOR": "aws_configurator",
}
LINK = {"TRACE_BRIDGE_OTEL_RELATION": "link"}
OTLP = {
    "OTEL_TRACES_EXPORTER": "otlp",
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": {
        "Fn::Join": ["", ["https://xray.eu-west-1.", {"Ref": "AWS::URLSuffix"}, "/v1/traces"]]
    },
}
FOLLOWS_SENDERS = {"OTEL_TRACES_SAMPLER": "parentbased_always_off"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, context: dict[str, object]) -> Stack:
    """A pipeline of OpenTelemetry, with a worker of each other choice, an existing one, and a function by itself."""
    app = App(outdir=str(tmp_path_factory.mktemp("instrumented")), context=context)
    stack = Stack(app, "Shop", env=Environment(account="111111111111", region="eu-west-1"))
    orders = TracedPipeline(stack, "Orders", instrumentation=Instrumentation.open_telemetry())
    for name, options in WORKERS.items():
        orders.add_worker(name, dataclasses.replace(options, table=orders.table))
    orders.add_dead_letter_worker("Repair", WorkerOptions(table=orders.table))
    orders.add_worker("Existing", WorkerOptions(handler=make_function(stack), table=orders.table))
    handler = Handler(ROOT / "examples" / "handlers" / "audit")
    TracedFunction(
        stack, "Report", options=FunctionOptions(handler=handler, instrumentation=Instrumentation.adot(ADOT))
    )
    return stack


@pytest.fixture(scope="module")
def template(stack: Stack) -> Synthesized:
    return synthesize(stack)


def of_otel(template: Synthesized, function: str) -> dict[str, Any]:
    """The variables of a function, without the ones every function of its kind has."""
    return {name: v for name, v in template.variables(function).items() if not name.endswith(("_ARN", "TABLE_NAME"))}


def layers(template: Synthesized, function: str) -> set[str]:
    """The layers of a function, which the CDK sorts: ARNs, and the descriptions of those that the stack makes."""
    made = template.all("AWS::Lambda::LayerVersion")
    listed = template.one("AWS::Lambda::Function", function)["Layers"]
    assert len(set(map(str, listed))) == len(listed)
    return {layer if isinstance(layer, str) else made[layer["Ref"]]["Description"] for layer in listed}


def mode(template: Synthesized, function: str) -> str:
    tracing: Properties = template.one("AWS::Lambda::Function", function)["TracingConfig"]
    return str(tracing["Mode"])


BRIDGE = "trace_bridge"


@pytest.mark.parametrize(
    ("function", "variables", "layer", "more", "tracing"),
    [
        ("IngestFunction", OTEL, f"{BRIDGE} with OpenTelemetry", [], "Active"),
        ("OrdersWorkerFunction", OTEL, f"{BRIDGE} with OpenTelemetry", [], "PassThrough"),
        ("Repair", OTEL, f"{BRIDGE} with OpenTelemetry", [], "PassThrough"),
        ("OrdersPlain", {}, BRIDGE, [], "PassThrough"),
        (
            "OrdersLinked",
            {**OTEL, **LINK, "TRACE_BRIDGE_OTEL_ANNOTATIONS": "order.id"},
            f"{BRIDGE} with OpenTelemetry",
            [],
            "Active",
        ),
        ("OrdersAdotDaemon", OF_ADOT, BRIDGE, [ADOT], "Active"),
        ("OrdersAdotLinked", {**OF_ADOT, **LINK, **OTLP}, BRIDGE, [ADOT], "Active"),
        ("OrdersAdotOtlp", {**OF_ADOT, **OTLP, **FOLLOWS_SENDERS}, BRIDGE, [ADOT], "PassThrough"),
        (
            "OrdersAdotSegments",
            {
                **OF_ADOT,
                **FOLLOWS_SENDERS,
                "OTEL_TRACES_EXPORTER": "trace_bridge",
                "OTEL_PROPAGATORS": "xray",
                "LEVEL": "info",
            },
            f"{BRIDGE} with its span exporter",
            [ADOT],
            "PassThrough",
        ),
        ("OrdersAdotUnbridged", {**OF_ADOT, "TRACE_BRIDGE_ENABLED": "false"}, BRIDGE, [ADOT], "Active"),
        ("OrdersVendorFunction", {}, BRIDGE, THEIRS, "PassThrough"),
        ("OrdersVendorSpans", {"TRACE_BRIDGE_ENGINE": "auto"}, BRIDGE, THEIRS[:1], "PassThrough"),
        ("Report", OF_ADOT, BRIDGE, [ADOT], "Active"),
    ],
)
def test_a_functions_variables_layers_and_tracing(
    template: Synthesized, function: str, variables: dict[str, Any], layer: str, more: list[str], tracing: str
) -> None:
    assert of_otel(template, function) == variables
    assert layers(template, function) == {layer, *more}
    assert mode(template, function) == tracing


def test_an_existing_function_gets_what_the_pipelines_instrumentation_asks_for(template: Synthesized) -> None:
    assert of_otel(template, "Mine") == {**OTEL, "TRACE_BRIDGE_ENVELOPE": "none"}
    assert layers(template, "Mine") == {"trace_bridge with OpenTelemetry"}


@pytest.mark.parametrize("function", ["OrdersWorkerFunction", "OrdersLinked", "OrdersVendorSpans"])
def test_the_bridge_reads_what_is_set(template: Synthesized, function: str) -> None:
    variables = template.variables(function)
    settings = Settings.from_environment({k: v for k, v in variables.items() if isinstance(v, str)})
    assert settings.engine == variables["TRACE_BRIDGE_ENGINE"]
    assert settings.otel_relation == variables.get("TRACE_BRIDGE_OTEL_RELATION", "parent")
    assert ",".join(settings.otel_annotations) == variables.get("TRACE_BRIDGE_OTEL_ANNOTATIONS", "")


def test_only_spans_for_the_otlp_endpoint_need_more_permission(template: Synthesized) -> None:
    spans = {"xray:PutSpans", "xray:PutSpansForIndexing"}
    for role in ("OrdersAdotOtlp", "OrdersAdotLinked"):
        assert spans <= template.actions(role)
    for role in (
        "OrdersWorkerFunction",
        "OrdersLinked",
        "OrdersAdotDaemon",
        "OrdersAdotSegments",
        "OrdersVendorFunction",
    ):
        assert template.actions(role).isdisjoint(spans)
        assert "xray:PutTraceSegments" in template.actions(role)


def test_nothing_is_warned_about_and_cdk_nag_has_nothing_against_it(stack: Stack, template: Synthesized) -> None:
    assert template.resources
    assert warnings(stack) == []
    violations = AwsSolutionsChecks(stack).validate_scope(stack.node.root).violations
    found = {v.rule_name for v in violations if v.severity == "error"}
    # The existing function's own role, as the CDK makes it.
    assert found == {
        "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]"
    }


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: ANY.open_telemetry(relation="child"), "open_telemetry(relation=) is 'child', but must be "),
        (lambda: ANY.open_telemetry(annotations="order"), "open_telemetry(annotations=) is 'order', but must "),
        (lambda: ANY.open_telemetry(annotations=["a,b"]), "open_telemetry(annotations=) names 'a,b', but must "),
        (lambda: ANY.open_telemetry(annotations=[" "]), "open_telemetry(annotations=) names ' ', but must "),
        (lambda: ANY.adot(ADOT, export="grpc"), "adot(export=) is 'grpc', but must be 'daemon', 'otlp' or "),
        (lambda: ANY.adot(ADOT, relation="both"), "adot(relation=) is 'both', but must be "),
        (lambda: ANY.adot("my-layer"), "adot(layer=) is 'my-layer', but must be the ARN of a layer version, "),
        (lambda: ANY.adot(16), "adot(layer=) is 16, but must be "),
        (lambda: ANY.vendor([]), "vendor(layers=) has 0, but must have 1 to 4"),
        (lambda: ANY.vendor([*THEIRS, ADOT]), "vendor(layers=) has 5, but must have 1 to 4"),
        (lambda: ANY.vendor("datadog"), "vendor(layers=) is 'datadog', but must be a sequence of "),
        (lambda: ANY.vendor(["datadog"]), "vendor(layers=) is 'datadog', but must be the ARN of a layer version, "),
        (lambda: ANY.vendor(THEIRS, engine="datadog"), "vendor(engine=) is 'datadog', but must be "),
    ],
)
def test_a_value_outside_the_set_is_refused_when_it_is_made(made: Callable[[], object], said: str) -> None:
    with pytest.raises(PipelineError, match=re.escape(f"Instrumentation.{said}")) as caught:
        made()
    assert caught.value.check is Check.OPTION_VALUE


def test_the_class_itself_is_no_choice() -> None:
    with pytest.raises(PipelineError, match=r"give Instrumentation\.xray") as caught:
        Instrumentation()
    assert caught.value.check is Check.OPTION_VALUE


def test_values_are_compared_by_what_they_say() -> None:
    assert Instrumentation.adot(ADOT) == Instrumentation.adot(ADOT, export="daemon")
    assert Instrumentation.adot(ADOT) != Instrumentation.adot(ADOT, export="otlp")
    with pytest.raises(dataclasses.FrozenInstanceError):
        Instrumentation.adot(ADOT).export = "otlp"  # type: ignore[attr-defined]


NEED_ACTIVE = {
    "a link": Instrumentation.open_telemetry(relation="link"),
    "ADOT's daemon": Instrumentation.adot(ADOT),
    "a link of ADOT's": Instrumentation.adot(ADOT, relation="link", export="segments"),
}


@pytest.mark.parametrize("chosen", NEED_ACTIVE.values(), ids=NEED_ACTIVE)
def test_what_needs_lambdas_own_tracing_is_refused_without_it(new_stack: NewStack, chosen: Instrumentation) -> None:
    stack = new_stack()
    topic = TracedTopic(stack, "Topic").topic
    continued = WorkerOptions(tracing="continued", publish_to=TracedTopic(stack, "Next").topic, instrumentation=chosen)
    function = FunctionOptions(handler=Handler(ROOT / "examples" / "handlers" / "audit"), instrumentation=chosen)
    existing = WorkerOptions(handler=make_function(stack), instrumentation=chosen)
    for refused in (
        lambda: QueueWorker(stack, "Worker", topic=topic, options=continued),
        lambda: TracedFunction(stack, "Report", options=function, active=False),
        lambda: QueueWorker(stack, "Existing", topic=topic, options=existing),
    ):
        with pytest.raises(PipelineError, match="has tracing mode PassThrough, but ") as caught:
            refused()
        assert caught.value.check is Check.INSTRUMENTATION_NEEDS_ACTIVE


@pytest.mark.parametrize(
    ("chosen", "variable", "value"),
    [
        (Instrumentation.open_telemetry(), "TRACE_BRIDGE_ENGINE", "xray"),
        (Instrumentation.adot(ADOT, relation="link"), "TRACE_BRIDGE_OTEL_RELATION", "parent"),
        (Instrumentation.adot(ADOT), "AWS_LAMBDA_EXEC_WRAPPER", "/opt/wrapper"),
        (Instrumentation.vendor(THEIRS, engine="otel"), "TRACE_BRIDGE_ENGINE", "auto"),
    ],
)
def test_a_variable_that_contradicts_the_instrumentation_is_refused(
    new_stack: NewStack, chosen: Instrumentation, variable: str, value: str
) -> None:
    options = IngestOptions(environment={variable: value}, instrumentation=chosen)
    with pytest.raises(PipelineError, match=f"environment has {variable}='{value}', but the .* leave it out") as caught:
        TracedPipeline(new_stack(), "Orders", ingest=options)
    assert caught.value.check is Check.OPTION_CONFLICT


def test_a_layer_of_another_region_is_refused(new_stack: NewStack) -> None:
    stack = new_stack(env=Environment(account="111111111111", region="us-east-1"))
    with pytest.raises(PipelineError, match="a function takes layers of its own Region only"):
        TracedPipeline(stack, "Orders", instrumentation=Instrumentation.vendor(THEIRS))


def test_an_existing_function_without_room_for_the_layers_is_left_as_it_is(new_stack: NewStack) -> None:
    stack = new_stack()
    given = [lambda_.LayerVersion.from_layer_version_arn(stack, f"L{n}", arn) for n, arn in enumerate(THEIRS)]
    function = make_function(stack, layers=given, tracing=lambda_.Tracing.ACTIVE)
    options = WorkerOptions(handler=function, instrumentation=Instrumentation.adot(ADOT))
    QueueWorker(stack, "Worker", topic=TracedTopic(stack, "Topic").topic, options=options)
    template = synthesize(stack)
    assert layers(template, "Mine") == set(THEIRS)
    assert template.variables("Mine") == {"TRACE_BRIDGE_ENVELOPE": "none"}
    assert any("cannot be given the bridge's layer" in text for text in warnings(stack))


def test_an_existing_function_behind_two_queues_gets_the_layers_once(new_stack: NewStack) -> None:
    stack = new_stack()
    function = make_function(stack, tracing=lambda_.Tracing.ACTIVE)
    options = WorkerOptions(handler=function, instrumentation=Instrumentation.adot(ADOT, export="otlp"))
    for name in ("First", "Second"):
        QueueWorker(stack, name, topic=TracedTopic(stack, f"{name}Topic").topic, options=options)
    template = synthesize(stack)
    assert layers(template, "Mine") == {"trace_bridge", ADOT}
    assert "xray:PutSpans" in template.actions("Mine")


def test_a_layer_with_opentelemetry_is_handed_out(new_stack: NewStack) -> None:
    stack = new_stack()
    make_function(stack).add_layers(TraceBridgeLayer.of(stack, open_telemetry=True))
    both = make_function(stack, "Both")
    both.add_layers(TraceBridgeLayer.of(stack, open_telemetry=True, xray_sdk=True))
    template = synthesize(stack)
    assert layers(template, "Mine") == {"trace_bridge with OpenTelemetry"}
    assert layers(template, "Both") == {"trace_bridge with the X-Ray SDK and OpenTelemetry"}


def test_a_layer_published_elsewhere_may_hold_opentelemetry(new_stack: NewStack) -> None:
    stack = new_stack()
    options = WorkerOptions(bridge_layer=THEIRS[0])
    TracedPipeline(stack, "Orders", worker=options, instrumentation=Instrumentation.open_telemetry())
    template = synthesize(stack)
    assert template.one("AWS::Lambda::Function", "Worker")["Layers"] == [THEIRS[0]]
    assert of_otel(template, "WorkerFunction") == OTEL
