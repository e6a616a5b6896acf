"""A worker that bills orders and refunds, one at a time; an order without an amount fails."""

import json
import os

import boto3
from trace_bridge import Message, sqs_handler

invoices = boto3.client("sns")


@sqs_handler
def handler(message: Message) -> None:
    order = message.json()
    if not isinstance(order, dict) or "amount" not in order:
        raise ValueError(f"message {message.message_id} has no amount to bill")
    invoice = {"id": order["id"], "customer": message.group_id, "amount": order["amount"]}
    invoices.publish(TopicArn=os.environ["TOPIC_ARN"], Message=json.dumps(invoice))
