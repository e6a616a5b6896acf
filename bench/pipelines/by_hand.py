"""The pipeline with the CDK's own constructs: the resources of `traced.py`, by hand."""

import json

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_xray as xray

ACCESS_LOG = {
    "requestId": "$context.requestId",
    "xrayTraceId": "$context.xrayTraceId",
    "requestTime": "$context.requestTime",
    "httpMethod": "$context.httpMethod",
    "resourcePath": "$context.resourcePath",
    "status": "$context.status",
    "protocol": "$context.protocol",
    "responseLength": "$context.responseLength",
    "responseLatency": "$context.responseLatency",
    "integrationLatency": "$context.integrationLatency",
    "sourceIp": "$context.identity.sourceIp",
    "caller": "$context.identity.userArn",
    "error": "$context.error.message",
}
SCHEMA = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "minProperties": 1,
    "properties": {"id": {"type": "string", "minLength": 1, "maxLength": 256}},
}
REFUSED = '{"message":$context.error.messageString,"request_id":"$context.requestId"}'
INVALID_BODY = (
    '{"message":$context.error.messageString,"errors":"$context.error.validationErrorString",'
    '"request_id":"$context.requestId"}'
)


def build(stack: Stack, ingest: str, worker: str, layer: str) -> None:
    """Adds the pipeline to a stack; the handlers' code, and the layer with the bridge, are in the folders."""
    topic = sns.Topic(stack, "Topic", tracing_config=sns.TracingConfig.ACTIVE, enforce_ssl=True)
    topic.node.add_dependency(_trace_permission(stack))
    dead_letters = sqs.Queue(
        stack,
        "DeadLetterQueue",
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=Duration.days(14),
    )
    dead_letters.metric_approximate_number_of_messages_visible(
        period=Duration.minutes(1), statistic="Maximum"
    ).create_alarm(
        stack,
        "DeadLetterAlarm",
        threshold=0,
        evaluation_periods=1,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
    queue = sqs.Queue(
        stack,
        "Queue",
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        visibility_timeout=Duration.seconds(180),
        dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=5),
    )
    topic.add_subscription(
        subscriptions.SqsSubscription(queue, raw_message_delivery=True, dead_letter_queue=dead_letters)
    )
    table = dynamodb.TableV2(
        stack,
        "Table",
        partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
        billing=dynamodb.Billing.on_demand(),
        encryption=dynamodb.TableEncryptionV2.dynamo_owned_key(),
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        removal_policy=RemovalPolicy.RETAIN,
    )
    bridge = lambda_.LayerVersion(
        stack,
        "Bridge",
        code=lambda_.Code.from_asset(layer),
        compatible_runtimes=[lambda_.Runtime.PYTHON_3_14],
        compatible_architectures=[lambda_.Architecture.ARM_64],
    )
    ingest_function = _function(
        stack,
        "Ingest",
        code=ingest,
        layer=bridge,
        timeout=10,
        environment={"TOPIC_ARN": topic.topic_arn},
        tracing=lambda_.Tracing.ACTIVE,
    )
    worker_function = _function(
        stack,
        "Worker",
        code=worker,
        layer=bridge,
        timeout=30,
        environment={"TABLE_NAME": table.table_name},
        tracing=lambda_.Tracing.PASS_THROUGH,
    )
    topic.grant_publish(ingest_function)
    table.grant_write_data(worker_function)
    worker_function.add_event_source(
        event_sources.SqsEventSource(queue, batch_size=10, report_batch_item_failures=True)
    )
    _api(stack, ingest_function)


def _trace_permission(stack: Stack) -> xray.CfnResourcePolicy:
    document = iam.PolicyDocument(
        statements=[
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("sns.amazonaws.com")],
                actions=["xray:PutTraceSegments", "xray:GetSamplingRules", "xray:GetSamplingTargets"],
                resources=["*"],
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "StringLike": {"aws:SourceArn": stack.format_arn(service="sns", resource="*")},
                },
            )
        ]
    )
    return xray.CfnResourcePolicy(
        stack,
        "TracePermission",
        policy_name=f"{stack.stack_name}-SnsTracePermission",
        policy_document=stack.to_json_string(document),
    )


def _function(
    stack: Stack,
    construct_id: str,
    *,
    code: str,
    layer: lambda_.LayerVersion,
    timeout: int,
    environment: dict[str, str],
    tracing: lambda_.Tracing,
) -> lambda_.Function:
    group = logs.LogGroup(stack, f"{construct_id}Logs", retention=logs.RetentionDays.ONE_MONTH)
    write_logs = iam.PolicyStatement(
        actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[group.log_group_arn]
    )
    role = iam.Role(
        stack,
        f"{construct_id}Role",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={
            "Logs": iam.PolicyDocument(statements=[write_logs]),
        },
    )
    return lambda_.Function(
        stack,
        construct_id,
        runtime=lambda_.Runtime.PYTHON_3_14,
        architecture=lambda_.Architecture.ARM_64,
        handler="app.handler",
        code=lambda_.Code.from_asset(code, exclude=["**/__pycache__", "**/*.pyc"]),
        layers=[layer],
        memory_size=256,
        timeout=Duration.seconds(timeout),
        environment=environment,
        role=role,
        log_group=group,
        logging_format=lambda_.LoggingFormat.JSON,
        tracing=tracing,
    )


def _api(stack: Stack, function: lambda_.Function) -> None:
    access_logs = logs.LogGroup(stack, "AccessLogs", retention=logs.RetentionDays.ONE_MONTH)
    api = apigateway.RestApi(
        stack,
        "Api",
        endpoint_types=[apigateway.EndpointType.REGIONAL],
        cloud_watch_role=False,
        deploy_options=apigateway.StageOptions(
            tracing_enabled=True,
            throttling_rate_limit=100,
            throttling_burst_limit=200,
            logging_level=apigateway.MethodLoggingLevel.ERROR,
            access_log_destination=apigateway.LogGroupLogDestination(access_logs),
            access_log_format=apigateway.AccessLogFormat.custom(json.dumps(ACCESS_LOG)),
        ),
    )
    api.add_gateway_response(
        "InvalidBody", type=apigateway.ResponseType.BAD_REQUEST_BODY, templates={"application/json": INVALID_BODY}
    )
    api.add_gateway_response(
        "Refused", type=apigateway.ResponseType.DEFAULT_4_XX, templates={"application/json": REFUSED}
    )
    resource = apigateway.CfnModel(
        stack, "Schema", rest_api_id=api.rest_api_id, content_type="application/json", schema=SCHEMA
    )
    model = apigateway.Model.from_model_name(stack, "Model", resource.ref)
    api.root.add_method(
        "POST",
        apigateway.LambdaIntegration(function, allow_test_invoke=False),
        request_models={"application/json": model, "$default": model},
        request_validator=api.add_request_validator(
            "Validator", validate_request_body=True, validate_request_parameters=True
        ),
        authorization_type=apigateway.AuthorizationType.IAM,
    )
