"""Who may call a route is said by the options, or the route is refused: it is never left open by a default."""

from __future__ import annotations

from collections.abc import Callable

import jsii
import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_lambda as lambda_
from traced_pipeline import Check, IngestApi, IngestOptions, PipelineError, TracedPipeline, TracedTopic
from traced_pipeline.ingest_options import Authorizer

from tests.support.stacks import NewStack
from tests.support.templates import Properties, synthesize, warnings_of

TRACED = apigateway.StageOptions(tracing_enabled=True)
KINDS = apigateway.AuthorizationType


def users(stack: Stack) -> apigateway.CognitoUserPoolsAuthorizer:
    pool = cognito.UserPool(stack, "Users")
    return apigateway.CognitoUserPoolsAuthorizer(stack, "Authorizer", cognito_user_pools=[pool])


def api(stack: Stack, defaults: apigateway.MethodOptions | None = None, *, deploy: bool = True) -> apigateway.RestApi:
    options = TRACED if deploy else None
    return apigateway.RestApi(stack, "Api", deploy=deploy, deploy_options=options, default_method_options=defaults)


def ingest(stack: Stack, authorizer: Authorizer = "iam", existing: apigateway.IRestApi | None = None) -> IngestApi:
    topic = TracedTopic(stack, "Topic").topic
    return IngestApi(
        stack, "Ingest", topic=topic, options=IngestOptions(api=existing, path="/orders", authorizer=authorizer)
    )


def method(stack: Stack) -> Properties:
    return synthesize(stack).one("AWS::ApiGateway::Method", "POST")


@jsii.implements(apigateway.IAuthorizer)
class Mine:
    """An authorizer of one's own; where it does not say what it is, the CDK takes it and leaves the route open."""

    def __init__(self, kind: object, *, authorizer_id: str = "abc") -> None:
        self._kind, self._id = kind, authorizer_id

    @property
    def authorizer_id(self) -> str:
        return self._id

    @property
    def authorization_type(self) -> apigateway.AuthorizationType | None:
        return self._kind  # type: ignore[return-value]


class TestTheRouteAsksFor:
    @pytest.mark.parametrize(("word", "kind"), [("iam", "AWS_IAM"), ("none", "NONE")])
    @pytest.mark.parametrize("existing", [False, True])
    def test_what_the_word_says(self, new_stack: NewStack, word: Authorizer, kind: str, existing: bool) -> None:
        stack = new_stack()
        ingest(stack, word, api(stack) if existing else None)
        assert method(stack)["AuthorizationType"] == kind
        assert "AuthorizerId" not in method(stack)

    @pytest.mark.parametrize("defaults", [None, KINDS.IAM, KINDS.NONE])
    def test_the_authorizer_given_whatever_the_api_has(self, new_stack: NewStack, defaults: KINDS | None) -> None:
        stack = new_stack()
        own = api(stack, apigateway.MethodOptions(authorization_type=defaults))
        ingest(stack, users(stack), own)
        assert method(stack)["AuthorizationType"] == "COGNITO_USER_POOLS"
        assert "AuthorizerId" in method(stack)

    def test_the_apis_own_authorizer(self, new_stack: NewStack) -> None:
        stack = new_stack()
        ingest(stack, "api", api(stack, apigateway.MethodOptions(authorizer=users(stack)), deploy=False))
        assert method(stack)["AuthorizationType"] == "COGNITO_USER_POOLS"
        assert "AuthorizerId" in method(stack)

    def test_the_apis_own_iam(self, new_stack: NewStack) -> None:
        stack = new_stack()
        ingest(stack, "api", api(stack, apigateway.MethodOptions(authorization_type=KINDS.IAM)))
        assert method(stack)["AuthorizationType"] == "AWS_IAM"

    def test_nothing_where_the_route_is_opened_on_purpose(self, new_stack: NewStack) -> None:
        stack = new_stack()
        own = api(stack, apigateway.MethodOptions(authorizer=users(stack)))
        own.root.add_method("GET")
        ingest(stack, "none", own)
        assert method(stack)["AuthorizationType"] == "NONE"
        assert "AuthorizerId" not in method(stack)


