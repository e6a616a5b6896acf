"""Prints what a month of a pipeline costs by AWS's list prices, tracing and all the rest.

`scripts/run python -m scripts.costs --requests 5000000 --sampled 0.05` prints it for your own numbers; docs/costs.md
has it for three.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import fields
from decimal import Decimal, InvalidOperation

from scripts.cost_model import Workload, dollars, meaning, pipeline_lines, total_usd, tracing_lines
from scripts.prices import PriceList, load


def report(work: Workload, prices: PriceList) -> str:
    """Returns the costs as lines of text."""
    lines = tracing_lines(work) + pipeline_lines(work)
    shown = []
    for line in lines:
        price = prices[line.price]
        units = f"{line.units:,.2f}".removesuffix(".00")
        shown.append((line.what or price.what, f"{units} {price.unit}", price.cost_usd(line.units)))
    tracing = [line for line in lines if line.is_tracing]
    shown += [
        ("tracing", "", total_usd(tracing, prices)),
        ("everything", "", total_usd(lines, prices)),
        ("everything, less the free tier of the account", "", total_usd(lines, prices, free_tier=True)),
    ]
    texts = [f"{what:66}{units:>34}{dollars(usd):>12}" for what, units, usd in shown]
    read = max(price.read for price in prices.prices.values())
    return "\n".join([*texts, f"A month, by the list prices of {prices.region} as read on {read}."]) + "\n"


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints what a month costs; the exit status is 2 for numbers that no pipeline has."""
    parser = argparse.ArgumentParser(prog="python -m scripts.costs", description=(__doc__ or "").partition("\n")[0])
    for field in fields(Workload):
        name, text = f"--{field.name.replace('_', '-')}", meaning(field.name)
        if field.type is bool:
            parser.add_argument(name, action="store_true", help=text)
        elif field.name == "requests":
            parser.add_argument(name, type=int, required=True, help=text)
        else:
            kind = _decimal if field.type is Decimal else int
            parser.add_argument(name, type=kind, default=field.default, help=f"{text} Default: {field.default}.")
    try:
        work = Workload(**vars(parser.parse_args(arguments)))
    except ValueError as error:
        parser.error(str(error))
    print(report(work, load()), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
