from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from traced_pipeline_cli.__main__ import main

from tests.support import samples

from .fake_aws import FakeAws

Output = pytest.CaptureFixture[str]


def run(*arguments: str) -> int:
    return main(list(arguments))


def result(capsys: Output) -> Any:
    """What the command printed as JSON came to."""
    return json.loads(capsys.readouterr().out)["result"]


def test_send_signs_and_posts(aws: FakeAws, capsys: Output) -> None:
    assert run("send", "TracedPipeline", "--body", '{"customer": "Zoë", "amount": 3}') == 0
    [posted] = aws.posted
    assert posted.path == "/apis/abc123/prod/orders"
    assert json.loads(posted.body) == {"customer": "Zoë", "amount": 3}
    assert posted.headers["Content-Type"] == "application/json"
    assert "/us-east-1/execute-api/aws4_request" in posted.headers["Authorization"]
    assert "X-Amzn-Trace-Id" not in posted.headers
    out = capsys.readouterr().out
    assert out.startswith(f"202  1-{int(samples.EPOCH):08x}-000000000000000000000001")
    assert "order-1" in out


def test_send_repeats_and_speaks_json(aws: FakeAws, capsys: Output) -> None:
    assert run("send", "TracedPipeline", "--count", "3", "--json") == 0
    answers = result(capsys)["answers"]
    assert len(aws.posted) == len(answers) == 3
    assert len({answer["trace_id"] for answer in answers}) == 3
    assert answers[0]["status"] == 202
    assert answers[0]["body"]["id"] == "order-1"


def test_send_chooses_the_trace_header(aws: FakeAws) -> None:
    assert run("send", "TracedPipeline", "--count", "2", "--sampled") == 0
    assert run("send", "TracedPipeline", "--trace-header", "Root=1-5759e988-bd862e3fe1be46a994272793") == 0
    first, second, third = (posted.headers["X-Amzn-Trace-Id"] for posted in aws.posted)
    assert first != second
    assert first.endswith(";Sampled=1")
    assert third == "Root=1-5759e988-bd862e3fe1be46a994272793"


def test_send_posts_a_files_bytes_as_they_are(aws: FakeAws, tmp_path: Path) -> None:
    file = tmp_path / "body"
    file.write_bytes(b"no json \xff")
    assert run("send", "TracedPipeline", "--file", str(file)) == 0
    assert aws.posted[0].body == b"no json \xff"


def test_a_refused_request_is_status_1(aws: FakeAws, capsys: Output) -> None:
    aws.status = 400
    assert run("send", "TracedPipeline") == 1
    assert "400" in capsys.readouterr().out


def test_send_finds_the_api_by_the_output_that_leads_to_its_stage(aws: FakeAws, capsys: Output) -> None:
    aws.outputs = {"OrdersApiEndpoint4F160690": f"{aws.api_url}/"}
    assert run("send", "TracedPipeline") == 0
    assert aws.posted[0].path == "/apis/abc123/prod/orders"
    aws.posted_paths = ["/orders", "/returns"]
    assert run("send", "TracedPipeline") == 3
    assert "it has /orders, /returns. Name one with --path." in capsys.readouterr().err
    assert run("send", "TracedPipeline", "--path", "/returns") == 0
    assert aws.posted[1].path == "/apis/abc123/prod/returns"


def test_nested_stacks_are_followed(aws: FakeAws) -> None:
    one, two = (f"arn:aws:cloudformation:us-east-1:123456789012:stack/nested-{number}/1" for number in (1, 2))
    aws.outputs = {"OrdersApiEndpoint4F160690": f"{aws.api_url}/"}
    aws.nested = {one: {"AWS::CloudFormation::Stack": two}, two: aws.resources}
    aws.resources = {"AWS::CloudFormation::Stack": one}
    assert run("send", "TracedPipeline") == 0
    assert aws.posted[0].path == "/apis/abc123/prod/orders"


def test_a_local_aws_whose_stack_does_not_say_where_the_api_is_gets_no_request(aws: FakeAws, capsys: Output) -> None:
    aws.outputs = {"Docs": "https://example.com/prod/"}
    assert run("send", "TracedPipeline") == 3
    said = capsys.readouterr().err
    assert "Add an output ApiUrl with the URL to post to" in said
    assert 'CfnOutput(stack, "ApiUrl", value=orders.url)' in said
    assert aws.posted == []


def test_send_takes_the_url_of_the_output_as_it_is_and_replaces_the_path_below_the_stage(aws: FakeAws) -> None:
    assert run("send", "TracedPipeline") == 0
    assert run("send", "TracedPipeline", "--path", "/returns") == 0
    assert [posted.path for posted in aws.posted] == [
        "/apis/abc123/prod/orders",
        "/apis/abc123/prod/returns",
    ]