class TestScopes:
    def test_of_which_a_token_must_have_one(self, new_stack: NewStack) -> None:
        stack = new_stack()
        topic, by_user = TracedTopic(stack, "Topic").topic, users(stack)
        options = IngestOptions(path="/orders", authorizer=by_user, authorization_scopes=["orders/write"])
        made = IngestApi(stack, "Ingest", topic=topic, options=options)
        made.add_route("/orders", method="PUT", authorizer=by_user, authorization_scopes=["orders/admin"])
        made.add_route("/orders", method="PATCH", authorizer=by_user)
        methods = synthesize(stack).all("AWS::ApiGateway::Method").values()
        assert {m["HttpMethod"]: m.get("AuthorizationScopes") for m in methods} == {
            "POST": ["orders/write"],
            "PUT": ["orders/admin"],
            "PATCH": None,
        }

    @pytest.mark.parametrize("authorizer", ["iam", "none"])
    def test_without_a_cognito_authorizer(self, new_stack: NewStack, authorizer: Authorizer) -> None:
        topic = TracedTopic(stack := new_stack(), "Topic").topic
        options = IngestOptions(authorizer=authorizer, authorization_scopes=["orders/write"])
        with pytest.raises(
            PipelineError, match="authorization_scopes is given for a route with authorization"
        ) as caught:
            IngestApi(stack, "Ingest", topic=topic, options=options)
        assert caught.value.check is Check.OPTION_CONFLICT

    @pytest.mark.parametrize("scopes", [[], [""]])
    def test_that_are_none(self, new_stack: NewStack, scopes: list[str]) -> None:
        topic = TracedTopic(stack := new_stack(), "Topic").topic
        options = IngestOptions(authorizer=users(stack), authorization_scopes=scopes)
        with pytest.raises(PipelineError, match="but must hold scopes") as caught:
            IngestApi(stack, "Ingest", topic=topic, options=options)
        assert caught.value.check is Check.OPTION_VALUE


IMPORTED = {"rest_api_id": "a1", "root_resource_id": "r1"}


class TestRefused:
    @pytest.mark.parametrize(
        ("make", "said"),
        [
            (lambda s: None, "none is given"),
            (lambda s: apigateway.RestApi.from_rest_api_attributes(s, "Api", **IMPORTED), "API Shop/Api is imported"),
            (api, "API Shop/Api has no default authorization, so that anyone could call"),
            (
                lambda s: api(s, apigateway.MethodOptions(authorization_type=KINDS.NONE)),
                "API Shop/Api has no default authorization",
            ),
            (
                lambda s: api(s, apigateway.MethodOptions(authorization_type=KINDS.CUSTOM)),
                "API Shop/Api has no default authorization",
            ),
        ],
    )
    def test_the_apis_own_where_it_is_open_or_unknown(
        self, new_stack: NewStack, make: Callable[[Stack], apigateway.IRestApi | None], said: str
    ) -> None:
        stack = new_stack()
        with pytest.raises(PipelineError) as caught:
            ingest(stack, "api", make(stack))
        assert caught.value.check is Check.OPTION_CONFLICT
        assert said in str(caught.value)
        assert "(at Shop/Ingest)" in str(caught.value)

    def test_iam_beside_a_default_authorizer(self, new_stack: NewStack) -> None:
        stack = new_stack()
        own = api(stack, apigateway.MethodOptions(authorizer=users(stack), authorization_type=KINDS.COGNITO))
        with pytest.raises(PipelineError) as caught:
            TracedPipeline(stack, "Orders", ingest=IngestOptions(api=own, path="/orders"))
        assert caught.value.check is Check.OPTION_CONFLICT
        for way in ('authorizer="api"', "authorizer=<an IAuthorizer>", 'authorizer="none"'):
            assert way in str(caught.value)

    @pytest.mark.parametrize(
        ("kind", "said"), [(None, "None"), (KINDS.NONE, "NONE"), (KINDS.IAM, "IAM"), ("COGNITO", "'COGNITO'")]
    )
    def test_an_authorizer_that_does_not_say_its_kind(self, new_stack: NewStack, kind: object, said: str) -> None:
        stack = new_stack()
        with pytest.raises(PipelineError, match=f"authorizer has type {said}, but must be COGNITO or CUSTOM") as caught:
            ingest(stack, Mine(kind))
        assert caught.value.check is Check.OPTION_CONFLICT

    def test_an_authorizer_without_an_id(self, new_stack: NewStack) -> None:
        with pytest.raises(PipelineError, match="authorizer has no authorizer_id"):
            ingest(new_stack(), Mine(KINDS.CUSTOM, authorizer_id=""))

    def test_an_authorizer_of_another_stack_than_its_api(self, new_stack: NewStack) -> None:
        stack = new_stack()
        app = stack.node.root
        assert isinstance(app, App)
        beside = users(Stack(app, "Users"))
        with pytest.raises(PipelineError, match="authorizer Users/Authorizer belongs to stack Users") as caught:
            ingest(stack, beside)
        assert caught.value.check is Check.OUT_OF_REACH
        assert caught.value.path == "Shop/Ingest"

    def test_an_authorizer_of_another_api(self, new_stack: NewStack) -> None:
        stack = new_stack()
        shared = users(stack)
        TracedPipeline(stack, "Orders", ingest=IngestOptions(authorizer=shared)).ingest.add_route(
            "/more", authorizer=shared
        )
        with pytest.raises(PipelineError, match="authorizer Shop/Authorizer belongs to another API than") as caught:
            TracedPipeline(stack, "Returns", ingest=IngestOptions(authorizer=shared))
        assert caught.value.path == "Shop/Returns/Ingest"

    def test_a_word_that_a_further_route_does_not_know(self, new_stack: NewStack) -> None:
        made = ingest(new_stack())
        with pytest.raises(PipelineError, match=r"add_route\(authorizer=\) is 'AWS_IAM'.*\(at Shop/Ingest\)"):
            made.add_route("/returns", authorizer="AWS_IAM")  # type: ignore[arg-type]


