"""Entity selectors of GetTimeSeriesServiceStatistics: which services or edges are added up.

Source: X-Ray API Reference, "GetTimeSeriesServiceStatistics", `EntitySelectorExpression`: "Supports ID, service, and
edge functions."
"""

from dataclasses import dataclass
from typing import Literal

from local.xray.calls import account_of, key_of
from local.xray.filters.expressions import CallTest, Parser, ServiceTest


@dataclass(frozen=True, kw_only=True)
class Selector:
    """What is selected.

    Attributes:
        of: Whether services or edges are.
        takes_service: Tells of a segment whether it counts.
        takes_call: Tells of a call whether it counts.
    """

    of: Literal["service", "edge"]
    takes_service: ServiceTest = lambda _summary, _segment: False
    takes_call: CallTest = lambda _summary, _call: False


def compile_selector(expression: str) -> Selector:
    """Reads a selector.

    Raises:
        FilterError: It is not one of those functions.
    """
    parser = Parser(expression)
    word = parser.peek().lower()
    if word == "service":
        parser.step()
        selector = Selector(of="service", takes_service=parser.service())
    elif word == "edge":
        parser.step()
        selector = Selector(of="edge", takes_call=parser.edge())
    elif word == "id":
        is_service = parser.node()
        selector = Selector(
            of="service", takes_service=lambda _summary, segment: is_service(key_of(segment), account_of(segment))
        )
    else:
        raise parser.error("service(), edge() or id()")
    if parser.peek():
        raise parser.error("the end")
    return selector
