"""What can be set from outside: one table, read once, wrong values refused at import."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Literal, TypeVar, cast

OnUndecided = Literal["drop", "sample", "follow_lambda"]
EmitterChoice = Literal["auto", "udp", "api"]
QueueSegment = Literal["never", "always"]

_T = TypeVar("_T")


class ConfigurationError(ValueError):
    """A setting has a value that means nothing; the message names it, the values allowed and where it came from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The bridge's settings. Every field can be set by the environment variable `TRACE_BRIDGE_<FIELD>`.

    Attributes:
        enabled: Off, every message is processed as if there were no bridge; AWS calls are recorded all the same, in
            the invocation's own trace.
        instrument: Off, AWS calls are left as they are; a call then carries what botocore itself puts on it.
            Both are off when `AWS_XRAY_SDK_ENABLED` is false.
        on_undecided: What becomes of a message whose sender left sampling open (`Sampled=?`, or `Root` only).
            `drop` records nothing and hands the trace id on; `sample` decides here, by `undecided_rate`;
            `follow_lambda` takes the decision Lambda made for the invocation.
        undecided_rate: Share of undecided traces recorded under `sample`, 0 to 1. The same trace gets the
            same answer everywhere. Default 0.05, X-Ray's own rate beyond the first request a second.
        emitter: Which way documents leave. `auto` takes the daemon where it is documented to run (a sampled
            invocation, or `AWS_XRAY_DAEMON_ADDRESS` outside Lambda) and `PutTraceSegments` otherwise.
        queue_segment: `always` draws the message's wait as a segment of the queue, in front of the message's own.
            X-Ray infers the queue's node where SNS traces actively or a function sends to the queue itself, so this is
            for queues behind a topic without active tracing, whose node is missing otherwise; there `QueueWorker`
            sets it. Assumed, not verified on AWS: that X-Ray draws it as the queue's node.
        in_progress: On, a document is sent when a message is begun, so that one that never ends (a timeout,
            out of memory) is seen as in progress.
        max_workers: How many messages of a batch `sqs_handler` works on at once.
        reserve_ms: Milliseconds before the end of an invocation at which no further message is begun; the rest
            is returned as failed.
        name: Name of the segments. Default: the function's name in Lambda; outside it `AWS_XRAY_TRACING_NAME`,
            or the program's name.
        max_trace_age_days: Messages whose trace began longer ago are processed without a segment. Default: none is
            too old here; what X-Ray does not take, it refuses itself, and it is counted.
    """

    enabled: bool = True
    instrument: bool = True
    on_undecided: OnUndecided = "drop"
    undecided_rate: float = 0.05
    emitter: EmitterChoice = "auto"
    queue_segment: QueueSegment = "never"
    in_progress: bool = False
    max_workers: int = 1
    reserve_ms: int = 1000
    name: str | None = None
    max_trace_age_days: int | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Reads the settings.

        Raises:
            ConfigurationError: A variable holds a value that means nothing.
        """
        found: dict[str, object] = {}
        for field in fields(cls):
            variable = f"TRACE_BRIDGE_{field.name.upper()}"
            text = environment.get(variable, "").strip()
            if text:
                found[field.name] = _READERS[field.name](variable, text)
        sdk = environment.get("AWS_XRAY_SDK_ENABLED", "").strip().lower()
        if sdk in _FALSE:
            found["enabled"] = found["instrument"] = False
        return cls(**found)  # type: ignore[arg-type] # each reader returns its field's type


_TRUE = ("1", "true", "t", "yes", "y", "on")
_FALSE = ("0", "false", "f", "no", "n", "off")


def _boolean(variable: str, text: str) -> bool:
    lowered = text.lower()
    if lowered in _TRUE:
        return True
    if lowered in _FALSE:
        return False
    raise ConfigurationError(f"{variable} is {text!r}; expected true or false")


def _one_of(*allowed: str) -> Callable[[str, str], str]:
    def read(variable: str, text: str) -> str:
        return checked_choice(variable, text, allowed)

    return read


def checked_choice(name: str, value: _T, allowed: tuple[_T, ...]) -> _T:
    """The value, if it is one of those allowed.

    Raises:
        ConfigurationError: It is not.
    """
    if value not in allowed:
        raise ConfigurationError(f"{name} is {value!r}; expected one of {', '.join(map(repr, allowed))}")
    return value


def _number(kind: type[int] | type[float], least: float, most: float) -> Callable[[str, str], float]:
    def read(variable: str, text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = None
        return checked_number(variable, text if value is None else value, least, most)

    return read


def checked_number(name: str, value: object, least: float, most: float) -> float:
    """The value, if it is a number between the two bounds.

    Raises:
        ConfigurationError: It is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ConfigurationError(f"{name} is {value!r}; expected a number from {least} to {most}")
    return value


def _text(_variable: str, text: str) -> str:
    return text


ON_UNDECIDED = cast("tuple[OnUndecided, ...]", ("drop", "sample", "follow_lambda"))

_READERS: dict[str, Callable[[str, str], object]] = {
    "enabled": _boolean,
    "instrument": _boolean,
    "on_undecided": _one_of(*ON_UNDECIDED),
    "undecided_rate": _number(float, 0, 1),
    "emitter": _one_of("auto", "udp", "api"),
    "queue_segment": _one_of("never", "always"),
    "in_progress": _boolean,
    "max_workers": _number(int, 1, 1000),
    "reserve_ms": _number(int, 0, 900_000),
    "name": _text,
    "max_trace_age_days": _number(int, 1, 36_500),
}
