"""What of an AWS call is worth recording: which table, queue, topic, bucket or function, and how much went over it.

Contents of messages, items and objects are never among it. The fields are those that the AWS X-Ray SDK for Python
records, under its names, so that filter expressions and groups made for it find these calls too:
https://github.com/aws/aws-xray-sdk-python/blob/master/aws_xray_sdk/ext/resources/aws_para_whitelist.json
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sized
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
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()


def _values(parameters: str) -> tuple[Field, ...]:
    return tuple(Field(parameter, _snake_case(parameter), _value) for parameter in parameters.split())


def _keys(parameter: str, name: str) -> tuple[Field, ...]:
    return (Field(parameter, name, _keys_of),)


def _count(parameter: str, name: str) -> tuple[Field, ...]:
    return (Field(parameter, name, _count_of),)


EVERY_OPERATION: Mapping[str, Recorded] = {
    "dynamodb": Recorded(_values("TableName"), _values("ConsumedCapacity ItemCollectionMetrics")),
    "lambda": Recorded(_values("FunctionName Qualifier")),
    "runtime.sagemaker": Recorded(_values("EndpointName")),
    "s3": Recorded((Field("Bucket", "bucket_name", _value), *_values("Key Prefix VersionId"))),
    "sns": Recorded(_values("TopicArn")),
    "sqs": Recorded(_values("QueueName QueueUrl")),
}
"""By the service's endpoint prefix: what is recorded of each of its operations that has it."""

OPERATIONS: Mapping[str, Mapping[str, Recorded]] = {
    "dynamodb": {
        "BatchGetItem": Recorded(_keys("RequestItems", "table_names")),
        "BatchWriteItem": Recorded(_keys("RequestItems", "table_names")),
        "CreateTable": Recorded(_values("GlobalSecondaryIndexes LocalSecondaryIndexes ProvisionedThroughput")),
        "GetItem": Recorded(_values("ConsistentRead ProjectionExpression")),
        "ListTables": Recorded(_values("ExclusiveStartTableName Limit"), _count("TableNames", "table_count")),
        "Query": Recorded(
            _values("AttributesToGet ConsistentRead IndexName Limit ProjectionExpression ScanIndexForward Select")
        ),
        "Scan": Recorded(
            _values("AttributesToGet ConsistentRead IndexName Limit ProjectionExpression Segment Select TotalSegments"),
            _values("Count ScannedCount"),
        ),
        "UpdateTable": Recorded(_values("AttributeDefinitions GlobalSecondaryIndexUpdates ProvisionedThroughput")),
    },
    "lambda": {
        "Invoke": Recorded(_values("InvocationType LogType"), _values("FunctionError StatusCode")),
        "InvokeAsync": Recorded((), _values("Status")),
    },
    "s3": {"CopyObject": Recorded(_values("Bucket CopySource"))},
    "sqs": {
        "AddPermission": Recorded(_values("Label")),
        "ChangeMessageVisibility": Recorded(_values("VisibilityTimeout")),
        "ChangeMessageVisibilityBatch": Recorded((), _values("Failed")),
        "CreateQueue": Recorded(_values("Attributes")),
        "DeleteMessageBatch": Recorded((), _values("Failed")),
        "GetQueueAttributes": Recorded((), _values("Attributes")),
        "GetQueueUrl": Recorded(_values("QueueOwnerAWSAccountId"), _values("QueueUrl")),
        "ListDeadLetterSourceQueues": Recorded((), _values("queueUrls")),
        "ListQueues": Recorded(_values("QueueNamePrefix"), _count("QueueUrls", "queue_count")),
        "ReceiveMessage": Recorded(
            _values("AttributeNames MaxNumberOfMessages MessageAttributeNames VisibilityTimeout WaitTimeSeconds"),
            _count("Messages", "message_count"),
        ),
        "SendMessage": Recorded(
            _values("DelaySeconds") + _keys("MessageAttributes", "message_attribute_names"), _values("MessageId")
        ),
        "SendMessageBatch": Recorded(
            _count("Entries", "message_count"),
            _count("Failed", "failed_count") + _count("Successful", "successful_count"),
        ),
        "SetQueueAttributes": Recorded(_keys("Attributes", "attribute_names")),
    },
}
"""By the service's endpoint prefix and the operation: what else is recorded of it."""

_NOTHING = Recorded()
_OWN_AND_EVERY = {
    service: {
        operation: Recorded(
            EVERY_OPERATION.get(service, _NOTHING).request + own.request,
            EVERY_OPERATION.get(service, _NOTHING).response + own.response,
        )
        for operation, own in operations.items()
    }
    for service, operations in OPERATIONS.items()
}


def recorded(service: str, operation: str) -> Recorded:
    """Returns what is recorded of a call.

    Args:
        service: The service's endpoint prefix.
        operation: The operation's name in the service's API.
    """
    own = _OWN_AND_EVERY.get(service, {}).get(operation)
    return EVERY_OPERATION.get(service, _NOTHING) if own is None else own
