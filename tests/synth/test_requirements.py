"""A handler's third-party packages."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_lambda as lambda_
from traced_pipeline import Check, FunctionOptions, Handler, PipelineError, TracedFunction

from .conftest import NewStack
from .templates import synthesize


def make_wheel(folder: Path, tag: str) -> None:
    """A wheel as pip would get it from an index."""
    folder.mkdir(exist_ok=True)
    info = "greetings-1.0.dist-info"
    content = {
        "greetings/__init__.py": "hello = 'hello'\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: greetings\nVersion: 1.0\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: {tag}\n",
        f"{info}/entry_points.txt": "[console_scripts]\ngreet = greetings:hello\n",
    }
    with zipfile.ZipFile(folder / f"greetings-1.0-{tag}.whl", "w") as wheel:
        for name, text in content.items():
            wheel.writestr(name, text)
        wheel.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in [*content, f"{info}/RECORD"]))


@pytest.fixture
def handler_folder(elsewhere: Path) -> Path:
    make_wheel(elsewhere.parent / "wheels", "cp314-cp314-manylinux2014_aarch64")
    (elsewhere / "requirements.txt").write_text("--no-index\n--find-links ../wheels\ngreetings==1.0\n")
    return elsewhere


def staged_code(stack: Stack) -> Path:
    key = synthesize(stack).one("AWS::Lambda::Function")["Code"]["S3Key"]
    app = stack.node.root
    assert isinstance(app, App)
    return Path(app.outdir) / f"asset.{key.removesuffix('.zip')}"


def test_are_installed_for_the_functions_platform(new_stack: NewStack, handler_folder: Path) -> None:
    stack = new_stack()
    TracedFunction(stack, "Work", options=FunctionOptions(handler=Handler("handlers/orders")))
    code = staged_code(stack)
    assert (code / "app.py").is_file()
    assert (code / "greetings" / "__init__.py").is_file()
    assert not (code / "bin").exists()
    assert not (handler_folder / "greetings").exists()


def test_are_the_same_every_time(new_stack: NewStack, handler_folder: Path) -> None:
    codes = []
    for _ in range(2):
        stack = new_stack()
        TracedFunction(stack, "Work", options=FunctionOptions(handler=Handler(handler_folder)))
        codes.append(staged_code(stack).name)
    assert codes[0] == codes[1]


def test_without_a_wheel_for_the_platform(new_stack: NewStack, handler_folder: Path) -> None:
    options = FunctionOptions(handler=Handler(handler_folder), architecture=lambda_.Architecture.X86_64)
    with pytest.raises(PipelineError, match="could not be installed as wheels") as caught:
        TracedFunction(new_stack(), "Work", options=options)
    assert caught.value.check is Check.REQUIREMENTS
    assert "for Python 3.14 on x86_64" in str(caught.value)
    assert "greetings==1.0" in str(caught.value)


def test_left_out_when_asked_for(new_stack: NewStack, handler_folder: Path) -> None:
    stack = new_stack()
    handler = Handler(handler_folder, install_requirements=False)
    TracedFunction(stack, "Work", options=FunctionOptions(handler=handler))
    assert not (staged_code(stack) / "greetings").exists()


def test_left_out_where_the_stack_is_not_deployed(new_stack: NewStack, handler_folder: Path) -> None:
    stack = new_stack(**{"aws:cdk:bundling-stacks": ["Another"]})
    TracedFunction(stack, "Work", options=FunctionOptions(handler=Handler(handler_folder)))
    assert not (staged_code(stack) / "greetings").exists()