def in_front_of_one_function(stack: Stack) -> apigateway.LambdaRestApi:
    code = lambda_.Code.from_inline("x")
    runtime = lambda_.Runtime.PYTHON_3_13
    function = lambda_.Function(stack, "Function", runtime=runtime, handler="index.handler", code=code)
    return apigateway.LambdaRestApi(stack, "Api", handler=function)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda s: apigateway.RestApi.from_rest_api_id(s, "Api", "a1"), "fromRestApiAttributes"),
        (in_front_of_one_function, "set 'proxy' to false"),
    ],
)
def test_an_api_that_takes_no_routes_is_refused(
    new_stack: NewStack, make: Callable[[Stack], apigateway.IRestApi], said: str
) -> None:
    stack = new_stack()
    with pytest.raises(PipelineError) as caught:
        TracedPipeline(stack, "Orders", ingest=IngestOptions(api=make(stack), path="/orders"))
    assert "API Shop/Api cannot have the route POST /orders: " in str(caught.value)
    assert said in str(caught.value)
    assert caught.value.path == "Shop/Orders/Ingest"


class TestPreflightOfTheApi:
    """What the CDK adds to every resource for CORS: open, as browsers send it without credentials."""

    def api(self, stack: Stack) -> apigateway.RestApi:
        cors = apigateway.CorsOptions(allow_origins=["*"])
        return apigateway.RestApi(stack, "Api", deploy_options=TRACED, default_cors_preflight_options=cors)

    @pytest.mark.parametrize("method", ["POST", "ANY"])
    def test_leaves_the_route_as_it_says(self, new_stack: NewStack, method: str) -> None:
        stack = new_stack()
        options = IngestOptions(api=self.api(stack), path="/orders", method=method)
        IngestApi(stack, "Ingest", topic=TracedTopic(stack, "Topic").topic, options=options)
        template = synthesize(stack)
        assert template.one("AWS::ApiGateway::Method", f"orders{method}")["AuthorizationType"] == "AWS_IAM"
        assert template.one("AWS::ApiGateway::Method", "ordersOPTIONS")["AuthorizationType"] == "NONE"

    def test_a_second_method_for_it_is_refused(self, new_stack: NewStack) -> None:
        made = ingest(new_stack())
        made.add_route("/returns", method="OPTIONS")
        stack = new_stack()
        with pytest.raises(PipelineError, match="default_cors_preflight_options"):
            ingest(stack, existing=self.api(stack)).add_route("/returns", method="options")


class TestRoutesThatTakeOver:
    @pytest.mark.parametrize("path", ["{proxy+}", "{id}", "orders"])
    @pytest.mark.parametrize("kind", [KINDS.NONE, KINDS.IAM])
    @pytest.mark.parametrize("authorizer", ["iam", "none"])
    def test_what_an_open_method_answers_today(
        self, new_stack: NewStack, path: str, kind: KINDS, authorizer: Authorizer
    ) -> None:
        stack = new_stack()
        own = api(stack)
        own.root.add_resource(path).add_method("ANY", authorization_type=kind)
        ingest(stack, authorizer, own)
        found = warnings_of(stack, Check.ROUTE_TAKES_OVER)
        assert len(found) == (1 if kind is KINDS.NONE and authorizer == "iam" else 0)
        for warning in found:
            assert f"route POST /orders asks for authorization, but method Shop/Api/Default/{path}/ANY" in warning
            assert "refused from now on" in warning

    def test_what_an_open_method_that_is_made_later_answers(self, new_stack: NewStack) -> None:
        stack = new_stack()
        own = api(stack)
        ingest(stack, "iam", own)
        own.root.add_resource("{proxy+}").add_method("ANY")
        assert len(warnings_of(stack, Check.ROUTE_TAKES_OVER)) == 1

    def test_what_is_answered_elsewhere(self, new_stack: NewStack) -> None:
        stack = new_stack()
        own = api(stack)
        own.root.add_resource("returns").add_method("ANY")
        own.root.add_resource("{id}").add_method("GET")
        own.root.add_method("ANY")
        ingest(stack, "iam", own)
        assert warnings_of(stack, Check.ROUTE_TAKES_OVER) == []
