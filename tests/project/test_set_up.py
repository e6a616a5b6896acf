"""The set-up: what it says when something is missing, and that a half-finished one is finished by the next."""

import re
import stat
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from harness.environment import bare_environment
from harness.local_aws import ROOT
from scripts import chromium, installer, setup
from scripts.pip_settings import parse_pip_settings, uv_environment


def _tool(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def _find_python(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = ["/bin/sh", str(ROOT / "scripts/find-python")]
    return subprocess.run(command, env={"PATH": str(folder), **environment}, capture_output=True, text=True)


def test_a_python_too_old_is_reported_in_one_line(tmp_path: Path) -> None:
    _tool(tmp_path, "python3", '[ "$1" = --version ] && echo "Python 3.9.2" && exit 0; exit 1')
    found = _find_python(tmp_path)
    assert found.returncode == 1
    assert found.stderr.count("\n") == 1
    assert "3.11 or newer is needed, found: Python 3.9.2" in found.stderr


def test_a_python_without_venv_is_reported_in_one_line(tmp_path: Path) -> None:
    _tool(tmp_path, "python3", 'case "$2" in *ensurepip*) exit 1;; esac; exit 0')
    found = _find_python(tmp_path)
    assert found.returncode == 1
    assert found.stderr.count("\n") == 1
    assert "python3-venv" in found.stderr


def test_a_named_python_that_does_not_do_is_told(tmp_path: Path) -> None:
    found = _find_python(tmp_path, PYTHON="/nowhere/python")
    assert found.returncode == 1
    assert "/nowhere/python" in found.stderr


def test_a_python_that_does_is_found(tmp_path: Path) -> None:
    _tool(tmp_path, "python3.12", f'exec {sys.executable} "$@"')
    found = _find_python(tmp_path)
    assert found.returncode == 0
    assert Path(found.stdout.strip()).exists()


def test_of_an_environment_that_is_first_on_the_path_its_own_python_is_found(tmp_path: Path) -> None:
    # As in a shell in which `.venv` is active: set-up would make that environment anew by itself.
    venv.create(tmp_path, symlinks=True)
    found = _find_python(tmp_path / "bin")
    assert found.returncode == 0, found.stderr
    assert Path(found.stdout.strip()).parent == Path(sys._base_executable).parent  # type: ignore[attr-defined]


def test_a_misspelt_target_is_reported_in_one_line() -> None:
    ran = subprocess.run(["make", "demmo"], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 2
    assert ran.stderr.splitlines()[0] == "make: there is no target 'demmo'; make help lists those there are"


def test_help_lists_the_targets() -> None:
    ran = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in ("demo", "test", "check", "synth", "deploy", "bench", "local", "deploy-local", "clean"):
        assert f"make {target} " in ran.stdout


def test_every_target_that_a_page_or_a_message_names_is_there() -> None:
    texts = [path for pattern in ("*.md", "*.toml") for path in ROOT.glob(pattern)]
    for folder in ("docs", "examples", "local", "cli", "constructs_pkg", "runtime", "harness", "scripts", "tests"):
        texts += [path for pattern in ("*.md", "*.py") for path in (ROOT / folder).rglob(pattern)]
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        (target, str(path.relative_to(ROOT)))
        for path in texts
        for groups in re.findall(r"`make ([a-z-]+)|^make ([a-z-]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        for target in filter(None, groups)
    }
    assert {target for target, _ in named} >= {"demo", "peers", "deploy-local"}
    assert [(target, path) for target, path in sorted(named) if target not in targets] == []


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one part to set up, `venv-local`, whose inputs are two files."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/setup.py").write_text("")
    (tmp_path / "scripts/installer.py").write_text("")
    (tmp_path / "input.txt").write_text("one")
    (tmp_path / ".setup").mkdir()
    for module in (setup, installer):
        monkeypatch.setattr(module, "ROOT", tmp_path)
        monkeypatch.setattr(module, "STATE", tmp_path / ".setup")
    return tmp_path


def _set_up(project: Path) -> bool:
    """Sets the part up; whether it was made."""
    made = []

    def make() -> None:
        made.append(1)
        python = project / ".venv-local/bin/python"
        python.parent.mkdir(parents=True, exist_ok=True)
        python.touch()

    setup._part("venv-local", ["input.txt"], make)
    return bool(made)


def test_a_part_is_made_once(project: Path) -> None:
    assert [_set_up(project), _set_up(project)] == [True, False]


def test_a_part_is_made_anew_when_its_inputs_change(project: Path) -> None:
    _set_up(project)
    (project / "input.txt").write_text("two")
    assert _set_up(project)


def test_a_part_that_was_removed_is_made_anew(project: Path) -> None:
    _set_up(project)
    (project / ".venv-local/bin/python").unlink()
    assert _set_up(project)


def test_a_part_that_was_cut_off_is_made_anew(project: Path) -> None:
    def cut_off() -> None:
        (project / ".venv-local/bin").mkdir(parents=True)
        (project / ".venv-local/bin/python").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        setup._part("venv-local", ["input.txt"], cut_off)
    assert _set_up(project)


def test_a_step_that_fails_says_which_and_where_its_output_is(project: Path) -> None:
    with pytest.raises(installer.SetupError, match=r"ended with 3: no such package .*venv\.log"):
        installer.run(".venv", [sys.executable, "-c", "import sys; print('no such package'); sys.exit(3)"])
    assert [path.name for path in (project / ".setup").iterdir()] == ["venv.log"]


def test_a_part_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert setup.main(["deev"]) == 2
    assert capsys.readouterr().err == "set-up failed: 'deev' is no part; expected dev, peers or docs\n"


def test_uv_gets_the_indexes_and_certificates_that_pip_was_given() -> None:
    listed = """:env:.cert='/certs/mine.pem'
global.cert='/certs/all.pem'
global.extra-index-url='https://one.example/simple\\nhttps://two.example/simple'
global.find-links='/wheels /more wheels'
global.index-url='https://global.example/simple'
install.index-url='https://install.example/simple'
download.index-url='https://download.example/simple'
install.trusted-host='one.example'
"""
    settings = parse_pip_settings(listed)
    assert uv_environment(settings, {}) == {
        "SSL_CERT_FILE": "/certs/mine.pem",
        "UV_INDEX": "https://one.example/simple https://two.example/simple",
        "UV_FIND_LINKS": "/wheels,/more,wheels",
        "UV_DEFAULT_INDEX": "https://install.example/simple",
        "UV_INSECURE_HOST": "one.example",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }


def test_what_is_set_for_uv_itself_stays() -> None:
    assert "UV_DEFAULT_INDEX" not in uv_environment({"index-url": "https://pip.example"}, {"UV_DEFAULT_INDEX": "mine"})


@pytest.mark.parametrize("answer", [None, "exit 1"], ids=["no wheel of uv", "uv fails"])
def test_pip_installs_where_uv_cannot(project: Path, answer: str | None) -> None:
    (project / ".venv/bin").mkdir(parents=True)
    _tool(project / ".venv/bin", "python", f'[ "$3" = config ] || echo "$*" >> {project}/asked')
    uv = None
    if answer is not None:
        _tool(project, "uv", answer)
        uv = project / "uv"
    installer.install(".venv", "input.txt", uv)
    assert (project / "asked").read_text() == "-m pip install --quiet --require-hashes -r input.txt\n"


def test_uv_installs_where_there_is_one(project: Path) -> None:
    (project / ".venv/bin").mkdir(parents=True)
    _tool(project / ".venv/bin", "python", f'[ "$3" = config ] || echo "$*" >> {project}/asked')
    _tool(project, "uv", f'echo "$*" >> {project}/asked')
    installer.install(".venv", "input.txt", project / "uv")
    assert "pip install --quiet --python .venv/bin/python --require-hashes" in (project / "asked").read_text()


@pytest.fixture
def without_browsers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH that leads to one empty folder, and a machine without applications."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(chromium, "_MAC", tmp_path / "none")
    monkeypatch.setattr(chromium, "STATE", tmp_path / "state")
    return tmp_path


def test_a_browser_on_the_path_is_taken(without_browsers: Path) -> None:
    _tool(without_browsers, "google-chrome", "exit 0")
    assert chromium.find() == str(without_browsers / "google-chrome")
    _tool(without_browsers, "chromium", "exit 0")
    assert chromium.find() == str(without_browsers / "chromium")
    assert chromium.main() == 0


def test_a_browser_that_is_named_is_taken_before_all_others(
    without_browsers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _tool(without_browsers, "chromium", "exit 0")
    _tool(without_browsers, "mine", "exit 0")
    monkeypatch.setenv("CHROMIUM", str(without_browsers / "mine"))
    assert chromium.find() == str(without_browsers / "mine")
    monkeypatch.setenv("CHROMIUM", str(without_browsers / "nowhere"))
    assert chromium.find() is None


def test_a_missing_browser_is_reported_in_one_line(without_browsers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert chromium.main() == 1
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert "apt-get install chromium" in printed


def test_root_on_debian_gets_the_browser_installed(without_browsers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Told by its last argument: `update` does nothing, `install … chromium` makes a browser.
    browser = without_browsers / "chromium"
    _tool(
        without_browsers,
        "apt-get",
        f'case "$*" in *"install --no-install-recommends chromium"*) :> {browser}; /bin/chmod +x {browser};; esac',
    )
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert chromium.main() == 1
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert chromium.main() == 0
    assert chromium.find() == str(browser)


def test_what_is_installed_is_compiled_but_for_what_is_hardly_imported(tmp_path: Path) -> None:
    folder = tmp_path / "environment"
    for name in ("orders", "aws_cdk"):
        (folder / "lib" / name).mkdir(parents=True)
        (folder / "lib" / name / "module.py").touch()
    (folder / "bin").mkdir()
    (folder / "bin" / "python").symlink_to(sys.executable)
    installer.compile_bytecode(str(folder))
    assert [path.parent.parent.name for path in folder.rglob("*.pyc")] == ["orders"]


def test_the_cdks_packages_are_unpacked_once_for_all_home_directories(tmp_path: Path) -> None:
    environment = bare_environment(tmp_path)
    subprocess.run([sys.executable, "-c", "import constructs"], env=environment, check=True)
    assert list(tmp_path.rglob("*jsii*")) == []
