"""Consumers of SQS that exist, given the bridge below a scope."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aws_cdk import App, CfnResource, CustomResource, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct
from traced_pipeline import BridgeState, TracedPipeline, TraceEverything, TraceFinding, TraceState, WorkerOptions

from tests.support.consumers import consumer, packaged
from tests.support.stacks import NewStack
from tests.support.templates import Synthesized, refusal, synthesize

STATEFUL = ("AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::DynamoDB::GlobalTable")


Findings = tuple[Synthesized, dict[str, TraceFinding]]


def bridged(stack: Stack, **more: object) -> Findings:
    """The stack's template, and the findings by path below the stack."""
    tracing = TraceEverything.below(stack, bridge=True, **more)  # type: ignore[arg-type]
    template = synthesize(stack)
    return template, {finding.path.removeprefix(f"{stack.node.path}/"): finding for finding in tracing.report}


def plain_pipeline(stack: Stack) -> None:
    """A pipeline of the CDK's own constructs, with one consumer that SQS alone calls and one that others call too."""
    topic, queue, other = sns.Topic(stack, "Topic"), sqs.Queue(stack, "Queue"), sqs.Queue(stack, "Other")
    topic.add_subscription(subscriptions.SqsSubscription(queue))
    key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
    table = dynamodb.TableV2(stack, "Table", partition_key=key)
    ingest = packaged(stack, "Ingest")
    topic.grant_publish(ingest)
    worker = packaged(stack, "Worker", environment={"TABLE_NAME": table.table_name})
    table.grant_write_data(worker)
    worker.add_event_source(event_sources.SqsEventSource(queue, batch_size=5))
    both = packaged(stack, "Both")
    both.add_event_source(event_sources.SqsEventSource(other))
    api = apigateway.RestApi(stack, "Api")
    api.root.add_method("POST", apigateway.LambdaIntegration(ingest))
    api.root.add_method("PUT", apigateway.LambdaIntegration(both))


Result = tuple[Synthesized, Synthesized, dict[str, TraceFinding]]


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory, context: dict[str, object]) -> Result:
    """The template without bridge, the one with it, and the findings."""
    before = Stack(App(outdir=str(tmp_path_factory.mktemp("before")), context=context), "Shop")
    after = Stack(App(outdir=str(tmp_path_factory.mktemp("after")), context=context), "Shop")
    plain_pipeline(before)
    plain_pipeline(after)
    TraceEverything.below(before)
    return synthesize(before), *bridged(after)


