"""Odd values on the command line and odd answers: each is refused or taken, and never a fault of the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from traced_pipeline_cli.__main__ import main
from traced_pipeline_cli.aws.http import Answer
from traced_pipeline_cli.deployment.inspect_messaging import json_object
from traced_pipeline_cli.diagnosis.worker_logs import error_in
from traced_pipeline_cli.render.json import answer_json

from tests.support import samples

from .fake_aws import FakeAws

Output = pytest.CaptureFixture[str]
TRACE_ID = "1-5759e988-bd862e3fe1be46a994272793"
NO_TEXT = os.fsdecode(b"T\xff")
DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["sned", "S"], "send instead of sned"),
        (["redirve", "S", "--yes"], "redrive instead of redirve"),
        (["send", "S", "--cuont", "3"], "--count instead of --cuont"),
        (["send", "--cuont=3", "S"], "--count instead of --cuont"),
        (["trace", "--lates", "S"], "--latest instead of --lates"),
        (["trace", TRACE_ID, "--svgs", "f"], "--svg instead of --svgs"),
        (["--pofile", "p", "send", "S"], "--profile instead of --pofile"),
    ],
)
def test_a_misspelt_word_is_told_the_nearest_one(arguments: list[str], meant: str, capsys: Output) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err.rstrip().endswith(f"; did you mean {meant}?")


@pytest.mark.parametrize(
    "arguments", [["send", "S", "T"], ["xyzzy"], ["send", "S", "--qqqqqqq"], ["send", "S", "--count", "0"]]
)
def test_nothing_is_suggested_where_nothing_is_near(arguments: list[str], capsys: Output) -> None:
    assert main(arguments) == 2
    assert "did you mean" not in capsys.readouterr().err


def test_a_wrong_option_of_a_command_shows_the_usage_of_that_command(capsys: Output) -> None:
    assert main(["send", "S", "--qqqqqqq"]) == 2
    assert capsys.readouterr().err.startswith("usage: traced-pipeline send ")


def test_the_envelope_names_the_command_and_no_value_that_is_called_like_one(aws: FakeAws, capsys: Output) -> None:
    assert main(["--profile", "send", "verify", "Nope", "--json"]) == 4
    assert json.loads(capsys.readouterr().out)["command"] == "verify"


@pytest.mark.parametrize(
    "arguments",
    [
        ["send", ""],
        ["verify", ""],
        ["trace", "--latest", ""],
        ["send", "S", "--region", ""],
        ["--profile", "", "send", "S"],
        ["send", "S", "--file", ""],
        ["send", "S", "--path", ""],
        ["trace", TRACE_ID, "--svg", ""],
        ["trace", TRACE_ID, "--html", ""],
    ],
)
def test_an_empty_value_is_refused(arguments: list[str], capsys: Output) -> None:
    assert main(arguments) == 2
    assert "it is empty; is a variable of the shell not set?" in capsys.readouterr().err


@pytest.mark.parametrize("value", [NO_TEXT, "a\nb", "\x1b[31m"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["send"],
        ["trace", "--latest"],
        ["send", "S", "--region"],
        ["send", "S", "--path"],
        ["send", "S", "--trace-header"],
    ],
)
def test_what_is_no_text_is_not_sent_to_aws(arguments: list[str], value: str, capsys: Output) -> None:
    assert main([*arguments, value]) == 2
    assert "holds characters that are not printable text" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["send", "S", "--trace-header", "Root=€"], "not ASCII"),
        (["send", "S", "--path", "https://example.com/orders"], "a path of the API is expected, such as /orders"),
        (["trace", "--latest", "S", "--within", "43201"], "at most 43200 is taken"),
        (["verify", "S", "--timeout", "86401"], "at most 86400 is taken"),
        (["send", "S", "--count", "9" * 5000], "at most 1000000 is taken"),
        (["trace", "9" * 5000], "is no trace id; one is"),
        (["trace", TRACE_ID, "--wait", "9" * 400], "at most 86400 is taken"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_in_a_short_line(
    arguments: list[str], reason: str, capsys: Output
) -> None:
    assert main(arguments) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert reason in line
    assert len(line) < 200


def test_a_body_is_posted_as_the_bytes_it_was_said_in(aws: FakeAws) -> None:
    assert main(["send", "TracedPipeline", "--body", os.fsdecode(b'{"a": "\xff"}')]) == 0
    assert aws.posted[0].body == b'{"a": "\xff"}'


def test_a_body_is_posted_in_utf8_whatever_the_encoding_of_the_terminal(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsencode", lambda text: text.encode("latin-1"))
    assert main(["send", "TracedPipeline", "--body", '{"a": "ä"}']) == 0
    assert json.loads(aws.posted[0].body) == {"a": "ä"}


def test_a_url_may_stand_in_the_query_of_a_path(aws: FakeAws) -> None:
    assert main(["send", "TracedPipeline", "--path", "/orders?next=https://example.com/"]) == 0
    assert aws.posted[0].path == "/apis/abc123/prod/orders"


def test_a_path_is_signed_as_it_is_sent(aws: FakeAws) -> None:
    assert main(["send", "TracedPipeline", "--path", "/a b/ä%20?x=1"]) == 0
    assert aws.posted[0].path == "/apis/abc123/prod/a%20b/%C3%A4%20"


@pytest.mark.parametrize("command", ["send TracedPipeline --file -", "redrive TracedPipeline"])
def test_a_closed_standard_input_is_no_fault(aws: FakeAws, command: str) -> None:
    script = f"exec {sys.executable} -m traced_pipeline_cli {command} <&-"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, timeout=60, check=False)
    assert done.returncode not in (0, 70)
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("option", ["--svg", "--html"])
@pytest.mark.parametrize("file", [".", "..", "/"])
def test_a_folder_is_no_file_to_write(aws: FakeAws, capsys: Output, option: str, file: str) -> None:
    aws.add(samples.bridged())
    assert main(["trace", samples.bridged()["Id"], option, file]) == 5
    assert f"The file {file} cannot be written" in capsys.readouterr().err


def test_a_file_may_have_the_longest_name_there_is(aws: FakeAws, tmp_path: Path) -> None:
    aws.add(samples.bridged())
    file = tmp_path / f"{'a' * 251}.svg"
    assert main(["trace", samples.bridged()["Id"], "--svg", str(file)]) == 0
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def answered(body: str) -> Any:
    return answer_json(Answer(status=200, headers={}, body=body, trace_id=None, seconds=0.1))["body"]


@pytest.mark.parametrize("body", [DEEP, "NaN", '{"a": Infinity}', "no JSON"])
def test_an_answer_that_is_no_json_is_text(body: str) -> None:
    assert answered(body) == body


def test_what_others_wrote_may_be_nested_however_deep() -> None:
    assert json_object(DEEP) == {}
    assert error_in(DEEP) is None


def test_json_has_no_numbers_that_json_has_not(aws: FakeAws, capsys: Output) -> None:
    trace = samples.bridged()
    document = json.loads(trace["Segments"][0]["Document"])
    trace["Segments"][0]["Document"] = json.dumps(document | {"odd": 0})[:-2] + "1e999}"
    aws.add(trace)
    assert main(["trace", trace["Id"], "--json"]) == 0

    def refused(constant: str) -> None:
        raise AssertionError(constant)

    json.loads(capsys.readouterr().out, parse_constant=refused)


@pytest.mark.parametrize("arguments", [["--help"], ["send", "--help"], ["--version"]])
def test_help_that_cannot_be_written_is_status_5(arguments: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "traced_pipeline_cli", *arguments],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr.count(b"\n")) == (5, 1)


def test_a_reader_that_has_gone_away_does_not_change_the_answer(aws: FakeAws) -> None:
    aws.status = 400
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "traced_pipeline_cli", "send", "TracedPipeline"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=writing,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (["--count", "3"], "--latest"),
        (["--within", "3"], "--latest"),
        (["--api", "ApiUrl"], "--latest"),
        (["--no-logs"], "--html"),
        (["--no-logs", "--svg", "f"], "--html"),
    ],
)
def test_an_option_without_effect_is_refused(aws: FakeAws, capsys: Output, arguments: list[str], needed: str) -> None:
    assert main(["trace", TRACE_ID, *arguments, "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["message"] == f"argument {arguments[0]}: only allowed with argument {needed}"
