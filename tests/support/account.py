"""The account of a local AWS, as tests use it: clients, requests to its APIs, traces and stacks."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
import urllib3
from botocore.config import Config

from harness.facts import LocalFacts
from tests.support.waiting import wait_for

_STACK_SECONDS = 120.0


@dataclass(frozen=True, kw_only=True)
class Account:
    """The account, and where its local AWS is."""

    facts: LocalFacts

    def client(self, service: str, *, header: str | None = None, **credentials: str) -> Any:
        """A client, by default of the account's administrator and without a tracing header of its own."""
        keys = {
            "aws_access_key_id": self.facts.access_key_id,
            "aws_secret_access_key": self.facts.secret_access_key,
            **credentials,
        }
        client = boto3.client(
            service,  # type: ignore[call-overload]
            region_name=self.facts.region,
            endpoint_url=self.facts.endpoint,
            verify=self.facts.ca_bundle,
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
            **keys,
        )
        if header:
            client.meta.events.register("before-call", lambda params, **_: _set_header(params, header))
        return client

    def post(self, path: str, body: str = "{}", **headers: str) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Posts to an API, unsigned: status, body and headers of the answer.

        Args:
            path: `<api id>/<stage>/<path>`.
            body: JSON.
            headers: By their names, with underscores for hyphens.
        """
        url = f"{self.facts.endpoint}/_aws/execute-api/{path}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with urllib3.PoolManager(ca_certs=self.facts.ca_bundle) as pool:
            answer = pool.request("POST", url, body=body, headers={"content-type": "application/json", **named})
        return answer.status, json.loads(answer.data or b"null"), dict(answer.headers)

    def documents(self, trace_id: str) -> list[dict[str, Any]]:
        """The segment documents of a trace, as X-Ray returns them."""
        traces = self._xray.batch_get_traces(TraceIds=[trace_id])["Traces"]
        return [json.loads(segment["Document"]) for trace in traces for segment in trace["Segments"]]

    @cached_property
    def _xray(self) -> Any:
        return self.client("xray")

    def deploy(self, name: str, template: dict[str, Any]) -> dict[str, str]:
        """Creates a stack, and returns its outputs.

        Raises:
            RuntimeError: The stack failed; the message has every resource's reason.
        """
        stacks = self.client("cloudformation")
        body = json.dumps(template)
        stacks.create_stack(StackName=name, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])
        stack = wait_for(lambda: _settled(stacks, name), what=f"the stack {name}", seconds=_STACK_SECONDS)
        if stack["StackStatus"] != "CREATE_COMPLETE":
            events = stacks.describe_stack_events(StackName=name)["StackEvents"]
            failed = [event["ResourceStatusReason"] for event in events if event["ResourceStatus"] == "CREATE_FAILED"]
            raise RuntimeError("; ".join(failed))
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def delete(self, name: str) -> None:
        """Deletes a stack, and waits until it is gone."""
        stacks = self.client("cloudformation")
        stack_id = stacks.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
        stacks.delete_stack(StackName=name)
        wait_for(lambda: _settled(stacks, stack_id), what=f"the end of the stack {name}", seconds=_STACK_SECONDS)


def _set_header(params: dict[str, Any], header: str) -> None:
    params["headers"]["X-Amzn-Trace-Id"] = header


def _settled(stacks: Any, name: str) -> Any:
    stack = stacks.describe_stacks(StackName=name)["Stacks"][0]
    return None if stack["StackStatus"].endswith("_IN_PROGRESS") else stack
