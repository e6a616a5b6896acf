"""A worker outside of Lambda: in a container, on an instance or on a laptop."""

import json
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


class JsonLines(logging.Formatter):
    """Lines like those of Lambda's functions, with the bridge's fields, so that the same queries find them."""

    _PLAIN = frozenset(vars(logging.makeLogRecord({})))

    def format(self, record: logging.LogRecord) -> str:
        """Returns a record as one line of JSON."""
        line = {"level": record.levelname, "logger": record.name, "message": record.getMessage()}
        if record.exc_info and record.exc_info[1]:
            error = record.exc_info[1]
            line |= {"errorType": type(error).__name__, "errorMessage": str(error)}
            line["stackTrace"] = self.formatException(record.exc_info)
        line |= {name: value for name, value in vars(record).items() if name not in self._PLAIN}
        return json.dumps(line, default=str)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    logging.getLogger().handlers[0].setFormatter(JsonLines())
    poll(os.environ["QUEUE_URL"], handle, max_workers=4)
