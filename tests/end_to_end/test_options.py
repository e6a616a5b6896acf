"""What AWS has added to topics, event sources and functions: the largest message, followed through two workers."""

import json

import pytest

from tests.support.end_to_end.deployed import Deployed
from tests.support.end_to_end.following import Followed, follow
from tests.support.end_to_end.with_options import LARGEST


@pytest.fixture(scope="module")
def followed(with_options: Deployed) -> Followed:
    """An order that fills a message to its last byte."""
    order = {"id": "large", "customer": "ann", "amount": 1, "text": ""}
    text = "x" * (LARGEST - len(json.dumps(order)))
    return follow(with_options, {**order, "text": text}, tables=2)


def test_the_largest_message_is_in_one_trace(followed: Followed) -> None:
    assert set(followed.hops) == {
        ("WithOptions-Orders/prod", "OrdersIngestFunction"),
        ("OrdersIngestFunction", "OrdersTopic"),
        *(
            hop
            for name in ("Worker", "Audit")
            for hop in (
                ("OrdersTopic", f"Orders{name}Queue"),
                (f"Orders{name}Queue", f"Orders{name}Function"),
                (f"Orders{name}Function", "OrdersTable"),
            )
        ),
    }


@pytest.mark.parametrize("worker", ["first", "audit"])
def test_each_worker_gets_all_of_it_with_its_group(with_options: Deployed, followed: Followed, worker: str) -> None:
    item = with_options.item(f"large {worker}")
    assert item == {
        "id": {"S": f"large {worker}"},
        "bytes": {"N": str(LARGEST)},
        "group": {"S": "ann"},
        "tool": {"S": "shop tools"},
        "version": {"S": "1"},
        "trace_id": {"S": followed.trace_id},
    }


def test_a_byte_more_is_refused_with_the_number_that_is_taken(with_options: Deployed) -> None:
    order = {"id": "larger", "customer": "ann", "amount": 1, "text": ""}
    answer = with_options.post({**order, "text": "x" * (LARGEST + 1 - len(json.dumps(order)))})
    assert (answer.status, f"at most {LARGEST} are taken" in str(answer.body)) == (413, True)


def test_each_function_is_what_its_options_say(with_options: Deployed) -> None:
    lambda_ = with_options.client("lambda")
    found = {
        name: lambda_.get_function_configuration(FunctionName=function)
        for function in with_options.pipeline.functions
        for name in ("Ingest", "Worker", "Audit")
        if f"Orders{name}Function" in function
    }
    assert "Mine" in found["Ingest"]["Role"]
    assert found["Worker"]["EphemeralStorage"] == {"Size": 1024}
    assert found["Audit"]["SnapStart"]["ApplyOn"] == "PublishedVersions"
    for name in ("Worker", "Audit"):
        (mapping,) = lambda_.list_event_source_mappings(
            EventSourceArn=_queue_arn(with_options, f"Orders{name}Queue"),
        )["EventSourceMappings"]
        assert mapping["FunctionArn"] == f"{found[name]['FunctionArn']}:live"


def _queue_arn(deployed: Deployed, part: str) -> str:
    (url,) = [url for url in deployed.pipeline.queues if part in url]
    sqs = deployed.client("sqs")
    arn: str = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return arn
