"""A message as objects of the X-Ray SDK: they take whatever a handler does with them, at any time."""

from typing import Any

from aws_xray_sdk.core.models.dummy_entities import DummySubsegment
from aws_xray_sdk.core.models.entity import Entity
from aws_xray_sdk.core.models.facade_segment import FacadeSegment
from aws_xray_sdk.core.models.segment import Segment
from aws_xray_sdk.core.models.subsegment import Subsegment
from aws_xray_sdk.core.models.trace_header import TraceHeader as SdkTraceHeader

from ._own_subsegment import OwnSubsegment, name_as_taken
from ._segment import MessageSegment

_WRITTEN_BY_THE_BRIDGE = frozenset(
    {"id", "name", "trace_id", "parent_id", "start_time", "end_time", "in_progress", "type"}
)


class _Describing:
    """An entity whose exceptions are described even where the working directory is gone."""

    cause: Any

    def add_exception(self, exception: BaseException, stack: Any, remote: bool = False) -> None:
        try:
            super().add_exception(exception, stack, remote)  # type: ignore[misc] # the entity's
        except OSError:
            self.cause["working_directory"] = ""


class SdkSegment(_Describing, Segment):
    """The segment of a message as the SDK's own object.

    The bridge sends it, whole and once; the SDK must not stream parts of it to a daemon that may not be there. It stays
    open for work that outlasts its message.
    """

    def __init__(self, message: MessageSegment) -> None:
        super().__init__(
            name=message.invocation.name,
            entityid=message.id or None,
            traceid=message.trace_id,
            parent_id=message.parent_id,
            sampled=message.sampled,
        )
        self._message = message
        self.start_time = message.start_time or self.start_time
        lineage = message.invocation.lineage
        self.save_origin_trace_header(SdkTraceHeader(data={"Lineage": lineage} if lineage else None))

    @property
    def message(self) -> MessageSegment:
        """The message this is the segment of."""
        return self._message

    def get_total_subsegments_size(self) -> int:
        """Returns 0: the SDK streams nothing out."""
        return 0

    def ready_to_send(self) -> bool:
        """Returns False: the bridge sends the segment at the end of the message."""
        return False

    def close(self, end_time: float | None = None) -> None:
        """Does nothing: the message ends when its handler returns."""

    def to_dict(self) -> dict[str, Any]:
        """Returns the fields that the SDK knows."""
        fields: dict[str, Any] = super().to_dict()
        del fields["_message"]
        for nested in fields.get("subsegments", ()):
            _tidy(nested, self._message.end_time)
        return fields

    def merge_into(self, document: dict[str, Any]) -> None:
        """Adds what was put on the SDK's object to the document of the message."""
        for key, value in self.to_dict().items():
            if key in _WRITTEN_BY_THE_BRIDGE:
                continue
            present = document.get(key)
            if isinstance(present, dict) and isinstance(value, dict):
                document[key] = _merged(present, value)
            elif isinstance(present, list) and isinstance(value, list):
                document[key] = present + value
            else:
                document[key] = value


class MessageSubsegment(_Describing, Subsegment):
    """A subsegment below a message's segment."""


class PatientSubsegment(MessageSubsegment):
    """The same where the SDK by itself has nothing to write to, and so never says that something has ended."""

    def _check_ended(self) -> None:
        pass

    def close(self, end_time: float | None = None) -> None:
        if self.in_progress:
            super().close(end_time)


class SdkOwnSubsegment(MessageSubsegment):
    """A subsegment of the bridge's as the SDK's own object; what is below one is below the other.

    It ends when the bridge's does.
    """

    def __init__(self, own: OwnSubsegment, message: MessageSegment) -> None:
        super().__init__(name_as_taken(own.name), "local", sdk_segment(message))
        self.id = own.id
        self.start_time = own.start_time
        self.subsegments = own.subsegments  # type: ignore[assignment] # of both kinds
        self._own_message = message

    def close(self, end_time: float | None = None) -> None:
        """Does nothing: the subsegment ends when the block it stands for is left."""

    def _check_ended(self) -> None:
        pass

    def end_with(self, end_time: float) -> None:
        """Ends it."""
        self.end_time = end_time
        self.in_progress = False

    def merge_into(self, document: dict[str, Any]) -> None:
        """Adds what was put on the SDK's object to the document of the subsegment."""
        for nested in document.get("subsegments", ()):
            _tidy(nested, self._own_message.end_time)
        below, self.subsegments = self.subsegments, []  # those are in the document already
        try:
            fields = self.to_dict()
        finally:
            self.subsegments = below
        for key in ("annotations", "metadata", "http", "aws", "sql"):
            if fields.get(key):
                document[key] = _merged(document.get(key, {}), fields[key])
        for key in ("cause", "error", "fault", "throttle"):
            if fields.get(key):
                document[key] = fields[key]


