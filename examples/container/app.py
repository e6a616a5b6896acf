"""A worker outside of Lambda: in a container, on an instance or on a laptop."""

import logging
import os

import boto3
from trace_bridge import Message, poll

log = logging.getLogger("audit")
table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])


def handle(message: Message) -> None:
    """Stores one order; SQS may deliver it again, which writes the same item again."""
    order = message.json()
    table.put_item(Item={"id": order["id"], "order": message.body})
    log.info("audited %s", order["id"])


if __name__ == "__main__":
    line = logging.Formatter("%(levelname)s %(message)s trace=%(xray_trace_id)s", defaults={"xray_trace_id": "-"})
    logging.basicConfig(level=logging.INFO)
    logging.getLogger().handlers[0].setFormatter(line)
    poll(os.environ["QUEUE_URL"], handle, max_workers=4)
