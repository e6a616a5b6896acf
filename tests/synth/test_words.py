"""A word that an option or an argument does not know is refused, never read as a default."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from inspect import signature
from types import SimpleNamespace
from typing import Any, get_args, get_type_hints

import pytest
import traced_pipeline
from traced_pipeline import Check, IngestOptions, PipelineError, TopicOptions, TraceEverything, WorkerOptions
from traced_pipeline.option_types import words_of

NOTHING = SimpleNamespace(node=SimpleNamespace(path=""))
WRONG: list[object] = ["no such word", "", None, 0, True, ["iam"]]


def public_classes() -> list[type]:
    return [item for item in vars(traced_pipeline).values() if inspect.isclass(item)]


def fields_with_words() -> Iterator[tuple[type, str]]:
    for options in public_classes():
        if dataclasses.is_dataclass(options):
            hints = get_type_hints(options)
            yield from ((options, field.name) for field in dataclasses.fields(options) if words_of(hints[field.name]))


def arguments_with_words() -> Iterator[tuple[Callable[..., Any], str]]:
    for item in public_classes():
        if dataclasses.is_dataclass(item):
            continue
        for name, member in vars(item).items():
            function = getattr(member, "__func__", member)
            if inspect.isfunction(function) and (name == "__init__" or not name.startswith("_")):
                hints = get_type_hints(function)
                yield from ((function, a) for a, hint in hints.items() if a != "return" and words_of(hint))


def refused(found: Iterator[tuple[Any, str]]) -> list[Any]:
    """Each with each wrong value; None is none where the type names it, for a default that depends on others."""
    return [
        pytest.param(item, name, wrong, id=f"{item.__qualname__}-{name}-{wrong!r}")
        for item, name in found
        for wrong in WRONG
        if wrong is not None or type(None) not in get_args(get_type_hints(item)[name])
    ]


@pytest.mark.parametrize(("options", "field", "wrong"), refused(fields_with_words()))
def test_every_field_with_a_closed_set_of_words(options: type, field: str, wrong: object) -> None:
    with pytest.raises(PipelineError) as caught:
        options(**{field: wrong})
    assert caught.value.check is Check.OPTION_VALUE
    assert str(caught.value).startswith(f"{options.__name__}.{field} is {wrong!r}, but must be '")
    for word in words_of(get_type_hints(options)[field]):
        assert repr(word) in str(caught.value)


@pytest.mark.parametrize(("function", "argument", "wrong"), refused(arguments_with_words()))
def test_every_argument_with_a_closed_set_of_words(function: Callable[..., Any], argument: str, wrong: object) -> None:
    # Words are looked at before anything else, so that no other argument is needed here.
    given = [NOTHING] if any(p.kind is p.POSITIONAL_OR_KEYWORD for p in signature(function).parameters.values()) else []
    with pytest.raises(PipelineError) as caught:
        function(*given, **{argument: wrong})
    assert caught.value.check is Check.OPTION_VALUE
    assert str(caught.value).startswith(f"{function.__qualname__.removesuffix('.__init__')}({argument}=) is {wrong!r}")
    for word in words_of(get_type_hints(function)[argument]):
        assert repr(word) in str(caught.value)


def test_the_walk_finds_what_is_there() -> None:
    assert {f"{options.__name__}.{field}" for options, field in fields_with_words()} >= {
        "IngestOptions.authorizer",
        "IngestOptions.account_logging_role",
        "TopicOptions.trace_permission",
        "WorkerOptions.tracing",
    }
    assert {f"{function.__qualname__}.{argument}" for function, argument in arguments_with_words()} >= {
        "IngestApi.add_route.authorizer",
        "Instrumentation.adot.export",
        "TraceEverything.__init__.trace_permission",
        "TraceEverything.below.trace_permission",
    }


def test_words_that_are_known() -> None:
    for tracing in ("continued", "linked", "unbridged"):
        assert WorkerOptions(tracing=tracing).tracing == tracing
    for authorizer in ("iam", "none"):
        assert IngestOptions(authorizer=authorizer).authorizer == authorizer
    for permission in ("stack", "none"):
        assert TopicOptions(trace_permission=permission).trace_permission == permission
        TraceEverything(trace_permission=permission)