class TakingFacade(FacadeSegment):
    """Lambda's own segment, which takes what is put on it and drops it: X-Ray lets nobody change that segment.

    Args:
        facade: The SDK's object, whose state this has too.
    """

    def __init__(self, facade: FacadeSegment) -> None:
        self.__dict__ = facade.__dict__

    def _drop(self, *_: Any, **__: Any) -> None:
        pass

    close = put_http_meta = put_annotation = put_metadata = set_aws = set_user = add_exception = _drop
    add_throttle_flag = add_fault_flag = add_error_flag = apply_status_code = _drop


class NoSubsegment(DummySubsegment):
    """What `current_subsegment()` gives inside a message where no subsegment is open; false, as None is.

    Annotations and metadata go to the segment around it.
    """

    def __bool__(self) -> bool:
        return False

    def put_annotation(self, key: str, value: Any) -> None:
        self.parent_segment.put_annotation(key, value)

    def put_metadata(self, key: str, value: Any, namespace: str = "default") -> None:
        self.parent_segment.put_metadata(key, value, namespace)


def sdk_segment(message: MessageSegment) -> SdkSegment:
    """Returns a message's segment as the SDK's own object, made at the first call."""
    joined = message.joined
    if not isinstance(joined, SdkSegment):
        joined = message.joined = SdkSegment(message)
    return joined


def as_sdk_entity(entity: Any) -> Any:
    """Returns the SDK's own object of a subsegment of the bridge's, made at the first call; an entity as it is."""
    if not isinstance(entity, OwnSubsegment) or entity.message is None:
        return entity
    joined = entity.joined
    if not isinstance(joined, SdkOwnSubsegment):
        joined = entity.joined = SdkOwnSubsegment(entity, entity.message)
    return joined


def owner(entity: Any) -> Segment:
    """Returns the segment an entity is part of."""
    segment: Segment = getattr(entity, "parent_segment", entity)
    return segment


def is_subsegment(entity: object) -> bool:
    """Returns whether an entity is a subsegment."""
    return getattr(entity, "type", None) == "subsegment"


def is_dummy(entity: object) -> bool:
    """Returns whether an entity stands for Lambda's segment where Lambda gives no trace header."""
    return type(entity).__name__ == "DummySegment"


def taking(entity: Any) -> Any:
    """Returns the entity, or in place of Lambda's own segment one that takes what is put on it."""
    return TakingFacade(entity) if type(entity).__name__ == "FacadeSegment" else entity


def subsegment_alone(subsegment: Entity) -> dict[str, Any]:
    """Returns a subsegment as a document of its own, without those below it."""
    document = subsegment.to_dict()
    document.pop("subsegments", None)
    trace_id = document["trace_id"]
    _tidy(document, 0.0)
    return {**document, "trace_id": trace_id}


def _tidy(subsegment: dict[str, Any], end_time: float) -> None:
    """Ends what a message left open, and takes away what the SDK writes though it says nothing there."""
    subsegment.pop("trace_id", None)
    if subsegment.get("in_progress") and end_time:
        subsegment["end_time"] = end_time
        del subsegment["in_progress"]
    elif not subsegment.get("in_progress"):
        subsegment.pop("in_progress", None)
    if "end_time" in subsegment:
        subsegment["end_time"] = max(subsegment["start_time"], subsegment["end_time"])
    for nested in subsegment.get("subsegments", ()):
        _tidy(nested, end_time)


def _merged(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    merged = ours | theirs
    for key in ours.keys() & theirs.keys():
        if isinstance(ours[key], dict) and isinstance(theirs[key], dict):
            merged[key] = ours[key] | theirs[key]
    return merged
