"""What of an AWS call is worth recording: which table, queue, topic, bucket or function, and how much went over it.

Contents of messages, items and objects are never among it. The fields are those that the AWS X-Ray SDK for Python
records, under its names, so that filter expressions and groups made for it find these calls too:
https://github.com/aws/aws-xray-sdk-python/blob/master/aws_xray_sdk/ext/resources/aws_para_whitelist.json
"""

from collections.abc import Callable, Iterable, Mapping, Sized
from functools import lru_cache
from typing import Any, NamedTuple


class Field(NamedTuple):
    """A parameter of a call, or a member of its answer, that is recorded.

    Attributes:
        parameter: Its name in the service's API.
        name: The name of the field in the segment document.
        of: What is recorded of its value; None where that cannot be said of the value.
    """

    parameter: str
    name: str
    of: Callable[[Any], object]


class Recorded(NamedTuple):
    """What is recorded of a call.

    Attributes:
        request: Fields of its parameters.
        response: Fields of its answer.
    """

    request: tuple[Field, ...] = ()
    response: tuple[Field, ...] = ()


def _value(value: object) -> object:
    return value


def _keys_of(value: object) -> object:
    return list(value) if isinstance(value, Iterable) else None


def _count_of(value: object) -> object:
    return len(value) if isinstance(value, Sized) else None


def _snake_case(name: str) -> str:
    """Returns a name of an API as the SDK writes it: `QueueOwnerAWSAccountId` as `queue_owner_aws_account_id`."""
    written = name[0]
    for before, letter, after in zip(name, name[1:], f"{name[2:]} ", strict=False):
        begins_word = letter.isupper() and (not before.isupper() or after.islower())
        written += f"_{letter}" if begins_word else letter
    return written.lower()


def _values(parameters: str) -> tuple[Field, ...]:
    return tuple(Field(parameter, _snake_case(parameter), _value) for parameter in parameters.split())


def _keys(parameter: str, name: str) -> tuple[Field, ...]:
    return (Field(parameter, name, _keys_of),)


def _count(parameter: str, name: str) -> tuple[Field, ...]:
    return (Field(parameter, name, _count_of),)


EVERY_OPERATION: Mapping[str, Callable[[], Recorded]] = {
    "dynamodb": lambda: Recorded(_values("TableName"), _values("ConsumedCapacity ItemCollectionMetrics")),
    "lambda": lambda: Recorded(_values("FunctionName Qualifier")),
    "runtime.sagemaker": lambda: Recorded(_values("EndpointName")),
    "s3": lambda: Recorded((Field("Bucket", "bucket_name", _value), *_values("Key Prefix VersionId"))),
    "sns": lambda: Recorded(_values("TopicArn")),
    "sqs": lambda: Recorded(_values("QueueName QueueUrl")),
}
"""By the service's endpoint prefix: what is recorded of each of its operations that has it."""

OPERATIONS: Mapping[str, Mapping[str, Callable[[], Recorded]]] = {
    "dynamodb": {
        "BatchGetItem": lambda: Recorded(_keys("RequestItems", "table_names")),
        "BatchWriteItem": lambda: Recorded(_keys("RequestItems", "table_names")),
        "CreateTable": lambda: Recorded(_values("GlobalSecondaryIndexes LocalSecondaryIndexes ProvisionedThroughput")),
        "GetItem": lambda: Recorded(_values("ConsistentRead ProjectionExpression")),
        "ListTables": lambda: Recorded(_values("ExclusiveStartTableName Limit"), _count("TableNames", "table_count")),
        "Query": lambda: Recorded(
            _values("AttributesToGet ConsistentRead IndexName Limit ProjectionExpression ScanIndexForward Select")
        ),
        "Scan": lambda: Recorded(
            _values("AttributesToGet ConsistentRead IndexName Limit ProjectionExpression Segment Select TotalSegments"),
            _values("Count ScannedCount"),
        ),
        "UpdateTable": lambda: Recorded(
            _values("AttributeDefinitions GlobalSecondaryIndexUpdates ProvisionedThroughput")
        ),
    },
    "lambda": {
        "Invoke": lambda: Recorded(_values("InvocationType LogType"), _values("FunctionError StatusCode")),
        "InvokeAsync": lambda: Recorded((), _values("Status")),
    },
    "s3": {"CopyObject": lambda: Recorded(_values("Bucket CopySource"))},
    "sqs": {
        "AddPermission": lambda: Recorded(_values("Label")),
        "ChangeMessageVisibility": lambda: Recorded(_values("VisibilityTimeout")),
        "ChangeMessageVisibilityBatch": lambda: Recorded((), _values("Failed")),
        "CreateQueue": lambda: Recorded(_values("Attributes")),
        "DeleteMessageBatch": lambda: Recorded((), _values("Failed")),
        "GetQueueAttributes": lambda: Recorded((), _values("Attributes")),
        "GetQueueUrl": lambda: Recorded(_values("QueueOwnerAWSAccountId"), _values("QueueUrl")),
        "ListDeadLetterSourceQueues": lambda: Recorded((), _values("queueUrls")),
        "ListQueues": lambda: Recorded(_values("QueueNamePrefix"), _count("QueueUrls", "queue_count")),
        "ReceiveMessage": lambda: Recorded(
            _values("AttributeNames MaxNumberOfMessages MessageAttributeNames VisibilityTimeout WaitTimeSeconds"),
            _count("Messages", "message_count"),
        ),
        "SendMessage": lambda: Recorded(
            _values("DelaySeconds") + _keys("MessageAttributes", "message_attribute_names"), _values("MessageId")
        ),
        "SendMessageBatch": lambda: Recorded(
            _count("Entries", "message_count"),
            _count("Failed", "failed_count") + _count("Successful", "successful_count"),
        ),
        "SetQueueAttributes": lambda: Recorded(_keys("Attributes", "attribute_names")),
    },
}
"""By the service's endpoint prefix and the operation: what else is recorded of it."""


@lru_cache(maxsize=1024)
def recorded(service: str, operation: str) -> Recorded:
    """Returns what is recorded of a call.

    Args:
        service: The service's endpoint prefix.
        operation: The operation's name in the service's API.
    """
    every, own = EVERY_OPERATION.get(service, Recorded)(), OPERATIONS.get(service, {}).get(operation, Recorded)()
    return Recorded(every.request + own.request, every.response + own.response)
