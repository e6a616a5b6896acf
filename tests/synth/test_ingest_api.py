"""The ingest API: what it refuses, who may call, what it logs."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk.assertions import Annotations, Match
from jsonschema import Draft4Validator
from traced_pipeline import IngestApi, IngestOptions, TracedPipeline, TracedTopic

from tests.support.stacks import NewStack
from tests.support.templates import Synthesized, synthesize, warnings

ORDER = {"type": "object", "required": ["customer"], "properties": {"customer": {"type": "string"}}}


def test_bodies_are_validated_whatever_their_content_type(default: Synthesized) -> None:
    model = {"Ref": default.name_of("AWS::ApiGateway::Model")}
    method = default.one("AWS::ApiGateway::Method")
    assert method["RequestModels"] == {"application/json": model, "$default": model}
    assert method["RequestValidatorId"] == {"Ref": default.name_of("AWS::ApiGateway::RequestValidator")}
    assert default.one("AWS::ApiGateway::RequestValidator")["ValidateRequestBody"] is True


@pytest.mark.parametrize(
    ("body", "valid"),
    [
        ({"id": "a"}, True),
        ({"customer": 1}, True),
        ({}, False),
        ([1], False),
        ("text", False),
        ({"id": ""}, False),
        ({"id": "x" * 257}, False),
        ({"id": 7}, False),
    ],
)
def test_default_schema(default: Synthesized, body: object, valid: bool) -> None:
    schema = default.one("AWS::ApiGateway::Model")["Schema"]
    Draft4Validator.check_schema(schema)
    assert Draft4Validator(schema).is_valid(body) is valid


def test_own_schema_and_path(new_stack: NewStack) -> None:
    stack = new_stack()
    TracedPipeline(stack, "Orders", ingest=IngestOptions(path="/v1/orders", method="PUT", schema=ORDER))
    template = synthesize(stack)
    assert template.one("AWS::ApiGateway::Model")["Schema"] == ORDER
    assert template.one("AWS::ApiGateway::Method")["HttpMethod"] == "PUT"
    assert {r["PathPart"] for r in template.all("AWS::ApiGateway::Resource").values()} == {"v1", "orders"}


def test_changed_schema_is_deployed(new_stack: NewStack) -> None:
    deployments = set()
    for limit in (1, 2, 2):
        stack = new_stack()
        TracedPipeline(stack, "Orders", ingest=IngestOptions(schema={**ORDER, "minProperties": limit}))
        deployments.add(synthesize(stack).name_of("AWS::ApiGateway::Deployment"))
    assert len(deployments) == 2


def test_callers_sign_their_requests_by_default(default: Synthesized) -> None:
    assert default.one("AWS::ApiGateway::Method")["AuthorizationType"] == "AWS_IAM"


def test_open_api_when_asked_for(new_stack: NewStack) -> None:
    stack = new_stack()
    TracedPipeline(stack, "Orders", ingest=IngestOptions(authorizer="none"))
    assert synthesize(stack).one("AWS::ApiGateway::Method")["AuthorizationType"] == "NONE"


def test_own_authorizer(new_stack: NewStack) -> None:
    from aws_cdk import aws_cognito as cognito

    stack = new_stack()
    pool = cognito.UserPool(stack, "Users")
    authorizer = apigateway.CognitoUserPoolsAuthorizer(stack, "ByUser", cognito_user_pools=[pool])
    TracedPipeline(stack, "Orders", ingest=IngestOptions(authorizer=authorizer))
    template = synthesize(stack)
    method = template.one("AWS::ApiGateway::Method")
    assert method["AuthorizationType"] == "COGNITO_USER_POOLS"
    assert method["AuthorizerId"] == {"Ref": template.name_of("AWS::ApiGateway::Authorizer")}


@pytest.mark.parametrize("kind", ["BAD_REQUEST_BODY", "DEFAULT_4XX"])
def test_refusals_are_json_with_awss_own_status(default: Synthesized, kind: str) -> None:
    answers = default.all("AWS::ApiGateway::GatewayResponse").values()
    answer = next(a for a in answers if a["ResponseType"] == kind)
    assert "StatusCode" not in answer
    template = answer["ResponseTemplates"]["application/json"]
    filled = template.replace("$context.error.messageString", '"Invalid request body"')
    filled = filled.replace("$context.error.validationErrorString", "missing [customer]")
    body = json.loads(filled.replace("$context.requestId", "r-1"))
    assert body["message"] == "Invalid request body"
    assert body["request_id"] == "r-1"
    assert body.get("errors") == ("missing [customer]" if kind == "BAD_REQUEST_BODY" else None)


def test_access_log_names_the_trace_in_json(default: Synthesized) -> None:
    setting = default.one("AWS::ApiGateway::Stage")["AccessLogSetting"]
    line = json.loads(setting["Format"])
    assert line["xrayTraceId"] == "$context.xrayTraceId"
    assert line["requestId"] == "$context.requestId"
    group = default.name_of("AWS::Logs::LogGroup", "AccessLogs")
    assert {"Ref": group} in setting["DestinationArn"]["Fn::Join"][1]


def test_stage_is_throttled_and_logs_errors_without_bodies(default: Synthesized) -> None:
    (settings,) = default.one("AWS::ApiGateway::Stage")["MethodSettings"]
    assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == (100, 200)
    assert (settings["LoggingLevel"], settings["DataTraceEnabled"]) == ("ERROR", False)


def test_account_setting_is_left_alone_and_said_so(default_stack: Stack, default: Synthesized) -> None:
    assert default.all("AWS::ApiGateway::Account") == {}
    notes = Annotations.from_stack(default_stack).find_info("*", Match.any_value())
    assert ['account_logging_role="create"' in str(note.entry.data) for note in notes] == [True]


def test_account_setting_is_made_before_the_stage_and_stays(new_stack: NewStack) -> None:
    stack = new_stack()
    for name in ("Orders", "Returns"):
        TracedPipeline(stack, name, ingest=IngestOptions(account_logging_role="create"))
    template = synthesize(stack)
    account = template.name_of("AWS::ApiGateway::Account")
    stages = [r for r in template.resources.values() if r["Type"] == "AWS::ApiGateway::Stage"]
    assert all(account in stage["DependsOn"] for stage in stages)
    assert template.resources[account]["DeletionPolicy"] == "Retain"
    role = template.name_of("AWS::IAM::Role", "LoggingRole")
    assert template.resources[role]["DeletionPolicy"] == "Retain"
    assert "ManagedPolicyArns" not in template.one("AWS::IAM::Role", "LoggingRole")
    assert template.actions("LoggingRole") >= {"logs:CreateLogGroup", "logs:PutLogEvents"}


def test_account_setting_of_the_same_stack_comes_first(new_stack: NewStack) -> None:
    stack = new_stack()
    TracedPipeline(stack, "Orders", ingest=IngestOptions(account_logging_role="create"))
    TracedPipeline(stack, "Returns")
    template = synthesize(stack)
    stages = [r for r in template.resources.values() if r["Type"] == "AWS::ApiGateway::Stage"]
    assert all(template.name_of("AWS::ApiGateway::Account") in stage["DependsOn"] for stage in stages)
    assert Annotations.from_stack(stack).find_info("*", Match.any_value()) == []


@pytest.mark.parametrize(("region", "notes"), [("eu-west-1", 0), ("eu-west-2", 1)])
def test_account_setting_of_another_stack_is_relied_on(new_app: Callable[..., App], region: str, notes: int) -> None:
    app = new_app()
    here = Environment(account="111111111111", region="eu-west-1")
    apigateway.CfnAccount(Stack(app, "Account", env=Environment(account="111111111111", region=region)), "Logs")
    stack = Stack(app, "Shop", env=here)
    TracedPipeline(stack, "Orders")
    assert len(Annotations.from_stack(stack).find_info("*", Match.any_value())) == notes
    assert stack.dependencies == []


def test_api_without_logs(new_stack: NewStack) -> None:
    stack = new_stack()
    TracedPipeline(stack, "Orders", ingest=IngestOptions(account_logging_role="none"))
    template = synthesize(stack)
    stage = template.one("AWS::ApiGateway::Stage")
    assert "AccessLogSetting" not in stage
    assert "LoggingLevel" not in stage["MethodSettings"][0]
    assert stage["TracingEnabled"] is True


def test_name_on_the_trace_map(new_stack: NewStack) -> None:
    stack = new_stack()
    TracedPipeline(stack, "Orders", ingest=IngestOptions(api_name="orders", stage_name="live"))
    template = synthesize(stack)
    assert template.one("AWS::ApiGateway::RestApi")["Name"] == "orders"
    assert template.one("AWS::ApiGateway::Stage")["StageName"] == "live"


def test_long_names_stay_apart_within_their_limit(new_stack: NewStack) -> None:
    names = set()
    for last in "ab":
        stack = new_stack("A" * 60 + last)
        TracedPipeline(stack, "Orders")
        names.add(synthesize(stack).one("AWS::ApiGateway::RestApi")["Name"])
    assert len(names) == 2
    assert all(len(name) <= 50 for name in names)


def test_further_routes_lead_to_the_same_function(new_stack: NewStack) -> None:
    stack = new_stack()
    ingest = IngestApi(stack, "In", topic=TracedTopic(stack, "Topic").topic, options=IngestOptions(path="orders"))
    ingest.add_route("/returns/{id}", method="PUT", schema=ORDER, authorizer="none")
    template = synthesize(stack)
    methods = template.all("AWS::ApiGateway::Method").values()
    assert {m["HttpMethod"]: m["AuthorizationType"] for m in methods} == {"POST": "AWS_IAM", "PUT": "NONE"}
    assert len({json.dumps(m["Integration"]) for m in methods}) == 1
    assert len(template.all("AWS::ApiGateway::Model")) == 2


def test_a_timeout_beyond_the_callers_patience_is_warned_about(new_stack: NewStack) -> None:
    stack = new_stack()
    TracedPipeline(stack, "Orders", ingest=IngestOptions(timeout=Duration.seconds(29)))
    assert warnings(stack) == []
    stack = new_stack()
    TracedPipeline(stack, "Orders", ingest=IngestOptions(timeout=Duration.seconds(60)))
    (warning,) = warnings(stack)
    assert "timeout is 60 s, but API Gateway answers its caller after 29 s" in warning
    assert "traced-pipeline:ingest-timeout" in warning
