"""What a user gets from `TracedPipeline(self, "Orders")`."""

from __future__ import annotations

import json

import pytest
from aws_cdk import Duration, Environment, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from traced_pipeline import (
    Check,
    Handler,
    IngestOptions,
    PipelineError,
    QueueWorker,
    SamplingOptions,
    TableOptions,
    TopicOptions,
    TracedPipeline,
    TracedTopic,
    TraceGroupOptions,
    WorkerOptions,
)

from tests.support.stacks import NewStack
from tests.support.templates import Synthesized, synthesize, warnings

XRAY_ACTIONS = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}


def test_every_hop_is_traced(default: Synthesized) -> None:
    assert default.one("AWS::ApiGateway::Stage")["TracingEnabled"] is True
    assert default.one("AWS::Lambda::Function", "Ingest")["TracingConfig"] == {"Mode": "Active"}
    assert default.one("AWS::SNS::Topic")["TracingConfig"] == "Active"
    assert default.one("AWS::Lambda::Function", "Worker")["TracingConfig"] == {"Mode": "PassThrough"}


def test_synthesis_is_quiet(default_stack: Stack, default: Synthesized) -> None:
    assert warnings(default_stack) == []
    assert default.template.get("Outputs", {}) == {}


def test_nothing_has_a_physical_name(default: Synthesized) -> None:
    named = {"TopicName", "QueueName", "TableName", "FunctionName", "LogGroupName", "RoleName", "LayerName"}
    for name, resource in default.resources.items():
        if resource["Type"] not in {"AWS::Lambda::Permission", "AWS::Lambda::EventSourceMapping"}:
            assert not named & set(resource.get("Properties", {})), name


@pytest.mark.parametrize("role", ["IngestFunction", "WorkerFunction"])
def test_functions_run_without_managed_policies_and_log_to_their_own_group_only(
    default: Synthesized, role: str
) -> None:
    group = default.name_of("AWS::Logs::LogGroup", role)
    assert "ManagedPolicyArns" not in default.one("AWS::IAM::Role", role)
    logging = [s for s in default.statements(role) if "logs:PutLogEvents" in s["Action"]]
    assert [s["Resource"] for s in logging] == [{"Fn::GetAtt": [group, "Arn"]}]
    assert default.one("AWS::Lambda::Function", role)["LoggingConfig"] == {
        "LogFormat": "JSON",
        "LogGroup": {"Ref": group},
    }
    assert default.one("AWS::Logs::LogGroup", role)["RetentionInDays"] == 30


def test_ingest_may_publish_and_worker_may_write(default: Synthesized) -> None:
    assert "sns:Publish" in default.actions("IngestFunction")
    assert not {action for action in default.actions("IngestFunction") if action.startswith("dynamodb:")}
    assert "dynamodb:PutItem" in default.actions("WorkerFunction")
    assert "dynamodb:Scan" not in default.actions("WorkerFunction")


def test_functions_learn_where_to_send_and_nothing_else(default: Synthesized) -> None:
    topic, table = default.name_of("AWS::SNS::Topic"), default.name_of("AWS::DynamoDB::GlobalTable")
    assert default.variables("Ingest") == {"TOPIC_ARN": {"Ref": topic}}
    assert default.variables("Worker") == {"TABLE_NAME": {"Ref": table}}


@pytest.mark.parametrize(
    ("tracing", "mode", "switched_off"),
    [("continued", "PassThrough", False), ("linked", "Active", False), ("unbridged", "Active", True)],
)
def test_worker_tracing_modes(new_stack: NewStack, tracing: str, mode: str, switched_off: bool) -> None:
    stack = new_stack()
    TracedPipeline(stack, "Orders", worker=WorkerOptions(tracing=tracing))  # type: ignore[arg-type]
    template = synthesize(stack)
    assert template.one("AWS::Lambda::Function", "Worker")["TracingConfig"] == {"Mode": mode}
    assert (template.variables("Worker").get("TRACE_BRIDGE_ENABLED") == "false") is switched_off
    assert template.actions("WorkerFunction") >= XRAY_ACTIONS


