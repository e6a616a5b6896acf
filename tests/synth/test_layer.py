"""The layer: what is in it, that it works, and that it is the same every time."""

from __future__ import annotations

import ast
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from aws_cdk import Stack, Stage
from aws_cdk import aws_lambda as lambda_
from traced_pipeline import Check, IngestOptions, PipelineError, TracedPipeline, WorkerOptions, layer_content
from traced_pipeline import layer as layer_module
from traced_pipeline.layer_content import LayerContent, assemble

from tests.support.stacks import NewStack, make_function
from tests.support.templates import ROOT, synthesize

WITH_SDK = ("trace_bridge", "aws_xray_sdk", "wrapt")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    assembled = tmp_path_factory.mktemp("layer")
    assemble(assembled)
    return assembled


@pytest.fixture(scope="module")
def with_sdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    assembled = tmp_path_factory.mktemp("layer_with_sdk")
    assemble(assembled, LayerContent(xray_sdk=True))
    return assembled


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_holds_the_bridge_and_its_licence_alone(folder: Path) -> None:
    assert {path.name for path in (folder / "python").iterdir()} == {"trace_bridge"}
    held = files(folder)
    assert "python/trace_bridge/auto.py" in held
    assert {name for name in held if name.startswith("licenses/")} == {"licenses/trace-bridge/LICENSE"}


def test_holds_the_xray_sdk_what_that_imports_and_their_licences_where_asked(with_sdk: Path) -> None:
    assert {path.name for path in (with_sdk / "python").iterdir()} == set(WITH_SDK)
    held = files(with_sdk)
    assert "python/aws_xray_sdk/ext/resources/aws_para_whitelist.json" in held
    assert {name for name in held if name.startswith("licenses/")} == {
        "licenses/aws-xray-sdk/LICENSE",
        "licenses/aws-xray-sdk/NOTICE",
        "licenses/trace-bridge/LICENSE",
        "licenses/wrapt/LICENSE",
    }


def test_fits_every_python_and_architecture(folder: Path, with_sdk: Path) -> None:
    for assembled in (folder, with_sdk):
        assert {Path(name).suffix for name in files(assembled / "python")} <= {".py", ".json", ".typed"}
        assert not list(assembled.rglob("__pycache__"))


def test_the_bridge_is_itself_but_for_its_docstrings_and_types(folder: Path) -> None:
    package = ROOT / "runtime" / "trace_bridge"
    # The exporter needs OpenTelemetry's SDK, which this layer does not hold.
    sources = [path for path in package.rglob("*.py") if path.parent != package / "otel"]
    assert sources
    assert not (folder / "python" / "trace_bridge" / "otel").exists()
    for source in sources:
        held = folder / "python" / source.relative_to(ROOT / "runtime")
        assert statements(held.read_text()) == statements(source.read_text()), source
        assert not any(ast.get_docstring(node) for node in documented(held.read_text()))
        compile(held.read_text(), str(held), "exec")  # which knows what may stand before `from __future__`


def documented(source: str) -> list[ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)]


def statements(source: str) -> list[str]:
    """What a module does, and where, since a traceback from Lambda names the line; without docstrings and types."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value = ast.Constant(None, lineno=node.lineno, col_offset=node.col_offset)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = [ast.Pass(lineno=node.body[0].lineno, col_offset=node.body[0].col_offset)]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            _leave_out_annotations(node)
    parts = (node for node in ast.walk(tree) if isinstance(node, ast.stmt | ast.expr))
    return [ast.dump(tree), *(f"{type(part).__name__} {part.lineno}" for part in parts)]


def _leave_out_annotations(function: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    """Leaves out what nobody asks for at run time: annotations of private functions, and of variables in functions."""
    if function.name.startswith("_") and not function.name.startswith("__"):
        function.returns = None
        for node in ast.walk(function.args):
            if isinstance(node, ast.arg):
                node.annotation = None
    for owner in ast.walk(function):
        body = getattr(owner, "body", None)
        if isinstance(body, list) and not isinstance(owner, ast.ClassDef):
            for part in ("body", "orelse", "finalbody"):
                setattr(owner, part, [_unannotated(each) for each in getattr(owner, part, None) or []])


def _unannotated(statement: ast.stmt) -> ast.stmt:
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        assigned = ast.Assign([statement.target], statement.value)
        return ast.copy_location(assigned, statement)
    return statement


def test_works_from_where_lambda_puts_it(folder: Path) -> None:
    code = """
