"""What a block makes is given back as what it is, so that a caller's type checker lets him use all of it."""

from __future__ import annotations

import pytest
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from traced_pipeline import Check, IngestOptions, PipelineError, TracedPipeline, WorkerOptions

from tests.support.stacks import NewStack, make_function
from tests.support.templates import synthesize

TRACED = apigateway.StageOptions(tracing_enabled=True)


def test_what_is_made_here_has_all_of_its_class(new_stack: NewStack) -> None:
    """Without a cast or an assertion: mypy reads this test too."""
    stack = new_stack()
    orders = TracedPipeline(stack, "Orders")
    arn = stack.format_arn(service="lambda", resource="layer:tools:1")
    tools = lambda_.LayerVersion.from_layer_version_arn(stack, "Tools", arn)
    for block in (orders.ingest, orders.worker, orders.add_worker("Audit")):
        block.traced_function.function.add_layers(tools)
        block.traced_function.function.add_environment("LEVEL", "info")
    orders.ingest.rest_api.add_usage_plan("Partners", name="partners")
    template = synthesize(stack)
    functions = template.all("AWS::Lambda::Function").values()
    assert [len(function["Layers"]) for function in functions] == [2, 2, 2]
    assert template.one("AWS::ApiGateway::UsagePlan")["UsagePlanName"] == "partners"


def test_what_exists_is_refused(new_stack: NewStack) -> None:
    stack = new_stack()
    function = make_function(stack, tracing=lambda_.Tracing.ACTIVE)
    api = apigateway.SpecRestApi(
        stack,
        "Api",
        api_definition=apigateway.ApiDefinition.from_inline({"openapi": "3.0.1", "paths": {}}),
        deploy_options=TRACED,
    )
    ingest = IngestOptions(handler=function, api=api, path="/orders")
    orders = TracedPipeline(stack, "Orders", ingest=ingest, worker=WorkerOptions(handler=function))
    for ask in (
        lambda: orders.ingest.traced_function,
        lambda: orders.worker.traced_function,
        lambda: orders.ingest.rest_api,
    ):
        with pytest.raises(
            PipelineError, match=r"is not made here, but given as \w+Options.\w+; use the property"
        ) as caught:
            ask()
        assert caught.value.check is Check.OPTION_CONFLICT


def test_an_existing_rest_api_is_one_all_the_same(new_stack: NewStack) -> None:
    stack = new_stack()
    api = apigateway.RestApi(stack, "Api", deploy_options=TRACED)
    assert TracedPipeline(stack, "Orders", ingest=IngestOptions(api=api, path="/orders")).ingest.rest_api is api
