"""A worker that does everything at once: AWS and HTTP calls, functions of its own, threads and tasks, log lines."""

import asyncio
import logging
import os
import urllib.request
from decimal import Decimal

import boto3
import httpx
import requests
from trace_bridge import Message, TracedThreadPoolExecutor, capture, sqs_handler, subsegment

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)
session = boto3.Session()
table = session.resource("dynamodb").Table(os.environ["TABLE_NAME"])


@capture
def price(site: str, order_id: str) -> str:
    log.info("order %s priced", order_id)
    return requests.get(f"{site}/price?token=secret", timeout=5).text


@capture("stock")
async def in_stock(site: str, order_id: str) -> str:
    log.info("order %s looked for", order_id)
    async with httpx.AsyncClient() as client:
        return (await client.get(f"{site}/stock")).text


def weight(site: str, order_id: str) -> str:
    log.info("order %s weighed", order_id)
    with subsegment("weight"), urllib.request.urlopen(f"{site}/weight", timeout=5) as answer:
        return str(answer.read().decode())


@sqs_handler
async def handler(message: Message) -> None:
    order = message.json(parse_float=Decimal)
    log.info("order %s begun", order["id"])
    async with subsegment("enrich") as enrich:
        enrich.put_annotation("order", order["id"])
        with TracedThreadPoolExecutor(1) as pool:
            wanted = (order["site"], order["id"])
            weighed = pool.submit(weight, *wanted)
            found = await asyncio.gather(in_stock(*wanted), asyncio.to_thread(price, *wanted))
            enrich.put_metadata("found", [*found, weighed.result()])
    await asyncio.to_thread(table.put_item, Item={"id": order["id"], "order": message.body})
    log.info("order %s stored", order["id"])