def test_trace_shows_map_and_waterfall(aws: FakeAws, capsys: Output) -> None:
    answer = samples.bridged()
    aws.add(answer)
    assert run("trace", answer["Id"]) == 0
    out = capsys.readouterr().out
    assert "1 trace, 1 cluster, 6 nodes" in out
    assert "connected, 6 nodes · ends in the table" in out
    assert "waiting in the queue" in out
    assert max(map(len, out.splitlines())) <= 80
    assert "\x1b" not in out


def test_trace_speaks_json_and_loses_nothing(aws: FakeAws, capsys: Output) -> None:
    answer = samples.bridged()
    aws.add(answer)
    assert run("trace", answer["Id"], "--json") == 0
    found = result(capsys)
    assert [node["name"] for node in found["nodes"]] == samples.PATH
    names = {node["id"]: node["name"] for node in found["nodes"]}
    chain = [(names[edge["source"]], names[edge["target"]]) for edge in found["edges"]]
    assert chain == list(zip(samples.PATH, samples.PATH[1:], strict=False))
    assert len(found["clusters"]) == 1
    [trace] = found["traces"]
    assert trace["connected"]
    assert trace["ends_in_table"]
    assert trace["queue_seconds"] == pytest.approx(0.285, abs=1e-5)
    sent = [json.loads(segment["Document"]) for segment in answer["Segments"]]
    assert sorted(trace["documents"], key=lambda d: d["id"]) == sorted(sent, key=lambda d: d["id"])
    assert len(found["nodes"][1]["circles"]) == 2


def test_trace_fetches_linked_traces(aws: FakeAws, capsys: Output) -> None:
    first, second = samples.unbridged(linked=True)
    aws.add(first, second)
    assert run("trace", first["Id"], "--json") == 0
    found = result(capsys)
    assert found["summary"] == "2 traces, 2 clusters, 6 nodes"
    assert found["links"][0]["trace_ids"] == [[first["Id"], second["Id"]]]
    assert run("trace", first["Id"], "--json", "--no-links") == 0
    assert len(result(capsys)["traces"]) == 1


def test_trace_of_the_latest(aws: FakeAws, capsys: Output) -> None:
    answers = [samples.bridged(number) for number in (1, 2, 3)]
    aws.add(*answers)
    assert run("trace", "--latest", "TracedPipeline", "--count", "2", "--json") == 0
    ids = [trace["id"] for trace in result(capsys)["traces"]]
    assert ids == [answers[1]["Id"], answers[2]["Id"]]
    assert aws.filters == ['service("Orders/prod")']


def test_trace_writes_the_picture(aws: FakeAws, tmp_path: Path, capsys: Output) -> None:
    answer = samples.bridged()
    aws.add(answer)
    target = tmp_path / "new" / "map.svg"
    assert run("trace", answer["Id"], "--svg", str(target)) == 0
    assert str(target) in capsys.readouterr().out
    assert ET.fromstring(target.read_text(encoding="utf-8")).tag.endswith("svg")


def test_trace_waits(aws: FakeAws, capsys: Output) -> None:
    answer = samples.bridged()
    aws.on_ask = lambda times: aws.add(answer) if times > 1 else None
    assert run("trace", answer["Id"], "--wait", "20") == 0
    assert "1 cluster" in capsys.readouterr().out


def test_further_fields_are_named_and_shown(aws: FakeAws, capsys: Output) -> None:
    answer = samples.Answer(1)
    answer.segment("s", "AWS::Lambda", 0, 1, brand_new={"field": "value-of-it"})
    aws.add(answer.json())
    assert run("trace", answer.trace_id) == 0
    assert "Further fields, shown by --details: brand_new" in capsys.readouterr().out
    assert run("trace", answer.trace_id, "--details") == 0
    assert "value-of-it" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text",
    [
        "1-5759e988-bd862e3fe1be46a994272793",
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
        "5759e988bd862e3fe1be46a994272793",
    ],
)
def test_trace_ids_come_in_every_form(aws: FakeAws, text: str) -> None:
    assert run("trace", text) == 3
    assert aws.asked == [["1-5759e988-bd862e3fe1be46a994272793"]]


