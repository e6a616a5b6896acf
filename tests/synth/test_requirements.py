"""A handler's third-party packages."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_lambda as lambda_
from traced_pipeline import Check, FunctionOptions, Handler, PipelineError, TracedFunction, requirements

from tests.support.stacks import NewStack
from tests.support.templates import synthesize, warnings_of


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


@pytest.fixture(autouse=True)
def pip_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of ours runs in pip's process, and measuring it takes longer than pip does."""
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


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


PROJECT = '[project]\nname = "orders"\nversion = "1"\ndependencies = ["greetings"]\n'
# A build backend that needs nothing: it makes a wheel of one module.
BACKEND = """
import zipfile

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    info = "shared-1.dist-info"
    with zipfile.ZipFile(f"{wheel_directory}/shared-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("shared.py", "")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: shared\\nVersion: 1\\n")
        tags = "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
        wheel.writestr(f"{info}/WHEEL", tags)
        wheel.writestr(f"{info}/RECORD", f"shared.py,,\\n{info}/METADATA,,\\n{info}/WHEEL,,\\n{info}/RECORD,,\\n")
    return "shared-1-py3-none-any.whl"
"""
# What the tests ask of uv: to export a lock, and to install greetings.
UV = """#!{python}
import json, sys
from pathlib import Path
arguments = dict(part.partition("=")[::2] for part in sys.argv[1:])
with Path({log!r}).open("a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
if "export" in arguments:
    Path(arguments["--output-file"]).write_text("greetings==1.0\\n")
else:
    (Path(arguments["--target"]) / "greetings").mkdir()
"""


def make(stack: Stack, handler: Handler) -> Path:
    TracedFunction(stack, "Work", options=FunctionOptions(handler=handler))
    return staged_code(stack)


def refusal(stack: Stack, folder: Path) -> str:
    with pytest.raises(PipelineError) as caught:
        TracedFunction(stack, "Work", options=FunctionOptions(handler=Handler(folder)))
    assert caught.value.check is Check.REQUIREMENTS
    return str(caught.value)


class TestPathsInRequirements:
    def test_are_relative_to_the_handler(self, new_stack: NewStack, elsewhere: Path) -> None:
        shared = elsewhere.parent / "shared"
        shared.mkdir()
        (shared / "backend.py").write_text(BACKEND)
        (shared / "pyproject.toml").write_text(
            '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
            '[project]\nname = "shared"\nversion = "1"\n'
        )
        (elsewhere / "requirements.txt").write_text("--no-index\n../shared\n")
        code = make(new_stack(), Handler("handlers/orders"))
        assert (code / "shared.py").is_file()
        # The path would make another asset of the same code on another machine.
        assert not list(code.rglob("direct_url.json"))
        assert not [record for record in code.rglob("RECORD") if "direct_url" in record.read_text()]


class TestProjects:
    """Dependencies in `pyproject.toml`."""

    @pytest.fixture
    def project(self, elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        make_wheel(elsewhere.parent / "wheels", "cp314-cp314-manylinux2014_aarch64")
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(elsewhere.parent / "wheels"))
        (elsewhere / "pyproject.toml").write_text(PROJECT)
        return elsewhere

    def test_are_installed_and_warned_of(self, new_stack: NewStack, project: Path) -> None:
        stack = new_stack()
        assert (make(stack, Handler(project)) / "greetings" / "__init__.py").is_file()
        (warning,) = warnings_of(stack, Check.DEPENDENCIES_NOT_LOCKED)
        assert "pyproject.toml, whose versions are not settled" in warning

    def test_give_way_to_a_requirements_file(self, new_stack: NewStack, project: Path) -> None:
        (project / "requirements.txt").touch()
        stack = new_stack()
        assert not (make(stack, Handler(project)) / "greetings").exists()
        assert warnings_of(stack, Check.DEPENDENCIES_NOT_LOCKED) == []

    @pytest.mark.parametrize("text", ["[tool.ruff]\nline-length = 120\n", '[project]\nname = "orders"\n'])
    def test_that_name_none_need_nothing(
        self, new_stack: NewStack, project: Path, monkeypatch: pytest.MonkeyPatch, text: str
    ) -> None:
        monkeypatch.setattr(requirements, "_run", lambda *arguments: pytest.fail("something was installed"))
        (project / "pyproject.toml").write_text(text)
        make(new_stack(), Handler(project))

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ('[project]\nname = "orders"\ndynamic = ["dependencies"]\n', "where a build makes them"),
            ('[tool.poetry.dependencies]\nidna = "3"\n', "in the table of Poetry"),
            ("[project\n", "cannot be read as TOML"),
        ],
    )
    def test_that_cannot_be_read(self, new_stack: NewStack, project: Path, text: str, said: str) -> None:
        (project / "pyproject.toml").write_text(text)
        assert said in refusal(new_stack(), project)

    @pytest.mark.parametrize("name", ["poetry.lock", "pdm.lock", "Pipfile", "Pipfile.lock", "pylock.toml"])
    def test_with_the_lock_of_another_tool(self, new_stack: NewStack, project: Path, name: str) -> None:
        (project / name).touch()
        message = refusal(new_stack(), project)
        assert f"{name}, which only its own tool reads; export it" in message
        assert "install_requirements=False" in message


