"""Functions of the handler's own: recorded on whatever is under way where they run."""

from __future__ import annotations

import inspect
from functools import wraps
from time import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, overload

from . import _forks
from ._own_subsegment import NOT_RECORDED, OwnSubsegment, Subsegment, name_as_taken
from ._place import current_place, open_in, open_outside, set_open_outside
from ._places import BesideSdk, InMessage, NotRecorded, OfInvocation, SpanSubsegment
from ._safely import safely
from ._scope import Scope, current_scope, enter_scope, inherited_scope, is_aside, new_object
from ._segment import MessageSegment

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ParamSpec, TypeVar

    from ._places import Place

    _P = ParamSpec("_P")
    _T = TypeVar("_T")

_DEEPEST = 50
"""How many subsegments are nested. Deeper ones go beside each other: a document nested very deep cannot be written."""


class subsegment:  # noqa: N801 - used like a function, as contextlib's are
    """Records a block of code as a subsegment of whatever is under way: a message, or the Lambda invocation itself.

    What runs inside the block is recorded below it: AWS and HTTP calls, further subsegments, those of the X-Ray SDK
    too. An exception marks it as failed and goes on unchanged. Where nothing is recorded (the message is not sampled, a
    process without a trace) the block runs as if it were not there. `async with` does the same as `with`. In a message,
    what is nested more than 50 deep is recorded side by side.

    Args:
        name: What the trace shows. Characters that X-Ray does not take are left out, and what is beyond 200; an empty
            name becomes `subsegment`.
    """

    __slots__ = ("_again", "_before", "_entered", "_name", "_place", "_process", "_recorded")

    _before: Any
    _entered: Scope
    _place: Place | None

    def __init__(self, name: str) -> None:
        self._name = name if type(name) is str else safely(str, name) or ""
        self._recorded: Subsegment = NOT_RECORDED
        self._again: list[subsegment] | None = None

    def __enter__(self) -> Subsegment:
        if self._recorded is not NOT_RECORDED:
            return self._enter_again()
        scope = inherited_scope()
        if (
            scope is not None
            and type(message := scope.message) is MessageSegment
            and not message.end_time
            and message.recording == "recorded"
            and message.room > 0
            and message.invocation.process == _forks.number
            and ((parent := open_in(scope) if scope.opened else message) is message or type(parent) is OwnSubsegment)
            and not is_aside()
        ):
            # The usual way, without the steps of `_begin` and the calls of classes: below a message, which sends it.
            self._recorded = own = new_object(OwnSubsegment)
            try:
                own.id = message.invocation.ids.pop()
            except IndexError:
                own.id = message.invocation.new_id()
            own.name, own.message, own.subsegments, own.start_time = self._name, message, [], time()
            opened = scope.opened
            if len(opened) > _DEEPEST:
                parent = _not_too_deep(scope, parent)
            parent.subsegments.append(own)
            message.room -= 1
            self._before, self._place = scope, None
            self._entered = entered = new_object(Scope)
            entered.message, entered.opened, entered.outer = message, (*opened, own), scope.outer
            enter_scope(entered)
            return own
        return safely(self._begin) or NOT_RECORDED

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._again and (block := self._open_here(self._again)) is not self:
            block.__exit__(kind, error, trace)
            return
        recorded = self._recorded
        if recorded is NOT_RECORDED:
            return
        self._recorded = NOT_RECORDED
        if (
            error is None
            and self._place is None
            and inherited_scope() is self._entered
            and type(recorded) is OwnSubsegment
            and recorded.joined is None
        ):
            enter_scope(self._before)
            began, ended = recorded.start_time, time()
            recorded.end_time = max(began, ended)  # as `close` does
        else:
            safely(self._end, recorded, error)

    def _enter_again(self) -> Subsegment:
        """Begins another of the same name, as the first is open still: inside of it, or in another thread or task."""
        block = subsegment(self._name)
        if self._again is None:
            self._again = []
        self._again.append(block)
        return block.__enter__()

    def _open_here(self, again: list[subsegment]) -> subsegment:
        """Returns the block that is open where the running code is; the newest where that is not known."""
        begun = {id(block._recorded): block for block in (self, *again)}  # noqa: SLF001 - of this class
        scope = inherited_scope()
        open_here = [begun[id(entity)] for entity in (() if scope is None else scope.opened) if id(entity) in begun]
        block = open_here[-1] if open_here else again[-1]
        if block is not self:
            again.remove(block)
        return block

    async def __aenter__(self) -> Subsegment:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def _begin(self) -> Subsegment:
        place = current_place()
        if isinstance(place, NotRecorded):
            return NOT_RECORDED
        self._place = place
        if isinstance(place, BesideSdk):
            self._recorded = _BesideSdk.begun(place.recorder, name_as_taken(self._name))
            return self._recorded
        if not isinstance(place, InMessage | OfInvocation):
            self._recorded = place.subsegment(name_as_taken(self._name))
            return self._recorded
        self._process = _forks.number
        own = OwnSubsegment(place.new_id(), self._name, place.message)
        if isinstance(place, InMessage):
            scope = current_scope()
            assert scope is not None  # noqa: S101 - the place is in it
            place.add(own)
            self._before = inherited_scope()
            self._entered = scope.with_opened(*scope.opened, own)
            enter_scope(self._entered)
        else:
            self._before = open_outside()
            set_open_outside((place.trace_id, own))
        self._recorded = own
        return own

    def _end(self, recorded: Subsegment, error: BaseException | None) -> None:
        if isinstance(error, GeneratorExit):  # Python closes a generator with it that nobody iterates over any more
            error = None
        if isinstance(recorded, _BesideSdk | SpanSubsegment):
            recorded.end(error)
            return
        assert isinstance(recorded, OwnSubsegment)  # noqa: S101 - there is no other kind
        if error is not None:
            safely(recorded.add_exception, error)
        if recorded.in_progress:
            recorded.close(time())
        place = self._place
        if isinstance(place, OfInvocation):
            set_open_outside(self._before)
        else:
            _leave(self._entered, self._before, recorded)
        # What was begun before a fork is the parent process's to send.
        if isinstance(place, InMessage | OfInvocation) and self._process == _forks.number:
            place.ended(recorded)


