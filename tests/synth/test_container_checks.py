"""What is refused and warned of in workers in containers."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, BootstraplessSynthesizer, Duration, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from traced_pipeline import Check, ContainerWorker, ContainerWorkerOptions, PipelineError, TracedPipeline, TracedTopic

from tests.support.case_ids import case_id
from tests.support.stacks import NewStack
from tests.support.templates import refusal, warnings, warnings_of

IMAGE = ecs.ContainerImage.from_registry("registry.example.com/audit:1")


class TestIsRefused:
    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({"min_capacity": 3, "max_capacity": 2}, "min_capacity is 3, but must be at most max_capacity, which is 2"),
            ({"stop_timeout": Duration.seconds(121)}, "stop_timeout is 121 s, but must be from 2 to 120 s"),
            ({"sidecar_image": IMAGE}, "sidecar_image is given, but there is no sidecar"),
            ({"image": "no/such/folder"}, "image folder 'no/such/folder' does not exist"),
            ({"image": "handlers/orders"}, "image folder 'handlers/orders' holds no Dockerfile"),
            ({"image": "."}, "image folder '.' is the working directory of the app"),
            (
                {"image": "handlers/orders/app.py"},
                "image 'handlers/orders/app.py' is a file; give the folder that holds",
            ),
            ({"environment": {"LEVEL=debug": ""}}, "environment has a variable 'LEVEL=debug', but a name is not empty"),
            ({"image": None}, "a container worker needs an image"),
            ({"table_actions": ["dynamodb:PutItem"]}, "the worker has no table"),
            ({"backlog_per_task": 0}, "backlog_per_task is 0, but must be at least 1"),
            ({"cpu": 300}, "cpu is 300, but Fargate takes 256, 512, 1024, 2048, 4096, 8192 or 16384; see https"),
            (
                {"cpu": 256, "memory_limit_mib": 4096},
                "cpu 256, which Fargate does not have together; give memory_limit_mib=512, 1024 or 2048, or cpu=512",
            ),
            (
                {"cpu": 8192, "memory_limit_mib": 17_408},
                "give memory_limit_mib=16384 to 61440 in steps of 4096, or cpu=4096; see",
            ),
            ({"cpu": 512, "memory_limit_mib": 500}, "give memory_limit_mib=1024, 2048, 3072 or 4096; see"),
            ({"min_capacity": -1}, "min_capacity is -1, but must be at least 0"),
        ],
        ids=case_id,
    )
    def test_what_cannot_work(
        self, new_stack: NewStack, elsewhere: Path, options: dict[str, Any], expected: str
    ) -> None:
        pipeline = TracedPipeline(new_stack(), "Orders")
        said = refusal(
            lambda: pipeline.add_container_worker("Audit", ContainerWorkerOptions(**{"image": IMAGE} | options))
        )
        assert re.search(re.escape(expected), said), said
        assert "(at Shop/Orders/Audit)" in said

    @pytest.mark.parametrize(("cpu", "memory"), [(16_384, 122_880), (32_768, 249_856), (65_536, 1)])
    def test_not_what_fargate_has_or_may_have_by_now(self, new_stack: NewStack, cpu: int, memory: int) -> None:
        options = ContainerWorkerOptions(image=IMAGE, cpu=cpu, memory_limit_mib=memory)
        worker = TracedPipeline(new_stack(), "Orders").add_container_worker("Audit", options)
        assert (worker.task_definition.cpu, worker.task_definition.memory_mib) == (cpu, memory)

    def test_a_vpc_beside_a_cluster(self, new_stack: NewStack) -> None:
        stack = new_stack()
        cluster = ecs.Cluster(stack, "Mine")
        options = ContainerWorkerOptions(image=IMAGE, cluster=cluster, vpc=cluster.vpc)
        topic = TracedTopic(stack, "Topic").topic
        assert "vpc given for a cluster that is made elsewhere" in refusal(
            lambda: ContainerWorker(stack, "Audit", topic=topic, options=options)
        )

    def test_a_cluster_whose_vpc_is_not_known(self, new_stack: NewStack) -> None:
        stack = new_stack(env=Environment(account="111111111111", region="eu-west-1"))
        arn = "arn:aws:ecs:eu-west-1:111111111111:cluster/mine"
        options = ContainerWorkerOptions(image=IMAGE, cluster=ecs.Cluster.from_cluster_arn(stack, "Mine", arn))
        topic = TracedTopic(stack, "Topic").topic
        with pytest.raises(PipelineError, match=r"its VPC is not known; import it by ecs.Cluster.from_cluster_attrib"):
            ContainerWorker(stack, "Audit", topic=topic, options=options)

    def test_subnets_that_the_vpc_does_not_have(self, new_stack: NewStack) -> None:
        subnets = ec2.SubnetSelection(subnet_group_name="Backend")
        options = ContainerWorkerOptions(image=IMAGE, vpc_subnets=subnets)
        pipeline = TracedPipeline(new_stack(), "Orders")
        with pytest.raises(PipelineError, match=r"chooses no subnets of Shop/Orders/Vpc: .*'Backend'") as caught:
            pipeline.add_container_worker("Audit", options)
        assert caught.value.check is Check.OPTION_CONFLICT

    def test_a_cluster_of_another_region(self, new_stack: NewStack) -> None:
        stack = new_stack(env=Environment(account="111111111111", region="eu-west-1"))
        arn = "arn:aws:ecs:us-east-1:111111111111:cluster/mine"
        options = ContainerWorkerOptions(image=IMAGE, cluster=ecs.Cluster.from_cluster_arn(stack, "Mine", arn))
        topic = TracedTopic(stack, "Topic").topic
        with pytest.raises(PipelineError, match="a service runs in its cluster's Region only") as caught:
            ContainerWorker(stack, "Audit", topic=topic, options=options)
        assert caught.value.check is Check.OUT_OF_REACH

    def test_a_folder_in_a_stack_without_assets(self, new_app: Callable[..., App], elsewhere: Path) -> None:
        (elsewhere / "Dockerfile").touch()
        stack = Stack(new_app(), "Bare", synthesizer=BootstraplessSynthesizer())
        options = ContainerWorkerOptions(image=elsewhere)
        with pytest.raises(PipelineError, match="is an asset") as caught:
            ContainerWorker(stack, "Audit", topic=TracedTopic(stack, "Topic").topic, options=options)
        assert caught.value.check is Check.NO_ASSETS


@pytest.mark.parametrize(
    ("options", "check", "expected"),
    [
        ({"longest_message": Duration.minutes(5)}, Check.STOP_TIMEOUT_BELOW_MESSAGE, "kills a task 120 s after"),
        ({"stop_timeout": Duration.seconds(10)}, Check.STOP_TIMEOUT_BELOW_MESSAGE, "kills a task 10 s after"),
        (
            {"longest_message": Duration.seconds(60), "visibility_timeout": Duration.seconds(59)},
            Check.VISIBILITY_BELOW_MESSAGE,
            "visibility_timeout is 59 s, but a message may take 60 s",
        ),
    ],
)
def test_what_may_be_worked_on_twice_is_warned_of(
    new_stack: NewStack, options: dict[str, Any], check: Check, expected: str
) -> None:
    stack = new_stack()
    TracedPipeline(stack, "Orders").add_container_worker("Audit", ContainerWorkerOptions(image=IMAGE, **options))
    (said,) = warnings(stack)
    assert check.value in said
    assert expected in said


class TestTasksWithoutAPath:
    """Tasks in a VPC from which X-Ray may be out of reach."""

    PUBLIC = ec2.SubnetConfiguration(name="Public", subnet_type=ec2.SubnetType.PUBLIC)
    ISOLATED = ec2.SubnetConfiguration(name="Isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)

    @pytest.mark.parametrize(
        ("subnets", "public_addresses", "said"),
        [
            ([PUBLIC], False, "container runs in public subnets without a public address of Shop/Vpc"),
            ([PUBLIC], True, ""),
            ([PUBLIC, ISOLATED], False, "container runs in isolated subnets of Shop/Vpc"),
            ([PUBLIC, ISOLATED], True, ""),
        ],
        ids=["public", "with addresses", "isolated", "public beside isolated"],
    )
    @pytest.mark.parametrize("endpoint", [True, False])
    def test_are_warned_of(
        self,
        new_stack: NewStack,
        subnets: list[ec2.SubnetConfiguration],
        public_addresses: bool,
        said: str,
        endpoint: bool,
    ) -> None:
        stack = new_stack()
        vpc = ec2.Vpc(stack, "Vpc", nat_gateways=0, subnet_configuration=subnets)
        if endpoint:
            vpc.add_interface_endpoint("XRay", service=ec2.InterfaceVpcEndpointAwsService.XRAY)
        options = ContainerWorkerOptions(image=IMAGE, vpc=vpc, assign_public_ip=public_addresses)
        TracedPipeline(stack, "Orders").add_container_worker("Audit", options)
        found = warnings_of(stack, Check.VPC_WITHOUT_XRAY)
        assert len(found) == (1 if said and not endpoint else 0)
        assert all(said in warning for warning in found)
