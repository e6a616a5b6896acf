"""A topic that records its part of a trace."""

from __future__ import annotations

from typing import Unpack

from aws_cdk import Names, PhysicalName
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct

from .checks import Check, PipelineError, names_path
from .message_size import set_message_size
from .metric_keywords import MetricKeywords
from .option_checks import check_options, checks_arguments
from .references import check_references
from .sns_trace_permission import let_topic_send
from .topic_options import TopicOptions

_FIFO = ".fifo"


class TracedTopic(Construct):
    """An SNS topic with active tracing that takes encrypted connections only.

    SNS records a message if the publisher's trace is sampled; it propagates the trace in either case.
    https://docs.aws.amazon.com/sns/latest/dg/sns-active-tracing.html

    Args:
        scope: Where to create it.
        construct_id: Id of the construct.
        options: The topic's settings. Default: those of `TopicOptions()`.

    Raises:
        PipelineError: The options contradict each other.

    Example:
        ```python
        from aws_cdk import App, Stack
        from traced_pipeline import TopicOptions, TracedTopic

        stack = Stack(App(), "Shop")
        topic = TracedTopic(stack, "Orders", options=TopicOptions(fifo=True)).topic
        ```
    """

    @names_path
    @checks_arguments
    def __init__(self, scope: Construct, construct_id: str, *, options: TopicOptions | None = None) -> None:
        super().__init__(scope, construct_id)
        options = options or TopicOptions()
        check_options(options)
        check_references(self, options)
        _check_duplicates(options)
        self._topic = sns.Topic(
            self,
            "Resource",
            topic_name=_fifo_name(self) if options.fifo else PhysicalName.GENERATE_IF_NEEDED,
            tracing_config=sns.TracingConfig.ACTIVE,
            enforce_ssl=True,
            master_key=options.key,
            fifo=options.fifo or None,
            content_based_deduplication=options.content_based_deduplication if options.fifo else None,
            fifo_throughput_scope=options.fifo_throughput_scope,
        )
        if options.max_message_size is not None:
            set_message_size(self._topic, options.max_message_size)
        permission = options.trace_permission
        if permission == "stack":
            let_topic_send(self._topic)
        elif permission != "none":
            self._topic.node.add_dependency(permission)

    @property
    def topic(self) -> sns.Topic:
        """The topic."""
        return self._topic

    def metric_number_of_messages_published(self, **options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """How many messages were published to the topic."""
        return self._topic.metric_number_of_messages_published(**options)

    def metric_number_of_notifications_delivered(self, **options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """How many messages the topic delivered; each subscription counts."""
        return self._topic.metric_number_of_notifications_delivered(**options)

    def metric_number_of_notifications_failed(self, **options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """How many messages the topic could not deliver."""
        return self._topic.metric_number_of_notifications_failed(**options)


def _check_duplicates(options: TopicOptions) -> None:
    if not options.content_based_deduplication and not options.fifo:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            "content_based_deduplication is off for a standard topic, which drops no duplicates; give fifo=True, or "
            "leave it out",
        )
    if options.fifo_throughput_scope is not None and not options.fifo:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            "fifo_throughput_scope is given for a standard topic, which drops no duplicates; give fifo=True, or leave "
            "it out",
        )


def _fifo_name(scope: Construct) -> str:
    """Returns the name the CDK gives a FIFO topic, so that another account's stack knows the topic by it, too.

    With `GENERATE_IF_NEEDED` the CDK makes a name of a FIFO topic that is only its ending.
    """
    longest = 256 - len(_FIFO)
    placeholder = Construct(scope, "Resource")
    name = Names.unique_resource_name(placeholder, max_length=longest, separator="-")
    scope.node.try_remove_child(placeholder.node.id)
    return name + _FIFO
