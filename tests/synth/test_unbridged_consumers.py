"""Consumers of SQS that cannot be given the bridge: each is named with its own reason, and left alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aws_cdk import App, BootstraplessSynthesizer, CfnParameter, CfnResource, Duration, Fn, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sqs as sqs
from traced_pipeline import BridgeState, TraceEverything, TraceFinding

from tests.support.consumers import consumer, low_level_consumer, packaged
from tests.support.templates import Synthesized, synthesize

ARN = "arn:aws:lambda:eu-west-1:111111111111"
Make = Callable[[Stack, str], object]


def _resource(function: lambda_.Function) -> lambda_.CfnFunction:
    resource = function.node.default_child
    assert isinstance(resource, lambda_.CfnFunction)
    return resource


def _image(stack: Stack, name: str) -> None:
    repository = ecr.Repository.from_repository_name(stack, f"{name}Repository", "app")
    function = lambda_.DockerImageFunction(stack, name, code=lambda_.DockerImageCode.from_ecr(repository))
    function.add_event_source(event_sources.SqsEventSource(sqs.Queue(stack, f"{name}Queue")))


def _layers(stack: Stack, name: str) -> None:
    layers = [lambda_.LayerVersion.from_layer_version_arn(stack, f"{name}{n}", f"{ARN}:layer:l{n}:1") for n in range(5)]
    consumer(stack, name, layers=layers)


def _signed(stack: Stack, name: str) -> None:
    arn = f"{ARN}:code-signing-config:csc-1"
    signing = lambda_.CodeSigningConfig.from_code_signing_config_arn(stack, f"{name}Signing", arn)
    consumer(stack, name, code_signing_config=signing)


def _durable(stack: Stack, name: str) -> None:
    durable = lambda_.CfnFunction.DurableConfigProperty(execution_timeout=60, retention_period_in_days=1)
    _resource(consumer(stack, name)).durable_config = durable


def _managed(stack: Stack, name: str) -> None:
    provider = lambda_.CfnFunction.LambdaManagedInstancesCapacityProviderConfigProperty(
        capacity_provider_arn=f"{ARN}:capacity-provider:p"
    )
    config = lambda_.CfnFunction.CapacityProviderConfigProperty(
        lambda_managed_instances_capacity_provider_config=provider
    )
    _resource(consumer(stack, name)).capacity_provider_config = config


def _edge(stack: Stack, name: str) -> None:
    services = [iam.ServicePrincipal(f"{service}.amazonaws.com") for service in ("lambda", "edgelambda")]
    role = iam.Role(stack, f"{name}Role", assumed_by=iam.CompositePrincipal(*services))
    consumer(stack, name, role=role)


def _published_once(stack: Stack, name: str) -> None:
    version = lambda_.Version(stack, f"{name}Version", lambda_=packaged(stack, name))
    queue = sqs.Queue(stack, f"{name}Queue")
    alias = lambda_.Alias(stack, f"{name}Alias", alias_name="live", version=version)
    lambda_.EventSourceMapping(stack, f"{name}Mapping", target=alias, event_source_arn=queue.queue_arn)


def _parameter(stack: Stack, name: str, kind: str = "String") -> CfnParameter:
    return CfnParameter(stack, f"{name}Parameter", type=kind)


def _unknown_layers(stack: Stack, name: str) -> None:
    layers = _parameter(stack, name, "CommaDelimitedList").value_as_list
    low_level_consumer(stack, name, layers=layers)


def _unknown_variables(stack: Stack, name: str) -> None:
    low_level_consumer(stack, name, environment=Fn.transform("AWS::Include", {"Location": "s3://code/variables"}))


def _plain(stack: Stack, name: str) -> None:
    settings = {"Role": f"{ARN}:role", "Handler": "app.handler", "Runtime": "python3.13", "Code": {"S3Bucket": "code"}}
    function = CfnResource(stack, name, type="AWS::Lambda::Function", properties=settings)
    queue = sqs.Queue(stack, f"{name}Queue")
    lambda_.CfnEventSourceMapping(stack, f"{name}Map", function_name=function.ref, event_source_arn=queue.queue_arn)


def _imported(stack: Stack, name: str) -> None:
    function = lambda_.Function.from_function_arn(stack, f"{name}Function", f"{ARN}:function:elsewhere")
    queue = sqs.Queue(stack, f"{name}Queue")
    lambda_.EventSourceMapping(stack, name, target=function, event_source_arn=queue.queue_arn)


def _named_at_deployment(stack: Stack, name: str) -> None:
    queue = sqs.Queue(stack, f"{name}Queue")
    which = _parameter(stack, name).value_as_string
    lambda_.CfnEventSourceMapping(stack, name, function_name=which, event_source_arn=queue.queue_arn)


CASES: dict[str, tuple[Make, str]] = {
    "Node": (
        lambda stack, name: consumer(stack, name, runtime=lambda_.Runtime.NODEJS_22_X),
        "its runtime is nodejs22.x, and the bridge is for Python",
    ),
    "Old": (
        lambda stack, name: consumer(stack, name, runtime=lambda_.Runtime.PYTHON_3_10),
        "its runtime is python3.10, and the bridge's layer is for python3.11, ",
    ),
    "ByName": (
        lambda stack, name: consumer(stack, name, runtime=lambda_.Runtime("python3.13")),
        "its runtime python3.13 is made by its name",
    ),
    "Image": (_image, "it is a container image, which takes no layer; install trace-bridge into it"),
    "Inline": (
        lambda stack, name: consumer(stack, name, code=lambda_.Code.from_inline("x"), handler="index.handler"),
        "its code is inline, so that its handler must stay index.…",
    ),
    "Five": (_layers, "it has 5 layers, and Lambda takes at most 5"),
    "Signed": (_signed, "its code signing configuration takes signed layers only"),
    "Datadog": (
        lambda stack, name: consumer(stack, name, handler="datadog_lambda.handler.handler"),
        "its handler datadog_lambda.handler.handler is the wrapper of Datadog",
    ),
    "Relic": (
        lambda stack, name: consumer(stack, name, handler="newrelic_lambda_wrapper.handler"),
        "is the wrapper of New Relic",
    ),
    "Lumigo": (
        lambda stack, name: consumer(stack, name, handler="/opt/python/lumigo_tracer._handler"),
        "is the wrapper of Lumigo",
    ),
    "InLayer": (
        lambda stack, name: consumer(stack, name, handler="/opt/vendor/start.handler"),
        "lies in a layer, and is taken for another vendor's wrapper",
    ),
    "Wrapped": (
        lambda stack, name: consumer(stack, name, environment={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/otel-instrument"}),
        "AWS_LAMBDA_EXEC_WRAPPER is /opt/otel-instrument: another wrapper starts its process",
    ),
    "TurnedOff": (
        lambda stack, name: consumer(stack, name, environment={"AWS_XRAY_SDK_ENABLED": "False"}),
        "its variable AWS_XRAY_SDK_ENABLED turns the bridge off; take it away to have it bridged",
    ),
    "Durable": (_durable, "it is a durable function, whose handler is replayed"),
    "Managed": (_managed, "it runs on Lambda Managed Instances"),
    "Edge": (_edge, "it runs as Lambda@Edge, which takes no layers"),
    "Once": (_published_once, "its queue calls Shop/OnceVersion/Resource, a version that stays as it was published"),
    "Handler": (
        lambda stack, name: low_level_consumer(stack, name, handler=_parameter(stack, name).value_as_string),
        "its handler is not known before the deployment",
    ),
    "Runtime": (
        lambda stack, name: low_level_consumer(stack, name, runtime=_parameter(stack, name).value_as_string),
        "its runtime is not known before the deployment",
    ),
    "Layers": (_unknown_layers, "its layers are not known before the deployment"),
    "Variables": (_unknown_variables, "its environment variables are not known before the deployment"),
    "Plain": (_plain, "it is a plain CfnResource, whose layers are not known to the CDK"),
    "Imported": (_imported, "its function is imported, or named by what only a deployment knows"),
    "Named": (_named_at_deployment, "its function is imported, or named by what only a deployment knows"),
}

Unbridged = tuple[Synthesized, Synthesized, dict[str, TraceFinding]]


@pytest.fixture(scope="module")
def consumers(tmp_path_factory: pytest.TempPathFactory, context: dict[str, object]) -> Unbridged:
    """A stack with a consumer a case, without and with the bridge asked for."""

    def make(folder: str) -> Stack:
        extra = {**context, "@aws-cdk/core:validateAgainstDefaultRules": False}
        stack = Stack(App(outdir=str(tmp_path_factory.mktemp(folder)), context=extra), "Shop")
        for name, (case, _) in CASES.items():
            case(stack, name)
        return stack

    before, after = make("before"), make("after")
    TraceEverything.below(before)
    tracing = TraceEverything.below(after, bridge=True)
    return synthesize(before), synthesize(after), {finding.path: finding for finding in tracing.report}


@pytest.mark.parametrize("name", CASES)
def test_says_why(consumers: Unbridged, name: str) -> None:
    findings = consumers[2]
    (finding,) = [findings[path] for path in (f"Shop/{name}", f"Shop/{name}/Resource") if path in findings]
    assert finding.bridge is BridgeState.UNBRIDGED
    assert finding.reason.partition("not bridged: ")[2].startswith(CASES[name][1]) or CASES[name][1] in finding.reason
    assert finding.changes == ()


def test_leaves_them_as_they_are(consumers: Unbridged) -> None:
    before, after, _ = consumers
    assert after.template == before.template


def test_a_stack_without_assets(new_app: Callable[..., App]) -> None:
    stack = Stack(new_app(), "Shop", synthesizer=BootstraplessSynthesizer())
    consumer(stack, "Worker")
    tracing = TraceEverything.below(stack, bridge=True)
    assert synthesize(stack).one("AWS::Lambda::Function", "Worker")["Handler"] == "app.handler"
    (reason,) = [finding.reason for finding in tracing.report if finding.bridge]
    assert "its stack takes no assets" in reason


class TestScope:
    """A consumer and its mapping on either side of the scope's border."""

    @pytest.fixture
    def stacks(self, new_app: Callable[..., App]) -> tuple[Stack, Stack]:
        app = new_app()
        code, wiring = Stack(app, "Code"), Stack(app, "Wiring")
        queue = sqs.Queue(wiring, "Queue")
        lambda_.EventSourceMapping(wiring, "Mapping", target=packaged(code, "Worker"), event_source_arn=queue.queue_arn)
        return code, wiring

    def test_a_mapping_outside_is_not_touched(self, stacks: tuple[Stack, Stack]) -> None:
        code, wiring = stacks
        tracing = TraceEverything.below(code, bridge=True)
        assert "FunctionResponseTypes" not in synthesize(wiring).one("AWS::Lambda::EventSourceMapping")
        (finding,) = [finding for finding in tracing.report if finding.bridge]
        assert "does not report batch item failures, and it is outside of the scope" in finding.reason

    def test_a_function_outside_is_not_touched(self, stacks: tuple[Stack, Stack]) -> None:
        code, wiring = stacks
        tracing = TraceEverything.below(wiring, bridge=True)
        assert synthesize(code).one("AWS::Lambda::Function", "Worker")["Handler"] == "app.handler"
        (finding,) = [finding for finding in tracing.report if finding.bridge]
        assert finding.path == "Wiring/Mapping/Resource"
        assert "its function Code/Worker/Resource is outside of the scope" in finding.reason

    def test_both_inside_are_bridged(self, stacks: tuple[Stack, Stack]) -> None:
        code, wiring = stacks
        tracing = TraceEverything.below(code.node.root, bridge=True)
        assert synthesize(code).one("AWS::Lambda::Function", "Worker")["Handler"] == "trace_bridge.auto.handler"
        assert synthesize(wiring).one("AWS::Lambda::EventSourceMapping")["FunctionResponseTypes"]
        assert [finding.bridge for finding in tracing.report if finding.bridge] == [BridgeState.CONTINUED]


@pytest.mark.parametrize(("visibility", "expected"), [(60, True), (180, False), ("unknown", False)])
def test_a_short_visibility_timeout_is_named(
    new_app: Callable[..., App], visibility: int | str, expected: bool
) -> None:
    stack = Stack(new_app(), "Shop")
    worker = packaged(stack, "Worker", timeout=Duration.seconds(30))
    seconds = CfnParameter(stack, "Seconds", type="Number").value_as_number if visibility == "unknown" else visibility
    queue = sqs.CfnQueue(stack, "Queue", visibility_timeout=seconds)  # type: ignore[arg-type]
    lambda_.EventSourceMapping(stack, "Mapping", target=worker, event_source_arn=queue.attr_arn)
    tracing = TraceEverything.below(stack, bridge=True)
    synthesize(stack)
    (finding,) = [finding for finding in tracing.report if finding.bridge]
    text = "the visibility timeout of Shop/Queue is 60 s, and AWS recommends six times the function's timeout of 30 s"
    assert (text in finding.reason) is expected
    assert finding.bridge is BridgeState.CONTINUED