def _not_too_deep(scope: Scope, parent: Any) -> Any:
    """Returns what stands for the parent of a subsegment below which no more are nested."""
    for entity in scope.opened[_DEEPEST::-1]:
        if type(entity) is OwnSubsegment and entity.in_progress:
            return entity
    return parent


def _leave(entered: Scope, before: Scope | None, own: OwnSubsegment) -> None:
    """Goes back to what was open before a subsegment, and forgets what was left open inside it."""
    scope = inherited_scope()
    if scope is entered:
        enter_scope(before)
    elif scope is not None and scope.message is entered.message:
        for index, entity in enumerate(scope.opened):
            if entity is own:
                enter_scope(scope.with_opened(*scope.opened[:index]))
                return


class _BesideSdk(Subsegment):
    """A subsegment that the X-Ray SDK records and sends."""

    __slots__ = ("_entity", "_recorder")

    def __init__(self, recorder: Any, entity: Any) -> None:
        self._recorder = recorder
        self._entity = entity

    @classmethod
    def begun(cls, recorder: Any, name: str) -> Subsegment:
        entity = recorder.begin_subsegment(name)
        return NOT_RECORDED if entity is None else cls(recorder, entity)

    def put_annotation(self, key: str, value: str | float | bool) -> Self:
        from ._annotations import checked_annotation

        checked = checked_annotation(key, value)
        if checked is not None:
            safely(self._entity.put_annotation, key, checked)
        return self

    def put_metadata(self, key: str, value: object, namespace: str = "default") -> Self:
        safely(self._entity.put_metadata, key, value, namespace)
        return self

    def add_exception(self, error: BaseException) -> None:
        import traceback

        # A handler may pass what is no exception.
        safely(self._entity.add_exception, error, traceback.extract_tb(getattr(error, "__traceback__", None)))

    def end(self, error: BaseException | None) -> None:
        """Ends it; what has been opened in its place since stays open."""
        from ._sdk_calls import end_sdk_subsegment

        end_sdk_subsegment(self._recorder, self._entity, error)


@overload
def capture(function: Callable[_P, _T], /) -> Callable[_P, _T]: ...


@overload
def capture(name: str | None = None) -> Callable[[Callable[_P, _T]], Callable[_P, _T]]: ...


def capture(name: Any = None) -> Any:
    """Records every call of a function as a subsegment: `@capture`, or `@capture("name")`.

    Args:
        name: As for `subsegment`. Default: the function's name.

    Returns:
        The function, `def` or `async def` as it was, with each call inside a `subsegment`.

    Raises:
        TypeError: What is decorated is a generator function, whose code runs only while it is iterated over, or no
            function; or the name is no text.
    """
    if name is None or isinstance(name, str):
        return lambda function: _captured(function, name)
    if not callable(name) and not isinstance(name, classmethod):
        raise TypeError(f"capture got {type(name).__name__}; expected a function, or the subsegment's name as text")
    return _captured(name, None)


def _captured(function: Any, name: str | None) -> Callable[..., Any]:
    from ._results import is_async

    _check(function)
    shown = getattr(function, "__name__", type(function).__name__) if name is None else name
    if is_async(function):

        @wraps(function)
        async def call_async(*args: Any, **kwargs: Any) -> Any:
            with subsegment(shown):
                return await function(*args, **kwargs)

        return call_async

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with subsegment(shown):
            return function(*args, **kwargs)

    return call


def _check(function: Any) -> None:
    shown = getattr(function, "__name__", repr(function))
    if isinstance(function, classmethod | staticmethod):
        raise TypeError(f"{shown} is a {type(function).__name__}; put @capture below @{type(function).__name__}")
    if inspect.isclass(function):
        raise TypeError(f"{shown} is a class; expected a function to capture")
    if not callable(function):
        raise TypeError(f"{shown} is {type(function).__name__}; expected a function to capture")
    called = function if inspect.isroutine(function) else getattr(type(function), "__call__", function)  # noqa: B004
    if _is_generator(function) or _is_generator(called):
        raise TypeError(
            f"{shown} is a generator function, whose code runs only while it is iterated over; "
            "put `with subsegment(...)` around the loop that does so, or around the work between its yields"
        )


def _is_generator(function: Any) -> bool:
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)
