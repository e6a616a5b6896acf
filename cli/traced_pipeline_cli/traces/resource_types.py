"""What the resource types in segment documents are, in the words people use for them."""

from __future__ import annotations

from typing import Literal, TypeAlias

NodeKind: TypeAlias = Literal[
    "stage",
    "graphql",
    "function",
    "topic",
    "queue",
    "stream",
    "table",
    "bucket",
    "events",
    "workflow",
    "secret",
    "environment",
    "container",
    "instance",
    "service",
]

# The types are those seen in X-Ray's answers: the ones a service reports itself, and the shorter ones that
# X-Ray infers where the caller's subsegment does not name the resource. Where X-Ray has no name of its own for a
# service, the type ends in the name that the SDK gave the call.
_KINDS: dict[str, NodeKind] = {
    "AWS::ApiGateway::Stage": "stage",
    "AWS::Lambda": "function",
    "AWS::Lambda::Function": "function",
    "AWS::SNS": "topic",
    "AWS::SNS::Topic": "topic",
    "AWS::SQS": "queue",
    "AWS::SQS::Queue": "queue",
    "AWS::DynamoDB": "table",
    "AWS::DynamoDB::Table": "table",
    "AWS::S3": "bucket",
    "AWS::S3::Bucket": "bucket",
    "AWS::Events": "events",
    "AWS::StepFunctions::StateMachine": "workflow",
    "AWS::Sfn": "workflow",
    "AWS::states": "workflow",
    "AWS::AppSync": "graphql",
    "AWS::AppSync::GraphQLAPI": "graphql",
    "AWS::Kinesis": "stream",
    "AWS::kinesis": "stream",
    "AWS::Kinesis::Stream": "stream",
    "AWS::SecretsManager": "secret",
    "AWS::secretsmanager": "secret",
    "AWS::ElasticBeanstalk::Environment": "environment",
    "AWS::ECS::Container": "container",
    "AWS::EC2::Instance": "instance",
}

KIND_LABELS: dict[NodeKind, str] = {
    "stage": "API stage",
    "graphql": "GraphQL API",
    "function": "Function",
    "topic": "Topic",
    "queue": "Queue",
    "stream": "Stream",
    "table": "Table",
    "bucket": "Bucket",
    "events": "Event bus",
    "workflow": "State machine",
    "secret": "Secret",
    "environment": "Environment",
    "container": "Container",
    "instance": "Instance",
    "service": "Service",
}

# The two circles X-Ray draws for one function: the Lambda service's own view, and the function's.
LAMBDA_SERVICE = "AWS::Lambda"
LAMBDA_FUNCTION = "AWS::Lambda::Function"

# Services that hand a message on: who answers the caller's subsegment beside them is drawn behind them, as in
# https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html.
MESSAGING: frozenset[NodeKind] = frozenset({"topic", "queue", "events", "bucket"})


def kind_of(resource_type: str) -> NodeKind:
    """Returns the kind of a resource type; `service` for one that is not known."""
    return _KINDS.get(resource_type, "service")
