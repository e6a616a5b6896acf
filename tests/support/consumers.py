"""Consumers of SQS as users make them with the CDK, without this library."""

from __future__ import annotations

from typing import Any

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct


def packaged(scope: Construct, name: str, **more: Any) -> lambda_.Function:
    """Returns a function whose code is an archive."""
    settings: dict[str, Any] = {"handler": "app.handler", "runtime": lambda_.Runtime.PYTHON_3_13, **more}
    if "code" not in settings:
        bucket = s3.Bucket.from_bucket_name(scope, f"{name}Code", "code")
        settings["code"] = lambda_.Code.from_bucket_v2(bucket, "app.zip", object_version="1")
    return lambda_.Function(scope, name, **settings)


def consumer(scope: Construct, name: str, **more: Any) -> lambda_.Function:
    """Returns a function that works through a queue of its own."""
    function = packaged(scope, name, **more)
    function.add_event_source(event_sources.SqsEventSource(sqs.Queue(scope, f"{name}Queue")))
    return function


def low_level_consumer(scope: Construct, name: str, **more: Any) -> lambda_.CfnFunction:
    """Returns a function made of CloudFormation's types alone, with its role, that works through a queue of its own."""
    assumes = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.CfnRole(scope, f"{name}Role", assume_role_policy_document={"Statement": [assumes]})
    code = lambda_.CfnFunction.CodeProperty(s3_bucket="code", s3_key="app.zip")
    settings: dict[str, Any] = {"handler": "app.handler", "runtime": "python3.13", "role": role.attr_arn, **more}
    function = lambda_.CfnFunction(scope, name, code=code, **settings)
    queue = sqs.CfnQueue(scope, f"{name}Queue")
    lambda_.CfnEventSourceMapping(scope, f"{name}Mapping", function_name=function.ref, event_source_arn=queue.attr_arn)
    return function
