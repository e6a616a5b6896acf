"""Queries of CloudWatch Logs Insights over the logs of a pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import jsii
from aws_cdk import IStableListProducer, Lazy
from aws_cdk import aws_logs as logs
from constructs import Construct

from .bridge_environment import MESSAGE_LOGGER

_EXAMPLE = "1-00000000-000000000000000000000000"

# The bridge writes this field on each line; a line of another trace may name the id elsewhere.
_TRACE = f"""fields @timestamp, @log, @message
| filter @message like /"xray_trace_id": ?"{_EXAMPLE}"/
| sort @timestamp asc
| limit 10000"""

# https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
_FAILURES = """filter ispresent(errorType)
| stats count(*) as failures, latest(errorMessage) as example, latest(xray_trace_id) as trace by errorType
| sort failures desc"""

# https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
_SLOWEST = """filter type = 'platform.report'
| fields @timestamp, record.requestId, record.metrics.durationMs as ms, @log
| sort ms desc
| limit 50"""

# The bridge writes these lines where it is asked to.
_SLOWEST_MESSAGES = f"""filter logger = '{MESSAGE_LOGGER}'
| fields @timestamp, duration_ms as ms, queue_ms, attempt, outcome, xray_trace_id, message_id, @log
| sort ms desc
| limit 50"""

QUERIES: Mapping[str, tuple[str, str]] = {
    "Trace": ("lines of a trace", _TRACE),
    "Failures": ("failures by cause", _FAILURES),
    "Slowest": ("slowest invocations", _SLOWEST),
    "SlowestMessages": ("slowest messages", _SLOWEST_MESSAGES),
}
"""Id, name and text of each: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html."""


@jsii.implements(IStableListProducer)
class _LogGroups:
    def __init__(self, names: Callable[[], list[str]]) -> None:
        self._names = names

    def produce(self) -> list[str]:
        """Returns the names; the CDK calls this at synthesis."""
        return self._names()


def save_queries(
    scope: Construct, folder: str, log_groups: Callable[[], list[str]]
) -> Mapping[str, logs.CfnQueryDefinition]:
    """Saves the queries.

    Args:
        scope: Where to create them.
        folder: The folder that the console shows them in.
        log_groups: Gives the names of the log groups to search, at synthesis.
    """
    return {
        construct_id: logs.CfnQueryDefinition(
            scope,
            construct_id,
            name=query_name(folder, construct_id),
            query_string=text,
            log_group_names=Lazy.list(_LogGroups(log_groups)),
        )
        for construct_id, (_, text) in QUERIES.items()
    }


def query_name(folder: str, query: str) -> str:
    """Returns the name that the console lists a query by.

    Args:
        folder: The folder of the pipeline's queries.
        query: The query's id, such as `Failures`.
    """
    return f"{folder}/{QUERIES[query][0]}"


def lines_of_trace(trace_id: str) -> str:
    """Returns the query for the lines of a trace, with the trace's id in its place."""
    return QUERIES["Trace"][1].replace(_EXAMPLE, trace_id)
