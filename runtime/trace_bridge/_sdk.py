"""Where the bridge and the X-Ray SDK meet: its recorder is routed to the message under way.

Imported only once the SDK itself is loaded; a handler that does not use the SDK never pays for it.
"""

import logging
import sys
from collections.abc import Callable
from typing import Any

from aws_xray_sdk import global_sdk_config
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.context import Context
from aws_xray_sdk.core.models.dummy_entities import DummySegment
from aws_xray_sdk.core.models.entity import Entity
from aws_xray_sdk.core.models.segment import Segment
from aws_xray_sdk.core.models.subsegment import Subsegment

from ._emitter import get_emitter
from ._json import encode
from ._own_subsegment import OwnSubsegment
from ._scope import Scope, current_scope, enter_scope, inherited_scope, is_aside
from ._sdk_entities import (
    MessageSubsegment,
    NoSubsegment,
    PatientSubsegment,
    SdkOwnSubsegment,
    SdkSegment,
    as_sdk_entity,
    is_dummy,
    is_subsegment,
    owner,
    sdk_segment,
    subsegment_alone,
    taking,
)

_log = logging.getLogger("trace_bridge")
_CORE = "aws_xray_sdk.core"
_MIDDLEWARES = ("bottle", "django", "flask")


class RoutingContext(Context):
    """The SDK's storage of open entities: inside a message the message's own, outside of it the one there was.

    Inside a message nothing fails for want of a segment: where the SDK by itself would have none to write to, what it
    is given is dropped. Work that outlasts its message is treated so too.

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
        """Stores a segment of the handler's own; in Lambda the SDK has none."""
        scope = _routed_scope()
        if scope is None or self._in_lambda():
            self.inner.put_segment(segment)
        else:
            enter_scope(scope.with_opened(*scope.opened, segment))

    def end_segment(self, end_time: Any = None) -> None:
        """Ends a segment of the handler's own; the message's is ended by the bridge."""
        scope = _routed_scope()
        if scope is not None:
            segment = owner(_innermost(scope))
            if not isinstance(segment, SdkSegment):
                segment.close(end_time)
        elif not _in_message() or self._own_entity() is not None:
            self.inner.end_segment(end_time)

    def put_subsegment(self, subsegment: Subsegment) -> None:
        """Opens a subsegment below the innermost open entity."""
        scope = _routed_scope()
        if scope is not None:
            self._put_below(scope, subsegment)
        elif not _in_message() or self._own_entity() is not None:
            self.inner.put_subsegment(subsegment)

    def end_subsegment(self, end_time: Any = None) -> bool:
        """Ends the innermost open subsegment; False when there is none whose segment the SDK may have to send."""
        scope = _routed_scope()
        if scope is None:
            may_end = not _in_message() or self._own_entity() is not None
            return may_end and bool(self.inner.end_subsegment(end_time))
        if not scope.opened or not is_subsegment(scope.opened[-1]):
            return False
        entity = scope.opened[-1]
        if isinstance(entity, OwnSubsegment | SdkOwnSubsegment):
            return False  # ended by the block it stands for
        enter_scope(scope.with_opened(*scope.opened[:-1]))
        if entity.in_progress:
            entity.close(end_time)
            _send_alone(scope, entity)
        return not scope.message.end_time

    def get_trace_entity(self) -> Entity:
        """Returns the innermost open entity."""
        if not _in_message():
            return self.inner.get_trace_entity()
        scope = _routed_scope()
        if scope is not None and global_sdk_config.sdk_enabled():
            return _innermost(scope)
        entity = None if is_aside() else self._own_entity()
        return DummySegment() if entity is None else taking(entity)

    def set_trace_entity(self, trace_entity: Entity) -> None:
        """Makes an entity current in this thread or task; an entity of a message makes its message current."""
        segment = owner(trace_entity)
        scope = _routed_scope()
        if isinstance(segment, SdkSegment):
            opened = () if trace_entity is segment else (trace_entity,)
            enter_scope(Scope(segment.message, opened, inherited_scope()))
        elif scope is None:
            self.inner.set_trace_entity(trace_entity)
        else:
            enter_scope(scope.with_opened(trace_entity))

    def clear_trace_entities(self) -> None:
        """Forgets what is open, without sending it; inside a segment of the handler's own, that segment alone."""
        scope = _routed_scope()
        if scope is None:
            self.inner.clear_trace_entities()
            return
        opened = scope.opened
        own = [index for index, entity in enumerate(opened) if not is_subsegment(entity)]
        enter_scope(scope.with_opened(*opened[: own[-1]] if own else ()))

    def handle_context_missing(self) -> Any:
        """Does what the SDK is configured to do where no segment is open."""
        return self.inner.handle_context_missing()

    def _put_below(self, scope: Scope, subsegment: Subsegment) -> None:
        opened = scope.opened
        while opened and not opened[-1].in_progress:
            opened = opened[:-1]
        parent = as_sdk_entity(opened[-1]) if opened else sdk_segment(scope.message)
        segment = owner(parent)
        if isinstance(segment, SdkSegment):
            self._make_the_messages(subsegment, segment)
        subsegment.parent_segment = segment
        subsegment.trace_id = segment.trace_id
        if not isinstance(segment, SdkSegment):
            parent.add_subsegment(subsegment)
        elif segment.message.has_room():
            parent.add_subsegment(subsegment)
            segment.message.room -= 1
        elif segment.message.sampled:
            subsegment.id = segment.id  # what it calls is recorded below the message
        enter_scope(scope.with_opened(*opened, subsegment))

    def _make_the_messages(self, subsegment: Subsegment, segment: SdkSegment) -> None:
        message = segment.message
        if type(subsegment).__name__ == "Subsegment":
            entity = self._own_entity()
            alone = entity is not None and bool(entity.sampled)
            subsegment.__class__ = MessageSubsegment if alone else PatientSubsegment
        elif not message.sampled:
            # What the SDK's patches write into a request is then the header the message came with.
            subsegment.id = message.parent_id or "" if message.recording == "unsampled" else ""
            subsegment.sampled = False if message.recording == "unsampled" else None  # type: ignore[assignment]

    def _own_entity(self) -> Entity | None:
        """Returns what the SDK by itself would write to; None where it has nothing."""
        inner = self.inner
        if not global_sdk_config.sdk_enabled():
            return None
        if not self._in_lambda():
            local = getattr(inner, "_local", None)
            if local is not None and not getattr(local, "entities", None):
                return None
        entity = inner.get_trace_entity()
        return None if is_dummy(entity) else entity

    def _in_lambda(self) -> bool:
        return any(kind.__name__ == "LambdaContext" for kind in type(self.inner).__mro__)


