"""What a function may be given beside its code, on every block that makes one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Environment, Size, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from cdk_nag import AwsSolutionsChecks
from traced_pipeline import (
    Check,
    FunctionOptions,
    Handler,
    IngestOptions,
    PipelineError,
    TracedFunction,
    TracedPipeline,
    WorkerOptions,
)

from tests.support.case_ids import case_id
from tests.support.stacks import NewStack
from tests.support.templates import synthesize, warnings, warnings_of

PLACE = Environment(account="111111111111", region="eu-west-1")
CODE = "def handler(event, context): ..."


def alone(stack: Stack, **options: Any) -> None:
    handler = Handler(lambda_.Code.from_inline(CODE), "index.handler")
    TracedFunction(stack, "Alone", options=FunctionOptions(handler=handler, **options))


# By each block that makes a function, and the part of its name that tells it.
BLOCKS: dict[str, tuple[str, Callable[..., object]]] = {
    "ingest": ("IngestFunction", lambda s, **o: TracedPipeline(s, "Orders", ingest=IngestOptions(**o))),
    "worker": ("WorkerFunction", lambda s, **o: TracedPipeline(s, "Orders", worker=WorkerOptions(**o))),
    "further worker": ("Audit", lambda s, **o: TracedPipeline(s, "Orders").add_worker("Audit", WorkerOptions(**o))),
    "function": ("Alone", alone),
}


def layer(stack: Stack, name: str = "Tools") -> lambda_.LayerVersion:
    return lambda_.LayerVersion(stack, name, code=lambda_.Code.from_asset(str(Path("handlers/orders").absolute())))


def role(stack: Stack) -> iam.Role:
    return iam.Role(stack, "Mine", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))


def ask(stack: Stack, block: str, **options: Any) -> None:
    BLOCKS[block][1](stack, **options)


@pytest.mark.parametrize("block", BLOCKS)
class TestOnEveryBlock:
    def test_all_of_them(self, new_stack: NewStack, block: str, elsewhere: object) -> None:
        stack = new_stack(env=PLACE)
        key, tools, mine = kms.Key(stack, "Key", enable_key_rotation=True), layer(stack), role(stack)
        ask(
            stack,
            block,
            environment_encryption=key,
            ephemeral_storage_size=Size.gibibytes(1),
            layers=[tools],
            role=mine,
            live_alias=True,
        )
        template = synthesize(stack)
        function = template.one("AWS::Lambda::Function", BLOCKS[block][0])
        assert function["KmsKeyArn"] == stack.resolve(key.key_arn)
        assert function["EphemeralStorage"] == {"Size": 1024}
        assert function["Role"] == stack.resolve(mine.role_arn)
        bridge = {"Ref": template.name_of("AWS::Lambda::LayerVersion", "TraceBridge")}
        # The CDK orders them by their ids.
        assert sorted(map(str, function["Layers"])) == sorted(
            map(str, [stack.resolve(tools.layer_version_arn), bridge])
        )
        alias = template.one("AWS::Lambda::Alias", BLOCKS[block][0])
        assert (alias["Name"], "ProvisionedConcurrencyConfig" in alias) == ("live", False)
        assert warnings(stack) == []

    def test_an_existing_role_gets_what_the_function_needs(self, new_stack: NewStack, block: str) -> None:
        stack = new_stack(env=PLACE)
        ask(stack, block, role=role(stack))
        template = synthesize(stack)
        assert template.actions("Mine") >= {"xray:PutTraceSegments", "logs:PutLogEvents"}
        assert [name for name in template.all("AWS::IAM::Role") if BLOCKS[block][0] in name] == []
        # Without the rights for its network a function in a VPC cannot be made.
        function = template.resources[template.name_of("AWS::Lambda::Function", BLOCKS[block][0])]
        policies = [name for name in template.all("AWS::IAM::Policy") if BLOCKS[block][0] in name]
        assert {name for name in policies if "RolePolicy" in name} <= set(function["DependsOn"])
        assert any("RolePolicy" in name for name in policies)
        violations = AwsSolutionsChecks(stack).validate_scope(stack.node.root).violations
        assert [v.rule_name for v in violations if v.severity == "error"] == []

    def test_snap_start_is_invoked_by_its_alias(self, new_stack: NewStack, block: str) -> None:
        stack = new_stack()
        ask(stack, block, snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS)
        template = synthesize(stack)
        assert template.one("AWS::Lambda::Function", BLOCKS[block][0])["SnapStart"] == {"ApplyOn": "PublishedVersions"}
        template.one("AWS::Lambda::Alias", BLOCKS[block][0])
        assert warnings(stack) == []


@pytest.mark.parametrize("block", [block for block in BLOCKS if block != "function"])
def test_beside_an_existing_function(new_stack: NewStack, block: str) -> None:
    stack = new_stack()
    arn = "arn:aws:lambda:eu-west-1:111111111111:function:mine"
    existing = lambda_.Function.from_function_arn(stack, "Existing", arn)
    with pytest.raises(PipelineError, match="live_alias, role given for a function that is made") as caught:
        ask(stack, block, handler=existing, role=role(stack), live_alias=True)
    assert caught.value.check is Check.OPTION_CONFLICT


def test_role_that_cannot_be_changed(new_stack: NewStack) -> None:
    stack = new_stack(env=PLACE)
    arn = "arn:aws:iam::111111111111:role/mine"
    mine = iam.Role.from_role_arn(stack, "Theirs", arn, mutable=False)
    TracedPipeline(stack, "Orders", ingest=IngestOptions(role=mine))
    said = warnings_of(stack, Check.ROLE_NOT_MANAGED)
    assert len(said) == 2
    assert "allow logs:CreateLogStream, logs:PutLogEvents, xray:PutTraceSegments" in " ".join(said)
    assert "sns:Publish" in " ".join(said)


def test_role_of_another_stack(new_stack: NewStack) -> None:
    stack = new_stack(env=PLACE)
    other = Stack(stack.node.root, "Shared", env=PLACE)  # type: ignore[arg-type]
    with pytest.raises(PipelineError, match=r"role is Shared/Mine of stack Shared.*each stack would wait") as caught:
        TracedPipeline(stack, "Orders", worker=WorkerOptions(role=role(other)))
    assert caught.value.check is Check.OUT_OF_REACH


def test_role_of_another_account(new_stack: NewStack) -> None:
    stack = new_stack(env=PLACE)
    theirs = iam.Role.from_role_arn(stack, "Theirs", "arn:aws:iam::222222222222:role/mine")
    with pytest.raises(PipelineError, match="passed to functions of its own account only") as caught:
        TracedPipeline(stack, "Orders", worker=WorkerOptions(role=theirs))
    assert caught.value.check is Check.OUT_OF_REACH


def test_layer_of_another_region(new_stack: NewStack) -> None:
    stack = new_stack(env=PLACE)
    arn = "arn:aws:lambda:us-east-1:111111111111:layer:tools:1"
    theirs = lambda_.LayerVersion.from_layer_version_arn(stack, "Theirs", arn)
    with pytest.raises(PipelineError, match="layers Shop/Theirs belongs to Region us-east-1") as caught:
        TracedPipeline(stack, "Orders", worker=WorkerOptions(layers=[theirs]))
    assert caught.value.check is Check.OUT_OF_REACH


def test_more_layers_than_a_function_takes(new_stack: NewStack, elsewhere: object) -> None:
    stack = new_stack()
    layers = [layer(stack, f"Tools{number}") for number in range(5)]
    with pytest.raises(PipelineError, match=r"layers has 5 layers.*give at most 4") as caught:
        TracedPipeline(stack, "Orders", worker=WorkerOptions(layers=layers))
    assert caught.value.check is Check.OPTION_CONFLICT
    TracedPipeline(stack, "Fitting", worker=WorkerOptions(layers=layers[:4]))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"provisioned_concurrent_executions": 1}, "keeps no executions of a SnapStart function initialized"),
        ({"ephemeral_storage_size": Size.mebibytes(513)}, "SnapStart takes no more than 512 MiB"),
        ({"runtime": lambda_.Runtime.PYTHON_3_11}, "the runtime is python3.11, which SnapStart does not support"),
    ],
    ids=case_id,
)
def test_what_does_not_go_with_snap_start(new_stack: NewStack, options: dict[str, Any], said: str) -> None:
    worker = WorkerOptions(snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS, **options)
    with pytest.raises(PipelineError, match=said) as caught:
        TracedPipeline(new_stack(), "Orders", worker=worker)
    assert caught.value.check is Check.OPTION_CONFLICT


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (Size.mebibytes(511), r"ephemeral_storage_size is 511 MiB, but must be at least 512 MiB"),
        (Size.kibibytes(600_000), r"ephemeral_storage_size is 585.938 MiB, but must be of whole MiB"),
    ],
    ids=["511 MiB", "600000 KiB"],
)
def test_sizes_that_lambda_does_not_have(new_stack: NewStack, size: Size, said: str) -> None:
    with pytest.raises(PipelineError, match=said) as caught:
        TracedPipeline(new_stack(), "Orders", worker=WorkerOptions(ephemeral_storage_size=size))
    assert caught.value.check is Check.OPTION_VALUE


def test_the_api_calls_the_alias_that_deployments_shift_traffic_of(new_stack: NewStack) -> None:
    stack = new_stack()
    orders = TracedPipeline(stack, "Orders", ingest=IngestOptions(live_alias=True))
    assert orders.ingest.alias is not None
    template = synthesize(stack)
    called = json.dumps(template.one("AWS::ApiGateway::Method", "POST")["Integration"]["Uri"])
    assert template.name_of("AWS::Lambda::Alias") in called