import sys
sys.path.insert(0, sys.argv[1])
sys.modules["aws_xray_sdk"] = sys.modules["wrapt"] = None
import trace_bridge
assert trace_bridge.__file__.startswith(sys.argv[1]), trace_bridge.__file__
trace_bridge.instrument()
"""
    run = [sys.executable, "-I", "-B", "-c", code, str(folder / "python")]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_works_with_the_xray_sdk_from_where_lambda_puts_it(with_sdk: Path) -> None:
    code = """
import sys
sys.path.insert(0, sys.argv[1])
import aws_xray_sdk.core, trace_bridge, wrapt
for module in (aws_xray_sdk.core, trace_bridge, wrapt):
    assert module.__file__.startswith(sys.argv[1]), module.__file__
@wrapt.decorator
def doubled(wrapped, instance, args, kwargs):
    return 2 * wrapped(*args, **kwargs)
assert doubled(lambda: 21)() == 42
"""
    run = [sys.executable, "-I", "-B", "-c", code, str(with_sdk / "python")]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_is_the_same_after_its_packages_were_imported(
    new_stack: NewStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = tmp_path / "copies"
    for package in WITH_SDK:
        spec = importlib.util.find_spec(package)
        assert spec is not None and spec.submodule_search_locations
        installed = Path(spec.submodule_search_locations[0])
        shutil.copytree(installed, copies / package)
        for information in installed.parent.glob(f"{package}-*.dist-info"):
            shutil.copytree(information, copies / information.name)
    for name in ("LICENSE", "pyproject.toml"):
        shutil.copyfile(ROOT / "runtime" / name, copies / name)
    monkeypatch.setattr(layer_content, "_source_of", lambda package: copies / package)
    keys = []
    for _ in range(2):
        stack = new_stack()
        TracedPipeline(stack, "Orders", ingest=IngestOptions(xray_sdk=True), worker=WorkerOptions(xray_sdk=True))
        keys.append(synthesize(stack).one("AWS::Lambda::LayerVersion")["Content"]["S3Key"])
        for cached in ("trace_bridge/__pycache__", "wrapt/__pycache__"):
            (copies / cached).mkdir(exist_ok=True)
            (copies / cached / "app.cpython-399.pyc").write_bytes(b"compiled")
    assert keys[0] == keys[1]
    (copies / "trace_bridge" / "more.py").write_text("more = True\n")
    stack = new_stack()
    TracedPipeline(stack, "Orders", ingest=IngestOptions(xray_sdk=True), worker=WorkerOptions(xray_sdk=True))
    assert synthesize(stack).one("AWS::Lambda::LayerVersion")["Content"]["S3Key"] != keys[0]


def test_every_function_has_it(new_stack: NewStack) -> None:
    stack = new_stack()
    TracedPipeline(stack, "Orders").add_worker("Audit")
    template = synthesize(stack)
    layer = {"Ref": template.name_of("AWS::Lambda::LayerVersion")}
    functions = template.all("AWS::Lambda::Function").values()
    assert [function["Layers"] for function in functions] == [[layer]] * 3
    properties = template.one("AWS::Lambda::LayerVersion")
    assert properties["CompatibleArchitectures"] == ["arm64", "x86_64"]
    assert set(properties["CompatibleRuntimes"]) >= {function["Runtime"] for function in functions}


class TestVersions:
    """A changed layer publishes a new version, with the CDK's feature flag for that and without it."""

    @pytest.fixture(params=[True, False], ids=["flag", "no flag"])
    def versions(
        self, request: pytest.FixtureRequest, new_stack: NewStack, monkeypatch: pytest.MonkeyPatch
    ) -> Callable[[Callable[[Stack], object]], list[list[str]]]:
        """The versions of a stack: as it is, again, and with another layer."""

        def made(build: Callable[[Stack], object]) -> list[list[str]]:
            found = []
            for extra in ("", "", "changed = True"):

                def changed(folder: Path, content: LayerContent, *, extra: str = extra) -> None:
                    assemble(folder, content)
                    (folder / "python" / "extra.py").write_text(extra)

                monkeypatch.setattr(layer_module, "assemble", changed)
                stack = new_stack(**{"@aws-cdk/aws-lambda:recognizeLayerVersion": request.param})
                build(stack)
                found.append(sorted(synthesize(stack).all("AWS::Lambda::Version")))
            return found

        return made

    def test_behind_the_alias_of_a_worker(
        self, versions: Callable[[Callable[[Stack], object]], list[list[str]]]
    ) -> None:
        first, again, changed = versions(
            lambda stack: TracedPipeline(stack, "Orders", worker=WorkerOptions(provisioned_concurrent_executions=1))
        )
        assert first == again
        assert len(first) == 1
        assert changed != first

    def test_behind_the_alias_of_an_existing_function(
        self, versions: Callable[[Callable[[Stack], object]], list[list[str]]]
    ) -> None:
        def build(stack: Stack) -> None:
            function = make_function(stack, "Mine")
            live = lambda_.Alias(stack, "Live", alias_name="live", version=function.current_version)
            TracedPipeline(stack, "Orders", worker=WorkerOptions(handler=live))

        first, again, changed = versions(build)
        assert first == again
        assert len(first) == 1
        assert changed != first


