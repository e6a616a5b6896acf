"""The account's API reads, answered from a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

ACCOUNT = "111122223333"
EVERYTHING = dict.fromkeys(("ServiceName", "ServiceType", "Host", "HTTPMethod", "URLPath", "ResourceARN"), "*")


@dataclass
class Session:
    """Clients that answer from a table of operations; one that is not in it is denied."""

    answers: dict[str, Any]
    region_name: str = "eu-west-1"

    def client(self, service: str) -> Client:
        return Client(answers=self.answers)


@dataclass
class Client:
    answers: dict[str, Any]

    @property
    def meta(self) -> Client:
        return self

    @property
    def region_name(self) -> str:
        return "eu-west-1"

    def get_paginator(self, operation: str) -> Pages:
        return Pages(call=getattr(self, operation))

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**arguments: object) -> Any:
            answer = self.answers.get(operation, "AccessDeniedException")
            if isinstance(answer, Exception):
                raise answer
            if isinstance(answer, str):
                name = "".join(word.capitalize() for word in operation.split("_"))
                raise ClientError({"Error": {"Code": answer, "Message": "not authorized"}}, name)
            return answer

        return call


@dataclass
class Pages:
    call: Callable[..., Any]

    def paginate(self) -> Any:
        return self.call()


def rule(name: str, **fields: object) -> dict[str, Any]:
    return {"SamplingRule": {"RuleName": name, **EVERYTHING, **fields}}


FRESH: dict[str, Any] = {
    "get_caller_identity": {"Arn": f"arn:aws:iam::{ACCOUNT}:user/me"},
    "list_resource_policies": [{"ResourcePolicies": []}],
    "get_account": {},
    "get_trace_segment_destination": {"Destination": "XRay", "Status": "ACTIVE"},
    "get_role": "NoSuchEntity",
    "get_sampling_rules": [{"SamplingRuleRecords": [rule("Default")]}],
}
