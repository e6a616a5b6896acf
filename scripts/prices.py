"""The list prices in docs/prices.toml, which is their only place."""

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

FILE = Path(__file__).resolve().parent.parent / "docs" / "prices.toml"

_KINDS: dict[str, type] = {
    "what": str,
    "usd": Decimal,
    "per": int,
    "unit": str,
    "free_per_month": int,
    "source": str,
    "evidence": str,
    "read": dt.date,
    "note": str,
}
_OPTIONAL = {"note"}


@dataclass(frozen=True, kw_only=True)
class Price:
    """A list price: what `per` units cost.

    Attributes:
        what: What is billed, the service first.
        usd: US dollars for `per` units, in the first tier of usage.
        per: Number of units.
        unit: What is counted, in the plural.
        free_per_month: Units that every account has free in a month, for good.
        source: AWS's page for the price.
        evidence: Where the amount was read.
        read: When it was read.
        note: Where sources differ, or what the amount leaves out.
    """

    what: str
    usd: Decimal
    per: int
    unit: str
    free_per_month: int
    source: str
    evidence: str
    read: dt.date
    note: str = ""

    def cost_usd(self, units: Decimal, *, free_tier: bool = False) -> Decimal:
        """Returns what so many units cost in a month, in US dollars.

        Args:
            units: How many, not negative.
            free_tier: Whether the free units are for these alone. Default: they are used up by something else.
        """
        billed = max(units - self.free_per_month, Decimal(0)) if free_tier else units
        return billed * self.usd / self.per


@dataclass(frozen=True, kw_only=True)
class PriceList:
    """The prices of one Region.

    Attributes:
        region: The Region.
        prices: The prices, by their names in the file.
    """

    region: str
    prices: Mapping[str, Price]

    def __getitem__(self, name: str) -> Price:
        """Returns a price.

        Raises:
            ValueError: The file has no such price.
        """
        if name not in self.prices:
            raise ValueError(f"there is no price {name!r}; expected one of {', '.join(self.prices)}, or add it")
        return self.prices[name]


def load(file: Path = FILE) -> PriceList:
    """Reads the prices.

    Raises:
        ValueError: The file is no list of prices; says which entry is wrong, and what was expected.
    """
    content = tomllib.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
    region = content.pop("region", None)
    if not isinstance(region, str) or not region:
        raise ValueError(f"{file.name}: region is {region!r}; expected the name of a Region, such as us-east-1")
    return PriceList(region=region, prices={name: _price(f"{file.name}: [{name}]", of) for name, of in content.items()})


def _price(where: str, entry: object) -> Price:
    if not isinstance(entry, dict):
        raise ValueError(  # noqa: TRY004 - the file's content is wrong
            f"{where} is {entry!r}; expected a table with {', '.join(_KINDS)}"
        )
    missing, unknown = _KINDS.keys() - _OPTIONAL - entry.keys(), entry.keys() - _KINDS.keys()
    if missing or unknown:
        raise ValueError(f"{where} lacks {sorted(missing)} and has {sorted(unknown)}; expected {', '.join(_KINDS)}")
    for name, value in entry.items():
        if type(value) is not _KINDS[name] or value == "":
            raise ValueError(f"{where}: {name} is {value!r}; expected {_KINDS[name].__name__}, an amount as 0.50")
    price = Price(**entry)
    if not price.usd.is_finite() or price.usd < 0 or price.per < 1 or price.free_per_month < 0:
        raise ValueError(f"{where}: usd and free_per_month are not below 0, and per is at least 1")
    if urlsplit(price.source).scheme != "https":
        raise ValueError(f"{where}: source is {price.source!r}; expected the https address of a page")
    return price
