"""Whether an existing consumer can be given the bridge, and why not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from aws_cdk import BootstraplessSynthesizer, CfnResource, Stack
from aws_cdk import aws_lambda as lambda_

from .bridge_environment import PREFIX
from .bridge_variables import turned_off_by
from .function_settings import EXEC_WRAPPER, FunctionSettings
from .intrinsics import is_intrinsic
from .layer import AUTO_HANDLER, MOST_LAYERS, RUNTIMES, has_bridge

_OF_LAYERS = "/opt/"
_PYTHON = "python"
# A mode of SAM's: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html
_DISABLED = "Disabled"
# Packages whose handlers call a function's own one, as their vendors document them.
_WRAPPERS: Mapping[str, str] = {
    "datadog_lambda": "Datadog",
    "instana": "Instana",
    "lumigo_tracer": "Lumigo",
    "newrelic_lambda_wrapper": "New Relic",
    "sentry_sdk": "Sentry",
    "thundra": "Thundra",
}


def has_own_bridge(function: CfnResource, settings: FunctionSettings) -> bool:
    """Returns whether a function is set up for the bridge: by these constructs, by its handler, or by its variables."""
    variables = settings.variables if isinstance(settings.variables, Mapping) else {}
    if settings.handler == AUTO_HANDLER or any(str(name).startswith(PREFIX) for name in variables):
        return True
    return isinstance(function, lambda_.CfnFunction) and has_bridge(function)


def why_not(function: CfnResource, settings: FunctionSettings, fixed_versions: Iterable[str]) -> list[str]:
    """Returns each reason why a consumer cannot be given the bridge, or must not be; nothing where it can.

    Args:
        function: The function's resource.
        settings: Its settings.
        fixed_versions: The paths of the versions or aliases that queues call it by and that do not change with it.
    """
    if settings.is_image:
        return ["it is a container image, which takes no layer; install trace-bridge into it and use sqs_handler"]
    return [
        *_of_runtime(function, settings.runtime),
        *_of_handler(settings),
        *_of_variables(settings),
        *_of_layers(settings),
        *_of_kind(settings),
        *_of_stack(function),
        *(
            f"its queue calls {path}, a version that stays as it was published; use current_version of the function"
            for path in sorted({*fixed_versions} - {""})
        ),
    ]


def _of_runtime(function: CfnResource, runtime: object) -> Iterator[str]:
    names = _runtime_names()
    if not isinstance(runtime, str):
        yield f"its runtime is {_unknown(runtime)}"
    elif not runtime.startswith(_PYTHON):
        yield f"its runtime is {runtime}, and the bridge is for Python"
    elif runtime not in names:
        yield f"its runtime is {runtime}, and the bridge's layer is for {', '.join(names)}"
    elif _is_made_by_name(function, RUNTIMES[names.index(runtime)]):
        yield f"its runtime {runtime} is made by its name, and the CDK adds no layer to it; use that of Runtime"


@cache
def _runtime_names() -> list[str]:
    return [fit.name for fit in RUNTIMES]


def _is_made_by_name(function: CfnResource, runtime: lambda_.Runtime) -> bool:
    own = function.node.scope
    return isinstance(own, lambda_.Function) and not runtime.runtime_equals(own.runtime)


def _of_handler(settings: FunctionSettings) -> Iterator[str]:
    handler = settings.handler
    if settings.is_inline:
        yield "its code is inline, so that its handler must stay index.…; put the code into a file"
    elif not isinstance(handler, str):
        yield f"its handler is {_unknown(handler)}"
    else:
        package = handler.removeprefix(_OF_LAYERS).removeprefix("python/").replace("/", ".").partition(".")[0]
        if package in _WRAPPERS:
            yield f"its handler {handler} is the wrapper of {_WRAPPERS[package]}"
        elif handler.startswith(_OF_LAYERS):
            yield f"its handler {handler} lies in a layer, and is taken for another vendor's wrapper"


def _of_variables(settings: FunctionSettings) -> Iterator[str]:
    variables, off = settings.variables, turned_off_by(settings.variables)
    if off is not None:
        yield f"its variable {off} turns the bridge off; take it away to have it bridged"
    if is_intrinsic(variables):
        yield f"its environment variables are {_unknown(variables)}"
    elif isinstance(variables, Mapping) and EXEC_WRAPPER in variables:
        yield f"{EXEC_WRAPPER} is {_shown(variables[EXEC_WRAPPER])}: another wrapper starts its process"


def _of_layers(settings: FunctionSettings) -> Iterator[str]:
    layers = settings.layers
    if is_intrinsic(layers):
        yield f"its layers are {_unknown(layers)}"
    elif isinstance(layers, list) and len(layers) >= MOST_LAYERS:
        yield f"it has {len(layers)} layers, and Lambda takes at most {MOST_LAYERS}"
    if settings.is_signed:
        # https://docs.aws.amazon.com/lambda/latest/dg/configuration-codesigning.html
        yield "its code signing configuration takes signed layers only, and the bridge's is not signed"


def _of_kind(settings: FunctionSettings) -> Iterator[str]:
    if settings.mode == _DISABLED:
        yield f"{_DISABLED} is chosen as its tracing mode"
    if settings.is_durable:
        # https://docs.aws.amazon.com/lambda/latest/dg/durable-functions.html
        yield "it is a durable function, whose handler is replayed: each replay would be recorded as a message"
    if settings.on_managed_instances:
        yield "it runs on Lambda Managed Instances, of which no document says how a segment is sent"


def _of_stack(function: CfnResource) -> Iterator[str]:
    if isinstance(Stack.of(function).synthesizer, BootstraplessSynthesizer):
        yield "its stack takes no assets (BootstraplessSynthesizer), and the bridge's layer is one"


def _unknown(value: object) -> str:
    return "not stated where the function is" if value is None else "not known before the deployment"


def _shown(value: object) -> str:
    return value if isinstance(value, str) else "set"
