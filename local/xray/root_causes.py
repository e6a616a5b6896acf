"""Root causes of a trace: where its faults and errors began, and what took its time.

Source: X-Ray API Reference, "FaultRootCause", "ErrorRootCause", "ResponseTimeRootCause" and their parts; X-Ray
Developer Guide, "Getting data from X-Ray", "Retrieving and refining root cause analytics" (a published response time
root cause: the path from the root, each entity with its fraction of the root's time).

Assumed: a fault or error begins where nothing below failed in the same way; it impacts the client where everything on
the path to it failed as well. The path of the response time follows the longest part, as long as that takes more than
half of what contains it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from local.xray.calls import account_of, key_of, services
from local.xray.document_tree import Document

Mark = Literal["fault", "error"]

_MESSAGING = ("AWS::SQS::Queue", "AWS::SNS", "AWS::Events")
_MAIN_PART = 0.5


@dataclass(frozen=True, kw_only=True)
class _Step:
    """One segment or subsegment on a path, and the segment it lies in."""

    entity: Document
    segment: Document


_Path = tuple[_Step, ...]


class RootCauses:
    """The root causes of one trace.

    Args:
        segments: The trace's segments.
        root: The one the client called.
    """

    def __init__(self, segments: Sequence[Document], root: Document) -> None:
        self._root = root
        self._called: dict[str, list[Document]] = {}
        brokers = {segment["parent_id"] for segment in segments if segment.get("inferred") and _is_broker(segment)}
        for segment in services(segments):
            parent = segment.get("parent_id", "")
            # Nobody waits for a message's consumer, and no failure of it reaches who sent the message.
            if segment is not root and (segment.get("inferred") or parent not in brokers):
                self._called.setdefault(parent, []).append(segment)

    def of(self, mark: Mark) -> list[dict[str, Any]]:
        """Returns the `FaultRootCauses` or `ErrorRootCauses` of a summary."""
        before = self._before()
        failed = [step for step, _ in before.values() if step.entity.get(mark)]
        first = [step for step in failed if not any(part.entity.get(mark) for part in self._parts(step))]
        paths = [_path(step, before) for step in first]
        return [
            {
                "Services": _services(path, lambda step: {"Exceptions": _exceptions(step.entity)}),
                "ClientImpacting": all(step.entity.get(mark) for step in path),
            }
            for path in paths
        ]

    def of_response_time(self) -> list[dict[str, Any]]:
        """Returns the `ResponseTimeRootCauses` of a summary; one at most."""
        whole = _seconds(self._root)
        if whole <= 0:
            return []
        path = [_Step(entity=self._root, segment=self._root)]
        seen = {self._root["id"]}
        while parts := [step for step in self._parts(path[-1]) if step.entity["id"] not in seen]:
            longest = max(parts, key=lambda step: _seconds(step.entity))
            if _seconds(longest.entity) <= _MAIN_PART * _seconds(path[-1].entity):
                break
            seen.add(longest.entity["id"])
            path.append(longest)
        services = _services(tuple(path), lambda step: {"Coverage": round(_seconds(step.entity) / whole, 3)})
        return [{"Services": services, "ClientImpacting": True}]

    def _before(self) -> dict[str, tuple[_Step, str | None]]:
        """Returns everything the root called, with the id of what it was called by; parents first."""
        root = _Step(entity=self._root, segment=self._root)
        steps: dict[str, tuple[_Step, str | None]] = {self._root["id"]: (root, None)}
        pending = [root]
        while pending:
            step = pending.pop()
            new = [part for part in self._parts(step) if part.entity["id"] not in steps]
            steps.update({part.entity["id"]: (part, step.entity["id"]) for part in new})
            pending.extend(reversed(new))
        return steps

    def _parts(self, step: _Step) -> list[_Step]:
        within = [_Step(entity=part, segment=step.segment) for part in step.entity.get("subsegments") or []]
        called = [_Step(entity=segment, segment=segment) for segment in self._called.get(step.entity["id"], [])]
        return [*within, *called]


def _path(last: _Step, before: dict[str, tuple[_Step, str | None]]) -> _Path:
    path = [last]
    while (parent := before[path[-1].entity["id"]][1]) is not None:
        path.append(before[parent][0])
    return tuple(reversed(path))


def _services(path: _Path, more: Any) -> list[dict[str, Any]]:
    services: list[dict[str, Any]] = []
    segment: Document | None = None
    for step in path:
        if step.segment is not segment:
            segment = step.segment
            key, account = key_of(segment), account_of(segment)
            services.append(
                {
                    "Name": key.name,
                    "Names": [key.name],
                    **({"Type": key.type} if key.type else {}),
                    **({"AccountId": account} if account else {}),
                    "EntityPath": [],
                    "Inferred": bool(segment.get("inferred")),
                }
            )
        name = services[-1]["Name"] if step.entity is segment else str(step.entity["name"])
        remote = step.entity.get("namespace") in ("aws", "remote")
        services[-1]["EntityPath"].append({"Name": name, **more(step), "Remote": remote})
    return services


def _exceptions(entity: Document) -> list[dict[str, str]]:
    cause = entity.get("cause")
    exceptions = cause.get("exceptions") or [] if isinstance(cause, dict) else []
    return [
        {"Name": str(exception.get("type", "")), "Message": str(exception.get("message", ""))}
        for exception in exceptions
    ]


def _is_broker(segment: Document) -> bool:
    return segment.get("origin") in _MESSAGING


def _seconds(entity: Document) -> float:
    start = float(entity["start_time"])
    return max(0.0, float(entity.get("end_time", start)) - start)
