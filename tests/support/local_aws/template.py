"""Templates for the tests: an API, functions, a topic and queues, with inline code."""

from typing import Any

ECHO = """
import json, os, secrets, socket, time
import boto3

def send_datagram():
    env = dict(part.split("=", 1) for part in os.environ["_X_AMZN_TRACE_ID"].split(";"))
    if env.get("Sampled") == "0":
        return
    document = {"id": secrets.token_hex(8), "trace_id": env["Root"], "name": "by datagram",
                "start_time": time.time(), "end_time": time.time()}
    if "Parent" in env:
        document.update(type="subsegment", parent_id=env["Parent"])
    host, port = os.environ["AWS_XRAY_DAEMON_ADDRESS"].split(":")
    datagram = '{"format": "json", "version": 1}' + chr(10) + json.dumps(document)
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(datagram.encode(), (host, int(port)))

def handler(event, context):
    send_datagram()
    seen = {"env": os.environ.get("_X_AMZN_TRACE_ID"), "group": os.environ["AWS_LAMBDA_LOG_GROUP_NAME"],
            "daemon": os.environ["AWS_XRAY_DAEMON_ADDRESS"]}
    if "TOPIC_ARN" in os.environ:
        boto3.client("sns").publish(TopicArn=os.environ["TOPIC_ARN"], Message="hello")
    if "RESULTS_URL" in os.environ:
        boto3.client("sqs").send_message(QueueUrl=os.environ["RESULTS_URL"], MessageBody=json.dumps(seen))
    if "headers" in event:
        seen["came"] = event["headers"].get("X-Amzn-Trace-Id")
        return {"statusCode": 200, "body": json.dumps(seen)}
    return seen
"""


def _ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def _att(name: str, attribute: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, attribute]}


def _function(mode: str, *, role: str = "Role", **environment: object) -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Runtime": "python3.13",
            "Handler": "index.handler",
            "Code": {"ZipFile": ECHO},
            "Role": _att(role, "Arn"),
            "Timeout": 10,
            "TracingConfig": {"Mode": mode},
            "Environment": {"Variables": environment},
        },
    }


def _subscription(queue: str, *, topic: str = "Topic", **properties: object) -> dict[str, Any]:
    endpoint = {"TopicArn": _ref(topic), "Protocol": "sqs", "Endpoint": _att(queue, "Arn")}
    return {"Type": "AWS::SNS::Subscription", "Properties": {**endpoint, **properties}}


def _queue_policy(queue: str, topic: str = "Topic") -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": _att(queue, "Arn"),
        "Condition": {"ArnEquals": {"aws:SourceArn": _ref(topic)}},
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {"Type": "AWS::SQS::QueuePolicy", "Properties": {"Queues": [_ref(queue)], "PolicyDocument": document}}


def _role(*actions: str) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [{"PolicyName": "all", "PolicyDocument": {"Version": "2012-10-17", "Statement": [allowed]}}],
        },
    }


