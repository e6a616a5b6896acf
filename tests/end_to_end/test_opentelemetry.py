"""A pipeline of OpenTelemetry, deployed: a handler's own spans are in its request's trace, without a line of set-up."""

from typing import Any

import pytest

from tests.support.end_to_end.deployed import Deployed
from tests.support.end_to_end.following import Followed, follow, start
from tests.support.waiting import wait_for


@pytest.fixture(scope="module")
def followed(spans: Deployed) -> Followed:
    """A request whose trace is one connected whole."""
    return follow(spans, {"id": "order-1", "amount": 12.5})


def _below(document: dict[str, Any], name: str) -> dict[str, Any]:
    """The only subsegment of a name right below a document."""
    (nested,) = [each for each in document.get("subsegments", []) if each["name"] == name]
    return nested  # type: ignore[no-any-return]


def test_a_request_is_one_trace_from_the_api_to_the_table(followed: Followed) -> None:
    kinds = [followed.map.by_id[node].kind for node in followed.map.traces[0].nodes]
    assert kinds == ["stage", "function", "topic", "queue", "function", "table"]


def test_a_span_of_the_handlers_own_is_below_its_message(followed: Followed) -> None:
    worker = followed.segment("WorkerFunction")
    price = _below(worker, "price")
    assert price["annotations"] == {"order_id": "order-1"}
    assert "namespace" not in price
    assert _below(worker, "DynamoDB")["aws"]["operation"] == "PutItem"
    assert worker["annotations"]["attempt"] == 1


def test_the_ingest_functions_call_is_below_lambdas_own_segment(followed: Followed) -> None:
    ingest = followed.segment("IngestFunction")
    invocation = _below(ingest, "Invocation")
    assert _below(invocation, "SNS")["aws"]["operation"] == "Publish"


def test_an_error_marks_the_handlers_span_and_its_message(spans: Deployed) -> None:
    trace_id = start(spans, {"id": "order-2", "amount": 0})

    def failed() -> list[dict[str, Any]]:
        return [each for each in spans.documents(trace_id) if "WorkerFunction" in each["name"]]

    (worker,) = wait_for(failed, what="the segment of the message that failed")
    price = _below(worker, "price")
    assert worker["fault"] is price["fault"] is True
    assert price["cause"]["exceptions"][0]["message"] == "the order has no amount"
    assert spans.item("order-2") is None
