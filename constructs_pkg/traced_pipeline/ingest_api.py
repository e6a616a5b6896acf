"""The ingest API of a pipeline: a REST API, and the function that publishes what it takes in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from aws_cdk import Names, Stack, Tokenization
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from .acknowledged import acknowledge_no_cognito
from .api_definition import DEFAULT_SCHEMA, VALIDATED_CONTENT_TYPES
from .api_metrics import ApiMetrics
from .authorization import authorize, check_method_states, check_scopes
from .checks import names_path, refuse_settings, refuse_variables, required
from .environments import refuse_other_region
from .existing_api import check_api, deployed_api, own_api
from .existing_function import adopt_function, existing_function
from .existing_topic import check_topic
from .function import TracedFunction
from .grants import grant_publish
from .handler_code import reference_publisher
from .ingest_checks import (
    WITHOUT_BODY,
    check_api_kind,
    check_function_stack,
    check_log_settings,
    check_method,
    check_route,
    check_taken_over,
    check_timeout,
    refusals_of_api,
)
from .ingest_options import Authorizer, IngestOptions, JsonSchema
from .message_size import own_message_size
from .option_checks import check_options, checks_arguments
from .references import check_reference, check_references
from .resource import resource_of
from .rest_api import make_rest_api
from .roles import check_rights
from .schema_checks import check_schema

_OF_A_CREATED_API = (
    "api_name",
    "stage_name",
    "throttling_rate_limit",
    "throttling_burst_limit",
    "account_logging_role",
)


class IngestApi(ApiMetrics):
    """A traced REST API in front of a function that publishes to a topic.

    It is a REST API, the only kind that X-Ray traces. Bodies are validated against the schema whatever their content
    type, answers to refused requests say why, and the access log has a line with the trace id for every request.
    https://docs.aws.amazon.com/xray/latest/devguide/xray-services-apigateway.html

    Args:
        scope: Where to create it.
        construct_id: Id of the construct.
        topic: The topic the function publishes to; its ARN is set as `TOPIC_ARN`.
        options: The hop's settings. Default: those of `IngestOptions()`.

    Raises:
        PipelineError: The options contradict each other, or name something that does not exist.

    Example:
        ```python
        from aws_cdk import App, Stack
        from traced_pipeline import Handler, IngestApi, IngestOptions, TracedTopic

        stack = Stack(App(), "Shop")
        topic = TracedTopic(stack, "Orders").topic
        options = IngestOptions(handler=Handler("handlers/orders", "app.handler"), path="/orders")
        ingest = IngestApi(stack, "Ingest", topic=topic, options=options)
        ingest.add_route("/returns", method="PUT")
        ```
    """

    @names_path
    @checks_arguments
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        topic: sns.ITopic,
        options: IngestOptions | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        options = options or IngestOptions()
        check_api_kind(options.api)
        check_options(options)
        check_log_settings(options)
        check_reference(self, "topic", topic)
        check_references(self, options)
        self._access_log_group: logs.LogGroup | None = None
        self._path = options.path
        self._created = options.api is None
        if options.handler is None:
            why = "the reference handler reaches its own Region only"
            refuse_other_region(self, topic, topic.topic_arn, "topic", why=why)
        check_topic(self, topic)
        self._traced: TracedFunction | None = None
        self._function, self._target = self._make_function(topic, options)
        self._api = self._use_api(options.api, options) if options.api else self._create_api(options)
        self._beside_api = _scope_beside(self, self._api)
        self._validator = apigateway.RequestValidator(
            self._beside_api,
            "Validator",
            rest_api=self._api,
            validate_request_body=True,
            validate_request_parameters=True,
        )
        self.add_route(
            options.path,
            method=options.method,
            schema=options.schema,
            authorizer=options.authorizer,
            authorization_scopes=options.authorization_scopes,
        )

    @property
    def api(self) -> apigateway.IRestApi:
        """The API."""
        return self._api

    @property
    def function(self) -> lambda_.IFunction:
        """The function."""
        return self._function

    @property
    @names_path
    def traced_function(self) -> TracedFunction:
        """The construct of the function, with its role and log group; an error where the function is not made here."""
        return required(self._traced, "function", "IngestOptions.handler", instead="function")

    @property
    @names_path
    def rest_api(self) -> apigateway.RestApi:
        """The API with all that a `RestApi` has, such as usage plans; an error where it is imported or of a spec."""
        made = self._api if isinstance(self._api, apigateway.RestApi) else None
        return required(made, "RestApi", "IngestOptions.api", instead="api")

    @property
    def alias(self) -> lambda_.Alias | None:
        """The alias of the function that the API invokes, if there is one."""
        return self._target if isinstance(self._target, lambda_.Alias) else None

    @property
    @names_path
    def url(self) -> str:
        """The URL of the route."""
        return deployed_api(self._api, "address").url_for_path(_absolute(self._path))

    @property
    @names_path
    def service_name(self) -> str:
        """The name of the API's stage in X-Ray: on the trace map, in sampling rules and in filters."""
        own = deployed_api(self._api, "name in X-Ray")
        # As the resource has it: a reference would make this stack wait for the API's.
        stage = resource_of(own.deployment_stage, apigateway.CfnStage).stage_name
        return f"{own.rest_api_name}/{stage}"

    @property
    def access_log_group(self) -> logs.LogGroup | None:
        """The access log of the created API, if it writes one."""
        return self._access_log_group

    @names_path
    @checks_arguments
    def add_route(
        self,
        path: str,
        *,
        method: str = "POST",
        schema: JsonSchema | None = None,
        authorizer: Authorizer = "iam",
        authorization_scopes: Sequence[str] | None = None,
    ) -> apigateway.Method:
        """Adds a route to the same function.

        Args:
            path: The resource's path; segments in braces are path parameters.
            method: The HTTP method. Default: `POST`.
            schema: JSON schema (draft 4) of the body. Default: the one an `IngestOptions` has by default; none for
                methods whose requests have no body.
            authorizer: Who may call, as in `IngestOptions`. Default: `"iam"`.
            authorization_scopes: OAuth scopes of which a caller's access token must have at least one; with a Cognito
                authorizer. Default: none.

        Returns:
            The method.
        """
        with refusals_of_api(self._api, path, method):
            check_route(self._api, path, method)
            if schema is not None:
                check_schema(schema)
            relative = path.strip("/")
            resource = self._api.root.resource_for_path(relative) if relative else self._api.root
            authorization = authorize(
                authorizer, api=self._api, defaults=resource.default_method_options, created=self._created
            )
            check_scopes(authorization_scopes, authorization)
            if schema is None and method.upper() not in WITHOUT_BODY:
                schema = DEFAULT_SCHEMA
            model = None if schema is None else self._make_model(f"{method}{_absolute(path)}", schema)
            added = resource.add_method(
                method,
                apigateway.LambdaIntegration(self._target, allow_test_invoke=False),
                request_models=None if model is None else dict.fromkeys(VALIDATED_CONTENT_TYPES, model),
                request_validator=self._validator,
                authorization_type=authorization.kind,
                authorizer=authorization.authorizer,
                authorization_scopes=None if authorization_scopes is None else list(authorization_scopes),
            )
        check_method_states(added, authorization)
        check_taken_over(self, added)
        if authorization.kind is apigateway.AuthorizationType.IAM:
            acknowledge_no_cognito(added, "IAM authorises callers: the API is for services, not for users")
        return added

    def _make_function(self, topic: sns.ITopic, options: IngestOptions) -> tuple[lambda_.IFunction, lambda_.IFunction]:
        environment = _variables(topic, options)
        existing = existing_function(options, used_otherwise=("log_retention", "log_key"))
        if existing is not None:
            check_function_stack(self, existing, topic)
            adopt_function(self, existing, options, environment=environment, must_be_active=True)
            if existing.role is not None:
                check_rights(self, existing, grant_publish(topic, existing))
            return existing, existing
        check_timeout(self, options)
        if options.handler is None:
            check_method(options)
            options = replace(options, handler=reference_publisher("ingest", topic))
        refuse_variables(options.environment, environment)
        self._traced = TracedFunction(self, "Function", options=options, environment=environment)
        function = self._traced.function
        check_rights(self, function, grant_publish(topic, function))
        return function, self._traced.target

    def _use_api(self, api: apigateway.IRestApi, options: IngestOptions) -> apigateway.IRestApi:
        refuse_settings(options, _OF_A_CREATED_API, existing="an API", instead="leave out api")
        check_api(self, api)
        return api

    def _create_api(self, options: IngestOptions) -> apigateway.RestApi:
        created = make_rest_api(self, options)
        self._access_log_group = created.access_log_group
        return created.api

    def _make_model(self, route: str, schema: JsonSchema) -> apigateway.IModel:
        model = apigateway.CfnModel(
            self._beside_api,
            f"Model {route}",
            rest_api_id=self._api.rest_api_id,
            content_type="application/json",
            schema=dict(schema),
        )
        if self._api.latest_deployment is not None:
            # A deployment is a picture of the API; without this a changed schema would not go live.
            self._api.latest_deployment.add_to_logical_id({"model": route, "schema": dict(schema)})
        return apigateway.Model.from_model_name(self._beside_api, f"Model name {route}", model.ref)


def _variables(topic: sns.ITopic, options: IngestOptions) -> dict[str, str]:
    """Returns the variables that tell the function where to publish, and how."""
    variables = {"TOPIC_ARN": topic.topic_arn}
    size = own_message_size(topic)
    if size is not None:
        variables["TOPIC_MAX_MESSAGE_SIZE"] = Tokenization.stringify_number(size)
    if options.message_group is not None:
        variables["MESSAGE_GROUP_PROPERTY"] = options.message_group
    return variables


def _scope_beside(scope: Construct, api: apigateway.IRestApi) -> Construct:
    """Returns where the parts of an API go: with an API of another stack, into that, which then waits for this one."""
    own = own_api(api)
    if own is None or Stack.of(own).node.path == Stack.of(scope).node.path:
        return scope
    return Construct(own, Names.node_unique_id(scope.node))


def _absolute(path: str) -> str:
    return f"/{path.strip('/')}"