class TestUv:
    @pytest.fixture
    def without_uv(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("traced_pipeline.requirements.shutil.which", lambda name: None)

    @pytest.fixture
    def calls(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A stand-in for uv, and where it writes what it was asked."""
        log, folder = tmp_path / "calls", tmp_path / "bin"
        folder.mkdir()
        (folder / "uv").write_text(UV.format(python=sys.executable, log=str(log)))
        (folder / "uv").chmod(0o755)
        monkeypatch.setenv("PATH", str(folder), prepend=":")
        return log

    @pytest.fixture
    def without_pip(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(requirements, "find_spec", lambda name: None)

    @pytest.mark.usefixtures("without_pip")
    def test_installs_where_there_is_no_pip(self, new_stack: NewStack, elsewhere: Path, calls: Path) -> None:
        (elsewhere / "requirements.txt").write_text("greetings==1.0\n")
        assert (make(new_stack(), Handler(elsewhere)) / "greetings").is_dir()
        (install,) = [json.loads(line) for line in calls.read_text().splitlines()]
        assert install[:2] == ["pip", "install"]
        assert {"--only-binary=:all:", "--python-version=3.14", "--python-platform=aarch64-manylinux_2_34"} <= {
            *install
        }

    @pytest.mark.usefixtures("without_pip")
    def test_may_build_a_folder(self, new_stack: NewStack, elsewhere: Path, calls: Path) -> None:
        (elsewhere / "requirements.txt").write_text("../shared\n")
        make(new_stack(), Handler(elsewhere))
        assert "--only-binary=:all:" not in json.loads(calls.read_text())

    @pytest.mark.parametrize("lock", [True, False], ids=["uv.lock", "sources"])
    def test_exports_what_it_alone_reads(self, new_stack: NewStack, elsewhere: Path, calls: Path, lock: bool) -> None:
        sources = '[tool.uv.sources]\ngreetings = { path = "../greetings" }\n'
        (elsewhere / "pyproject.toml").write_text(PROJECT + ("" if lock else sources))
        if lock:
            (elsewhere / "uv.lock").touch()
        stack = new_stack()
        assert (make(stack, Handler(elsewhere)) / "greetings").is_dir()
        export, install = [json.loads(line) for line in calls.read_text().splitlines()]
        assert {"export", "--frozen", "--no-dev", "--no-emit-project"} <= {*export}
        assert export[-1].partition("=")[2] == install[-1].partition("=")[2]
        assert warnings_of(stack, Check.DEPENDENCIES_NOT_LOCKED) == []

    @pytest.mark.usefixtures("without_uv")
    def test_missing_where_it_alone_can_read(self, new_stack: NewStack, elsewhere: Path) -> None:
        (elsewhere / "pyproject.toml").write_text(PROJECT)
        (elsewhere / "uv.lock").touch()
        message = refusal(new_stack(), elsewhere)
        assert "which only uv reads, but uv is not on PATH" in message
        assert "run 'uv export --frozen --no-dev --no-emit-project" in message

    @pytest.mark.usefixtures("without_pip", "without_uv")
    def test_missing_where_there_is_no_pip(self, new_stack: NewStack, elsewhere: Path) -> None:
        (elsewhere / "requirements.txt").write_text("greetings==1.0\n")
        message = refusal(new_stack(), elsewhere)
        assert (
            "environment has no pip, and uv is not on PATH; add pip to the environment ('uv add --dev pip'" in message
        )