def test_leaves_nothing_behind(new_stack: NewStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    TracedPipeline(new_stack(), "Orders")
    assert list(scratch.iterdir()) == []


def test_stays_in_the_output_directory_where_the_cdk_is_set_not_to_copy_assets(
    new_stack: NewStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    stack = new_stack(**{"aws:cdk:disable-asset-staging": True})
    TracedPipeline(stack, "Orders")
    stage = Stage.of(stack)
    assert stage is not None
    [kept] = Path(stage.asset_outdir).glob("traced-pipeline-asset-*")
    assert (kept / "python" / "trace_bridge").is_dir()
    assert list(scratch.iterdir()) == []


def test_missing_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_content, "find_spec", lambda package: None)
    with pytest.raises(PipelineError, match="'trace_bridge' is not importable") as caught:
        assemble(tmp_path / "layer")
    assert caught.value.check is Check.LAYER_PACKAGE


def test_missing_sdk_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        layer_content, "find_spec", lambda name: None if name == "aws_xray_sdk" else importlib.util.find_spec(name)
    )
    assemble(tmp_path / "layer")
    with pytest.raises(PipelineError, match=r"install trace-bridge\[xray-sdk\] beside traced-pipeline"):
        assemble(tmp_path / "layer_with_sdk", LayerContent(xray_sdk=True))


def test_missing_licence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_content, "_XRAY_SDK", {"wrapt": "no-such-distribution"})
    with pytest.raises(PipelineError, match="the licence of 'no-such-distribution' is not found") as caught:
        assemble(tmp_path / "layer", LayerContent(xray_sdk=True))
    assert caught.value.check is Check.LAYER_PACKAGE


def test_is_the_same_where_files_cannot_be_linked(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: str, target: str) -> None:
        raise OSError("another file system")

    monkeypatch.setattr("os.link", refuse)
    assemble(tmp_path)
    assert files(tmp_path) == files(folder)
    assert all((tmp_path / name).read_bytes() == (folder / name).read_bytes() for name in files(folder))
