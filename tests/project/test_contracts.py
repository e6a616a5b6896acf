"""What packages agree on without importing each other: a copy that differs is found."""

from pathlib import Path

import pytest

from harness.local_aws import ROOT
from scripts.contracts import COPY_NAME, ORIGINAL, copies, differing_copies

COPY = Path("constructs_pkg/shop") / COPY_NAME


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for path, text in {
        ORIGINAL: 'ENABLED = "TRACE_BRIDGE_ENABLED"\nNAME = "TRACE_BRIDGE_NAME"\nOFF_WORDS = ("0", "off")\n',
        COPY: 'ENABLED = "TRACE_BRIDGE_ENABLED"\nOFF_WORDS = ("0", "off")\n',
    }.items():
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def test_the_copies_in_this_checkout_are_equal() -> None:
    assert Path("constructs_pkg/traced_pipeline") / COPY_NAME in copies(ROOT)
    assert list(differing_copies(ROOT)) == []


def test_a_copy_that_has_less_is_fine(checkout: Path) -> None:
    assert copies(checkout) == [COPY]
    assert list(differing_copies(checkout)) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            'ENABLED = "TRACE_BRIDGE_ON"',
            f"{COPY}: ENABLED is 'TRACE_BRIDGE_ON', but 'TRACE_BRIDGE_ENABLED' in {ORIGINAL}; make them equal",
        ),
        (
            'OFF_WORDS = ("0", "off", "no")',
            f"{COPY}: OFF_WORDS is ('0', 'off', 'no'), but ('0', 'off') in {ORIGINAL}; make them equal",
        ),
        (
            'SWITCH: str = "TRACE_BRIDGE_ENABLED"',
            f"{COPY}: SWITCH is no constant of {ORIGINAL}; add it there, or rename it",
        ),
    ],
    ids=["a variable", "the words", "a name"],
)
def test_a_copy_that_differs_is_found(checkout: Path, text: str, problem: str) -> None:
    (checkout / COPY).write_text(text)
    assert list(differing_copies(checkout)) == [problem]


def test_a_constant_that_is_no_literal_is_refused(checkout: Path) -> None:
    (checkout / COPY).write_text('\nENABLED = "TRACE_BRIDGE" + "_ENABLED"')
    with pytest.raises(SystemExit, match=f"{COPY}:2: ENABLED is no literal"):
        list(differing_copies(checkout))


def test_a_table_of_other_constants_is_compared(checkout: Path) -> None:
    lines = (checkout / ORIGINAL).read_text()
    (checkout / ORIGINAL).write_text(f"{lines}WORDS = {{NAME: OFF_WORDS}}\n")
    (checkout / COPY).write_text(f"{lines}WORDS = {{ENABLED: OFF_WORDS}}\n")
    [problem] = differing_copies(checkout)
    assert problem.startswith(f"{COPY}: WORDS is {{'TRACE_BRIDGE_ENABLED': ('0', 'off')}}, but ")


@pytest.mark.parametrize("module", [ORIGINAL, COPY], ids=["the bridge", "another package"])
def test_a_variable_written_out_elsewhere_in_a_package_is_found(checkout: Path, module: Path) -> None:
    function = module.parent / "function.py"
    (checkout / function).write_text('"""Sets TRACE_BRIDGE_NAME."""\nvariables = {"TRACE_BRIDGE_NAME": "orders"}\n')
    assert list(differing_copies(checkout)) == [
        f"{function}:2: 'TRACE_BRIDGE_NAME' is written out; take NAME of {module}"
    ]
