"""What a recipe promises is in its template."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from scripts.pages import ROOT, Snippet, snippets
from tests.support.snippets import Run
from tests.support.templates import Synthesized, synthesize

RECIPES = snippets(ROOT / "docs" / "recipes.md")


def preflight_is_open_and_refusals_carry_the_header(t: Synthesized) -> bool:
    methods = {m["HttpMethod"]: m for m in t.all("AWS::ApiGateway::Method").values()}
    refusals = t.all("AWS::ApiGateway::GatewayResponse").values()
    return methods["OPTIONS"]["AuthorizationType"] == "NONE" and all("ResponseParameters" in r for r in refusals)


def path_of_the_domain_leads_to_the_stage(t: Synthesized) -> bool:
    stage = t.one("AWS::ApiGateway::BasePathMapping")["Stage"]
    return bool(stage == {"Ref": t.name_of("AWS::ApiGateway::Stage")})


def firewall_stands_before_the_stage(t: Synthesized) -> bool:
    protected = json.dumps(t.one("AWS::WAFv2::WebACLAssociation")["ResourceArn"])
    return t.name_of("AWS::ApiGateway::Stage") in protected


def a_key_is_asked_for_beside_the_signature(t: Synthesized) -> bool:
    method = t.one("AWS::ApiGateway::Method")
    return (
        method["ApiKeyRequired"] is True
        and method["AuthorizationType"] == "AWS_IAM"
        and len(t.all("AWS::ApiGateway::UsagePlanKey")) == 1
    )


def users_of_the_pool_are_let_in(t: Synthesized) -> bool:
    return bool(t.one("AWS::ApiGateway::Method")["AuthorizationType"] == "COGNITO_USER_POOLS")


def authorizers_may_be_called_and_the_own_one_is_traced(t: Synthesized) -> bool:
    methods = t.all("AWS::ApiGateway::Method").values()
    permissions = json.dumps(list(t.all("AWS::Lambda::Permission").values()))
    return (
        {m["AuthorizationType"] for m in methods} == {"CUSTOM"}
        and "function:authorize" in permissions
        and t.one("AWS::Lambda::Function", "Authorize")["TracingConfig"] == {"Mode": "Active"}
    )


def the_other_account_is_let_in(t: Synthesized) -> bool:
    return "222222222222" in json.dumps(t.one("AWS::ApiGateway::RestApi")["Policy"])


def something_failed_wakes_somebody(t: Synthesized) -> bool:
    letters = t.name_of("AWS::SQS::Queue", "DeadLetter")
    return any(letters in json.dumps(alarm) for alarm in t.all("AWS::CloudWatch::Alarm").values())


def the_api_is_private_and_traced(t: Synthesized) -> bool:
    kinds = t.one("AWS::ApiGateway::RestApi")["EndpointConfiguration"]["Types"]
    return kinds == ["PRIVATE"] and t.one("AWS::ApiGateway::Stage")["TracingEnabled"] is True


def the_parts_are_tagged(t: Synthesized) -> bool:
    return {"Key": "cost-centre", "Value": "4711"} in t.one("AWS::SNS::Topic")["Tags"]


def nothing_fails_the_synthesis(t: Synthesized) -> bool:
    return len(t.resources) > 0


def the_property_is_there(t: Synthesized) -> bool:
    return bool(t.one("AWS::SQS::Queue", "WorkerQueue")["MessageRetentionPeriod"] == 86_400)


def topic_takes_a_mebibyte(t: Synthesized) -> bool:
    sizes = t.one("AWS::SNS::Topic")["MaximumMessageSize"], t.variables("Ingest")["MAX_BODY_SIZE"]
    return [int(size) for size in sizes] == [1_048_576] * 2


def customers_are_message_groups(t: Synthesized) -> bool:
    variables = t.one("AWS::Lambda::Function", "Ingest")["Environment"]["Variables"]
    return bool(variables["MESSAGE_GROUP_PROPERTY"] == "customer")


def the_api_calls_the_alias_whose_traffic_is_shifted(t: Synthesized) -> bool:
    alias = t.name_of("AWS::Lambda::Alias")
    called = json.dumps(t.one("AWS::ApiGateway::Method")["Integration"]["Uri"])
    return f'"{alias}"' in called and len(t.all("AWS::CodeDeploy::DeploymentGroup")) == 1


PROMISES: dict[str, Callable[[Synthesized], bool]] = {
    "CORS": preflight_is_open_and_refusals_carry_the_header,
    "Custom domain": path_of_the_domain_leads_to_the_stage,
    "Web application firewall": firewall_stands_before_the_stage,
    "API keys and usage plans": a_key_is_asked_for_beside_the_signature,
    "Cognito": users_of_the_pool_are_let_in,
    "Lambda authorizer": authorizers_may_be_called_and_the_own_one_is_traced,
    "Callers from another account": the_other_account_is_let_in,
    "Alarms and a dashboard": something_failed_wakes_somebody,
    "Private API": the_api_is_private_and_traced,
    "Large messages": topic_takes_a_mebibyte,
    "Fair queues": customers_are_message_groups,
    "Canary deployments": the_api_calls_the_alias_whose_traffic_is_shifted,
    "Tags": the_parts_are_tagged,
    "cdk-nag": nothing_fails_the_synthesis,
    "Everything else": the_property_is_there,
}


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_keeps_its_promise(recipe: Snippet, run: Run) -> None:
    (stack,) = run(recipe.code, str(recipe))
    assert PROMISES[recipe.heading](synthesize(stack))


def test_every_recipe_makes_one() -> None:
    assert {recipe.heading for recipe in RECIPES} == set(PROMISES)
