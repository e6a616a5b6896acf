"""Segment documents of the collector's cases: the span of a case, and a value of a document by its place."""

from typing import Any

from tests.support.collector_cases import Case
from tests.support.otel_spans import PARENT, context


def span_of(case: Case) -> dict[str, Any]:
    """Returns the arguments of `ended_span` for a case."""
    return {
        "name": case.span_name,
        "kind": case.kind,
        "attributes": case.attributes,
        "resource": case.resource,
        "parent": context(PARENT) if case.has_parent else None,
        "status": case.status,
        "message": case.message,
        "events": case.events,
    }


def value_at(document: Any, place: str) -> object:
    """Returns a value of a document; None where there is none.

    Args:
        document: The document.
        place: The value's place, `/` between the fields.
    """
    value = document
    while place and value is not None:
        if isinstance(value, list):
            number, _, place = place.partition("/")
            value = value[int(number)] if int(number) < len(value) else None
        elif place in value:
            return value[place]  # keys of metadata have slashes of their own
        else:
            name, _, place = place.partition("/")
            value = value.get(name)
    return value
