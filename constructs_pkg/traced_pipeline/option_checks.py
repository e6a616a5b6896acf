"""Options and arguments, each by itself: of the declared type, finite, and within what AWS documents."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import cache, wraps
from typing import ParamSpec, TypeVar, get_type_hints

from aws_cdk import Duration, Token

from .checks import Check, PipelineError
from .container_options import ContainerWorkerOptions
from .function_options import FunctionOptions, Handler
from .limits import check_limit, limits_of
from .monitoring_options import MonitoringOptions
from .option_types import TypeHint, describe, matches, members
from .table_options import TableOptions
from .topic_options import TopicOptions
from .tracing_options import SamplingOptions, TraceGroupOptions

ArgumentsP = ParamSpec("ArgumentsP")
ReturnT = TypeVar("ReturnT")
Options = (
    ContainerWorkerOptions
    | FunctionOptions
    | MonitoringOptions
    | SamplingOptions
    | TableOptions
    | TopicOptions
    | TraceGroupOptions
)

_LONGEST_SHOWN = 200

# The CDK itself speaks of these, as in any other construct.
_OF_EVERY_CONSTRUCT = {"self", "cls", "scope", "construct_id"}


def check_options(options: Options) -> None:
    """Checks each field of a hop's options by itself.

    Raises:
        PipelineError: A field is of another type than it is declared with, is no finite number, or is outside of what
            AWS documents.
    """
    owner, limits = type(options).__name__, limits_of(type(options))
    hints = get_type_hints(type(options))
    for field in fields(options):
        name, value = f"{owner}.{field.name}", getattr(options, field.name)
        check_type(name, value, hints[field.name])
        if field.name in limits:
            check_limit(name, value, limits[field.name])
        if isinstance(value, Handler):
            _check_handler(value)


def checks_arguments(function: Callable[ArgumentsP, ReturnT]) -> Callable[ArgumentsP, ReturnT]:
    """Checks the type of each argument before a public constructor or method runs, closed sets of words included."""

    @wraps(function)
    def call(*args: ArgumentsP.args, **kwargs: ArgumentsP.kwargs) -> ReturnT:
        try:
            given = inspect.signature(function).bind_partial(*args, **kwargs).arguments
        except TypeError:
            return function(*args, **kwargs)  # Python itself names the function beside the argument
        owner = function.__qualname__.removesuffix(".__init__")
        for name, hint in _hints(function).items():
            if name in given:
                check_type(f"{owner}({name}=)", given[name], hint)
        return function(*args, **kwargs)

    return call


def check_type(name: str, value: object, hint: TypeHint) -> None:
    """Refuses a value of another type. A token is taken for the text or number it stands for.

    Args:
        name: Name of the option or argument, for the message.
        value: The value.
        hint: The type it is declared with.

    Raises:
        PipelineError: The type does not allow the value, or a number in it is not finite: that is no JSON.
    """
    if not _is_finite(value):
        raise PipelineError(Check.OPTION_VALUE, f"{name} is {_shown(value)}, but must be finite")
    if not matches(value, hint) and not _is_number_token(value, hint):
        raise PipelineError(
            Check.OPTION_VALUE, f"{name} is {_shown(value)}, but must be {describe(hint)}{_advice(value, hint)}"
        )


def _check_handler(handler: Handler) -> None:
    hints = get_type_hints(Handler)
    for field in fields(Handler):
        check_type(f"Handler.{field.name}", getattr(handler, field.name), hints[field.name])


def _is_number_token(value: object, hint: TypeHint) -> bool:
    return int in members(hint) and isinstance(value, float) and Token.is_unresolved(value)


def _is_finite(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, Mapping):
        return all(_is_finite(item) for item in value.values())
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return all(_is_finite(item) for item in value)
    return True


def _shown(value: object) -> str:
    if isinstance(value, int | float | str | None):
        return repr(value)
    kind = type(value).__name__
    text = repr(value)
    # Options show all their fields.
    return f"{text} ({kind})" if len(text) <= _LONGEST_SHOWN else f"of type {kind}"


def _advice(value: object, hint: TypeHint) -> str:
    if Duration in members(hint) and isinstance(value, int | float):
        return f"; give Duration.seconds({value!r})"
    return ""


@cache
def _hints(function: Callable[..., object]) -> Mapping[str, TypeHint]:
    left_out = _OF_EVERY_CONSTRUCT | {"return"}
    return {name: hint for name, hint in get_type_hints(function).items() if name not in left_out}
