"""The tables of docs/costs.md, made from the prices and from the templates."""

from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields, replace
from decimal import Decimal

from scripts.cost_model import (
    HOURS_PER_MONTH,
    Line,
    Workload,
    dollars,
    meaning,
    message_lines,
    pipeline_lines,
    total_usd,
    tracing_lines,
)
from scripts.pipeline_resources import Resources
from scripts.prices import PriceList

VOLUMES = {"10 thousand": 10_000, "1 million": 1_000_000, "100 million": 100_000_000}
"""Requests a month, as the head of a column."""

# X-Ray's own example of use: https://aws.amazon.com/xray/pricing/
_QUERIES_PER_MONTH = Decimal(100 * HOURS_PER_MONTH) / 24
_RETRIEVED_PER_QUERY = 50
# A document of the reference worker with its call to DynamoDB, and the head of the request it is sent in.
_BYTES_PER_UPLOAD = 3_000
_BYTES_PER_GB = 10**9
# https://aws.amazon.com/cloudwatch/pricing/, free tier
_METRICS_OF_A_FREE_DASHBOARD = 50

_Row = tuple[str, Callable[[Workload], str]]


def traces_table(prices: PriceList) -> str:
    """Returns what recording and reading traces costs."""

    def recorded(
        change: Callable[[Workload], Workload] = replace, *, free_tier: bool = False
    ) -> Callable[[Workload], str]:
        def cell(work: Workload) -> str:
            lines = [line for line in tracing_lines(change(work)) if line.price != "lambda_duration"]
            return dollars(total_usd(lines, prices, free_tier=free_tier))

        return cell

    def every_request(work: Workload) -> Workload:
        return replace(work, sampled=Decimal(1))

    def searchable(work: Workload) -> Workload:
        return replace(work, transaction_search=True)

    def read(work: Workload) -> str:
        retrieved = min(Decimal(_RETRIEVED_PER_QUERY), work.traces / HOURS_PER_MONTH)
        units = _QUERIES_PER_MONTH * (work.traces / HOURS_PER_MONTH + retrieved)
        return dollars(prices["xray_trace_read"].cost_usd(units))

    def by_trace(name: str) -> Callable[[Workload], str]:
        return lambda work: dollars(prices[name].cost_usd(work.traces))

    rows: list[_Row] = [
        ("traces recorded by the default rule", lambda work: f"{work.traces:,.0f}"),
        ("**the default**, `PassThrough`", recorded()),
        ("… less the free tier of the account", recorded(free_tier=True)),
        ('`WorkerOptions(tracing="linked")`, at most', recorded(lambda work: replace(work, linked=True))),
        ("`SamplingOptions(rate=1)`: every request", recorded(every_request)),
        ("Transaction Search, the default rule", recorded(searchable)),
        ("Transaction Search, every request", recorded(lambda work: searchable(every_request(work)))),
        (
            "… and every span indexed",
            recorded(lambda work: replace(searchable(every_request(work)), indexed=Decimal(1))),
        ),
        ("*in addition:* a trace group", by_trace("xray_trace_read")),
        ("*in addition:* its Insights", by_trace("xray_insights")),
        ("*in addition:* reading, 100 queries a day", read),
    ]
    return _table("requests a month", rows)


def pipeline_table(prices: PriceList) -> str:
    """Returns what the default pipeline costs, line by line."""

    def lines(work: Workload) -> list[Line]:
        return pipeline_lines(work) + tracing_lines(work)

    def cost(number: int) -> Callable[[Workload], str]:
        return lambda work: dollars(prices[lines(work)[number].price].cost_usd(lines(work)[number].units))

    def tracing_usd(work: Workload) -> Decimal:
        return total_usd(tracing_lines(work), prices)

    def fraction(work: Workload) -> str:
        return f"{tracing_usd(work) / total_usd(lines(work), prices):.1%}".replace("%", " %")

    def messages(work: Workload) -> str:
        return dollars(total_usd(message_lines(work), prices))

    shown = lines(Workload(requests=1))
    rows: list[_Row] = [(line.what or prices[line.price].what, cost(number)) for number, line in enumerate(shown)]
    rows += [
        ("**together**", lambda work: f"**{dollars(total_usd(lines(work), prices))}**"),
        ("of it tracing", lambda work: dollars(tracing_usd(work))),
        ("… as a fraction", fraction),
        (
            "together, less the free tier of the account",
            lambda work: dollars(total_usd(lines(work), prices, free_tier=True)),
        ),
        ("*in addition:* `message_log=True`", lambda work: messages(replace(work, message_log=True))),
        ("*in addition:* `message_metrics=True`", lambda work: messages(replace(work, message_metrics=True))),
    ]
    return _table("requests a month", rows)


