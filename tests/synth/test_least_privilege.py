"""What the functions of a pipeline are allowed: what they do, and nothing more."""

from __future__ import annotations

from pathlib import Path

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from traced_pipeline import Check, Handler, PipelineError, TableOptions, TracedPipeline, WorkerOptions

from tests.support.stacks import NewStack, make_function
from tests.support.templates import Synthesized, synthesize

POLL = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
TRACE = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
WRITE = {
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:DescribeTable",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
}


def on_table(template: Synthesized, role: str) -> set[str]:
    return {action for action in template.actions(role) if action.startswith("dynamodb:")}


class TestReferenceHandlers:
    def test_ingest_may_publish(self, default: Synthesized) -> None:
        assert default.actions("IngestFunction") == {"sns:Publish"} | TRACE | LOG

    def test_worker_may_put_items(self, default: Synthesized) -> None:
        assert default.actions("WorkerFunction") == {"dynamodb:PutItem"} | POLL | TRACE | LOG

    def test_a_further_worker_may_put_items(self, new_stack: NewStack) -> None:
        stack = new_stack()
        TracedPipeline(stack, "Orders").add_worker("Audit")
        assert on_table(synthesize(stack), "AuditFunction") == {"dynamodb:PutItem"}


class TestOwnHandlers:
    @pytest.mark.parametrize(
        ("actions", "allowed"),
        [
            (None, WRITE),
            (["dynamodb:PutItem", "dynamodb:Query"], {"dynamodb:PutItem", "dynamodb:Query"}),
            (["dynamodb:Get*"], {"dynamodb:Get*"}),
            ([], set()),
        ],
        ids=["as by default", "several", "a wildcard", "none"],
    )
    def test_may_do_what_is_chosen(
        self, new_stack: NewStack, elsewhere: Path, actions: list[str] | None, allowed: set[str]
    ) -> None:
        stack = new_stack()
        TracedPipeline(stack, "Orders", worker=WorkerOptions(handler=Handler(elsewhere), table_actions=actions))
        assert on_table(synthesize(stack), "WorkerFunction") == allowed

    def test_existing_functions_too(self, new_stack: NewStack) -> None:
        stack = new_stack()
        worker = WorkerOptions(handler=make_function(stack, "Mine"), table_actions=["dynamodb:PutItem"])
        TracedPipeline(stack, "Orders", worker=worker)
        assert on_table(synthesize(stack), "MineServiceRole") == {"dynamodb:PutItem"}

    def test_in_another_account_on_both_sides(self, new_stack: NewStack, elsewhere: Path) -> None:
        stack = new_stack(env=Environment(account="111111111111", region="eu-west-1"))
        app = App.of(stack)
        assert app is not None
        there = Stack(app, "There", env=Environment(account="222222222222", region="eu-west-1"))
        key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        table = dynamodb.TableV2(there, "Table", partition_key=key, table_name="orders")
        worker = WorkerOptions(handler=Handler(elsewhere), table_actions=["dynamodb:PutItem"])
        TracedPipeline(stack, "Orders", worker=worker, table=table)
        assert on_table(synthesize(stack), "WorkerFunction") == {"dynamodb:PutItem"}
        policy = synthesize(there).one("AWS::DynamoDB::GlobalTable")["Replicas"][0]["ResourcePolicy"]["PolicyDocument"]
        assert [statement["Action"] for statement in policy["Statement"]] == ["dynamodb:PutItem"]


def test_a_customer_key_of_the_table_can_still_be_used(new_stack: NewStack) -> None:
    stack = new_stack(env=Environment(account="111111111111", region="eu-west-1"))
    TracedPipeline(stack, "Orders", table=TableOptions(key=kms.Key(stack, "Key")))
    assert {"kms:Decrypt", "kms:Encrypt"} <= synthesize(stack).actions("WorkerFunction")


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        ("dynamodb:PutItem", "must be a sequence of str or None"),
        (["PutItem"], "must be a sequence of actions of DynamoDB"),
        (["s3:PutObject"], "must be a sequence of actions of DynamoDB"),
        (["*"], "must be a sequence of actions of DynamoDB"),
    ],
    ids=str,
)
def test_what_is_no_action_of_dynamodb_is_refused(new_stack: NewStack, actions: list[str], expected: str) -> None:
    with pytest.raises(PipelineError, match=expected) as caught:
        TracedPipeline(new_stack(), "Orders", worker=WorkerOptions(table_actions=actions))
    assert caught.value.check is Check.OPTION_VALUE


def test_actions_the_reference_handler_cannot_do_without(new_stack: NewStack) -> None:
    with pytest.raises(PipelineError, match="does not hold dynamodb:PutItem") as caught:
        TracedPipeline(new_stack(), "Orders", worker=WorkerOptions(table_actions=["dynamodb:Query"]))
    assert caught.value.check is Check.OPTION_CONFLICT


def test_actions_without_a_table(new_stack: NewStack, elsewhere: Path) -> None:
    orders = TracedPipeline(new_stack(), "Orders")
    with pytest.raises(PipelineError, match="the worker has no table") as caught:
        orders.add_worker("Audit", WorkerOptions(handler=Handler(elsewhere), table_actions=["dynamodb:PutItem"]))
    assert caught.value.check is Check.OPTION_CONFLICT


class TestKeyOfTheTable:
    STRING, NUMBER = dynamodb.AttributeType.STRING, dynamodb.AttributeType.NUMBER

    @pytest.mark.parametrize("kind", [dynamodb.Table, dynamodb.TableV2])
    @pytest.mark.parametrize(
        ("name", "data_type", "sort", "described"),
        [
            ("pk", STRING, None, "pk (HASH, type S)"),
            ("id", NUMBER, None, "id (HASH, type N)"),
            ("id", STRING, "at", "id (HASH, type S) and at (RANGE, type S)"),
        ],
    )
    def test_that_the_reference_handler_cannot_write(
        self,
        new_stack: NewStack,
        kind: type[dynamodb.Table | dynamodb.TableV2],
        name: str,
        data_type: dynamodb.AttributeType,
        sort: str | None,
        described: str,
    ) -> None:
        stack = new_stack()
        sort_key = None if sort is None else dynamodb.Attribute(name=sort, type=self.STRING)
        table = kind(stack, "Mine", partition_key=dynamodb.Attribute(name=name, type=data_type), sort_key=sort_key)
        with pytest.raises(PipelineError) as caught:
            TracedPipeline(stack, "Orders", table=table)
        assert caught.value.check is Check.TABLE_KEY
        assert f"table Shop/Mine has the key {described}, but" in str(caught.value)

    def test_is_the_teams_own_for_a_handler_of_its_own(self, new_stack: NewStack, elsewhere: Path) -> None:
        stack = new_stack()
        table = dynamodb.Table(stack, "Mine", partition_key=dynamodb.Attribute(name="pk", type=self.STRING))
        TracedPipeline(stack, "Orders", table=table, worker=WorkerOptions(handler=Handler(elsewhere)))

    def test_of_an_imported_table_is_not_known(self, new_stack: NewStack) -> None:
        stack = new_stack()
        TracedPipeline(stack, "Orders", table=dynamodb.Table.from_table_name(stack, "Mine", "orders"))
