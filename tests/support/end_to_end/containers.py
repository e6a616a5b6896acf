"""Container workers on the local AWS: their queues deployed, their tasks run as processes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from aws_cdk import App, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_sns as sns
from traced_pipeline import ContainerWorker, ContainerWorkerOptions, TopicOptions, TracedTopic

from harness.local_aws import ROOT, LocalAws
from tests.support.account import Account
from tests.support.templates import synthesize
from tests.support.waiting import wait_for

STACK = "Containers"
ENGINES = ("xray", "otel")
# The rest of the template runs the program, which is done here by hand.
_DEPLOYED = ("AWS::SNS::", "AWS::SQS::", "AWS::DynamoDB::", "AWS::IAM::")


@dataclass(frozen=True, kw_only=True)
class Workers:
    """The deployed workers, one for each engine: what their tasks have in their environment."""

    account: Account
    topic: str
    tasks: Mapping[str, Mapping[str, str]]
    """The environment of an engine's task, as the task definition has it."""
    keys: Mapping[str, Mapping[str, str]]
    """Keys that may do what the task's role may do."""
    environment: Mapping[str, str]
    """That of processes which talk to the local AWS."""

    def publish(self, engine: str, order: Mapping[str, object], header: str) -> None:
        """Publishes a message for one worker, as a traced publisher does."""
        self.account.client("sns", header=header).publish(
            TopicArn=self.topic,
            Message=json.dumps(order),
            MessageAttributes={"engine": {"DataType": "String", "StringValue": engine}},
        )

    def items(self, engine: str) -> set[str]:
        """The ids of what was put into the worker's table."""
        scanned = self.account.client("dynamodb").scan(TableName=self.tasks[engine]["TABLE_NAME"], ConsistentRead=True)
        return {item["id"]["S"] for item in scanned["Items"]}

    def left(self, engine: str) -> int:
        """How many messages are in the worker's queue, hidden ones too."""
        names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible")]
        answer = self.account.client("sqs").get_queue_attributes(
            QueueUrl=self.tasks[engine]["QUEUE_URL"], AttributeNames=names
        )
        return sum(int(answer["Attributes"][name]) for name in names)


def deploy(aws: LocalAws, outdir: Path) -> Workers:
    """Deploys the workers' queues, tables and roles; reads what their tasks get."""
    stack = _stack(outdir)
    template = synthesize(stack).template
    tasks = {engine: _variables(template, engine.capitalize()) for engine in ENGINES}
    resources = {key: r for key, r in template["Resources"].items() if r["Type"].startswith(_DEPLOYED)}
    roles = {engine: _name(resources, "AWS::IAM::Role", f"{engine.capitalize()}TaskRole") for engine in ENGINES}
    _remove_other_roles(resources, set(roles.values()))
    values = {f"{engine}{name.replace('_', '0')}": v for engine, task in tasks.items() for name, v in task.items()}
    values |= {f"{engine}Role": {"Ref": role} for engine, role in roles.items()}
    values["Topic"] = {"Ref": _name(resources, "AWS::SNS::Topic", "")}
    account = Account(facts=aws.facts)
    outputs = account.deploy(
        STACK, {"Resources": resources, "Outputs": {name: {"Value": value} for name, value in values.items()}}
    )
    return Workers(
        account=account,
        topic=outputs["Topic"],
        tasks={
            engine: {name: outputs[f"{engine}{name.replace('_', '0')}"] for name in task}
            for engine, task in tasks.items()
        },
        keys={engine: _keys(account, engine, outputs[f"{engine}Role"]) for engine in ENGINES},
        environment=aws.environment,
    )


class Tasks:
    """The running tasks of a worker; what still runs is killed at the end of the block.

    Args:
        workers: The deployed workers.
        engine: The worker's engine.
        folder: Where tasks are held, and where their output goes.
    """

    def __init__(self, workers: Workers, engine: str, folder: Path) -> None:
        self._workers = workers
        self._engine = engine
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
            process.wait()

    def start(self, *, messages_a_call: int = 10) -> subprocess.Popen[bytes]:
        """Starts a task: the program, with the variables of its container and those that ECS sets."""
        environment = {
            **self._workers.environment,
            **self._workers.tasks[self._engine],
            **self._workers.keys[self._engine],
            "ECS_CONTAINER_METADATA_URI_V4": "http://169.254.170.2/v4/0123",
            "PYTHONPATH": str(ROOT / "runtime"),
            "HELD_IN": str(self._folder),
            "MESSAGES_A_CALL": str(messages_a_call),
        }
        with (self._folder / f"task-{len(self._processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.end_to_end.container_app"],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._processes.append(process)
        return process

    def begun(self, count: int) -> set[str]:
        """Waits until so many held messages are begun; returns their ids."""
        wait_for(lambda: len(self._begun()) >= count or self._ended(), what=f"{count} messages under way")
        return self._begun()

    def release(self) -> None:
        """Lets held messages go on."""
        (self._folder / "released").touch()

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """Asks a task to stop, as ECS does."""
        process.send_signal(signal.SIGTERM)

    def _begun(self) -> set[str]:
        return {file.stem for file in self._folder.glob("*.begun")}

    def _ended(self) -> bool:
        for number, process in enumerate(self._processes):
            log = (self._folder / f"task-{number}.log").read_text(encoding="utf-8", errors="replace")
            assert process.poll() in (None, -signal.SIGKILL), log
        return False


def _stack(outdir: Path) -> Stack:
    stack = Stack(App(outdir=str(outdir)), STACK)
    # The reference pipeline beside it has the account's permission for SNS.
    topic = TracedTopic(stack, "Orders", options=TopicOptions(trace_permission="none")).topic
    for engine in ENGINES:
        name = engine.capitalize()
        key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        options = ContainerWorkerOptions(
            image=ecs.ContainerImage.from_registry("registry.example.com/audit:1"),
            environment={"TRACE_BRIDGE_ENGINE": engine},
            filter_policy={"engine": sns.SubscriptionFilter.string_filter(allowlist=[engine])},
            table=dynamodb.Table(stack, f"{name}Audited", partition_key=key),
            table_actions=["dynamodb:PutItem"],
        )
        ContainerWorker(stack, name, topic=topic, options=options)
    return stack


def _variables(template: Mapping[str, Any], worker: str) -> dict[str, Any]:
    definitions = [
        resource["Properties"]["ContainerDefinitions"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::ECS::TaskDefinition" and name.startswith(f"{worker}Task")
    ]
    ((container,),) = definitions
    return {entry["Name"]: entry["Value"] for entry in container["Environment"]}


def _name(resources: Mapping[str, Any], kind: str, start: str) -> str:
    (name,) = [key for key, resource in resources.items() if resource["Type"] == kind and key.startswith(start)]
    return name


def _remove_other_roles(resources: dict[str, Any], kept: set[str]) -> None:
    for key, resource in list(resources.items()):
        if resource["Type"] == "AWS::IAM::Role" and key not in kept:
            del resources[key]
        if resource["Type"] == "AWS::IAM::Policy" and resource["Properties"]["Roles"][0]["Ref"] not in kept:
            del resources[key]


def _keys(account: Account, name: str, role: str) -> dict[str, str]:
    """Keys of a user who has the policies of a role: nobody but ECS may assume the role itself."""
    iam = account.client("iam")
    user = f"{STACK}-{name}"
    iam.create_user(UserName=user)
    policies: Sequence[str] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    for policy in policies:
        document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        iam.put_user_policy(UserName=user, PolicyName=policy, PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
