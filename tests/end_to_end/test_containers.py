"""Workers in containers: killed, scaled and stopped in the middle; no message is lost, and each is in its own trace."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from traced_pipeline_cli.aws.http import new_trace_id

from harness.local_aws import LocalAws
from tests.support.end_to_end.containers import ENGINES, STACK, Tasks, Workers, deploy
from tests.support.end_to_end.deployed import Deployed
from tests.support.local_aws.xray import put
from tests.support.waiting import wait_for

Document = dict[str, Any]


@pytest.fixture(scope="module")
def workers(local_aws: LocalAws, bridged: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    """The workers, beside the reference pipeline, whose permission for SNS they use."""
    workers = deploy(local_aws, tmp_path_factory.mktemp("containers"))
    yield workers
    workers.account.delete(STACK)


class Sent:
    """Messages for one worker, each of a trace of its own that a publisher has begun."""

    def __init__(self, workers: Workers, engine: str, *, count: int, held: bool) -> None:
        self._workers = workers
        self._engine = engine
        self.traces = {uuid.uuid4().hex: new_trace_id() for _ in range(count)}
        for order, trace_id in self.traces.items():
            publisher = uuid.uuid4().hex[:16]
            began = int(trace_id.split("-")[1], 16)
            segment = {"name": "publisher", "id": publisher, "trace_id": trace_id}
            put(workers.account, {**segment, "start_time": began, "end_time": began + 1})
            header = f"Root={trace_id};Parent={publisher};Sampled=1"
            workers.publish(engine, {"id": order, "held": held}, header)

    def wait_until_done(self) -> None:
        """Waits until each message is in the table, and none in the queue."""
        wait_for(lambda: self._workers.items(self._engine) >= set(self.traces), what="the items of all messages")
        wait_for(lambda: self._workers.left(self._engine) == 0, what="the end of the queue")

    def segments(self) -> list[Document]:
        """Waits for the worker's segment in each message's trace, which must be one connected whole; returns them."""
        return [self._segment(trace_id) for trace_id in self.traces.values()]

    def _segment(self, trace_id: str) -> Document:
        def recorded() -> list[Document]:
            documents = self._workers.account.documents(trace_id)
            return documents if any(map(_is_worker, documents)) else []

        documents = wait_for(recorded, what=f"the worker in trace {trace_id}")
        spans = {span["id"] for document in documents for span in _spans(document)}
        assert [document["name"] for document in documents if "parent_id" not in document] == ["publisher"]
        assert {document["parent_id"] for document in documents if "parent_id" in document} <= spans
        (segment,) = filter(_is_worker, documents)
        assert any(call["name"] == "DynamoDB" for call in _spans(segment))
        return segment


def _is_worker(document: Document) -> bool:
    return document.get("origin") == "AWS::ECS::Container" and not document.get("in_progress")


def _spans(document: Document) -> list[Document]:
    return [document, *(span for nested in document.get("subsegments", []) for span in _spans(nested))]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_task_that_is_killed_in_the_middle_of_a_message_loses_none(
    workers: Workers, engine: str, tmp_path: Path
) -> None:
    sent = Sent(workers, engine, count=4, held=True)
    with Tasks(workers, engine, tmp_path) as tasks:
        killed = tasks.start()
        (under_way,) = tasks.begun(1)
        killed.kill()
        killed.wait()
        assert workers.items(engine).isdisjoint(sent.traces)
        tasks.release()
        tasks.start()
        sent.wait_until_done()
        segments = sent.segments()
    attempts = dict(zip(sent.traces, (segment["annotations"]["attempt"] for segment in segments), strict=True))
    assert attempts[under_way] == 2


@pytest.mark.parametrize("engine", ENGINES)
def test_three_tasks_share_the_messages(workers: Workers, engine: str, tmp_path: Path) -> None:
    with Tasks(workers, engine, tmp_path) as tasks:
        processes = [tasks.start(messages_a_call=1) for _ in range(3)]
        at_once = Sent(workers, engine, count=3, held=True)
        # Each task takes one message at a time, so that three are under way in three tasks.
        assert tasks.begun(3) == set(at_once.traces)
        others = Sent(workers, engine, count=6, held=False)
        tasks.release()
        for sent in (at_once, others):
            sent.wait_until_done()
        for process in processes:
            tasks.stop(process)
        assert [process.wait(60) for process in processes] == [0, 0, 0]
    segments = [*at_once.segments(), *others.segments()]
    assert {segment["annotations"]["attempt"] for segment in segments} == {1}
    assert {segment["name"] for segment in segments} == {f"{STACK}-{engine.capitalize()}"}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_task_that_is_stopped_finishes_its_message_and_returns_the_others(
    workers: Workers, engine: str, tmp_path: Path
) -> None:
    sent = Sent(workers, engine, count=4, held=True)
    wait_for(lambda: workers.left(engine) == len(sent.traces), what="all messages in the queue")
    with Tasks(workers, engine, tmp_path) as tasks:
        stopped = tasks.start()
        under_way = tasks.begun(1)
        tasks.stop(stopped)
        tasks.release()
        assert stopped.wait(60) == 0
        assert workers.items(engine) & set(sent.traces) == under_way
        tasks.start()
        sent.wait_until_done()
        assert len(sent.segments()) == len(sent.traces)
