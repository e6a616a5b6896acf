"""Reads the account's tracing settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..aws.read_errors import Reads
from ..aws.transaction_search import segment_destination
from ..traces.model import JsonObject
from .inspect_messaging import json_object
from .model import SamplingRule, XRaySettings

if TYPE_CHECKING:
    from types_boto3_xray import XRayClient


def read_xray_settings(reads: Reads, client: XRayClient) -> XRaySettings:
    """Resource policies, sampling rules and the segments' destination."""
    return XRaySettings(
        policies=reads.read("X-Ray's resource policies", lambda: _policies(client)),
        rules=reads.read("X-Ray's sampling rules", lambda: _rules(client)),
        destination=reads.read("the destination of X-Ray's segments", lambda: segment_destination(client)),
    )


def _policies(client: XRayClient) -> tuple[JsonObject, ...]:
    pages = client.get_paginator("list_resource_policies").paginate()
    documents = [policy.get("PolicyDocument") for page in pages for policy in page.get("ResourcePolicies", [])]
    return tuple(json_object(document) for document in documents)


def _rules(client: XRayClient) -> tuple[SamplingRule, ...]:
    pages = client.get_paginator("get_sampling_rules").paginate()
    rules = [record.get("SamplingRule", {}) for page in pages for record in page.get("SamplingRuleRecords", [])]
    return tuple(
        SamplingRule(
            name=rule.get("RuleName", ""),
            priority=rule.get("Priority", 10_000),
            rate=rule.get("FixedRate", 0.0),
            reservoir=rule.get("ReservoirSize", 0),
            service=rule.get("ServiceName", "*"),
            service_type=rule.get("ServiceType", "*"),
        )
        for rule in rules
    )