_recorder: Any = xray_recorder
_core: object = sys.modules.get(_CORE)


def join() -> bool:
    """Routes the SDK's recorder to the messages; done anew where somebody gave it another context since.

    Returns:
        Whether the SDK's own switch is on: its variable, or `set_sdk_enabled` in code.
    """
    global _core, _recorder
    # A program may have imported the SDK a second time; every message asks, so that what changed nothing costs little.
    if (core := sys.modules.get(_CORE)) is not _core and core is not None:
        _core, _recorder = core, getattr(core, "xray_recorder", xray_recorder)
    recorder = _recorder
    if type(recorder.context) is not RoutingContext:
        _warn_of_middleware(recorder.context)
        recorder.context = RoutingContext(recorder.context)
        recorder.current_segment = _taking_segment(type(recorder).current_segment.__get__(recorder))
        recorder.current_subsegment = _some_subsegment(type(recorder).current_subsegment.__get__(recorder), recorder)
    is_enabled: bool = global_sdk_config.sdk_enabled()
    return is_enabled


def leave() -> None:
    """Gives the SDK's recorder the context back that it had."""
    recorder = _recorder
    if isinstance(recorder.context, RoutingContext):
        recorder.context = recorder.context.inner
        for name in ("current_segment", "current_subsegment"):
            vars(recorder).pop(name, None)


def _taking_segment(original: Callable[[], Any]) -> Callable[[], Any]:
    def current_segment() -> Any:
        """Returns the open segment; inside a message one that takes annotations and metadata."""
        segment = original()
        return taking(segment) if _in_message() else segment

    return current_segment


def _some_subsegment(original: Callable[[], Any], recorder: Any) -> Callable[[], Any]:
    def current_subsegment() -> Any:
        """Returns the open subsegment; inside a message something that takes annotations and metadata, always."""
        subsegment = original()
        if subsegment is None and _in_message():
            return NoSubsegment(recorder.current_segment())
        return subsegment

    return current_subsegment


def _warn_of_middleware(context: Context) -> None:
    """Warns of the SDK's web middlewares, which know Lambda by the type of the recorder's context."""
    loaded = [name for name in _MIDDLEWARES if f"aws_xray_sdk.ext.{name}.middleware" in sys.modules]
    if loaded and type(context).__name__ == "LambdaContext":
        _log.warning(
            "the X-Ray SDK's middleware for %s is loaded beside trace_bridge and may open segments of its own in "
            "Lambda; serve web requests from a function without trace_bridge",
            " and ".join(loaded),
        )


def _in_message() -> bool:
    """Returns whether the running code was begun in a message, or is the bridge's own."""
    return inherited_scope() is not None or is_aside()


def _routed_scope() -> Scope | None:
    """Returns the message whose entities the SDK works on.

    That is a message under way, or a message that is done but has something open here.
    """
    if is_aside():
        return None
    live = current_scope()
    if live is not None:
        return live if live.message.recording != "none" else None
    late = inherited_scope()
    return late if late is not None and late.opened and late.opened[-1].in_progress else None


def _innermost(scope: Scope) -> Entity:
    """Returns what is open innermost; a segment of the handler's own stays so until the SDK has sent it."""
    for opened in reversed(scope.opened):
        entity: Entity = as_sdk_entity(opened)
        if entity.in_progress or not isinstance(owner(entity), SdkSegment):
            return entity
    return sdk_segment(scope.message)


def _send_alone(scope: Scope, entity: Entity) -> None:
    """Sends a subsegment by itself where its message belongs to a parent process, which will not see it."""
    message = scope.message
    is_recorded = entity.sampled and entity.id != message.id  # as those beyond the message's room are not
    if message.invocation.inherited and is_recorded and isinstance(owner(entity), SdkSegment):
        get_emitter().emit_text(encode(subsegment_alone(entity)), message.invocation)
