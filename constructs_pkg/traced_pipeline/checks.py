"""The checks of this library: stable ids, and the two ways a finding is reported."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from aws_cdk import Annotations, Validations
from constructs import Construct, IConstruct

from .bridge_environment import OFF_WORDS, ON_WORDS, SWITCHES

ConstructT = TypeVar("ConstructT", bound=Construct)
ArgumentsP = ParamSpec("ArgumentsP")
ReturnT = TypeVar("ReturnT")
MadeT = TypeVar("MadeT")


class Check(StrEnum):
    """Ids of the checks; they are a public contract and never change their meaning.

    A warning is acknowledged with
    `Validations.of(scope).acknowledge(Acknowledgment(id=..., reason=...))`.
    """

    HANDLER_FOLDER = "traced-pipeline:handler-folder"
    HANDLER_MODULE = "traced-pipeline:handler-module"
    HANDLER_MISSING = "traced-pipeline:handler-missing"
    IMAGE_MISSING = "traced-pipeline:image-missing"
    IMAGE_FOLDER = "traced-pipeline:image-folder"
    REQUIREMENTS = "traced-pipeline:requirements"
    LAYER_PACKAGE = "traced-pipeline:layer-package"
    WORKER_DESTINATION = "traced-pipeline:worker-destination"
    OPTION_VALUE = "traced-pipeline:option-value"
    OPTION_CONFLICT = "traced-pipeline:option-conflict"
    HTTP_API = "traced-pipeline:http-api"
    FIFO_MISMATCH = "traced-pipeline:fifo-mismatch"
    VISIBILITY_TOO_SHORT = "traced-pipeline:visibility-too-short"
    VISIBILITY_UNKNOWN = "traced-pipeline:visibility-unknown"
    QUEUE_IN_OTHER_STACK = "traced-pipeline:queue-in-other-stack"
    FUNCTION_IN_OTHER_STACK = "traced-pipeline:function-in-other-stack"
    TABLE_KEY = "traced-pipeline:table-key"
    TABLE_KEY_REGION = "traced-pipeline:table-key-region"
    OUT_OF_REACH = "traced-pipeline:out-of-reach"
    DUPLICATE_SUBSCRIPTION = "traced-pipeline:duplicate-subscription"
    DUPLICATE_EVENT_SOURCE = "traced-pipeline:duplicate-event-source"
    DURABLE_FUNCTION = "traced-pipeline:durable-function"
    NO_ASSETS = "traced-pipeline:no-assets"
    ACCOUNT_SETTING_TWICE = "traced-pipeline:account-setting-twice"
    LOG_SUBSCRIPTION = "traced-pipeline:log-subscription"
    INSTRUMENTATION_NEEDS_ACTIVE = "traced-pipeline:instrumentation-needs-active"

    DEPENDENCIES_NOT_LOCKED = "traced-pipeline:dependencies-not-locked"
    VISIBILITY_BELOW_RECOMMENDED = "traced-pipeline:visibility-below-recommended"
    VISIBILITY_BELOW_MESSAGE = "traced-pipeline:visibility-below-message"
    STOP_TIMEOUT_BELOW_MESSAGE = "traced-pipeline:stop-timeout-below-message"
    CLUSTER_WITHOUT_INSIGHTS = "traced-pipeline:cluster-without-insights"
    CONCURRENCY_ABOVE_RESERVED = "traced-pipeline:concurrency-above-reserved"
    INGEST_TIMEOUT = "traced-pipeline:ingest-timeout"
    ROUTE_TAKES_OVER = "traced-pipeline:route-takes-over"
    FUNCTION_NOT_TRACED = "traced-pipeline:function-not-traced"
    FUNCTION_NOT_MANAGED = "traced-pipeline:function-not-managed"
    ROLE_NOT_MANAGED = "traced-pipeline:role-not-managed"
    FUNCTION_WITHOUT_BRIDGE = "traced-pipeline:function-without-bridge"
    VARIABLE_REPLACED = "traced-pipeline:variable-replaced"
    BATCH_FAILURES_IGNORED = "traced-pipeline:batch-failures-ignored"
    FILTER_ON_ENVELOPE = "traced-pipeline:filter-on-envelope"
    TOPIC_NOT_TRACED = "traced-pipeline:topic-not-traced"
    TOPIC_NOT_MANAGED = "traced-pipeline:topic-not-managed"
    TOPIC_WITHOUT_PERMISSION = "traced-pipeline:topic-without-permission"
    MESSAGE_SIZE = "traced-pipeline:message-size"
    DEDUPLICATION_SCOPE = "traced-pipeline:deduplication-scope"
    ORDER_LOST = "traced-pipeline:order-lost"
    QUEUE_NOT_MANAGED = "traced-pipeline:queue-not-managed"
    KEY_NOT_MANAGED = "traced-pipeline:key-not-managed"
    QUEUE_WITHOUT_DEAD_LETTER_QUEUE = "traced-pipeline:queue-without-dead-letter-queue"
    API_NOT_TRACED = "traced-pipeline:api-not-traced"
    API_NOT_DEPLOYED = "traced-pipeline:api-not-deployed"
    API_NOT_MANAGED = "traced-pipeline:api-not-managed"
    OTHER_ACCOUNT = "traced-pipeline:other-account"
    OTHER_REGION = "traced-pipeline:other-region"
    VPC_WITHOUT_XRAY = "traced-pipeline:vpc-without-xray"
    TRACE_PERMISSION_QUOTA = "traced-pipeline:trace-permission-quota"
    LOGS_NOT_FORWARDED = "traced-pipeline:logs-not-forwarded"
    TRACES_NOT_INDEXED = "traced-pipeline:traces-not-indexed"

    ACCOUNT_LOGGING_ROLE = "traced-pipeline:account-logging-role"
    TRACE_EVERYTHING = "traced-pipeline:trace-everything"


class PipelineError(ValueError):
    """Raised when what is asked for cannot work: by a constructor, or where an options class is made.

    Attributes:
        check: The id of the check that failed; it also ends the message, in brackets.
        path: The path of the construct that refuses, which the message names before the id; empty where an options
            class refuses a value that no construct can take.
    """

    def __init__(self, check: Check, message: str) -> None:
        super().__init__(message)
        self.check = check
        self.path = ""

    def __str__(self) -> str:
        where = f" (at {self.path})" if self.path else ""
        return f"{super().__str__()}{where} [{self.check.value}]"


def names_path(
    method: Callable[Concatenate[ConstructT, ArgumentsP], ReturnT],
) -> Callable[Concatenate[ConstructT, ArgumentsP], ReturnT]:
    """Lets each `PipelineError` that leaves a construct's constructor or method name the construct's path.

    It decorates every constructor, public method and property of a construct that may refuse something. The innermost
    construct that refuses is the one that is named.
    """

    @wraps(method)
    def call(construct: ConstructT, /, *args: ArgumentsP.args, **kwargs: ArgumentsP.kwargs) -> ReturnT:
        try:
            return method(construct, *args, **kwargs)
        except PipelineError as refusal:
            if not refusal.path:
                refusal.path = _path_of(construct, args)
            raise

    return call


def _path_of(construct: Construct, arguments: tuple[object, ...]) -> str:
    """Returns a construct's path; where its constructor refused before it was made, the path it was to have."""
    if hasattr(construct, "__jsii_ref__"):
        return construct.node.path
    scope, construct_id = (*arguments, None, None)[:2]
    parent = scope.node.path if isinstance(scope, Construct) else ""
    return f"{parent}/{construct_id}".lstrip("/")