class TestPipeline:
    def test_a_consumer_that_sqs_alone_calls_is_bridged(self, pipeline: Result) -> None:
        _, template, findings = pipeline
        worker = template.one("AWS::Lambda::Function", "Worker")
        assert worker["Handler"] == "trace_bridge.auto.handler"
        assert worker["TracingConfig"] == {"Mode": "PassThrough"}
        assert worker["Layers"] == [{"Ref": template.name_of("AWS::Lambda::LayerVersion")}]
        variables = template.variables("Worker")
        assert variables["TRACE_BRIDGE_HANDLER"] == "app.handler"
        assert set(variables) == {"TABLE_NAME", "TRACE_BRIDGE_HANDLER"}
        assert template.actions("WorkerServiceRole") >= {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
        finding = findings["Worker/Resource"]
        assert (finding.state, finding.bridge) == (TraceState.ENABLED, BridgeState.CONTINUED)

    def test_it_says_what_was_done(self, pipeline: Result) -> None:
        finding = pipeline[2]["Worker/Resource"]
        assert finding.changes == (
            "layer Shop/TraceBridgeLayer",
            "handler trace_bridge.auto.handler, which calls app.handler once for each message",
            "ReportBatchItemFailures on Shop/Worker/SqsEventSource:ShopQueue2BB62074/Resource",
            "tracing mode PassThrough, since SQS alone calls it",
        )

    def test_one_that_others_call_too_keeps_its_own_trace(self, pipeline: Result) -> None:
        _, template, findings = pipeline
        both = template.one("AWS::Lambda::Function", "Both")
        assert both["Handler"] == "trace_bridge.auto.handler"
        assert both["TracingConfig"] == {"Mode": "Active"}
        finding = findings["Both/Resource"]
        assert finding.bridge is BridgeState.LINKED
        assert "SQS is not all that calls it: permission Shop/Api/Default/PUT/ApiPermission" in finding.reason

    def test_mappings_report_failures(self, pipeline: Result) -> None:
        mappings = pipeline[1].all("AWS::Lambda::EventSourceMapping").values()
        assert [mapping["FunctionResponseTypes"] for mapping in mappings] == [["ReportBatchItemFailures"]] * 2

    def test_functions_that_consume_nothing_are_only_traced(self, pipeline: Result) -> None:
        _, template, findings = pipeline
        ingest = template.one("AWS::Lambda::Function", "Ingest")
        assert (ingest["Handler"], ingest["TracingConfig"]) == ("app.handler", {"Mode": "Active"})
        assert "Layers" not in ingest
        assert (findings["Ingest/Resource"].bridge, findings["Ingest/Resource"].changes) == (None, ())

    def test_nothing_is_replaced_and_only_what_is_meant_changes(self, pipeline: Result) -> None:
        before, after, _ = pipeline
        assert set(after.resources) - set(before.resources) == {after.name_of("AWS::Lambda::LayerVersion")}
        assert set(before.resources) <= set(after.resources)
        changed = {
            (before.resources[name]["Type"], key)
            for name, resource in before.resources.items()
            for key in {*resource.get("Properties", {}), *after.resources[name].get("Properties", {})}
            if resource["Properties"].get(key) != after.resources[name]["Properties"].get(key)
        }
        function = {"Handler", "Layers", "Environment", "TracingConfig"}
        assert changed == {
            *(("AWS::Lambda::Function", key) for key in function),
            ("AWS::Lambda::EventSourceMapping", "FunctionResponseTypes"),
        }
        for kind in STATEFUL:
            assert before.all(kind) == after.all(kind)


Call = Callable[[Stack, lambda_.Function], object]


def _stream(stack: Stack, worker: lambda_.Function) -> None:
    lambda_.EventSourceMapping(
        worker,
        "Stream",
        target=worker,
        event_source_arn="arn:aws:kinesis:eu-west-1:111111111111:stream/clicks",
        starting_position=lambda_.StartingPosition.LATEST,
    )


def _rule(function: lambda_.Function | lambda_.Alias) -> None:
    function.add_permission("Rule", principal=iam.ServicePrincipal("events.amazonaws.com"))


def _schedule(worker: lambda_.Function, arn: str) -> None:
    target = {"Arn": arn, "RoleArn": "arn:aws:iam::111111111111:role/scheduler"}
    window = {"Mode": "OFF"}
    properties = {"FlexibleTimeWindow": window, "ScheduleExpression": "rate(1 hour)", "Target": target}
    CfnResource(worker, "Schedule", type="AWS::Scheduler::Schedule", properties=properties)


def _by_pattern(stack: Stack, worker: lambda_.Function) -> None:
    arn = stack.format_arn(service="lambda", resource="function:named-*")
    may = iam.PolicyStatement(actions=["lambda:Invoke*"], resources=[arn])
    iam.Policy(worker, "Pattern", statements=[may], roles=[iam.Role.from_role_name(worker, "Role", "caller")])


def _custom(stack: Stack, worker: lambda_.Function, kind: str | None = None) -> None:
    CustomResource(stack, f"Set{worker.node.id}", service_token=worker.function_arn, resource_type=kind)


ELSEWHERE = "arn:aws:iam::111111111111:role/gateway"


def _path_of(stack: Stack, worker: lambda_.Function) -> str:
    path = f"path/2015-03-31/functions/{worker.function_arn}/invocations"
    return f"arn:aws:apigateway:{stack.region}:lambda:{path}"


def _definition(stack: Stack, worker: lambda_.Function) -> None:
    integration = {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "credentials": ELSEWHERE,
        "uri": _path_of(stack, worker),
    }
    paths = {"/": {"get": {"responses": {}, "x-amazon-apigateway-integration": integration}}}
    document = {"openapi": "3.0.1", "info": {"title": "Orders", "version": "1"}, "paths": paths}
    apigateway.SpecRestApi(stack, "Defined", api_definition=apigateway.ApiDefinition.from_inline(document))


def _authorizer(stack: Stack, worker: lambda_.Function) -> None:
    api = apigateway.RestApi(stack, "Guarded")
    api.root.add_method("GET")
    apigateway.CfnAuthorizer(
        stack,
        "Guard",
        rest_api_id=api.rest_api_id,
        name="guard",
        type="REQUEST",
        authorizer_uri=_path_of(stack, worker),
        authorizer_credentials=ELSEWHERE,
    )


CALLS: dict[str, tuple[Call, str]] = {
    "Url": (lambda _, worker: worker.add_function_url(), "function URL Shop/Url/FunctionUrl/Resource"),
    "Grant": (lambda stack, worker: worker.grant_invoke(packaged(stack, "Caller")), "policy Shop/Caller/ServiceRole"),
    "Account": (lambda _, worker: worker.add_permission("P", principal=iam.AccountPrincipal("1" * 12)), "permission "),
    "Stream": (_stream, "event source mapping Shop/Stream/Stream/Resource"),
    "Rule": (lambda _, worker: _rule(worker), "permission Shop/Rule/Rule"),
    "Alias": (lambda _, worker: _rule(worker.add_alias("live")), "permission Shop/Alias/Aliaslive/Rule"),
    "Schedule": (lambda _, worker: _schedule(worker, worker.function_arn), "schedule Shop/Schedule/Schedule"),
    "Version": (
        lambda _, worker: _schedule(worker, worker.current_version.function_arn),
        "schedule Shop/Version/Schedule",
    ),
    "Pattern": (_by_pattern, "policy Shop/Pattern/Pattern/Resource"),
    "Custom": (_custom, "custom resource Shop/SetCustom/Default"),
    "Named": (
        lambda stack, worker: _custom(stack, worker, "Custom::Setting"),
        "custom resource Shop/SetNamed/Default",
    ),
    "Definition": (_definition, "restapi Shop/Defined/Resource"),
    "Authorizer": (_authorizer, "authorizer Shop/Guard"),
}


@pytest.fixture(scope="module")
def called(tmp_path_factory: pytest.TempPathFactory, context: dict[str, object]) -> Findings:
    stack = Stack(App(outdir=str(tmp_path_factory.mktemp("called")), context=context), "Shop")
    for name, (call, _) in CALLS.items():
        call(stack, consumer(stack, name, function_name=f"named-{name}" if name == "Pattern" else name))
    alone = consumer(stack, "Alone", function_name="alone")
    alone.add_event_source(event_sources.SqsEventSource(sqs.Queue(stack, "Second")))
    alone.metric_errors().create_alarm(stack, "Alarm", threshold=1, evaluation_periods=1)
    alone.configure_async_invoke(retry_attempts=1)
    alone.add_permission("P", principal=iam.AccountPrincipal("1" * 12), action="lambda:GetFunction")
    reads = iam.PolicyStatement(actions=["lambda:GetFunction", "s3:*"], resources=["*"])
    iam.ManagedPolicy(stack, "Reader", statements=[reads])
    consumer(stack, "Chosen", tracing=lambda_.Tracing.PASS_THROUGH).add_function_url()
    consumer(stack, "Active", tracing=lambda_.Tracing.ACTIVE)
    return bridged(stack)


class TestCallers:
    """What else may call a consumer, so that its own trace is kept."""

    @pytest.mark.parametrize("name", CALLS)
    def test_make_it_linked(self, called: Findings, name: str) -> None:
        template, findings = called
        finding = findings[f"{name}/Resource"]
        assert finding.bridge is BridgeState.LINKED
        assert CALLS[name][1] in finding.reason
        assert template.one("AWS::Lambda::Function", f"{name}")["TracingConfig"] == {"Mode": "Active"}

    def test_a_second_queue_and_what_calls_nothing_do_not(self, called: Findings) -> None:
        assert called[1]["Alone/Resource"].bridge is BridgeState.CONTINUED

    def test_a_chosen_mode_is_kept(self, called: Findings) -> None:
        template, findings = called
        assert findings["Chosen/Resource"].bridge is BridgeState.CONTINUED
        assert template.one("AWS::Lambda::Function", "Chosen")["TracingConfig"] == {"Mode": "PassThrough"}

    def test_one_that_was_active_passes_through_where_sqs_alone_calls_it(self, called: Findings) -> None:
        template, _ = called
        assert template.one("AWS::Lambda::Function", "Active")["TracingConfig"] == {"Mode": "PassThrough"}
        assert template.actions("ActiveServiceRole") >= {"xray:PutTraceSegments"}

    def test_who_may_invoke_anything_may_invoke_it(self, new_stack: NewStack) -> None:
        stack = new_stack()
        consumer(stack, "Worker")
        administrator = iam.ManagedPolicy.from_aws_managed_policy_name("AdministratorAccess")
        iam.Role(stack, "Admin", assumed_by=iam.AccountRootPrincipal(), managed_policies=[administrator])
        finding = bridged(stack)[1]["Worker/Resource"]
        assert finding.bridge is BridgeState.LINKED
        assert "role Shop/Admin/Resource" in finding.reason


class Legacy(Construct):
    """A construct of the user's own, with a consumer inside."""

    def __init__(self, scope: Stack, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        consumer(self, "Worker")


class TestExceptions:
    def test_by_path_and_by_class(self, new_stack: NewStack) -> None:
        stack = new_stack()
        consumer(stack, "Worker")
        consumer(stack, "Other")
        Legacy(stack, "Legacy")
        template, findings = bridged(stack, except_paths=["Shop/Work*"], except_types=[Legacy])
        handlers = {name[:5]: f["Handler"] for name, f in template.all("AWS::Lambda::Function").items()}
        assert handlers == {"Worke": "app.handler", "Other": "trace_bridge.auto.handler", "Legac": "app.handler"}
        for path in ("Worker/Resource", "Legacy/Worker/Resource"):
            assert (findings[path].state, findings[path].bridge) == (TraceState.SKIPPED, BridgeState.UNBRIDGED)
            assert "it is excluded" in findings[path].reason

    @pytest.mark.parametrize("kind", ["AWS::Lambda::Function", lambda_.Function])
    def test_by_type(self, new_stack: NewStack, kind: str | type) -> None:
        stack = new_stack()
        consumer(stack, "Worker")
        template, findings = bridged(stack, except_types=[kind])
        assert template.one("AWS::Lambda::Function", "Worker")["Handler"] == "app.handler"
        assert findings["Worker/Resource"].bridge is BridgeState.UNBRIDGED

    def test_a_mapping_that_is_excluded_keeps_its_function_as_it_is(self, new_stack: NewStack) -> None:
        stack = new_stack()
        consumer(stack, "Worker")
        template, findings = bridged(stack, except_types=["AWS::Lambda::EventSourceMapping"])
        assert template.one("AWS::Lambda::Function", "Worker")["Handler"] == "app.handler"
        assert "does not report batch item failures, and it is excluded" in findings["Worker/Resource"].reason

    def test_an_interface_is_refused(self) -> None:
        message = refusal(lambda: TraceEverything(except_types=[lambda_.IFunction]))
        assert "IFunction, an interface, but must have classes of constructs, such as Function" in message


class TestTwice:
    def test_is_as_good_as_once(self, new_app: Callable[..., App]) -> None:
        once, twice = Stack(new_app(), "Shop"), Stack(new_app(), "Shop")
        for stack in (once, twice):
            plain_pipeline(stack)
        template, _ = bridged(once)
        outer = TraceEverything.below(twice.node.root, bridge=True)
        again, findings = bridged(twice)
        assert again.template == template.template
        assert findings["Worker/Resource"].bridge is BridgeState.ALREADY_BRIDGED
        assert {f.bridge for f in outer.report} == {None, BridgeState.CONTINUED, BridgeState.LINKED}

    @pytest.mark.parametrize("first", [True, False])
    def test_without_bridge_beside_it(self, new_app: Callable[..., App], first: bool) -> None:
        app = new_app()
        stack = Stack(app, "Shop")
        consumer(stack, "Worker")
        outer = TraceEverything.below(app, bridge=first)
        TraceEverything.below(stack, bridge=not first)
        worker = synthesize(stack).one("AWS::Lambda::Function", "Worker")
        assert worker["Handler"] == "trace_bridge.auto.handler"
        assert worker["TracingConfig"] == {"Mode": "PassThrough"}
        assert outer.report

    def test_a_worker_that_is_unbridged_by_choice_stays_so(self, new_app: Callable[..., App]) -> None:
        before, after = Stack(new_app(), "Shop"), Stack(new_app(), "Shop")
        for stack in (before, after):
            TracedPipeline(stack, "Orders", worker=WorkerOptions(tracing="unbridged"))
        template, findings = bridged(after)
        assert template.template == synthesize(before).template
        finding = findings["Orders/Worker/Function/Resource/Resource"]
        assert (finding.state, finding.bridge) == (TraceState.ALREADY_ENABLED, BridgeState.UNBRIDGED)
        assert "its variable TRACE_BRIDGE_ENABLED turns the bridge off, as tracing='unbridged' does" in finding.reason

    def test_changes_nothing_of_our_own(self, new_app: Callable[..., App], default: Synthesized) -> None:
        app = new_app()
        stack = Stack(app, "Shop")
        TracedPipeline(stack, "Orders")
        template, findings = bridged(stack)
        assert template.template == default.template
        assert findings["Orders/Worker/Function/Resource/Resource"].bridge is BridgeState.ALREADY_BRIDGED
