"""A deployed pipeline, and the clients to read it with."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.credentials import Credentials
from traced_pipeline_cli.aws.http import Answer, send
from traced_pipeline_cli.aws.stack import Pipeline, find_pipeline

from harness.local_aws import LocalAws
from tests.support.account import Account


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A deployed pipeline."""

    pipeline: Pipeline
    account: Account
    environment: Mapping[str, str]
    """That of child processes which talk to the local AWS."""
    assembly: Path
    """The cloud assembly it was deployed from."""
    _clients: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def template(self) -> dict[str, Any]:
        """The stack's template, as the CDK synthesized it."""
        written = self.assembly / f"{self.pipeline.stack}.template.json"
        template: dict[str, Any] = json.loads(written.read_text(encoding="utf-8"))
        return template

    def client(self, service: str) -> Any:
        """The one client of a service: to make one takes longer than most calls."""
        if service not in self._clients:
            self._clients[service] = self.account.client(service)
        return self._clients[service]

    def post(
        self, body: object, *, signed: bool = True, content_type: str = "application/json", trace: str | None = None
    ) -> Answer:
        assert self.pipeline.api_url is not None
        facts = self.account.facts
        return send(
            url=self.pipeline.api_url,
            body=body if isinstance(body, bytes) else json.dumps(body).encode(),
            credentials=Credentials(facts.access_key_id, facts.secret_access_key) if signed else None,
            region=facts.region,
            content_type=content_type,
            trace_header=trace,
            verify=facts.ca_bundle,
        )

    def documents(self, trace_id: str) -> list[dict[str, Any]]:
        """The segment documents of a trace, as X-Ray returns them."""
        return self.account.documents(trace_id)

    def item(self, item_id: str) -> dict[str, Any] | None:
        answer = self.client("dynamodb").get_item(
            TableName=self.pipeline.table, Key={"id": {"S": item_id}}, ConsistentRead=True
        )
        return answer.get("Item")  # type: ignore[no-any-return]


@dataclass(frozen=True, kw_only=True)
class Examples:
    """The deployed examples, and the cloud assembly they were deployed from."""

    aws: LocalAws
    assembly: Path

    def __call__(self, stack: str) -> Deployed:
        """The pipeline of a stack."""
        return deployed(self.aws, stack, assembly=self.assembly)


def deployed(aws: LocalAws, stack: str, *, assembly: Path) -> Deployed:
    """The pipeline of a stack on a local AWS."""
    account = Account(facts=aws.facts)
    pipeline = find_pipeline(account.client("cloudformation"), account.client("apigateway"), stack)
    return Deployed(pipeline=pipeline, account=account, environment=aws.environment, assembly=assembly)
