"""Work of a message that runs elsewhere: in other threads, in tasks, in child processes."""

import asyncio
import io
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from aws_xray_sdk.core import xray_recorder
from botocore.config import Config
from trace_bridge import Message, TracedThreadPoolExecutor, continue_trace, counters, sqs_handler, trace_batch

from tests.support import bridge
from tests.support.child_process import in_a_child
from tests.support.lambda_events import LambdaContext, event, header, record, trace_id
from tests.support.lambda_process import Process
from tests.support.otel_spans import Spans

ROOT = trace_id(9)
RECORD = record(trace=header(ROOT))


def _s3(process: Process) -> Any:
    config = Config(retries={"total_max_attempts": 1}, request_checksum_calculation="when_required")
    client = boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=process.services.url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=config,
    )
    process.clients.append(client)
    return client


def _calls(process: Process) -> list[str]:
    (document,) = process.documents_of(ROOT)
    return [call["aws"]["operation"] for call in document.get("subsegments", ())]


def _answered(client: Any) -> Any:
    from botocore.awsrequest import AWSResponse

    class Body:
        def stream(self, **_: object) -> list[bytes]:
            return [b""]

        def read(self, *_: object) -> bytes:
            return b""

    headers: Any = {"ETag": '"e"', "Content-Length": "0"}
    client.meta.events.register("before-send", lambda request, **_: AWSResponse(request.url, 200, headers, Body()))
    return client


def _upload(client: Any) -> None:
    client.upload_fileobj(io.BytesIO(b"1"), "bucket", "key")


def _download(client: Any) -> None:
    client.download_fileobj("bucket", "key", io.BytesIO())


@pytest.mark.parametrize(
    ("transfer", "operations"), [(_upload, ["PutObject"]), (_download, ["HeadObject", "GetObject"])]
)
def test_transfers_of_s3_are_on_the_messages_trace(
    process: Process, transfer: Callable[[Any], None], operations: list[str]
) -> None:
    client = _answered(_s3(process))
    with continue_trace(RECORD, LambdaContext()):
        transfer(client)
    assert _calls(process)[: len(operations)] == operations


def test_calls_of_run_in_executor_are_on_the_messages_trace(process: Process) -> None:
    client = process.client("dynamodb")

    async def handler(_message: Message) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, client.list_tables)
        with ThreadPoolExecutor(1) as pool:
            await loop.run_in_executor(pool, client.list_tables)

    sqs_handler(handler)(event(RECORD), LambdaContext())
    assert _calls(process) == ["ListTables", "ListTables"]


def test_a_plain_thread_stays_outside_and_a_traced_pool_inside(process: Process) -> None:
    client = process.client("dynamodb")
    with continue_trace(RECORD, LambdaContext()):
        thread = threading.Thread(target=client.list_tables)
        thread.start()
        thread.join()
        with TracedThreadPoolExecutor() as pool:
            pool.submit(client.list_tables).result()
    assert _calls(process) == ["ListTables"]


def test_a_forked_server_sends_the_documents_of_its_own_messages(process: Process) -> None:
    handler = sqs_handler(lambda message: message.json())
    handler(event(record(1, trace=header(trace_id(1)))), LambdaContext())

    def serve() -> list[int]:
        for number in (2, 3):
            handler(event(record(number, trace=header(trace_id(number)))), LambdaContext())
        return [counters().sent_api, counters().failed]

    assert in_a_child(serve) == "[2, 0]"
    handler(event(record(4, trace=header(trace_id(4)))), LambdaContext())
    assert [document["annotations"]["message_id"] for document in process.documents()] == [
        f"message-{number}" for number in (1, 2, 3, 4)
    ]


def test_what_a_child_process_calls_inside_a_message_is_recorded(process: Process) -> None:
    client = process.client("dynamodb")

    def work() -> str:
        client.list_tables()
        with xray_recorder.in_subsegment("step"):
            client.list_tables()
        return "done"

    handler = sqs_handler(lambda _message: in_a_child(work))
    assert handler(event(RECORD), LambdaContext()) == {"batchItemFailures": []}
    documents = process.documents_of(ROOT)
    (segment,) = [document for document in documents if "type" not in document]
    parts = {document["id"]: document for document in documents if "type" in document}
    (step,) = [part for part in parts.values() if part["name"] == "step"]
    assert sorted(part["parent_id"] for part in parts.values()) == sorted([segment["id"], segment["id"], step["id"]])
    assert "subsegments" not in segment


def test_a_child_process_that_leaves_the_message_does_not_send_its_segment_again(process: Process) -> None:
    with continue_trace(RECORD, LambdaContext()):
        block = continue_trace(record(2, trace=header(trace_id(2))), LambdaContext())
        block.__enter__()
        in_a_child(lambda: block.__exit__(None, None, None))
        block.__exit__(None, None, None)
    assert len(process.documents_of(trace_id(2))) == 1


@pytest.mark.waits
@pytest.mark.parametrize("lock", ["counters", "emitter", "batches"])
def test_a_signals_handler_may_record_a_message_while_its_thread_does(process: Process, lock: str) -> None:
    bridge.wait_for_uploads(process.monkeypatch, seconds=1)  # which cannot be counted meanwhile

    def record_one() -> None:
        with trace_batch(), continue_trace(RECORD, LambdaContext()):
            pass

    def forget_and_record() -> None:
        if lock == "emitter":
            bridge.forget_emitter()
        record_one()

    thread = threading.Thread(target=bridge.while_locked, args=(lock, forget_and_record), daemon=True)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    assert len(process.documents_of(ROOT)) == 1


def test_a_signals_handler_may_record_a_span_while_its_thread_does(process: Process, spans: Spans) -> None:
    def record_one() -> None:
        with trace_batch(), continue_trace(RECORD, LambdaContext()):
            pass

    thread = threading.Thread(target=bridge.while_locked, args=("spans", record_one), daemon=True)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    assert len(spans.all()) == 1
