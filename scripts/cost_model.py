"""What a month of a pipeline costs by AWS's list prices: what is counted, and what is assumed.

The pipeline is the reference one: an API, a function behind it, a topic, one worker with its queue, and a table.
Storage is that of one month's items and log lines.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from decimal import ROUND_HALF_UP, Decimal

from scripts.prices import PriceList

HOURS_PER_MONTH = 730
"""AWS Pricing Calculator's month."""
SECONDS_PER_MONTH = HOURS_PER_MONTH * 3600
EMPTY_RECEIVES_PER_MONTH = Decimal(5 * SECONDS_PER_MONTH // 20)
"""Requests of an event source to a queue without messages, assumed: five pollers that each wait 20 seconds, the longest
that SQS lets them. Lambda's documents say long polling, and up to five batches; not how many requests.
https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html"""
FREE_INDEXED_FRACTION = Decimal("0.01")
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Enable-TransactionSearch.html"""
# The larger number of gigabytes: by 1,024 it would be 7 % less.
_BYTES_PER_GB = Decimal(10**9)
_BYTES_PER_ITEM = 1_000
_BYTES_PER_MESSAGE_LINE = 500
_METRICS_OF_MESSAGES = 2


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A month of a pipeline.

    Attributes:
        requests: Requests that the API takes in a month, spread evenly; each is one message and one item below 1 KB.
        reservoir: Requests per second that the sampling rule records before its rate applies.
        sampled: Fraction of the other requests that it records, 0 to 1.
        batch: Messages that the worker gets in an invocation, on average.
        handler_ms: Billed duration of an invocation of each of the two functions, uploads left out, in milliseconds.
        upload_ms: Duration that the upload of documents adds to an invocation of the worker with a sampled message, in
            milliseconds; with `linked` there is no upload.
        memory_mb: Memory of each function, in megabytes.
        log_bytes: Bytes of log lines for a request: access log, two functions.
        spans: Spans that Transaction Search makes of a request's segments and subsegments.
        span_bytes: Bytes of a span.
        indexed: Fraction of the spans that Transaction Search indexes, 0.01 to 1.
        message_log: Whether the worker logs a line for each message (`message_log=True`).
        message_metrics: Whether CloudWatch makes metrics of these lines (`message_metrics=True`).
        linked: Whether the worker keeps Lambda's own trace too (`tracing="linked"`).
        transaction_search: Whether the account has Transaction Search on.
        trace_group: Whether the traces belong to a trace group, which retrieves each once.
        insights: Whether that group has Insights on.
    """

    requests: int
    reservoir: int = 1
    sampled: Decimal = Decimal("0.05")
    batch: Decimal = Decimal(1)
    handler_ms: int = 50
    upload_ms: int = 20
    memory_mb: int = 256
    log_bytes: int = 2_500
    spans: int = 11
    span_bytes: int = 1_000
    indexed: Decimal = FREE_INDEXED_FRACTION
    message_log: bool = False
    message_metrics: bool = False
    linked: bool = False
    transaction_search: bool = False
    trace_group: bool = False
    insights: bool = False

    def __post_init__(self) -> None:
        """Refuses numbers that no pipeline has.

        Raises:
            ValueError: Says which, and what was expected.
        """
        least = {"indexed": FREE_INDEXED_FRACTION, "batch": Decimal(1)}
        most = {"sampled": 1, "indexed": 1, "batch": 10_000}
        for field in fields(self):
            name, value = field.name, Decimal(getattr(self, field.name))
            if not value.is_finite() or not least.get(name, 0) <= value <= most.get(name, value):
                upper = f", at most {most[name]:,}" if name in most else ""
                raise ValueError(f"{name} is {value}; expected a number, at least {least.get(name, 0)}{upper}")

    @property
    def traces(self) -> Decimal:
        """Requests that are recorded, each as one trace. Where requests come in bursts they are fewer."""
        in_reservoir = min(self.requests, self.reservoir * SECONDS_PER_MONTH)
        return in_reservoir + self.sampled * (self.requests - in_reservoir)

    @property
    def worker_invocations(self) -> Decimal:
        """Invocations of the worker."""
        return self.requests / self.batch

    @property
    def sampled_invocations(self) -> Decimal:
        """Most invocations of the worker that have a sampled message: each uploads, and with `linked` has a trace."""
        return min(self.worker_invocations, self.traces)


@dataclass(frozen=True, kw_only=True)
class Line:
    """Something that AWS bills.

    Attributes:
        what: What it is; the price's own words where there is nothing to add.
        price: Name of the price.
        units: How many units a month.
        is_tracing: Whether it is there for tracing alone.
    """

    what: str
    price: str
    units: Decimal
    is_tracing: bool = False


def tracing_lines(work: Workload) -> list[Line]:
    """Returns what tracing costs. Nothing bills `PutTraceSegments` by the call."""
    if work.transaction_search:
        # Of Lambda's own trace: the service's and the function's segment, and three subsegments.
        spans = work.traces * work.spans + (5 * work.sampled_invocations if work.linked else 0)
        recorded = [("span_ingested", spans * work.span_bytes / _BYTES_PER_GB)]
        recorded += [("span_indexed", spans * (work.indexed - FREE_INDEXED_FRACTION))]
    else:
        recorded = [("xray_trace_recorded", work.traces + (work.sampled_invocations if work.linked else 0))]
    if work.trace_group:
        # https://docs.aws.amazon.com/xray/latest/devguide/xray-console-groups.html
        recorded.append(("xray_trace_read", work.traces))
    if work.insights:
        recorded.append(("xray_insights", work.traces))
    lines = [Line(what="", price=price, units=units, is_tracing=True) for price, units in recorded if units]
    if not work.linked:  # a sampled invocation has a daemon, to which a datagram goes
        uploads = _gb_seconds(work, work.sampled_invocations, work.upload_ms)
        what = "Lambda: duration of the bridge's uploads"
        lines.append(Line(what=what, price="lambda_duration", units=uploads, is_tracing=True))
    return lines


def pipeline_lines(work: Workload) -> list[Line]:
    """Returns what all the rest of the pipeline costs."""
    requests = Decimal(work.requests)
    invocations = requests + work.worker_invocations
    stored_gb = requests * _BYTES_PER_ITEM / _BYTES_PER_GB
    log_gb = requests * work.log_bytes / _BYTES_PER_GB
    units = {
        "api_request": requests,
        "lambda_request": invocations,
        "lambda_duration": _gb_seconds(work, invocations, work.handler_ms),
        "sns_request": requests,
        "sns_delivery_to_sqs": requests,
        # What SNS sends; Lambda receives and deletes by the batch.
        "sqs_request": requests + 2 * work.worker_invocations,
        "dynamodb_write": requests,
        "dynamodb_storage": stored_gb,
        "dynamodb_recovery": stored_gb,
        "log_ingested": log_gb,
        "log_stored": log_gb,
        "alarm": Decimal(1),
    }
    empty = Line(what="SQS: empty receives, at most", price="sqs_request", units=EMPTY_RECEIVES_PER_MONTH)
    lines = [Line(what="", price=price, units=number) for price, number in units.items()]
    lines.insert(1 + list(units).index("sqs_request"), empty)
    return lines + message_lines(work)


def message_lines(work: Workload) -> list[Line]:
    """Returns what the log lines of messages cost, and their metrics, where they are on."""
    gigabytes = work.requests * _BYTES_PER_MESSAGE_LINE / _BYTES_PER_GB
    lines = []
    if work.message_log:
        lines += [
            Line(what="CloudWatch Logs: ingestion of a line for each message", price="log_ingested", units=gigabytes),
            Line(what="CloudWatch Logs: storage of a line for each message", price="log_stored", units=gigabytes),
        ]
    if work.message_metrics:
        lines.append(Line(what="", price="custom_metric", units=Decimal(_METRICS_OF_MESSAGES)))
    return lines


def total_usd(lines: Sequence[Line], prices: PriceList, *, free_tier: bool = False) -> Decimal:
    """Returns what lines cost together; what is free of a price is free once for all of its lines."""
    units: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        units[line.price] += line.units
    return sum((prices[name].cost_usd(number, free_tier=free_tier) for name, number in units.items()), Decimal(0))


def dollars(usd: Decimal) -> str:
    """Returns an amount as text, in cents."""
    rounded = usd.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return f"${rounded:,}" if rounded or not usd else "< $0.01"


def _gb_seconds(work: Workload, invocations: Decimal, milliseconds: int) -> Decimal:
    return invocations * milliseconds / 1000 * work.memory_mb / 1024


def meaning(name: str) -> str:
    """Returns what a field of `Workload` means, from its docstring."""
    text = (Workload.__doc__ or "").partition(f"        {name}: ")[2]
    return " ".join(re.split(r"\n {4,8}\S", text)[0].split())
