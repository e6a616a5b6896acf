"""Each check, where it speaks and where it is silent."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from aws_cdk import Acknowledgment, App, CfnParameter, Duration, Environment, Stack, Token, Validations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from traced_pipeline import (
    Check,
    FunctionOptions,
    Handler,
    IngestOptions,
    Instrumentation,
    PipelineError,
    QueueWorker,
    SamplingOptions,
    SnsTracePermission,
    TableOptions,
    TopicOptions,
    TracedFunction,
    TracedPipeline,
    TracedTopic,
    WorkerOptions,
)

from tests.support.stacks import NewStack
from tests.support.templates import synthesize, warnings, warnings_of


def refusal(check: Check, stack: Stack, **arguments: object) -> str:
    """What a pipeline with these arguments is refused with."""
    with pytest.raises(PipelineError) as caught:
        TracedPipeline(stack, "Orders", **arguments)  # type: ignore[arg-type]
    assert caught.value.check is check
    message = str(caught.value)
    assert message.endswith(f"[{check.value}]")
    return message


def test_ids_are_unique_and_in_the_librarys_namespace() -> None:
    ids = [check.value for check in Check]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"traced-pipeline:[a-z-]+", check_id) for check_id in ids)


class TestHandlers:
    def test_folder_is_found_from_the_working_directory_or_absolutely(
        self, new_stack: NewStack, elsewhere: Path
    ) -> None:
        for code in ("handlers/orders", elsewhere, str(elsewhere)):
            stack = new_stack()
            TracedFunction(stack, "Work", options=FunctionOptions(handler=Handler(code, "app.handler")))
            assert synthesize(stack).one("AWS::Lambda::Function")["Handler"] == "app.handler"

    def test_missing_folder(self, new_stack: NewStack, elsewhere: Path) -> None:
        message = refusal(Check.HANDLER_FOLDER, new_stack(), ingest=IngestOptions(handler=Handler("handlers/nope")))
        assert "'handlers/nope' does not exist" in message
        assert str(elsewhere.parents[1] / "handlers/nope") in message

    def test_folder_that_the_cdk_would_copy_into_itself(self, new_stack: NewStack, tmp_path: Path) -> None:
        (tmp_path / "app.py").write_text("def handler(event, context): ...\n")  # beside cdk.out
        message = refusal(Check.HANDLER_FOLDER, new_stack(), worker=WorkerOptions(handler=Handler(tmp_path)))
        assert f"'{tmp_path}' is the working directory of the app, or holds the CDK's output" in message

    def test_folder_around_the_working_directory_alone(self, elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (elsewhere / "infra").mkdir()
        monkeypatch.chdir(elsewhere / "infra")
        stack = Stack(App(outdir=str(elsewhere.parents[2] / "out")), "Shop")
        TracedFunction(stack, "Work", options=FunctionOptions(handler=Handler(elsewhere)))

    def test_missing_module(self, new_stack: NewStack, elsewhere: Path) -> None:
        handler = Handler("handlers/orders", "main.handler")
        message = refusal(Check.HANDLER_MODULE, new_stack(), worker=WorkerOptions(handler=handler))
        assert f"'main.handler' needs main.py in {elsewhere}" in message

    @pytest.mark.parametrize("by", ["vendor", "layers"])
    def test_module_that_a_layer_may_hold(self, new_stack: NewStack, elsewhere: Path, by: str) -> None:
        stack, arn = new_stack(), "arn:aws:lambda:eu-west-1:222222222222:layer:Theirs:1"
        options = FunctionOptions(
            handler=Handler(elsewhere, "datadog_lambda.handler.handler"),
            instrumentation=Instrumentation.vendor([arn]) if by == "vendor" else None,
            layers=None if by == "vendor" else [lambda_.LayerVersion.from_layer_version_arn(stack, "Theirs", arn)],
        )
        TracedFunction(stack, "Work", options=options)
        assert synthesize(stack).one("AWS::Lambda::Function")["Handler"] == "datadog_lambda.handler.handler"

    def test_missing_function(self, new_stack: NewStack, elsewhere: Path) -> None:
        handler = Handler("handlers/orders", "app.main")
        message = refusal(Check.HANDLER_MODULE, new_stack(), worker=WorkerOptions(handler=handler))
        assert f"needs a function 'main', a name that {elsewhere / 'app.py'} does not have" in message

    @pytest.mark.parametrize(
        "module",
        ["from work import main", "main: object = None", "from work import *", "globals()['ma' + 'in'] = 1"],
    )
    def test_function_that_is_not_written_out(self, new_stack: NewStack, elsewhere: Path, module: str) -> None:
        (elsewhere / "app.py").write_text(f"{module}\n")
        options = FunctionOptions(handler=Handler(elsewhere, "app.main"))
        TracedFunction(new_stack(), "Work", options=options)

    @pytest.mark.parametrize("entry_point", ["handler", "app.", ".handler", "app.1st", ""])
    def test_entry_point_that_is_none(self, new_stack: NewStack, elsewhere: Path, entry_point: str) -> None:
        handler = Handler("handlers/orders", entry_point)
        message = refusal(Check.HANDLER_MODULE, new_stack(), worker=WorkerOptions(handler=handler))
        assert f"{entry_point!r} must be 'module.function'" in message

    @pytest.mark.parametrize("entry_point", ["pkg.mod.run", "pkg/mod.run", "pkg.run"])
    def test_modules_in_packages(self, new_stack: NewStack, elsewhere: Path, entry_point: str) -> None:
        (elsewhere / "pkg").mkdir()
        for module in ("__init__.py", "mod.py"):
            (elsewhere / "pkg" / module).write_text("def run(event, context): ...\n")
        TracedFunction(new_stack(), "Work", options=FunctionOptions(handler=Handler(elsewhere, entry_point)))

    def test_code_of_the_cdk_is_taken_as_it_is(self, new_stack: NewStack) -> None:
        stack = new_stack()
        handler = Handler(lambda_.Code.from_inline("def run(event, context): ..."), "index.run")
        TracedFunction(stack, "Work", options=FunctionOptions(handler=handler))
        assert "ZipFile" in synthesize(stack).one("AWS::Lambda::Function")["Code"]

    def test_function_by_itself_needs_one(self, new_stack: NewStack) -> None:
        with pytest.raises(
            PipelineError, match="handler is None, but a TracedFunction is made from a Handler"
        ) as caught:
            TracedFunction(new_stack(), "Work", options=FunctionOptions())
        assert caught.value.check is Check.HANDLER_MISSING

    def test_reference_worker_needs_a_destination(self, new_stack: NewStack) -> None:
        stack = new_stack()
        with pytest.raises(PipelineError, match="give WorkerOptions a table or a topic") as caught:
            QueueWorker(stack, "Worker", topic=TracedTopic(stack, "Topic").topic)
        assert caught.value.check is Check.WORKER_DESTINATION


class TestVisibility:
    def test_shorter_than_the_function(self, new_stack: NewStack) -> None:
        worker = WorkerOptions(timeout=Duration.seconds(60), visibility_timeout=Duration.seconds(30))
        message = refusal(Check.VISIBILITY_TOO_SHORT, new_stack(), worker=worker)
        assert "is 30 s, but the function may work for 60 s" in message
        assert "at least 360 s" in message

    def test_shorter_than_recommended(self, new_stack: NewStack) -> None:
        stack = new_stack()
        worker = WorkerOptions(timeout=Duration.seconds(60), visibility_timeout=Duration.seconds(90))
        TracedPipeline(stack, "Orders", worker=worker)
        (warning,) = warnings(stack)
        assert Check.VISIBILITY_BELOW_RECOMMENDED.value in warning
        assert "90 s; AWS recommends six times the function's timeout of 60 s, which is 360 s" in warning

    def test_long_enough(self, new_stack: NewStack) -> None:
        stack = new_stack()
        worker = WorkerOptions(timeout=Duration.seconds(60), visibility_timeout=Duration.seconds(360))
        TracedPipeline(stack, "Orders", worker=worker)
        assert warnings(stack) == []

    def test_unknown_until_deployment(self, new_stack: NewStack) -> None:
        stack = new_stack()
        seconds = Token.as_number(CfnParameter(stack, "Seconds", type="Number").value)
        unknown = Duration.seconds(seconds)
        message = refusal(Check.VISIBILITY_UNKNOWN, stack, worker=WorkerOptions(timeout=unknown))
        assert "give visibility_timeout" in message
        stack = new_stack()
        seconds = Token.as_number(CfnParameter(stack, "Seconds", type="Number").value)
        given = WorkerOptions(timeout=Duration.seconds(seconds), visibility_timeout=Duration.minutes(5))
        TracedPipeline(stack, "Orders", worker=given)
        assert synthesize(stack).one("AWS::SQS::Queue", "WorkerQueue")["VisibilityTimeout"] == 300


class TestNumbers:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"worker": WorkerOptions(batch_size=0)}, "batch_size is 0, but must be from 1 to 10000"),
            ({"worker": WorkerOptions(batch_size=10_001)}, "batch_size is 10001"),
            ({"worker": WorkerOptions(max_receive_count=0)}, "max_receive_count is 0, but must be from 1 to 1000"),
            ({"sampling": SamplingOptions(rate=5)}, "sampling rate is 5, but must be a fraction from 0 to 1"),
            ({"sampling": SamplingOptions(reservoir=-1)}, "sampling reservoir is -1"),
            ({"sampling": SamplingOptions(priority=0)}, "sampling priority is 0, but must be from 1 to 9999"),
            (
                {"sampling": SamplingOptions(), "ingest": IngestOptions(api_name="a" * 60)},
                "65 characters, but a sampling rule takes at most 64; give a shorter api_name",
            ),
        ],
    )
    def test_out_of_bounds(self, new_stack: NewStack, arguments: dict[str, object], message: str) -> None:
        assert message in refusal(Check.OPTION_VALUE, new_stack(), **arguments)

    def test_not_known_until_deployment(self, new_stack: NewStack) -> None:
        stack = new_stack()
        number = cast("int", CfnParameter(stack, "Number", type="Number").value_as_number)
        TracedPipeline(
            stack,
            "Orders",
            worker=WorkerOptions(
                max_receive_count=number, max_concurrency=number, reserved_concurrent_executions=number
            ),
            sampling=SamplingOptions(reservoir=number, priority=number),
        )
        assert synthesize(stack).one("AWS::XRay::SamplingRule")["SamplingRule"]["Priority"] == {"Ref": "Number"}
        assert warnings(stack) == []


class TestConcurrency:
    def test_more_than_reserved(self, new_stack: NewStack) -> None:
        stack = new_stack()
        TracedPipeline(stack, "Orders", worker=WorkerOptions(max_concurrency=20, reserved_concurrent_executions=10))
        (warning,) = warnings(stack)
        assert Check.CONCURRENCY_ABOVE_RESERVED.value in warning
        assert "max_concurrency is 20, but the function has 10 executions reserved" in warning

    def test_more_than_an_existing_function_has_reserved(self, new_stack: NewStack, elsewhere: Path) -> None:
        stack = new_stack()
        mine = lambda_.Function(
            stack,
            "Mine",
            code=lambda_.Code.from_asset(str(elsewhere)),
            handler="app.handler",
            runtime=lambda_.Runtime.PYTHON_3_14,
            reserved_concurrent_executions=5,
        )
        TracedPipeline(stack, "Orders", worker=WorkerOptions(handler=mine, max_concurrency=20))
        (warning,) = warnings_of(stack, Check.CONCURRENCY_ABOVE_RESERVED)
        assert "max_concurrency is 20, but the function has 5 executions reserved" in warning

    def test_within_the_reserved(self, new_stack: NewStack) -> None:
        stack = new_stack()
        TracedPipeline(stack, "Orders", worker=WorkerOptions(max_concurrency=10, reserved_concurrent_executions=10))
        assert warnings(stack) == []
        function = synthesize(stack).one("AWS::Lambda::Function", "Worker")
        assert function["ReservedConcurrentExecutions"] == 10


class TestKinds:
    def test_fifo_queue_behind_standard_topic(self, new_stack: NewStack) -> None:
        stack = new_stack()
        message = refusal(Check.FIFO_MISMATCH, stack, worker=WorkerOptions(queue=sqs.Queue(stack, "Jobs", fifo=True)))
        assert "queue Shop/Jobs is FIFO, but the topic before it is standard" in message

    def test_standard_queue_behind_fifo_topic_loses_the_order(self, new_stack: NewStack) -> None:
        stack = new_stack()
        queue = sqs.Queue(stack, "Jobs", visibility_timeout=Duration.minutes(3))
        orders = TracedPipeline(stack, "Orders", topic=TopicOptions(fifo=True), worker=WorkerOptions(queue=queue))
        (warning,) = warnings_of(stack, Check.ORDER_LOST)
        assert "queue Shop/Jobs is standard, but the topic before it is FIFO" in warning
        assert orders.dead_letter_queue.fifo is False

    def test_dead_letter_queue_of_the_other_kind(self, new_stack: NewStack) -> None:
        stack = new_stack()
        letters = sqs.Queue(stack, "Letters", fifo=True)
        message = refusal(Check.FIFO_MISMATCH, stack, worker=WorkerOptions(dead_letter_queue=letters))
        assert "dead-letter queue Shop/Letters is FIFO, but the queue before it is standard" in message

    def test_all_fifo(self, new_stack: NewStack) -> None:
        stack = new_stack()
        letters = sqs.Queue(stack, "Letters", fifo=True)
        TracedPipeline(stack, "Orders", topic=TopicOptions(fifo=True), worker=WorkerOptions(dead_letter_queue=letters))

    def test_imported_queue_with_an_unknown_name(self, new_stack: NewStack) -> None:
        stack = new_stack()
        arn = CfnParameter(stack, "QueueArn").value_as_string
        queue = sqs.Queue.from_queue_arn(stack, "Jobs", arn)
        TracedPipeline(stack, "Orders", topic=TopicOptions(fifo=True), worker=WorkerOptions(queue=queue))


class TestKeys:
    @pytest.mark.parametrize("part", ["queue_key", "log_key"])
    def test_imported_key_that_cannot_let_its_service_in(self, new_stack: NewStack, part: str) -> None:
        stack = new_stack()
        arn = "arn:aws:kms:eu-west-1:111111111111:key/01234567-0123-0123-0123-0123456789ab"
        key = kms.Key.from_key_arn(stack, "Key", arn)
        TracedPipeline(stack, "Orders", worker=WorkerOptions(**{part: key}))  # type: ignore[arg-type]
        (warning,) = warnings_of(stack, Check.KEY_NOT_MANAGED)
        assert "key Shop/Key is imported" in warning
        assert ("logs.<region>.amazonaws.com" if part == "log_key" else "sns.amazonaws.com") in warning

    def test_table_key_needs_a_region(self, new_stack: NewStack) -> None:
        stack = new_stack()
        message = refusal(Check.TABLE_KEY_REGION, stack, table=TableOptions(key=kms.Key(stack, "Key")))
        assert "give the stack one" in message
        located = new_stack(env=Environment(region="eu-west-1"))
        TracedPipeline(located, "Orders", table=TableOptions(key=kms.Key(located, "Key")))


class TestVpc:
    ISOLATED = ec2.SubnetConfiguration(name="inside", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
    IN_ISOLATED = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)

    def test_no_way_to_xray(self, new_stack: NewStack) -> None:
        stack = new_stack()
        vpc = ec2.Vpc(stack, "Net", nat_gateways=0, subnet_configuration=[self.ISOLATED])
        TracedPipeline(stack, "Orders", worker=WorkerOptions(vpc=vpc, vpc_subnets=self.IN_ISOLATED))
        (warning,) = warnings_of(stack, Check.VPC_WITHOUT_XRAY)
        assert "isolated subnets of Shop/Net" in warning
        assert "InterfaceVpcEndpointAwsService.XRAY" in warning

    def test_interface_endpoint(self, new_stack: NewStack) -> None:
        stack = new_stack()
        vpc = ec2.Vpc(stack, "Net", nat_gateways=0, subnet_configuration=[self.ISOLATED])
        vpc.add_interface_endpoint("XRay", service=ec2.InterfaceVpcEndpointAwsService.XRAY)
        TracedPipeline(stack, "Orders", worker=WorkerOptions(vpc=vpc, vpc_subnets=self.IN_ISOLATED))
        assert warnings_of(stack, Check.VPC_WITHOUT_XRAY) == []

    def test_nat_gateway(self, new_stack: NewStack) -> None:
        stack = new_stack()
        TracedPipeline(stack, "Orders", worker=WorkerOptions(vpc=ec2.Vpc(stack, "Net", max_azs=1)))
        assert warnings_of(stack, Check.VPC_WITHOUT_XRAY) == []
        template = synthesize(stack)
        assert "VpcConfig" in template.one("AWS::Lambda::Function", "Worker")
        assert "ec2:CreateNetworkInterface" in template.actions("WorkerFunction")


class TestTracePermissions:
    def test_more_than_an_account_holds(self, new_app: Callable[..., App]) -> None:
        app = new_app()
        permissions = [SnsTracePermission.of(Stack(app, f"Shop{number}")) for number in range(6)]
        assert [warnings_of(Stack.of(p), Check.TRACE_PERMISSION_QUOTA) != [] for p in permissions] == [False] * 5 + [
            True
        ]

    def test_regions_count_by_themselves(self, new_app: Callable[..., App]) -> None:
        app = new_app()
        for number in range(6):
            stack = Stack(app, f"Shop{number}", env=Environment(account="111111111111", region=f"eu-west-{number}"))
            SnsTracePermission.of(stack)
            assert warnings(stack) == []


def test_warnings_can_be_acknowledged(new_stack: NewStack) -> None:
    stack = new_stack()
    orders = TracedPipeline(stack, "Orders", ingest=IngestOptions(timeout=Duration.seconds(60)))
    Validations.of(orders).acknowledge(Acknowledgment(id=Check.INGEST_TIMEOUT.value, reason="quota was raised"))
    assert warnings(stack) == []
