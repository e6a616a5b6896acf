"""Where the bridge and the X-Ray SDK meet: its recorder is routed to the message under way.

Imported only once the SDK itself is loaded; a handler that does not use the SDK never pays for it.
"""

import logging
import sys
from collections.abc import Iterable
from typing import Any

from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.context import Context
from aws_xray_sdk.core.lambda_launcher import LambdaContext
from aws_xray_sdk.core.models.entity import Entity
from aws_xray_sdk.core.models.segment import Segment
from aws_xray_sdk.core.models.subsegment import Subsegment
from aws_xray_sdk.core.models.trace_header import TraceHeader as SdkTraceHeader

from ._scope import Scope, current_scope, enter_scope
from ._segment import MessageSegment
from ._subsegment import AwsSubsegment

_log = logging.getLogger("trace_bridge")
_MIDDLEWARES = ("bottle", "django", "flask")
_WRITTEN_BY_THE_BRIDGE = frozenset(
    {"id", "name", "trace_id", "parent_id", "start_time", "end_time", "in_progress", "type"}
)


class SdkSegment(Segment):
    """The segment of a message as the SDK's own object.

    The bridge sends it, whole and once; the SDK must not stream parts of it to a daemon that may not be there.
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
        """Always 0: nothing is streamed out by the SDK."""
        return 0

    def ready_to_send(self) -> bool:
        """Never: the bridge sends the segment at the end of the message."""
        return False

    def to_dict(self) -> dict[str, Any]:
        """The fields the SDK knows of."""
        fields: dict[str, Any] = super().to_dict()
        del fields["_message"]
        for nested in fields.get("subsegments", ()):
            _tidy(nested)
        return fields

    def close_all(self, end_time: float) -> None:
        """Ends the segment and every subsegment still open below it."""
        _close_below(self.subsegments, end_time)
        if self.in_progress:
            self.close(end_time)

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


class RoutingContext(Context):
    """The SDK's storage of open entities: inside a message the message's own, outside of it the one there was.

    Args:
        inner: The context the recorder had before.
    """

    def __init__(self, inner: Context) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    @property
    def context_missing(self) -> Any:
        """What the SDK does where no segment is open."""
        return self.inner.context_missing

    @context_missing.setter
    def context_missing(self, value: str) -> None:
        self.inner.context_missing = value

    def put_segment(self, segment: Segment) -> None:
        """Stores a segment of the handler's own."""
        scope = current_scope()
        if scope is None:
            self.inner.put_segment(segment)
        else:
            enter_scope(Scope(scope.message, (segment,)))

    def end_segment(self, end_time: Any = None) -> None:
        """Ends a segment of the handler's own; the message's is ended by the bridge."""
        scope = current_scope()
        if scope is None:
            self.inner.end_segment(end_time)
        elif scope.opened:
            entity = scope.opened[0]
            segment = getattr(entity, "parent_segment", entity)
            if not isinstance(segment, SdkSegment):
                segment.close(end_time)

    def put_subsegment(self, subsegment: Subsegment) -> None:
        """Opens a subsegment below the innermost open entity."""
        scope = current_scope()
        if scope is None:
            self.inner.put_subsegment(subsegment)
        else:
            _innermost(scope).add_subsegment(subsegment)
            enter_scope(Scope(scope.message, (*scope.opened, subsegment)))

    def end_subsegment(self, end_time: Any = None) -> bool:
        """Ends the innermost open subsegment; False when there is none."""
        scope = current_scope()
        if scope is None:
            return bool(self.inner.end_subsegment(end_time))
        if not scope.opened or not self._is_subsegment(scope.opened[-1]):
            return False
        entity = scope.opened[-1]
        enter_scope(Scope(scope.message, scope.opened[:-1]))
        if entity.in_progress:
            entity.close(end_time)
        return True

    def get_trace_entity(self) -> Entity:
        """The innermost open entity."""
        scope = current_scope()
        return self.inner.get_trace_entity() if scope is None else _innermost(scope)

    def set_trace_entity(self, trace_entity: Entity) -> None:
        """Makes an entity current in this thread or task: one of a message brings its message along."""
        segment = getattr(trace_entity, "parent_segment", trace_entity)
        if isinstance(segment, SdkSegment):
            opened = () if trace_entity is segment else (trace_entity,)
            enter_scope(Scope(segment.message, opened))
        elif current_scope() is None:
            self.inner.set_trace_entity(trace_entity)
        else:
            enter_scope(Scope(current_scope().message, (trace_entity,)))  # type: ignore[union-attr] # just looked

    def clear_trace_entities(self) -> None:
        """Forgets what is open, without sending it."""
        scope = current_scope()
        if scope is None:
            self.inner.clear_trace_entities()
        else:
            enter_scope(Scope(scope.message))

    def handle_context_missing(self) -> Any:
        """Does what the SDK is configured to do where no segment is open."""
        return self.inner.handle_context_missing()


def join() -> None:
    """Routes the SDK's recorder to the messages; done anew where somebody gave it another context since."""
    recorder = xray_recorder
    if type(recorder.context) is not RoutingContext:
        _warn_of_middleware(recorder.context)
        recorder.configure(context=RoutingContext(recorder.context), stream_sql=recorder.stream_sql)


def _warn_of_middleware(context: Context) -> None:
    """The SDK's web middlewares look at the type of the recorder's context to tell that they run in Lambda."""
    loaded = [name for name in _MIDDLEWARES if f"aws_xray_sdk.ext.{name}.middleware" in sys.modules]
    if loaded and isinstance(context, LambdaContext):
        _log.warning(
            "the X-Ray SDK's middleware for %s is loaded beside trace_bridge and may open segments of its own in "
            "Lambda; serve web requests from a function without trace_bridge",
            " and ".join(loaded),
        )


def leave() -> None:
    """Gives the SDK's recorder the context back that it had."""
    recorder = xray_recorder
    if isinstance(recorder.context, RoutingContext):
        recorder.configure(context=recorder.context.inner, stream_sql=recorder.stream_sql)


def _innermost(scope: Scope) -> Entity:
    return scope.opened[-1] if scope.opened else scope.message.sdk_segment()


def _close_below(subsegments: Iterable[Entity | AwsSubsegment], end_time: float) -> None:
    for subsegment in subsegments:
        if isinstance(subsegment, Entity):
            _close_below(subsegment.subsegments, end_time)
        if subsegment.in_progress:
            subsegment.close(end_time)


def _tidy(subsegment: dict[str, Any]) -> None:
    """Takes away what the SDK writes into every nested subsegment, though its segment says it or it says nothing."""
    if not subsegment.get("in_progress"):
        subsegment.pop("in_progress", None)
    subsegment.pop("trace_id", None)
    for nested in subsegment.get("subsegments", ()):
        _tidy(nested)


def _merged(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    merged = ours | theirs
    for key in ours.keys() & theirs.keys():
        if isinstance(ours[key], dict) and isinstance(theirs[key], dict):
            merged[key] = ours[key] | theirs[key]
    return merged
