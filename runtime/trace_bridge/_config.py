"""What can be set from outside: one table, read once at import."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Literal, cast

from . import _environment

Envelope = Literal["none", "sns"]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import TypeVar

    OnUndecided = Literal["drop", "sample", "follow_lambda"]
    EmitterChoice = Literal["auto", "udp", "api"]
    QueueSegment = Literal["never", "always"]
    EngineChoice = Literal["xray", "otel", "auto"]
    OtelRelation = Literal["parent", "link"]
    OtelAnnotations = tuple[str, ...] | Literal["all"]
    Logs = Literal["xray", "datadog", "off"]

    _T = TypeVar("_T")

_log = logging.getLogger("trace_bridge")


class ConfigurationError(ValueError):
    """A setting has a value that means nothing; the message names it, the values allowed and where it came from."""


class Settings:
    """The bridge's settings. Every field can be set by the environment variable `TRACE_BRIDGE_<FIELD>`.

    A plain class rather than a dataclass, whose making would be a good part of the bridge's import.

    Args:
        values: The fields that differ from their defaults.

    Attributes:
        enabled: Off, every message is processed as if there were no bridge; AWS calls are recorded all the same, in
            the invocation's own trace.
        instrument: Off, AWS and HTTP calls are left as they are; an AWS call then carries what botocore itself puts on
            it. Both are off when `AWS_XRAY_SDK_ENABLED` is false.
        ignore_hosts: Hosts whose HTTP calls are left as they are, separated by commas: `example.com`; `*.example.com`
            for every host below it.
        http_query: On, the URL of an HTTP call, and URLs in the texts of exceptions, are recorded with their query,
            which may hold what is secret.
        on_undecided: What becomes of a message whose sender left sampling open (`Sampled=?`, or `Root` only).
            `drop` records nothing and propagates the trace id; `sample` decides here, by `undecided_rate`;
            `follow_lambda` takes the decision Lambda made for the invocation.
        undecided_rate: Fraction of undecided traces recorded under `sample`, 0 to 1. The same trace gets the
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
        reserve_ms: Milliseconds before the end of an invocation at which no further message is begun; the others
            are returned as failed. Default: each message's equal part of the invocation's time, at least one second
            (or a quarter of a time that is shorter than four).
        raise_if_all_failed: Whether a Lambda handler raises `BatchFailedError` when at least one message of its batch
            failed and none succeeded.
        envelope: What stands around a message's body in the queue. `none`: nothing, the body is what was published;
            `sns`: SNS's envelope, since the subscription's raw message delivery is off. `QueueWorker` sets it.
        name: Name of the segments. Default: the function's name in Lambda; outside it `AWS_XRAY_TRACING_NAME`,
            or the program's name.
        max_trace_age_days: Messages whose trace began longer ago are processed without a segment. Default: none is
            too old here; what X-Ray does not take, it refuses itself, and it is counted.
        logs: What `trace_logs` adds to log records. `xray`: the message's id, trace and segment; `datadog`: that, and
            the ids under which Datadog shows them; `off`: nothing.
        message_log: On, a line of JSON is written to standard output for each message when it ends: its ids, how long
            it took and waited, and how it ended.
        engine: What messages are recorded as. `xray`: segment documents, which the bridge sends itself; `otel`: spans
            of the application's own OpenTelemetry, which needs the extra `trace-bridge[otel]`; `auto`: spans where the
            application has set a tracer provider up by its first message, segment documents otherwise.
        otel_relation: What the sender is to a message's span. `parent`: one trace from the request to the last message;
            `link`: the span is in the invocation's trace, or one of its own, and links to the sender's.
        otel_annotations: Attributes of spans that `XRaySpanExporter` makes annotations of, by which X-Ray finds traces,
            separated by commas; `all` for every one.
    """

    enabled: bool = True
    instrument: bool = True
    ignore_hosts: tuple[str, ...] = ()
    http_query: bool = False
    on_undecided: OnUndecided = "drop"
    undecided_rate: float = 0.05
    emitter: EmitterChoice = "auto"
    queue_segment: QueueSegment = "never"
    in_progress: bool = False
    max_workers: int = 1
    reserve_ms: int | None = None
    raise_if_all_failed: bool = True
    envelope: Envelope = "none"
    name: str | None = None
    max_trace_age_days: int | None = None
    logs: Logs = "xray"
    message_log: bool = False
    engine: EngineChoice = "xray"
    otel_relation: OtelRelation = "parent"
    otel_annotations: OtelAnnotations = ()

    is_plain: bool
    """Whether no setting asks for more than one document a message; worked out once, since each message asks."""

    def __init__(self, **values: object) -> None:
        unknown = values.keys() - _READ_FROM.keys()
        if unknown:
            raise TypeError(f"no settings of trace_bridge: {', '.join(sorted(unknown))}")
        vars(self).update({name: getattr(type(self), name) for name in _READ_FROM} | values)
        vars(self)["is_plain"] = (
            not self.in_progress and self.queue_segment == "never" and self.max_trace_age_days is None
        )

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"settings do not change; {name} is set by `changed`, which gives others")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Settings) and self.as_dict() == other.as_dict()

    def __hash__(self) -> int:
        return hash(tuple(self.as_dict().values()))

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in self.as_dict().items())})"

    def changed(self, **values: object) -> Settings:
        """Returns other settings, of which some fields have other values."""
        return Settings(**{**self.as_dict(), **values})

    def as_dict(self) -> dict[str, object]:
        """Returns every field's value."""
        return {name: getattr(self, name) for name in _READ_FROM}

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Reads the settings.

        A wrong value of a variable that only concerns tracing is logged as an error, and nothing is recorded: it is
        never read as a default. A `TRACE_BRIDGE_` name that is none of the bridge's is warned of.

        Raises:
            ConfigurationError: A variable that decides how messages run holds a value that means nothing.
        """
        values: dict[str, object] = {}
        wrong: list[str] = []
        if any(name.startswith(_environment.PREFIX) for name in environment):
            for field, (variable, read) in _READ_FROM.items():
                text = environment.get(variable, "").strip()
                if text:
                    try:
                        values[field] = read(variable, text)
                    except ConfigurationError as error:
                        if field in _DECIDE_HOW_MESSAGES_RUN:
                            raise
                        wrong.append(str(error))
            _warn_of_unknown(environment)
        if wrong or _sdk_is_off(environment):
            values["enabled"] = values["instrument"] = False
        if wrong:
            _log.error("nothing is recorded, messages are processed as if there were no bridge: %s", "; ".join(wrong))
        return cls(**values)


_DECIDE_HOW_MESSAGES_RUN = frozenset({"max_workers", "reserve_ms", "raise_if_all_failed", "envelope"})


def _sdk_is_off(environment: Mapping[str, str]) -> bool:
    """Returns whether the X-Ray SDK's own switch is off.

    As in the SDK, a value that means nothing is warned of and taken for on.
    """
    variable = _environment.XRAY_SDK_ENABLED
    text = environment.get(variable, "").strip()
    if text and text.lower() not in _environment.ON_WORDS + _environment.OFF_WORDS:
        _log.warning("%s is %r; expected true or false, and taken for true as the X-Ray SDK does", variable, text)
    return text.lower() in _environment.OFF_WORDS


def _warn_of_unknown(environment: Mapping[str, str]) -> None:
    known = {_environment.HANDLER, *(variable for variable, _ in _READ_FROM.values())}
    for name in sorted(environment):
        if name.startswith(_environment.PREFIX) and name not in known:
            from difflib import get_close_matches  # only a misspelt name needs it

            [nearest] = get_close_matches(name, sorted(known), n=1, cutoff=0.0)
            _log.warning("%s is no setting of trace_bridge and is ignored; did you mean %s?", name, nearest)


def _boolean(variable: str, text: str) -> bool:
    lowered = text.lower()
    if lowered in _environment.ON_WORDS:
        return True
    if lowered in _environment.OFF_WORDS:
        return False
    raise ConfigurationError(f"{variable} is {text!r}; expected true or false")


def _one_of(*allowed: str) -> Callable[[str, str], str]:
    def read(variable: str, text: str) -> str:
        return checked_choice(variable, text, allowed)

    return read


def checked_choice(name: str, value: _T, allowed: tuple[_T, ...]) -> _T:
    """Returns the value, if it is among those allowed.

    Raises:
        ConfigurationError: It is not.
    """
    if value not in allowed:
        raise ConfigurationError(f"{name} is {value!r}; expected one of {', '.join(map(repr, allowed))}")
    return value


def _number(least: float, most: float) -> Callable[[str, str], float]:
    kind = type(least)

    def read(variable: str, text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = None
        return checked_number(variable, text if value is None else value, least, most)

    return read


def checked_number(name: str, value: object, least: float, most: float) -> float:
    """Returns the value, if it is a number between the two bounds.

    Raises:
        ConfigurationError: It is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ConfigurationError(f"{name} is {value!r}; expected a number from {least:g} to {most:g}")
    return value