def test_errors_are_one_line_and_have_a_status(aws: FakeAws, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    trace_id = "1-5759e988-bd862e3fe1be46a994272793"

    def says(status: int, text: str, *arguments: str) -> None:
        assert run(*arguments) == status
        err = capsys.readouterr().err
        assert text in err
        assert err.startswith("traced-pipeline: ")
        assert err.count("\n") == 1

    says(3, f"X-Ray knows nothing of the trace {trace_id}", "trace", trace_id)
    says(3, "There is no stack 'Nope' in the region us-east-1", "send", "Nope")
    says(3, "X-Ray has no trace of Orders/prod", "trace", "--latest", "TracedPipeline")
    says(3, f"nothing of the traces {trace_id}, {trace_id[:-1]}4. It shows", "trace", trace_id, f"{trace_id[:-1]}4")
    aws.denied = {"BatchGetTraces", "DescribeStacks"}
    says(4, "Access denied: these credentials need the permission xray:BatchGetTraces", "trace", trace_id)
    says(4, "need the permission cloudformation:DescribeStacks", "send", "TracedPipeline")
    says(4, "profile (nobody) could not be found", "trace", "--profile", "nobody", trace_id)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    says(4, "There are no complete AWS credentials", "trace", trace_id)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    says(4, "AWS could not be reached", "trace", trace_id)
    monkeypatch.delenv("AWS_REGION")
    says(4, "No AWS region is configured", "trace", trace_id)


@pytest.mark.parametrize(
    "arguments",
    [[], ["trace"], ["trace", "1-x"], ["send"], ["send", "S", "--count", "0"], ["send", "S", "--count", "x"]],
)
def test_a_wrong_command_line_is_status_2(arguments: list[str], capsys: Output) -> None:
    assert main(arguments) == 2
    usage, _, error = capsys.readouterr().err.rstrip("\n").rpartition("\n")
    assert usage.startswith("usage: traced-pipeline")
    assert error.startswith("traced-pipeline: ")


def test_it_runs_as_a_module_without_node_or_the_cdk() -> None:
    script = (
        "import sys, traced_pipeline_cli.__main__ as cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "loaded = {name.split('.')[0] for name in sys.modules}\n"
        "print(sorted(loaded & {'aws_cdk', 'jsii', 'constructs', 'traced_pipeline'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "", "PYTHONPATH": ":".join(sys.path)},
    )
    assert "exit status:" in done.stdout
    assert done.stdout.strip().endswith("[]")
    module = [sys.executable, "-m", "traced_pipeline_cli", "--help"]
    shown = subprocess.run(
        module, capture_output=True, text=True, check=True, env={"PATH": "", "PYTHONPATH": ":".join(sys.path)}
    )
    assert "traced-pipeline" in shown.stdout


def test_documented_fields_get_no_hint(aws: FakeAws, capsys: Output) -> None:
    answer = samples.Answer(1)
    answer.segment("s", "AWS::Lambda", 0, 1, user="ann", service={"version": "3"})
    aws.add(answer.json())
    assert run("trace", answer.trace_id) == 0
    assert "Further fields" not in capsys.readouterr().out


def test_it_says_which_package_is_missing() -> None:
    script = (
        "import sys; sys.modules['rich'] = None\n"
        "from traced_pipeline_cli.__main__ import main\n"
        "sys.exit(main(['--help']))"
    )
    environment = {"PATH": "", "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)
    assert done.returncode == 2
    assert "pip install traced-pipeline-cli" in done.stderr
    assert "Traceback" not in done.stderr


def test_trace_tells_the_exceptions_of_failed_spans_once(aws: FakeAws, capsys: Output) -> None:
    answer = samples.Answer(1)
    [delivery] = samples.to_the_queue(answer)
    worker = samples.bridged_worker(answer, delivery, fault=True)
    reference = worker["cause"]["exceptions"][0]["id"]
    worker["subsegments"].append(answer.span("price", 0.42, 0.43, fault=True, cause=reference))
    aws.add(answer.json())
    assert run("trace", answer.trace_id) == 0
    assert capsys.readouterr().out.count("OrdersWorkerFunction failed: ValueError: no <customer>") == 1


def test_trace_of_the_latest_lists_the_ids_of_those_it_does_not_draw(aws: FakeAws, capsys: Output) -> None:
    answers = [samples.bridged(number) for number in range(1, 6)]
    aws.add(*answers)
    assert run("trace", "--latest", "TracedPipeline", "--count", "5") == 0
    out = capsys.readouterr().out
    assert "The other 2 traces" in out
    listed = [line.split()[0] for line in out.splitlines() if line.startswith("1-")]
    assert listed == [answers[1]["Id"], answers[0]["Id"]]


def test_verify_posts_nothing_where_it_may_not_read_traces(aws: FakeAws, capsys: Output) -> None:
    aws.denied = {"BatchGetTraces"}
    assert run("verify", "TracedPipeline") == 4
    assert "need the permission xray:BatchGetTraces" in capsys.readouterr().err
    assert aws.posted == []