def vpc_table(prices: PriceList) -> str:
    """Returns what a network path from a VPC to X-Ray costs."""

    def way(name: str) -> Callable[[Workload], str]:
        def cell(work: Workload) -> str:
            gigabytes = work.sampled_invocations * _BYTES_PER_UPLOAD / _BYTES_PER_GB
            fixed = prices[f"{name}_hour"].cost_usd(Decimal(HOURS_PER_MONTH))
            return f"{dollars(fixed)} + {dollars(prices[f'{name}_gigabyte'].cost_usd(gigabytes))}"

        return cell

    rows: list[_Row] = [
        ("interface endpoint for X-Ray, in one Availability Zone", way("endpoint")),
        ("NAT gateway, if there is none yet", way("nat")),
    ]
    return _table("requests a month", rows)


def resource_types_table(stacks: Sequence[Resources]) -> str:
    """Returns how many resources of each type there are; of stacks, the first three."""
    shown = stacks[:3]
    types = sorted({kind for resources in shown for kind in resources.types})
    rows = [[f"`{kind}`", *(str(resources.types[kind] or "–") for resources in shown)] for kind in types]
    rows.append(["**together**", *(f"**{resources.types.total()}**" for resources in shown)])
    return _markdown(["type", *(resources.what for resources in shown)], rows)


def fixed_table(stacks: Sequence[Resources], prices: PriceList) -> str:
    """Returns what a month without a single request costs."""
    rows = []
    for resources in stacks:
        lines = [Line(what="", price=price, units=units) for price, units in resources.fixed.items()]
        free = total_usd(lines, prices, free_tier=True)
        if resources.dashboard_metrics > _METRICS_OF_A_FREE_DASHBOARD:
            free += prices["dashboard"].cost_usd(resources.fixed["dashboard"])
        metrics = f" of {resources.dashboard_metrics} metrics" if resources.dashboard_metrics else ""
        counts = [
            str(resources.fixed["alarm"]),
            f"{resources.fixed['dashboard']}{metrics}",
            str(resources.fixed["customer_key"]),
            str(resources.polled_queues),
        ]
        costs = [dollars(total_usd(lines, prices)), dollars(free)]
        rows.append([resources.what, str(resources.types.total()), *counts, *costs])
    head = [
        "what is set",
        "resources",
        "alarms",
        "dashboards",
        "customer keys",
        "polled queues",
        "a month",
        "less the free tier",
    ]
    return _markdown(head, rows)


def assumptions_table() -> str:
    """Returns what the calculations assume, and the options that change it."""
    rows = [
        [f"`--{field.name.replace('_', '-')}`", meaning(field.name), _default(field.default)]
        for field in fields(Workload)
    ]
    return _markdown(["option", "what it is", "assumed"], rows)


def _default(value: object) -> str:
    if isinstance(value, bool):
        return "no"
    return "three columns" if value is MISSING else f"{value}"


def prices_table(prices: PriceList) -> str:
    """Returns the prices, with where and when they were read."""
    rows = []
    for price in prices.prices.values():
        units = f"{price.per:,} {price.unit}" if price.per > 1 else f"1 {price.unit.removesuffix('s')}"
        free = f"{price.free_per_month:,}" if price.free_per_month else "–"
        read = ". ".join(part.rstrip(".") for part in (price.evidence, price.note) if part)
        rows.append([f"[{price.what}]({price.source})", f"${price.usd}", units, free, f"{price.read}", read])
    return _markdown(["price", prices.region, "for", "free a month", "read", "read in"], rows)


def _table(head: str, rows: Sequence[_Row]) -> str:
    works = [Workload(requests=requests) for requests in VOLUMES.values()]
    return _markdown([head, *VOLUMES], [[name, *(cell(work) for work in works)] for name, cell in rows])


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines).replace("| --- |", "|---|").replace(" --- |", "---|")
