"""A Lambda function that takes part in a trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Annotations, Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from . import bridge_environment
from .bridge_variables import check_bridge_variables
from .checks import Check, PipelineError, names_path, refuse_settings, refuse_variables
from .function_checks import check_architecture, check_function, check_snap_start, runtime_of_bridge
from .function_metrics import FunctionMetrics
from .function_options import FunctionOptions, Handler
from .function_role import make_role, use_role, wait_for_rights
from .function_settings import PROPAGATING_MODE
from .handler_code import function_code
from .ingest_options import IngestOptions
from .instrumentation import Instrumentation
from .instrumented import needs_of, with_needs
from .layer import AUTO_HANDLER, bridge_layer, mark_bridged, publish_with_layer
from .layer_content import LayerContent
from .log_group import make_log_group
from .option_checks import check_options, checks_arguments
from .references import check_references
from .resource import resource_of
from .vpc_checks import check_network_path

_OFF = "false"
# What the CDK warns of wherever SnapStart is used.
_NOT_PUBLISHED = "@aws-cdk/aws-lambda:snapStartRequirePublish"
_PUBLISHED_REASON = "the function is invoked by its alias, which stands for a published version"


class TracedFunction(FunctionMetrics):
    """A Lambda function with the bridge's layer, X-Ray permissions and a log group of its own.

    Its role has no managed policies: it may write to its own log group, send segments, and do what else is granted.

    Args:
        scope: Where to create it.
        construct_id: Id of the construct.
        options: The function's settings; `handler` is required, and must be a `Handler`.
        environment: Environment variables that are set beside those of the options, and win over them. Default: none.
        active: Whether Lambda records the function's invocations (`Active`) or only propagates the trace
            (`PassThrough`). Default: `Active`.
            https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
        bridge: Whether the bridge is enabled; if not, its layer is still there. Default: enabled.
        zero_code: Whether the bridge calls the handler once per message. Default: Lambda calls the handler itself.

    Raises:
        PipelineError: The handler is missing, its code is not found, or its requirements cannot be installed.

    Example:
        ```python
        from aws_cdk import App, Stack
        from traced_pipeline import FunctionOptions, Handler, TracedFunction

        stack = Stack(App(), "Shop")
        options = FunctionOptions(handler=Handler("handlers/orders", "app.handler"), memory_size=512)
        report = TracedFunction(stack, "Report", options=options)
        ```
    """

    @names_path
    @checks_arguments
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        options: FunctionOptions,
        environment: Mapping[str, str] | None = None,
        active: bool = True,
        bridge: bool = True,
        zero_code: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        check_options(options)
        check_references(self, options)
        handler = _handler_of(options)
        runtime = options.runtime or lambda_.Runtime.PYTHON_3_14
        architecture = options.architecture or lambda_.Architecture.ARM_64
        _check_logs(options)
        check_function(options)
        needs = needs_of(self, options.instrumentation or Instrumentation.xray(), active=active)
        content = LayerContent(xray_sdk=options.xray_sdk, open_telemetry=needs.open_telemetry)
        layer = bridge_layer(self, options.bridge_layer, content)
        runtime = runtime_of_bridge(runtime)
        check_architecture(architecture)
        check_snap_start(options, runtime)
        self._timeout = options.timeout or Duration.seconds(options.DEFAULT_TIMEOUT_SECONDS)
        self._log_group = options.log_group or make_log_group(
            self,
            "Logs",
            retention=options.log_retention,
            key=options.log_key,
            removal_policy=options.removal_policy,
        )
        self._role = self._role_of(options, needs.statements)
        own_variables = {**(options.environment or {}), **(environment or {})}
        check_bridge_variables(own_variables)
        variables = with_needs(needs, own_variables)
        switches = {} if bridge else {bridge_environment.ENABLED: _OFF}
        if zero_code:
            switches[bridge_environment.HANDLER] = handler.entry_point
        refuse_variables(variables, switches)
        variables |= switches
        layers = [*needs.layers, *(options.layers or ())]
        with function_code(self, handler, runtime=runtime, architecture=architecture, layers=layers) as code:
            self._function = lambda_.Function(
                self,
                "Resource",
                code=code,
                handler=AUTO_HANDLER if zero_code else handler.entry_point,
                runtime=runtime,
                architecture=architecture,
                layers=[layer, *layers],
                memory_size=options.memory_size,
                timeout=self._timeout,
                ephemeral_storage_size=options.ephemeral_storage_size,
                environment=variables,
                environment_encryption=options.environment_encryption,
                role=self._role,
                log_group=self._log_group,
                logging_format=lambda_.LoggingFormat.JSON,
                reserved_concurrent_executions=options.reserved_concurrent_executions,
                snap_start=options.snap_start,
                vpc=options.vpc,
                vpc_subnets=options.vpc_subnets,
                security_groups=options.security_groups,
            )
        wait_for_rights(self, self._function)
        # A property injector of the app may have set another one.
        self._timeout = self._function.timeout or self._timeout
        for used in (layer, *(options.layers or ())):
            publish_with_layer(self._function, used)
        mark_bridged(resource_of(self._function, lambda_.CfnFunction))
        self._trace(active=active)
        self._alias = self._alias_of(options)
        if options.vpc is not None:
            check_network_path(self, options.vpc, options.vpc_subnets)

    @property
    def function(self) -> lambda_.Function:
        """The function."""
        return self._function

    @property
    def alias(self) -> lambda_.Alias | None:
        """The alias `live`, if the options ask for it or for what needs it."""
        return self._alias

    @property
    def target(self) -> lambda_.IFunction:
        """What callers invoke: the alias if there is one, otherwise the function."""
        return self._alias or self._function

    @property
    def timeout(self) -> Duration:
        """The function's timeout."""
        return self._timeout

    @property
    def log_group(self) -> logs.ILogGroup:
        """The log group of the function."""
        return self._log_group

    @property
    def role(self) -> iam.IRole:
        """The function's execution role."""
        return self._role

    def _trace(self, *, active: bool) -> None:
        # The L2's own `tracing` would add X-Ray's statement to the policy that users' grants go to.
        resource = resource_of(self._function, lambda_.CfnFunction)
        resource.tracing_config = lambda_.CfnFunction.TracingConfigProperty(
            mode="Active" if active else PROPAGATING_MODE
        )

    def _role_of(self, options: FunctionOptions, more: Sequence[iam.PolicyStatement]) -> iam.IRole:
        in_vpc = options.vpc is not None
        if options.role is None:
            return make_role(self, self._log_group, more, in_vpc=in_vpc)
        return use_role(self, options.role, self._log_group, more, in_vpc=in_vpc)

    def _alias_of(self, options: FunctionOptions) -> lambda_.Alias | None:
        provisioned = options.provisioned_concurrent_executions
        if provisioned is None and options.snap_start is None and not options.live_alias:
            return None
        if options.snap_start is not None:
            Annotations.of(self._function).acknowledge_warning(_NOT_PUBLISHED, _PUBLISHED_REASON)
        return lambda_.Alias(
            self,
            "Live",
            alias_name="live",
            version=self._function.current_version,
            provisioned_concurrent_executions=provisioned,
        )


def _handler_of(options: FunctionOptions) -> Handler:
    if isinstance(options.handler, Handler):
        return options.handler
    raise PipelineError(
        Check.HANDLER_MISSING,
        f"handler is {options.handler!r}, but a TracedFunction is made from a Handler; "
        'give FunctionOptions(handler=Handler("folder", "app.handler"))',
    )


def _check_logs(options: FunctionOptions) -> None:
    # An ingest hop's access log is made with the same settings.
    if options.log_group is not None and not isinstance(options, IngestOptions):
        refuse_settings(options, ("log_retention", "log_key"), existing="a log group", instead="leave out log_group")
