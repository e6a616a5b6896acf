"""Existing functions: what their hop gives them, and the warnings where it cannot."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, replace

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from .acknowledged import acknowledge_star
from .bridge_variables import check_bridge_variables
from .checks import Check, refuse_settings, refuse_variables, warn
from .environments import check_environment
from .function_options import FunctionOptions, Handler
from .function_settings import DEFAULT_TIMEOUT_SECONDS
from .instrumentation import Instrumentation
from .instrumented import Needs, needs_of, with_needs
from .intrinsics import part_of
from .layer import MOST_LAYERS, RUNTIMES, bridge_layer, mark_bridged, publish_with_layer
from .layer_content import LayerContent
from .resource import property_of, referenced_resource, resource_of
from .segment_permission import ANY_RESOURCE_REASON, write_segments

_OF_ANY_FUNCTION = {"handler", "removal_policy", "bridge_layer", "xray_sdk", "instrumentation"}
_POLICY_ID = "TraceBridgeXRay"
_VARIABLES = "traced-pipeline:variables"


def own_function(function: lambda_.IFunction) -> lambda_.Function | None:
    """Returns the function that this app makes behind a function, version or alias; None if it is imported."""
    while isinstance(function, lambda_.Alias | lambda_.Version):
        function = function.lambda_
    made: object = function
    if isinstance(function, lambda_.SingletonFunction):  # stands for a function beside it
        resource = referenced_resource(function.function_arn)
        made = None if resource is None else resource.node.scope
    return made if isinstance(made, lambda_.Function) else None


def existing_function(options: FunctionOptions, *, used_otherwise: Collection[str] = ()) -> lambda_.IFunction | None:
    """Returns the existing function that the options name; None if there is one to make.

    Args:
        options: The hop's settings.
        used_otherwise: Fields that mean more to the hop than its function.

    Raises:
        PipelineError: Settings for a function to make are given beside an existing one.
    """
    if options.handler is None or isinstance(options.handler, Handler):
        return None
    settings = {field.name for field in fields(FunctionOptions)} - _OF_ANY_FUNCTION - set(used_otherwise)
    refuse_settings(options, sorted(settings), existing="a function", instead="give a Handler instead of the function")
    return options.handler


def adopt_function(
    scope: Construct,
    function: lambda_.IFunction,
    options: FunctionOptions,
    *,
    environment: Mapping[str, str],
    must_be_active: bool,
) -> None:
    """Gives an existing function what its hop needs, and warns of what it cannot be given.

    Args:
        scope: The hop; it gets the warnings.
        function: The function, version or alias.
        options: The hop's settings, which choose the layer with the bridge.
        environment: Variables the hop's handler reads.
        must_be_active: Whether the trace breaks where Lambda does not record the function.

    Raises:
        PipelineError: The function has another value for a variable that the hop or its instrumentation sets, or a
            variable that the bridge does not know or cannot read.
    """
    own = own_function(function)
    if own is None:
        check_environment(scope, function, function.function_arn, "function")
        _warn_of_import(scope, function, options, environment)
        return
    mode = (Stack.of(own).resolve(_resource(own).tracing_config) or {}).get("mode")
    if must_be_active and mode != "Active":
        warn(
            scope,
            Check.FUNCTION_NOT_TRACED,
            f"function {own.node.path} has tracing mode {mode or 'PassThrough'}, so that the trace of a "
            "request has no segment of it; make it with tracing=lambda_.Tracing.ACTIVE",
        )
    needs = needs_of(own, options.instrumentation or Instrumentation.xray(), active=mode == "Active")
    # A wrapper whose layer is missing would keep the function from starting.
    has_layers = _add_layers(scope, own, options, needs)
    given = _own_variables(own)
    check_bridge_variables(given, where=f"function {own.node.path}")
    if has_layers:
        defaults = {name: value for name, value in needs.defaults.items() if name not in given}
        environment = with_needs(replace(needs, defaults=defaults), environment)
    refuse_variables(given, Stack.of(own).resolve(environment), where=f"function {own.node.path}")
    _set_variables(scope, own, environment)
    _let_send_segments(own, needs.statements)


def reserved_executions_of(function: lambda_.IFunction) -> int | None:
    """Returns how many executions are reserved for an existing function; None if that cannot be known."""
    own = own_function(function)
    reserved = None if own is None else Stack.of(own).resolve(_resource(own).reserved_concurrent_executions)
    return int(reserved) if isinstance(reserved, int | float) else None


def timeout_of(function: lambda_.IFunction) -> Duration | None:
    """Returns the timeout of an existing function; None if it cannot be known."""
    own = own_function(function)
    if own is None:
        return None
    return own.timeout or Duration.seconds(DEFAULT_TIMEOUT_SECONDS)


def _resource(function: lambda_.Function) -> lambda_.CfnFunction:
    return resource_of(function, lambda_.CfnFunction)


def _warn_of_import(
    scope: Construct, function: lambda_.IFunction, options: FunctionOptions, environment: Mapping[str, str]
) -> None:
    needs = [*(f"the variable {name}" for name in environment), "the bridge's layer", "permission to send segments"]
    if options.instrumentation is not None:
        needs.append("the variables and layers of its instrumentation")
    if function.role is None:
        needs.append("permission for what the hop does with its queue, topic and table")
    warn(
        scope,
        Check.FUNCTION_NOT_MANAGED,
        f"function {function.node.path} is imported, so that its tracing mode cannot be checked, and it cannot "
        f"be given {', '.join(needs)}; see to these where it is made",
    )


def _own_variables(function: lambda_.Function) -> dict[str, object]:
    """Returns the variables of a function but for those that hops have set: texts, or intrinsic functions."""
    variables = part_of(property_of(_resource(function), "environment"), "variables")
    by_hops = _set_by_hops(function)
    if not isinstance(variables, Mapping):
        return {}
    return {name: value for name, value in variables.items() if name not in by_hops}


def _set_by_hops(function: lambda_.Function) -> dict[str, str]:
    return {name: value for entry in function.node.metadata if entry.type == _VARIABLES for name, value in entry.data}


def _set_variables(scope: Construct, function: lambda_.Function, environment: Mapping[str, str]) -> None:
    given = _set_by_hops(function)
    for name, value in environment.items():
        if given.get(name, value) != value:
            warn(
                scope,
                Check.VARIABLE_REPLACED,
                f"function {function.node.path} works for another hop, whose variable {name} this one replaces; make a "
                "function for each",
            )
        function.add_environment(name, value)
    new = [[name, value] for name, value in environment.items() if given.get(name) != value]
    if new:
        function.node.add_metadata(_VARIABLES, new)


def _add_layers(scope: Construct, function: lambda_.Function, options: FunctionOptions, needs: Needs) -> bool:
    """Adds the bridge's layer and those of the instrumentation, all or none; returns whether the function has them."""
    if any(runtime.runtime_equals(function.runtime) for runtime in RUNTIMES):
        content = LayerContent(xray_sdk=options.xray_sdk, open_telemetry=needs.open_telemetry)
        layer = bridge_layer(function, options.bridge_layer, content)
        stack = Stack.of(function)
        present = stack.resolve(_resource(function).layers) or []
        missing = [each for each in (layer, *needs.layers) if stack.resolve(each.layer_version_arn) not in present]
        if len(present) + len(missing) <= MOST_LAYERS:
            if missing:
                function.add_layers(*missing)
                publish_with_layer(function, layer)
            mark_bridged(_resource(function))
            return True
    warn(
        scope,
        Check.FUNCTION_WITHOUT_BRIDGE,
        f"function {function.node.path} ({function.runtime.name}) cannot be given the bridge's layer, which is for "
        f"Python 3.11 or newer, code from an archive, and one of at most {MOST_LAYERS} layers; without the bridge a "
        "message's trace ends at the queue: install trace-bridge into the function's code, and acknowledge this",
    )
    return False


def _let_send_segments(function: lambda_.Function, more: Sequence[iam.PolicyStatement]) -> None:
    # Made beside the function: a policy in the hop's stack would make that wait for the function's.
    if function.role is None:
        return
    existing = function.node.try_find_child(_POLICY_ID)
    if isinstance(existing, iam.Policy):
        existing.add_statements(*more)
        return
    policy = iam.Policy(function, _POLICY_ID, statements=[write_segments(), *more])
    # The role decides: one that is precreated or immutable, or of another account, takes no policy.
    function.role.attach_inline_policy(policy)
    acknowledge_star(policy, ANY_RESOURCE_REASON)