def checked_hosts(name: str, hosts: Iterable[object]) -> tuple[str, ...]:
    """Returns hosts, in lower case and without spaces around them.

    Raises:
        ConfigurationError: One of them is no host.
    """
    if isinstance(hosts, str):
        raise ConfigurationError(f"{name} is {hosts!r}; expected a list of hosts")
    import re  # few applications name hosts

    checked = []
    for host in hosts:
        written = host.strip().lower() if isinstance(host, str) else ""
        if not re.fullmatch(_environment.HOST, written):
            raise ConfigurationError(
                f"{name} names {host!r}; expected a host without scheme, port or path, example.com, or *.example.com "
                "for every host below it"
            )
        checked.append(written)
    return tuple(checked)


def _hosts(variable: str, text: str) -> tuple[str, ...]:
    return checked_hosts(variable, [host.strip() for host in text.split(",")])


def _text(_variable: str, text: str) -> str:
    return text


def _engine(variable: str, text: str) -> str:
    engine = checked_choice(variable, text, _environment.WORDS[variable])
    if engine == "otel" and not _has_opentelemetry():
        raise ConfigurationError(
            f"{variable} is 'otel', which needs opentelemetry-api: `pip install 'trace-bridge[otel]'`"
        )
    return engine


def _annotations(_variable: str, text: str) -> OtelAnnotations:
    return "all" if text == "all" else tuple(name.strip() for name in text.split(",") if name.strip())


def _has_opentelemetry() -> bool:
    from importlib.util import find_spec

    try:
        return find_spec("opentelemetry.trace") is not None
    except (ImportError, ValueError):
        return False


ON_UNDECIDED = cast("tuple[OnUndecided, ...]", _environment.WORDS[_environment.ON_UNDECIDED])
ENVELOPES = cast("tuple[Envelope, ...]", _environment.WORDS[_environment.ENVELOPE])

_READERS: dict[str, Callable[[str, str], object]] = {
    **dict.fromkeys(_environment.SWITCHES, _boolean),
    **{variable: _one_of(*words) for variable, words in _environment.WORDS.items()},
    **{variable: _number(*bounds) for variable, bounds in _environment.NUMBERS.items()},
    _environment.ENGINE: _engine,
    _environment.IGNORE_HOSTS: _hosts,
    _environment.NAME: _text,
    _environment.OTEL_ANNOTATIONS: _annotations,
}
_READ_FROM = {
    variable.removeprefix(_environment.PREFIX).lower(): (variable, read) for variable, read in _READERS.items()
}
"""Variable and reader of each field of the settings."""
