"""docs/containers.md and examples/container: what they say of a task is what the construct makes."""

from __future__ import annotations

import json
import logging
import os
import re
import runpy
from typing import Any

import botocore.session
import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_ecs as ecs
from botocore.validate import ParamValidator
from traced_pipeline import ContainerWorkerOptions, TracedPipeline
from traced_pipeline.saved_queries import lines_of_trace

from scripts.pages import ROOT, between, put_between
from tests.support.templates import Synthesized, synthesize

PAGE = ROOT / "docs" / "containers.md"
FOLDER = ROOT / "examples" / "container"
TASK: dict[str, Any] = json.loads((FOLDER / "task-definition.json").read_text(encoding="utf-8"))
POLICY: dict[str, Any] = json.loads((FOLDER / "task-policy.json").read_text(encoding="utf-8"))
(CONTAINER,) = TASK["containerDefinitions"]


@pytest.fixture(scope="module")
def template() -> Synthesized:
    """The worker of the page: a table it puts items into, everything else by default."""
    stack = Stack(App(), "Shop")
    orders = TracedPipeline(stack, "Orders")
    image = ecs.ContainerImage.from_registry("audit:1")
    options = ContainerWorkerOptions(image=image, table=orders.table, table_actions=["dynamodb:PutItem"])
    orders.add_container_worker("Audit", options)
    return synthesize(stack)


@pytest.fixture(scope="module")
def made(template: Synthesized) -> dict[str, Any]:
    """The container of the construct's task."""
    definition: dict[str, Any] = template.one("AWS::ECS::TaskDefinition")["ContainerDefinitions"][0]
    return definition


def test_the_program_on_the_page_is_the_one_that_is_run() -> None:
    """To take over a change, set UPDATE_SNAPSHOTS=1."""
    program = f"```python\n{(FOLDER / 'app.py').read_text(encoding='utf-8')}```\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        put_between(PAGE, "examples/container/app.py", program)
    assert between(PAGE, "examples/container/app.py") == program


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the program defines, without being run."""
    monkeypatch.setenv("TABLE_NAME", "audited-orders")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    return runpy.run_path(str(FOLDER / "app.py"))


def test_the_saved_queries_find_the_lines_of_the_program(program: dict[str, Any]) -> None:
    trace_id = "1-5759e988-bd862e3fe1be46a994270b02"
    failure = (KeyError, KeyError("id"), None)
    record = logging.makeLogRecord(
        {
            "name": "trace_bridge",
            "levelname": "ERROR",
            "msg": "message %s failed",
            "args": ("m-1",),
            "exc_info": failure,
        }
    )
    # As the bridge adds them.
    vars(record).update(message_id="m-1", xray_trace_id=trace_id)
    line = program["JsonLines"]().format(record)
    (pattern,) = re.findall(r"like /(.*)/", lines_of_trace(trace_id))
    assert re.search(pattern, line)
    fields = json.loads(line)
    assert "\n" not in line
    assert {name: fields[name] for name in ("level", "message", "message_id", "errorType", "errorMessage")} == {
        "level": "ERROR",
        "message": "message m-1 failed",
        "message_id": "m-1",
        "errorType": "KeyError",
        "errorMessage": "'id'",
    }
    assert "KeyError" in fields["stackTrace"]
    plain = json.loads(program["JsonLines"]().format(logging.makeLogRecord({"msg": "begun", "levelname": "INFO"})))
    assert plain.keys() == {"level", "logger", "message"}


def test_the_task_definition_is_one_that_ecs_takes() -> None:
    service = botocore.session.get_session().get_service_model("ecs")
    shape = service.operation_model("RegisterTaskDefinition").input_shape
    assert shape is not None
    assert ParamValidator().validate(TASK, shape).generate_report() == ""


def test_the_task_definition_has_the_variables_of_the_construct(made: dict[str, Any]) -> None:
    variables = {entry["Name"] for entry in made["Environment"]}
    assert {entry["name"] for entry in CONTAINER["environment"]} == variables


def test_the_task_definition_is_as_large_and_stops_as_the_constructs(
    template: Synthesized, made: dict[str, Any]
) -> None:
    task = template.one("AWS::ECS::TaskDefinition")
    assert (TASK["cpu"], TASK["memory"], TASK["networkMode"]) == (task["Cpu"], task["Memory"], task["NetworkMode"])
    assert TASK["requiresCompatibilities"] == task["RequiresCompatibilities"]
    platform = {key[0].lower() + key[1:]: value for key, value in task["RuntimePlatform"].items()}
    assert TASK["runtimePlatform"] == platform
    assert (CONTAINER["name"], CONTAINER["stopTimeout"]) == (made["Name"], made["StopTimeout"])


def test_the_policy_allows_what_the_construct_allows(template: Synthesized) -> None:
    statements = POLICY["Statement"]
    actions = {a for s in statements for a in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])}
    assert actions == template.actions("AuditTaskRole")
    assert [s["Resource"] for s in statements if s["Resource"] == "*"] == ["*"]


def test_systemd_gives_the_program_the_same(made: dict[str, Any]) -> None:
    (unit,) = re.findall(r"```ini\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    given = set(re.findall(r"([A-Z_]+)=", " ".join(re.findall(r"^Environment=(.*)$", unit, re.MULTILINE))))
    # OpenTelemetry's own name of a service is read where there are spans.
    assert given == {entry["Name"] for entry in made["Environment"]} - {"OTEL_SERVICE_NAME"}
    assert re.search(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)[1] == str(made["StopTimeout"])  # type: ignore[index]


def test_the_image_starts_the_program_without_a_shell() -> None:
    lines = (FOLDER / "Dockerfile").read_text(encoding="utf-8").splitlines()
    (command,) = [line.removeprefix("CMD ") for line in lines if line.startswith("CMD ")]
    assert json.loads(command) == ["python", "app.py"]
    copied = {line.split()[1] for line in lines if line.startswith("COPY ")}
    assert copied == {"trace_bridge-*.whl", "app.py"}
    assert (FOLDER / "app.py").is_file()


def test_a_folder_with_that_image_is_taken_by_the_construct() -> None:
    stack = Stack(App(), "Shop")
    options = ContainerWorkerOptions(image=FOLDER, longest_message=Duration.seconds(30))
    TracedPipeline(stack, "Orders").add_container_worker("Audit", options)
    (image,) = [c["Image"] for c in synthesize(stack).one("AWS::ECS::TaskDefinition")["ContainerDefinitions"]]
    assert "container-assets" in json.dumps(image)