def hops() -> dict[str, Any]:
    """API → Ingest → Topic → queues; Consumed → Consumer → Results; Poor → its dead-letter queue; PassThrough.

    Of the topic's queues one is open, one takes messages raw, and one denies them: they are
    dead-letter messages of its subscription.
    """
    uri = {"Fn::Sub": "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Ingest.Arn}/invocations"}
    return {
        "Resources": {
            "Role": _role("sns:Publish", "sqs:*", "xray:PutTraceSegments"),
            "RoleWithoutXRay": _role("logs:PutLogEvents"),
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TracingConfig": "Active"}},
            "Queue": {"Type": "AWS::SQS::Queue"},
            "QueuePolicy": _queue_policy("Queue"),
            "Subscription": _subscription("Queue"),
            "RawQueue": {"Type": "AWS::SQS::Queue"},
            "RawQueuePolicy": _queue_policy("RawQueue"),
            "RawSubscription": _subscription("RawQueue", RawMessageDelivery=True),
            "Closed": {"Type": "AWS::SQS::Queue"},
            "Undelivered": {"Type": "AWS::SQS::Queue"},
            "UndeliveredPolicy": _queue_policy("Undelivered"),
            "ClosedSubscription": _subscription(
                "Closed", RedrivePolicy={"deadLetterTargetArn": _att("Undelivered", "Arn")}
            ),
            "Spare": {"Type": "AWS::SQS::Queue"},
            "Results": {"Type": "AWS::SQS::Queue"},
            "Consumed": {"Type": "AWS::SQS::Queue"},
            "Dead": {"Type": "AWS::SQS::Queue"},
            "Poor": {
                "Type": "AWS::SQS::Queue",
                "Properties": {
                    "RedrivePolicy": {"deadLetterTargetArn": _att("Dead", "Arn"), "maxReceiveCount": 2},
                },
            },
            "Ingest": _function("Active", TOPIC_ARN=_ref("Topic")),
            "Consumer": _function("Active", RESULTS_URL=_ref("Results")),
            "PassThrough": _function("PassThrough"),
            "NotAllowed": _function("Active", role="RoleWithoutXRay"),
            "Mapping": {
                "Type": "AWS::Lambda::EventSourceMapping",
                "Properties": {"FunctionName": _ref("Consumer"), "EventSourceArn": _att("Consumed", "Arn")},
            },
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "Hops"}},
            "Method": {
                "Type": "AWS::ApiGateway::Method",
                "Properties": {
                    "RestApiId": _ref("Api"),
                    "ResourceId": _att("Api", "RootResourceId"),
                    "HttpMethod": "POST",
                    "AuthorizationType": "NONE",
                    "Integration": {"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": uri},
                },
            },
            "Deployment": {
                "Type": "AWS::ApiGateway::Deployment",
                "DependsOn": "Method",
                "Properties": {"RestApiId": _ref("Api")},
            },
            **{
                name: {
                    "Type": "AWS::ApiGateway::Stage",
                    "Properties": {
                        "RestApiId": _ref("Api"),
                        "DeploymentId": _ref("Deployment"),
                        "StageName": name.lower(),
                        "TracingEnabled": tracing,
                    },
                }
                for name, tracing in (("Traced", True), ("Plain", False))
            },
            "Invoke": {
                "Type": "AWS::Lambda::Permission",
                "Properties": {
                    "FunctionName": _ref("Ingest"),
                    "Action": "lambda:InvokeFunction",
                    "Principal": "apigateway.amazonaws.com",
                },
            },
            "Rule": {
                "Type": "AWS::XRay::SamplingRule",
                "Properties": {
                    "SamplingRule": {
                        "RuleName": "everything",
                        "Priority": 10,
                        "FixedRate": 1,
                        "ReservoirSize": 0,
                        "ServiceName": "Hops/tra*",
                        "ServiceType": "AWS::ApiGateway::Stage",
                        "Host": "*",
                        "HTTPMethod": "POST",
                        "URLPath": "*",
                        "ResourceARN": "*",
                        "Version": 1,
                    }
                },
            },
            "Group": {
                "Type": "AWS::XRay::Group",
                "Properties": {"GroupName": "hops", "FilterExpression": 'service("Hops/traced")'},
            },
        },
        "Outputs": {
            "ApiId": {"Value": _ref("Api")},
            "TopicArn": {"Value": _ref("Topic")},
            "ConsumerName": {"Value": _ref("Consumer")},
            **{name: {"Value": _ref(name)} for name in ("Ingest", "PassThrough", "NotAllowed")},
            **{
                f"{name}Url": {"Value": _ref(name)}
                for name in (
                    "Queue",
                    "RawQueue",
                    "Closed",
                    "Undelivered",
                    "Spare",
                    "Results",
                    "Consumed",
                    "Poor",
                    "Dead",
                )
            },
        },
    }


def _mapping(function: str, queue: str) -> dict[str, Any]:
    properties = {"FunctionName": _ref(function), "EventSourceArn": _att(queue, "Arn")}
    return {"Type": "AWS::Lambda::EventSourceMapping", "Properties": properties}