def warn(scope: IConstruct, check: Check, message: str) -> None:
    """Attaches an acknowledgeable warning to a construct; the CDK CLI shows it at synthesis."""
    Validations.of(scope).add_warning(check.value, message)


def note(scope: IConstruct, check: Check, message: str) -> None:
    """Attaches an acknowledgeable note to a construct; the CDK CLI shows it, and it never fails a synthesis."""
    Annotations.of(scope).add_info_v2(check.value, message)


def required(made: MadeT | None, what: str, option: str, *, instead: str) -> MadeT:
    """Returns what a hop makes itself.

    Args:
        made: What it made; None if it uses what exists.
        what: What it is, for the message.
        option: The option that names the existing one, for the message.
        instead: The property to use for the existing one, for the message.

    Raises:
        PipelineError: The hop uses an existing one.
    """
    if made is None:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"the {what} is not made here, but given as {option}; use the property {instead}, or what was given",
        )
    return made


def refuse_variables(
    own: Mapping[str, object] | None, made: Mapping[str, object], *, where: str = "environment"
) -> None:
    """Refuses environment variables that the construct sets itself, so that their values would be ignored.

    Args:
        own: The variables that the options name, or that an existing function has.
        made: The variables that the construct sets; the user may set one to the same value, or to another
            word for it where the bridge reads on or off.
        where: Where the user's are, for the message.

    Raises:
        PipelineError: Some have other values.
    """
    replaced = [name for name, value in made.items() if not _means_the_same(name, (own or {}).get(name, value), value)]
    if replaced:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"{where} has {', '.join(replaced)}, with another value than the construct sets; leave it out there, or "
            "give your variable another name, in the handler too",
        )


def _means_the_same(name: str, own: object, made: object) -> bool:
    """Returns whether two values of a variable are equal, or words for the same where the bridge reads on or off."""
    if own == made:
        return True
    if name not in SWITCHES or not isinstance(own, str) or not isinstance(made, str):
        return False
    words = {own.strip().lower(), made.strip().lower()}
    return words <= {*ON_WORDS} or words <= {*OFF_WORDS}


def refuse_settings(options: object, names: Iterable[str], *, existing: str, instead: str, how: str = "") -> None:
    """Refuses settings that would be ignored, because their resource is made elsewhere.

    Args:
        options: A hop's options, whose class has a default for every field.
        names: The fields that must be at their defaults.
        existing: What is made elsewhere, for the message.
        instead: What to leave out or give to have it made here, for the message.
        how: How to set it where it is made, for the message. Default: by an option of that name.

    Raises:
        PipelineError: Some are not at their defaults.
    """
    defaults = type(options)()
    given = [name for name in names if getattr(options, name) != getattr(defaults, name)]
    if given:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"{', '.join(given)} given for {existing} that is made elsewhere; set it there{how}, or {instead}",
        )
