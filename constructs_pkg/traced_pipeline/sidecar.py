"""What sends the traces of a task, in a container beside the worker's."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aws_cdk import aws_ecs as ecs

from . import bridge_environment
from .container_options import ContainerWorkerOptions, Sidecar

_PORT = 2000
# Containers of a Fargate task share the loopback interface.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-networking.html
_ADDRESS = f"127.0.0.1:{_PORT}"
_OTLP_GRPC, _OTLP_HTTP = "127.0.0.1:4317", "127.0.0.1:4318"

# https://docs.aws.amazon.com/xray/latest/devguide/xray-daemon-ecs.html
_DAEMON_CPU, _DAEMON_MEMORY_MIB = 32, 256

# https://aws-otel.github.io/docs/setup/ecs/config-through-ssm
_COLLECTOR_CONFIG = "AOT_CONFIG_CONTENT"
_CONFIG = {
    "receivers": {
        # https://aws-otel.github.io/docs/components/x-ray-receiver
        "awsxray": {"endpoint": _ADDRESS, "transport": "udp"},
        "otlp": {"protocols": {"grpc": {"endpoint": _OTLP_GRPC}, "http": {"endpoint": _OTLP_HTTP}}},
    },
    "processors": {"batch/traces": {"timeout": "1s", "send_batch_size": 50}},
    "exporters": {"awsxray": {}},
    "service": {
        "pipelines": {
            "traces": {"receivers": ["otlp", "awsxray"], "processors": ["batch/traces"], "exporters": ["awsxray"]}
        }
    },
}

_IMAGES: Mapping[Sidecar, str] = {
    # https://docs.aws.amazon.com/xray/latest/devguide/xray-daemon.html
    "xray-daemon": "public.ecr.aws/xray/aws-xray-daemon:latest",
    # https://aws-otel.github.io/docs/setup/ecs
    "adot-collector": "public.ecr.aws/aws-observability/aws-otel-collector:latest",
}


def sidecar_variables(sidecar: Sidecar) -> dict[str, str]:
    """Returns the variables by which the worker's container finds a sidecar."""
    if sidecar == "none":
        return {}
    variables = {bridge_environment.XRAY_DAEMON_ADDRESS: _ADDRESS}
    if sidecar == "adot-collector":
        # https://opentelemetry.io/docs/specs/otel/protocol/exporter
        variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://{_OTLP_HTTP}"
        variables["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf"
    return variables


def add_sidecar(
    worker: ecs.ContainerDefinition, options: ContainerWorkerOptions, logging: ecs.LogDriver
) -> ecs.ContainerDefinition | None:
    """Adds the sidecar to a worker's task; None where there is none.

    It starts before the worker and stops after it, and its end stops no task: messages go on without their traces.

    Args:
        worker: The worker's container.
        options: The worker's settings.
        logging: Where it logs.
    """
    if options.sidecar == "none":
        return None
    collects = options.sidecar == "adot-collector"
    sidecar = worker.task_definition.add_container(
        "Sidecar",
        image=options.sidecar_image or ecs.ContainerImage.from_registry(_IMAGES[options.sidecar]),
        essential=False,
        cpu=_DAEMON_CPU,
        memory_reservation_mib=_DAEMON_MEMORY_MIB,
        environment={_COLLECTOR_CONFIG: json.dumps(_CONFIG)} if collects else None,
        logging=logging,
    )
    worker.add_container_dependencies(
        ecs.ContainerDependency(container=sidecar, condition=ecs.ContainerDependencyCondition.START)
    )
    return sidecar