def keyed() -> dict[str, Any]:
    """Topic → Queue, FifoTopic → FifoQueue; Readable → WithKeys and Unreadable → WithoutKeys, which both publish."""
    queues = ("Queue", "Readable", "Unreadable")
    fifo = {"FifoTopic": True, "TopicName": "keyed.fifo", "ContentBasedDeduplication": True}
    allowed = ("sns:Publish", "sqs:*", "xray:PutTraceSegments")
    return {
        "Resources": {
            "Role": _role(*allowed),
            "RoleWithKeys": _role(*allowed, "kms:Decrypt", "kms:GenerateDataKey*"),
            "Topic": {"Type": "AWS::SNS::Topic"},
            **{name: {"Type": "AWS::SQS::Queue"} for name in queues},
            "QueuePolicy": _queue_policy("Queue"),
            "Subscription": _subscription("Queue"),
            "FifoTopic": {"Type": "AWS::SNS::Topic", "Properties": fifo},
            "FifoQueue": {"Type": "AWS::SQS::Queue", "Properties": {"FifoQueue": True}},
            "FifoQueuePolicy": _queue_policy("FifoQueue", "FifoTopic"),
            "FifoSubscription": _subscription("FifoQueue", topic="FifoTopic"),
            "WithKeys": _function("PassThrough", role="RoleWithKeys", TOPIC_ARN=_ref("Topic")),
            "WithoutKeys": _function("PassThrough", TOPIC_ARN=_ref("Topic")),
            "ReadableMapping": _mapping("WithKeys", "Readable"),
            "UnreadableMapping": _mapping("WithoutKeys", "Unreadable"),
        },
        "Outputs": {
            **{f"{name}Arn": {"Value": _ref(name)} for name in ("Topic", "FifoTopic")},
            **{name: {"Value": _ref(name)} for name in ("WithKeys", "WithoutKeys")},
            **{f"{name}Url": {"Value": _ref(name)} for name in (*queues, "FifoQueue")},
        },
    }


def logging_stage(*, with_role: bool) -> dict[str, Any]:
    """A stage with an access log, in an account with or without the role API Gateway logs under."""
    trust = {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}
    account: dict[str, Any] = {
        "LogRole": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}},
        },
        "Account": {
            "Type": "AWS::ApiGateway::Account",
            "Properties": {"CloudWatchRoleArn": _att("LogRole", "Arn")},
        },
    }
    answer = {"application/json": '{"statusCode": 200}'}
    return {
        "Resources": {
            **(account if with_role else {}),
            "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": f"/access/{with_role}"}},
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "Logged"}},
            "Model": {
                "Type": "AWS::ApiGateway::Model",
                "Properties": {
                    "RestApiId": _ref("Api"),
                    "ContentType": "application/json",
                    "Schema": {"type": "object", "required": ["id"]},
                },
            },
            "Validator": {
                "Type": "AWS::ApiGateway::RequestValidator",
                "Properties": {"RestApiId": _ref("Api"), "ValidateRequestBody": True},
            },
            "Method": {
                "Type": "AWS::ApiGateway::Method",
                "Properties": {
                    "RestApiId": _ref("Api"),
                    "ResourceId": _att("Api", "RootResourceId"),
                    "HttpMethod": "POST",
                    "AuthorizationType": "NONE",
                    "RequestModels": {"application/json": _ref("Model")},
                    "RequestValidatorId": _ref("Validator"),
                    "Integration": {"Type": "MOCK", "RequestTemplates": answer},
                },
            },
            "Words": {
                "Type": "AWS::ApiGateway::GatewayResponse",
                "Properties": {
                    "RestApiId": _ref("Api"),
                    "ResponseType": "BAD_REQUEST_BODY",
                    "StatusCode": "400",
                    "ResponseTemplates": {
                        "application/json": '{"reason": "$context.error.validationErrorString"}',
                    },
                },
            },
            "Deployment": {
                "Type": "AWS::ApiGateway::Deployment",
                "DependsOn": ["Method", "Words"],
                "Properties": {"RestApiId": _ref("Api")},
            },
            "Stage": {
                "Type": "AWS::ApiGateway::Stage",
                **({"DependsOn": "Account"} if with_role else {}),
                "Properties": {
                    "RestApiId": _ref("Api"),
                    "DeploymentId": _ref("Deployment"),
                    "StageName": "logged",
                    "TracingEnabled": True,
                    "AccessLogSetting": {
                        "DestinationArn": _att("Log", "Arn"),
                        "Format": '{"status":"$context.status","trace":"$context.xrayTraceId"}',
                    },
                },
            },
        },
        "Outputs": {"ApiId": {"Value": _ref("Api")}},
    }
