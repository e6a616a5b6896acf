"""The rules of segment documents: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html."""

import json
import re
from typing import Any

_ID = re.compile(r"[0-9a-f]{16}")
_TRACE_ID = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
_NAME = re.compile(r"[\w\s_.:/%&#=+\\\-@]{1,200}")
_KEY = re.compile(r"[A-Za-z0-9_]{1,500}")


def validate(document: dict[str, Any]) -> None:
    """Fails unless X-Ray would take the document as it is sent."""
    assert len(json.dumps(document).encode()) <= 65_477 * 1.2
    assert len(json.dumps(document, separators=(",", ":")).encode()) <= 64_000
    assert _TRACE_ID.fullmatch(document["trace_id"])
    if document.get("type") == "subsegment":
        assert _ID.fullmatch(document["parent_id"])
    else:
        assert document["origin"] in ("AWS::Lambda::Function", "AWS::ECS::Container", "AWS::EC2::Instance")
    seen: set[str] = set()
    _entity(document, seen)


def _entity(entity: dict[str, Any], seen: set[str]) -> None:
    assert _NAME.fullmatch(entity["name"])
    assert _ID.fullmatch(entity["id"])
    assert entity["id"] not in seen
    seen.add(entity["id"])
    if "parent_id" in entity:
        assert _ID.fullmatch(entity["parent_id"])
    assert isinstance(entity["start_time"], float)
    assert ("end_time" in entity) != bool(entity.get("in_progress"))
    if "end_time" in entity:
        assert entity["end_time"] >= entity["start_time"]
    for flag in ("fault", "error", "throttle", "in_progress"):
        assert isinstance(entity.get(flag, False), bool)
    assert entity.get("namespace", "local") in ("local", "aws", "remote")
    assert len(entity.get("annotations", {})) <= 50
    for key, value in entity.get("annotations", {}).items():
        assert _KEY.fullmatch(key)
        assert isinstance(value, str | int | float)
        assert len(str(value)) <= 1000
    for group in entity.get("metadata", {}).values():
        assert isinstance(group, dict)
    _cause(entity.get("cause"))
    for nested in entity.get("subsegments", []):
        _entity(nested, seen)


def _cause(cause: Any) -> None:
    if cause is None:
        return
    if isinstance(cause, str):
        assert _ID.fullmatch(cause)
        return
    assert cause["working_directory"]
    for exception in cause["exceptions"]:
        assert _ID.fullmatch(exception["id"])
        for frame in exception.get("stack", []):
            assert set(frame) == {"path", "line", "label"}
