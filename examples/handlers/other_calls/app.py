"""A worker that calls several services for each order."""

import os

import boto3
from trace_bridge import Message, sqs_handler

secrets, functions, objects = boto3.client("secretsmanager"), boto3.client("lambda"), boto3.client("s3")
events, machines = boto3.client("events"), boto3.client("stepfunctions")
table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])


@sqs_handler
def handler(message: Message) -> None:
    order = message.json()
    secrets.get_secret_value(SecretId=os.environ["SECRET_ARN"])
    functions.invoke(FunctionName=os.environ["CHECK_FUNCTION"], Payload=message.body)
    objects.put_object(Bucket=os.environ["BUCKET_NAME"], Key=f"orders/{order['id']} 1.json", Body=message.body.encode())
    events.put_events(
        Entries=[
            {
                "EventBusName": os.environ["BUS_NAME"],
                "Source": "shop.orders",
                "DetailType": detail_type,
                "Detail": message.body,
            }
            for detail_type in ("OrderPlaced", "OrderCancelled")
        ]
    )
    machines.start_execution(stateMachineArn=os.environ["MACHINE_ARN"], input=message.body)
    table.put_item(Item={"id": order["id"], "trace_id": message.trace_id})