def test_both_functions_may_send_segments(default: Synthesized) -> None:
    assert default.actions("IngestFunction") >= XRAY_ACTIONS
    assert default.actions("WorkerFunction") >= XRAY_ACTIONS


def test_zero_code_lets_the_bridge_call_the_handler(new_stack: NewStack, elsewhere: object) -> None:
    stack = new_stack()
    worker = WorkerOptions(handler=Handler("handlers/orders", "app.handler"), zero_code=True)
    TracedPipeline(stack, "Orders", worker=worker)
    template = synthesize(stack)
    assert template.one("AWS::Lambda::Function", "Worker")["Handler"] == "trace_bridge.auto.handler"
    assert template.variables("Worker")["TRACE_BRIDGE_HANDLER"] == "app.handler"


def test_queue_follows_the_function_and_keeps_what_failed(default: Synthesized) -> None:
    dead_letters = default.name_of("AWS::SQS::Queue", "DeadLetter")
    arn = {"Fn::GetAtt": [dead_letters, "Arn"]}
    queue = default.one("AWS::SQS::Queue", "WorkerQueue")
    assert queue["VisibilityTimeout"] == 6 * default.one("AWS::Lambda::Function", "Worker")["Timeout"]
    assert queue["RedrivePolicy"] == {"deadLetterTargetArn": arn, "maxReceiveCount": 5}
    assert default.one("AWS::SQS::Queue", "DeadLetter")["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert default.one("AWS::SNS::Subscription")["RedrivePolicy"] == {"deadLetterTargetArn": arn}


def test_visibility_counts_timeout_and_window(new_stack: NewStack) -> None:
    stack = new_stack()
    options = WorkerOptions(timeout=Duration.seconds(20), batch_size=100, max_batching_window=Duration.seconds(5))
    TracedPipeline(stack, "Orders", worker=options)
    template = synthesize(stack)
    assert template.one("AWS::SQS::Queue", "WorkerQueue")["VisibilityTimeout"] == 125
    mapping = template.one("AWS::Lambda::EventSourceMapping")
    assert (mapping["BatchSize"], mapping["MaximumBatchingWindowInSeconds"]) == (100, 5)


def test_messages_fail_one_by_one_and_arrive_raw(default: Synthesized) -> None:
    mapping = default.one("AWS::Lambda::EventSourceMapping")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BatchSize"] == 10
    assert default.one("AWS::SNS::Subscription")["RawMessageDelivery"] is True


def test_messages_are_encrypted_and_travel_over_tls_only(default: Synthesized) -> None:
    queues = default.all("AWS::SQS::Queue")
    assert len(queues) == 2
    assert all(queue["SqsManagedSseEnabled"] is True for queue in queues.values())
    policies = [*default.all("AWS::SQS::QueuePolicy").values(), *default.all("AWS::SNS::TopicPolicy").values()]
    assert len(policies) == 3
    for policy in policies:
        denied = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Deny"]
        assert [s["Condition"] for s in denied] == [{"Bool": {"aws:SecureTransport": "false"}}]


def test_table_is_kept_and_can_be_restored(default: Synthesized) -> None:
    table = default.one("AWS::DynamoDB::GlobalTable")
    assert table["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    replica = table["Replicas"][0]
    assert replica["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert default.resources[default.name_of("AWS::DynamoDB::GlobalTable")]["DeletionPolicy"] == "Retain"
    groups = [r for r in default.resources.values() if r["Type"] == "AWS::Logs::LogGroup"]
    assert {group["DeletionPolicy"] for group in groups} == {"Retain"}


def test_removal_policy_reaches_table_and_logs_unless_they_say_otherwise(new_stack: NewStack) -> None:
    stack = new_stack()
    TracedPipeline(
        stack,
        "Orders",
        worker=WorkerOptions(removal_policy=RemovalPolicy.RETAIN),
        removal_policy=RemovalPolicy.DESTROY,
    )
    template = synthesize(stack)
    policies = {
        name: r["DeletionPolicy"]
        for name, r in template.resources.items()
        if r["Type"] in {"AWS::Logs::LogGroup", "AWS::DynamoDB::GlobalTable"}
    }
    assert {policy for name, policy in policies.items() if "Worker" not in name} == {"Delete"}
    assert {policy for name, policy in policies.items() if "Worker" in name} == {"Retain"}


def test_parts_are_given_back(new_stack: NewStack) -> None:
    stack = new_stack()
    orders = TracedPipeline(stack, "Orders", ingest=IngestOptions(path="/orders"))
    references = {
        "AWS::ApiGateway::RestApi": orders.api.rest_api_id,
        "AWS::SNS::Topic": orders.topic.topic_arn,
        "AWS::SQS::Queue": orders.queue.queue_url,
        "AWS::DynamoDB::GlobalTable": orders.table.table_name,
    }
    template = synthesize(stack)
    for kind, reference in references.items():
        assert stack.resolve(reference)["Ref"] in template.all(kind)
    assert "DeadLetter" in stack.resolve(orders.dead_letter_queue.queue_url)["Ref"]
    assert "Ingest" in stack.resolve(orders.ingest_function.function_name)["Ref"]
    assert "Worker" in stack.resolve(orders.worker_function.function_name)["Ref"]
    assert json.dumps(stack.resolve(orders.url)).endswith('"/orders"]]}')


def test_parts_cannot_be_replaced(default_stack: Stack) -> None:
    orders = default_stack.node.find_child("Orders")
    with pytest.raises(AttributeError):
        orders.table = None  # type: ignore[attr-defined]


def test_two_pipelines_share_layer_and_trace_permission(new_stack: NewStack) -> None:
    stack = new_stack()
    TracedPipeline(stack, "Orders")
    TracedPipeline(stack, "Returns")
    template = synthesize(stack)
    assert len(template.all("AWS::XRay::ResourcePolicy")) == 1
    assert len(template.all("AWS::Lambda::LayerVersion")) == 1
    assert len(template.all("AWS::SNS::Topic")) == 2
    names = {api["Name"] for api in template.all("AWS::ApiGateway::RestApi").values()}
    assert names == {"Shop-Orders", "Shop-Returns"}


def test_added_worker_has_every_message_in_a_queue_of_its_own(new_stack: NewStack, elsewhere: object) -> None:
    stack = new_stack()
    orders = TracedPipeline(stack, "Orders")
    audit = orders.add_worker("Audit", WorkerOptions(handler=Handler("handlers/orders"), batch_size=5))
    template = synthesize(stack)
    subscriptions = template.all("AWS::SNS::Subscription").values()
    assert len(subscriptions) == 2
    assert {json.dumps(s["TopicArn"]) for s in subscriptions} == {
        json.dumps({"Ref": template.name_of("AWS::SNS::Topic")})
    }
    assert stack.resolve(audit.queue.queue_arn) != stack.resolve(orders.queue.queue_arn)
    assert template.one("AWS::Lambda::EventSourceMapping", "Audit")["BatchSize"] == 5
    assert not {action for action in template.actions("Audit") if action.startswith("dynamodb:")}
    assert template.variables("AuditFunction") == {}


def test_added_worker_with_the_reference_handler_shares_the_table(new_stack: NewStack) -> None:
    stack = new_stack()
    TracedPipeline(stack, "Orders").add_worker("Copy")
    template = synthesize(stack)
    assert template.variables("CopyFunction") == template.variables("WorkerFunction")


def test_workers_pick_messages_by_filters(new_stack: NewStack) -> None:
    stack = new_stack()
    options = WorkerOptions(
        filter_policy={"kind": sns.SubscriptionFilter.string_filter(allowlist=["big"])},
        filters=[lambda_.FilterCriteria.filter({"body": {"amount": [{"numeric": [">", 100]}]}})],
        max_concurrency=20,
    )
    TracedPipeline(stack, "Orders", worker=options)
    template = synthesize(stack)
    assert template.one("AWS::SNS::Subscription")["FilterPolicy"] == {"kind": ["big"]}
    mapping = template.one("AWS::Lambda::EventSourceMapping")
    assert json.loads(mapping["FilterCriteria"]["Filters"][0]["Pattern"]) == {
        "body": {"amount": [{"numeric": [">", 100]}]}
    }
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 20}


def test_worker_publishes_to_the_next_topic(new_stack: NewStack) -> None:
    stack = new_stack()
    shipped = TracedTopic(stack, "Shipped").topic
    TracedPipeline(stack, "Orders", worker=WorkerOptions(publish_to=shipped))
    table = dynamodb.TableV2(
        stack,
        "Shipments",
        partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
    )
    QueueWorker(stack, "Ship", topic=shipped, options=WorkerOptions(table=table))
    template = synthesize(stack)
    assert set(template.variables("OrdersWorker")) == {"TABLE_NAME", "TOPIC_ARN"}
    publishing = [s for s in template.statements("OrdersWorker") if s["Action"] == "sns:Publish"]
    assert [s["Resource"] for s in publishing] == [{"Ref": template.name_of("AWS::SNS::Topic", "Shipped")}]
    assert len(template.all("AWS::XRay::ResourcePolicy")) == 1


def test_one_flag_makes_everything_fifo(new_stack: NewStack) -> None:
    stack = new_stack()
    TracedPipeline(stack, "Orders", topic=TopicOptions(fifo=True)).add_worker("Audit")
    template = synthesize(stack)
    topic = template.one("AWS::SNS::Topic")
    assert topic["FifoTopic"] is True
    assert topic["ContentBasedDeduplication"] is True
    queues = template.all("AWS::SQS::Queue")
    assert len(queues) == 4
    assert all(queue["FifoQueue"] is True for queue in queues.values())


def test_customer_keys(new_stack: NewStack) -> None:
    stack = new_stack(env=Environment(region="eu-west-1"))
    keys = {name: kms.Key(stack, f"{name}Key") for name in ("Topic", "Queue", "Table", "Logs")}
    TracedPipeline(
        stack,
        "Orders",
        topic=TopicOptions(key=keys["Topic"]),
        worker=WorkerOptions(queue_key=keys["Queue"], log_key=keys["Logs"]),
        ingest=IngestOptions(log_key=keys["Logs"]),
        table=TableOptions(key=keys["Table"]),
    )
    template = synthesize(stack)
    key_names = {name: template.name_of("AWS::KMS::Key", f"{name}Key") for name in keys}
    assert template.one("AWS::SNS::Topic")["KmsMasterKeyId"] == {"Fn::GetAtt": [key_names["Topic"], "Arn"]}
    for queue in template.all("AWS::SQS::Queue").values():
        assert queue["KmsMasterKeyId"] == {"Fn::GetAtt": [key_names["Queue"], "Arn"]}
    for group in template.all("AWS::Logs::LogGroup").values():
        assert group["KmsKeyId"] == {"Fn::GetAtt": [key_names["Logs"], "Arn"]}
    assert template.one("AWS::DynamoDB::GlobalTable")["SSESpecification"]["SSEType"] == "KMS"
    assert "kms:GenerateDataKey*" in template.actions("IngestFunction")
    assert "kms:Decrypt" in template.actions("WorkerFunction")


@pytest.mark.parametrize("region", ["cn-north-1", None])
def test_log_key_lets_cloudwatch_logs_in_once(new_stack: NewStack, region: str | None) -> None:
    stack = new_stack(env=Environment(account="111111111111", region=region) if region else None)
    key = kms.Key(stack, "Key")
    TracedPipeline(stack, "Orders", ingest=IngestOptions(log_key=key), worker=WorkerOptions(log_key=key))
    statements = synthesize(stack).one("AWS::KMS::Key")["KeyPolicy"]["Statement"]
    (logs,) = [s for s in statements if "Service" in s["Principal"]]
    suffix = {"Ref": "AWS::URLSuffix"}
    parts = [f"logs.{region}.", suffix] if region else ["logs.", {"Ref": "AWS::Region"}, ".", suffix]
    assert logs["Principal"]["Service"] == {"Fn::Join": ["", parts]}
    assert "kms:GenerateDataKey*" in logs["Action"]
    assert "log-group:*" in json.dumps(logs["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"])


def test_dead_letter_queue_with_a_key_of_its_own_lets_sns_in(new_stack: NewStack) -> None:
    stack = new_stack()
    key = kms.Key(stack, "Key")
    letters = sqs.Queue(stack, "Letters", encryption_master_key=key)
    TracedPipeline(stack, "Orders", worker=WorkerOptions(dead_letter_queue=letters))
    template = synthesize(stack)
    statements = template.one("AWS::KMS::Key")["KeyPolicy"]["Statement"]
    (sns_statement,) = [s for s in statements if s["Principal"] == {"Service": "sns.amazonaws.com"}]
    assert sns_statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    topic = {"Ref": template.name_of("AWS::SNS::Topic")}
    assert sns_statement["Condition"] == {"ArnEquals": {"aws:SourceArn": topic}}


@pytest.mark.parametrize("hop", ["ingest", "worker"])
def test_reference_handlers_give_no_deduplication_id(new_stack: NewStack, hop: str, elsewhere: object) -> None:
    stack = new_stack()
    fifo = TopicOptions(fifo=True, content_based_deduplication=False)
    with pytest.raises(PipelineError, match="turn content_based_deduplication on") as caught:
        if hop == "ingest":
            TracedPipeline(stack, "Orders", topic=fifo)
        else:
            shipped = TracedTopic(stack, "Shipped", options=fifo).topic
            TracedPipeline(stack, "Orders", worker=WorkerOptions(publish_to=shipped))
    assert caught.value.check is Check.OPTION_CONFLICT
    own = IngestOptions(handler=Handler("handlers/orders"))
    TracedPipeline(new_stack(), "Orders", topic=fifo, ingest=own)


def test_sampling_is_awss_own_unless_a_rule_is_given(default: Synthesized, new_stack: NewStack) -> None:
    assert default.all("AWS::XRay::SamplingRule") == {}
    stack = new_stack()
    TracedPipeline(stack, "Orders", sampling=SamplingOptions(rate=1))
    template = synthesize(stack)
    rule = template.one("AWS::XRay::SamplingRule")["SamplingRule"]
    assert (rule["FixedRate"], rule["ReservoirSize"], rule["ServiceType"]) == (1, 1, "AWS::ApiGateway::Stage")
    assert len(rule["RuleName"]) <= 32
    api, stage = template.one("AWS::ApiGateway::RestApi")["Name"], template.one("AWS::ApiGateway::Stage")["StageName"]
    assert rule["ServiceName"] == f"{api}/{stage}"


def test_group_of_the_pipelines_traces(default: Synthesized, new_stack: NewStack) -> None:
    assert default.all("AWS::XRay::Group") == {}
    stack = new_stack()
    TracedPipeline(stack, "Orders", trace_group=TraceGroupOptions())
    TracedPipeline(stack, "Returns", trace_group=TraceGroupOptions(filter_expression="fault", insights=False))
    template = synthesize(stack)
    assert template.one("AWS::XRay::Group", "Orders") == {
        "GroupName": "Shop-Orders",
        "FilterExpression": 'service("Shop-Orders/prod")',
        "InsightsConfiguration": {"InsightsEnabled": True, "NotificationsEnabled": False},
    }
    assert template.one("AWS::XRay::Group", "Returns")["FilterExpression"] == "fault"


def test_notifications_need_insights(new_stack: NewStack) -> None:
    with pytest.raises(PipelineError, match="turn insights on"):
        TracedPipeline(new_stack(), "Orders", trace_group=TraceGroupOptions(insights=False, notifications=True))
