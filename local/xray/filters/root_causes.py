"""What `rootcause` in a filter expression reads: the services, entities or exceptions of a trace's root causes.

Source: X-Ray Developer Guide, "Use filter expressions": `rootcause.fault.service { … }`, `rootcause.responsetime.entity
{ … }`, `rootcause.error.exception { … }`, whose keywords tell an element of an enumerated list, and `rootcause.json =
#[{ … }]`; "Getting data from X-Ray": "For every field present in the JSON, any candidate match must be exact", and
removed fields are wildcards.
"""

import re
from collections.abc import Mapping
from typing import Any

from local.xray.filters.comparisons import Kind
from local.xray.filters.tokens import Value
from local.xray.summaries import Summary

Item = Mapping[str, Value]
"""One service, entity or exception, by keyword."""

CAUSE = re.compile(r"rootcause\.(fault|error|responsetime)\.(service|entity|exception)", re.IGNORECASE)
JSON = "rootcause.json"
_FIELDS = {"fault": "FaultRootCauses", "error": "ErrorRootCauses", "responsetime": "ResponseTimeRootCauses"}

FLAGS = ("first", "last", "remote", "inferred")
"""The boolean keywords of an item."""

KINDS: dict[str, Kind] = {
    "index": "number",
    "coverage": "number",
    "name": "text",
    "type": "text",
    "message": "text",
    "account.id": "text",
}
"""The other keywords of an item, and what each holds."""


def lists(summary: Summary, kind: str, part: str) -> list[list[Item]]:
    """Returns the items of each root cause of a kind, in their order."""
    return [
        [
            {**item, "index": float(index), "first": index == 0, "last": index == len(items) - 1}
            for index, item in enumerate(items)
        ]
        for cause in summary.root_causes[_FIELDS[kind.lower()]]
        if (items := _items(cause, part.lower()))
    ]


def matches(summary: Summary, wanted: Any) -> bool:
    """Tells whether each of the causes asked for is one of the trace's."""
    causes = [cause for causes in summary.root_causes.values() for cause in causes]
    return isinstance(wanted, list) and all(any(_fits(cause, asked) for cause in causes) for asked in wanted)


def _items(cause: Mapping[str, Any], part: str) -> list[Item]:
    if part == "service":
        return [
            {
                "name": service["Name"],
                "type": service.get("Type", ""),
                "account.id": service.get("AccountId", ""),
                "inferred": service["Inferred"],
            }
            for service in cause["Services"]
        ]
    entities = [entity for service in cause["Services"] for entity in service["EntityPath"]]
    if part == "entity":
        return [
            {
                "name": entity["Name"],
                "remote": entity["Remote"],
                **({"coverage": entity["Coverage"]} if "Coverage" in entity else {}),
            }
            for entity in entities
        ]
    return [
        {"name": exception["Name"], "message": exception["Message"]}
        for entity in entities
        for exception in entity.get("Exceptions", [])
    ]


def _fits(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(value, dict) and all(
            key in value and _fits(value[key], inner) for key, inner in wanted.items() if inner is not None
        )
    if isinstance(wanted, list):
        return isinstance(value, list) and len(value) == len(wanted) and all(map(_fits, value, wanted))
    return bool(value == wanted)
