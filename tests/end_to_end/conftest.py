"""Pipelines deployed on the local AWS by the real CDK CLI: the reference app in three modes, and the examples."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from traced_pipeline_cli.aws.http import Answer, send
from traced_pipeline_cli.aws.stack import Pipeline, find_pipeline

from harness.cdk import Cdk
from harness.local_aws import LocalAws


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A deployed pipeline and the clients to look at it with."""

    pipeline: Pipeline
    session: boto3.Session
    ca_bundle: str
    endpoint: str
    environment: Mapping[str, str]
    folder: Path
    """Where the run's files are."""

    def template(self) -> dict[str, Any]:
        """The stack's template, as the CDK synthesized it."""
        written = self.folder / "app.out" / f"{self.pipeline.stack}.template.json"
        template: dict[str, Any] = json.loads(written.read_text(encoding="utf-8"))
        return template

    def client(self, service: str) -> Any:
        return self.session.client(service, endpoint_url=self.endpoint, verify=self.ca_bundle)  # type: ignore[call-overload]

    def post(
        self, body: object, *, signed: bool = True, content_type: str = "application/json", trace: str | None = None
    ) -> Answer:
        assert self.pipeline.api_url is not None
        return send(
            url=self.pipeline.api_url,
            body=body if isinstance(body, bytes) else json.dumps(body).encode(),
            credentials=self.session.get_credentials() if signed else None,
            region="us-east-1",
            content_type=content_type,
            trace_header=trace,
            verify=self.ca_bundle,
        )

    def documents(self, trace_id: str) -> list[dict[str, Any]]:
        """The segment documents of a trace, as X-Ray answers them."""
        traces = self.client("xray").batch_get_traces(TraceIds=[trace_id])["Traces"]
        return [json.loads(segment["Document"]) for trace in traces for segment in trace["Segments"]]

    def item(self, item_id: str) -> dict[str, Any] | None:
        found = self.client("dynamodb").get_item(
            TableName=self.pipeline.table, Key={"id": {"S": item_id}}, ConsistentRead=True
        )
        return found.get("Item")  # type: ignore[no-any-return]


@dataclass(frozen=True, kw_only=True)
class Examples:
    """The deployed examples, and the cloud assembly they were deployed from."""

    aws: LocalAws
    assembly: Path

    def __call__(self, stack: str) -> Deployed:
        """The pipeline of a stack."""
        return _found(self.aws, stack)


def _deployed(aws: LocalAws, bridge: str) -> Deployed:
    cdk = Cdk(aws)
    cdk.bootstrap()
    cdk.deploy(context={"sampling": "all", "bridge": bridge})
    return _found(aws, "TracedPipeline")


def _found(aws: LocalAws, stack: str) -> Deployed:
    facts = aws.facts
    session = boto3.Session(
        aws_access_key_id=facts.access_key_id,
        aws_secret_access_key=facts.secret_access_key,
        region_name=facts.region,
    )
    endpoint, bundle = facts.endpoint, facts.ca_bundle
    pipeline = find_pipeline(
        session.client("cloudformation", endpoint_url=endpoint, verify=bundle),
        session.client("apigateway", endpoint_url=endpoint, verify=bundle),
        stack,
    )
    return Deployed(
        pipeline=pipeline,
        session=session,
        ca_bundle=facts.ca_bundle,
        endpoint=facts.endpoint,
        environment=aws.environment,
        folder=aws.folder,
    )


@pytest.fixture(scope="session")
def bridged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with LocalAws(tmp_path_factory.mktemp("bridged")) as aws:
        yield _deployed(aws, "on")


@pytest.fixture(scope="session")
def unbridged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with LocalAws(tmp_path_factory.mktemp("unbridged")) as aws:
        yield _deployed(aws, "off")


@pytest.fixture(scope="session")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with LocalAws(tmp_path_factory.mktemp("linked")) as aws:
        yield _deployed(aws, "linked")


@pytest.fixture(scope="session")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Examples]:
    """All the examples, deployed as one app."""
    with LocalAws(tmp_path_factory.mktemp("examples")) as aws:
        cdk = Cdk(aws)
        cdk.bootstrap()
        cdk.deploy(app="python3 -m examples", name="examples")
        yield Examples(aws=aws, assembly=aws.folder / "examples.out")
