"""What the docstrings promise: every argument is explained, every example synthesizes."""

from __future__ import annotations

import dataclasses
import inspect
import re
import textwrap

import pytest
import traced_pipeline
from constructs import Construct

from tests.support.snippets import Run
from tests.support.templates import synthesize, warnings

PUBLIC = {name: getattr(traced_pipeline, name) for name in traced_pipeline.__all__}
CONSTRUCTS = {name: item for name, item in PUBLIC.items() if issubclass(item, Construct)}
WITH_EXAMPLES = [*CONSTRUCTS, "TraceEverything"]


@pytest.mark.parametrize("name", [name for name, item in PUBLIC.items() if dataclasses.is_dataclass(item)])
def test_every_option_is_explained(name: str) -> None:
    owners = [base for base in PUBLIC[name].__mro__ if dataclasses.is_dataclass(base)]
    explained = {field for owner in owners for field in re.findall(r"^ {8}(\w+): ", owner.__doc__ or "", re.MULTILINE)}
    assert {field.name for field in dataclasses.fields(PUBLIC[name])} <= explained


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_every_argument_is_explained(name: str) -> None:
    item = PUBLIC[name]
    methods = [method for method_name, method in vars(item).items() if not method_name.startswith("_")]
    functions = [method.__func__ if isinstance(method, classmethod) else method for method in methods]
    for function in [f for f in functions if inspect.isfunction(f)]:
        parameters = inspect.signature(function).parameters.values()
        # Keywords that are the CDK's are explained where their type is.
        arguments = {p.name for p in parameters if p.kind is not p.VAR_KEYWORD} - {"self", "cls"}
        explained = set(re.findall(r"^\s+(\w+): ", inspect.getdoc(function) or "", re.MULTILINE))
        assert arguments <= explained | {"scope", "node"}, function.__qualname__
    arguments = set(inspect.signature(item.__init__).parameters) - {"self"}
    assert arguments <= set(re.findall(r"^ {4}(\w+): ", inspect.getdoc(item) or "", re.MULTILINE))


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_every_example_synthesizes_without_a_warning(name: str, run: Run) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PUBLIC[name].__doc__ or "", re.DOTALL)
    stacks = run(textwrap.dedent(code), f"<example of {name}>")
    assert all(synthesize(stack).resources for stack in stacks)
    assert [warning for stack in stacks for warning in warnings(stack)] == []
