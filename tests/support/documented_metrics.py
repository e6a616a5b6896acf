"""The metrics that are used: what AWS documents of them, and which block has which."""

from __future__ import annotations

_AWS = "https://docs.aws.amazon.com"
_API = f"{_AWS}/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html"
_LAMBDA = f"{_AWS}/lambda/latest/dg/monitoring-metrics-types.html"
_SNS = f"{_AWS}/sns/latest/dg/sns-monitoring-using-cloudwatch.html"
_SQS = f"{_AWS}/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html"
_DYNAMODB = f"{_AWS}/amazondynamodb/latest/developerguide/metrics-dimensions.html"
_ECS = f"{_AWS}/AmazonECS/latest/developerguide/available-metrics.html"
# The number is documented; what it is called stands in a workshop of AWS, and its dimension nowhere.
_XRAY = f"{_AWS}/xray/latest/devguide/xray-console-groups.html"
# Metric filters make metrics without dimensions, unless they are given some.
_FILTERS = f"{_AWS}/AmazonCloudWatch/latest/logs/MonitoringLogData.html"

OWN = "TracedPipeline/"
"""What the namespace of a worker's own metrics begins with."""

DOCUMENTED: dict[tuple[str, str], tuple[set[str], str]] = {
    ("AWS/ApiGateway", "Count"): ({"ApiName", "Stage"}, _API),
    ("AWS/ApiGateway", "4XXError"): ({"ApiName", "Stage"}, _API),
    ("AWS/ApiGateway", "5XXError"): ({"ApiName", "Stage"}, _API),
    ("AWS/ApiGateway", "Latency"): ({"ApiName", "Stage"}, _API),
    ("AWS/Lambda", "Invocations"): ({"FunctionName"}, _LAMBDA),
    ("AWS/Lambda", "Errors"): ({"FunctionName"}, _LAMBDA),
    ("AWS/Lambda", "Throttles"): ({"FunctionName"}, _LAMBDA),
    ("AWS/Lambda", "Duration"): ({"FunctionName"}, _LAMBDA),
    ("AWS/SNS", "NumberOfMessagesPublished"): ({"TopicName"}, _SNS),
    ("AWS/SNS", "NumberOfNotificationsDelivered"): ({"TopicName"}, _SNS),
    ("AWS/SNS", "NumberOfNotificationsFailed"): ({"TopicName"}, _SNS),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): ({"QueueName"}, _SQS),
    ("AWS/SQS", "ApproximateNumberOfMessagesNotVisible"): ({"QueueName"}, _SQS),
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): ({"QueueName"}, _SQS),
    ("AWS/DynamoDB", "WriteThrottleEvents"): ({"TableName"}, _DYNAMODB),
    ("AWS/DynamoDB", "ReadThrottleEvents"): ({"TableName"}, _DYNAMODB),
    ("AWS/DynamoDB", "SuccessfulRequestLatency"): ({"TableName", "Operation"}, _DYNAMODB),
    ("AWS/ECS", "CPUUtilization"): ({"ClusterName", "ServiceName"}, _ECS),
    ("AWS/ECS", "MemoryUtilization"): ({"ClusterName", "ServiceName"}, _ECS),
    ("AWS/X-Ray", "ApproximateTraceCount"): ({"GroupName"}, _XRAY),
    (OWN, "MessageDuration"): (set(), _FILTERS),
    (OWN, "MessageQueueTime"): (set(), _FILTERS),
}
"""The dimensions of each metric that is used, and the document that has them."""

_QUEUE = {
    "metric_approximate_age_of_oldest_message": ("AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum", "queue"),
    "metric_approximate_number_of_messages_visible": (
        "AWS/SQS",
        "ApproximateNumberOfMessagesVisible",
        "Maximum",
        "queue",
    ),
    "metric_approximate_number_of_messages_not_visible": (
        "AWS/SQS",
        "ApproximateNumberOfMessagesNotVisible",
        "Maximum",
        "queue",
    ),
    "metric_dead_letter_messages": ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", "dead_letter_queue"),
}
_FUNCTION = {
    "metric_invocations": ("AWS/Lambda", "Invocations", "Sum", "function"),
    "metric_errors": ("AWS/Lambda", "Errors", "Sum", "function"),
    "metric_throttles": ("AWS/Lambda", "Throttles", "Sum", "function"),
    "metric_duration": ("AWS/Lambda", "Duration", "Average", "function"),
}
# The resource that they are about has no part in their dimensions, but in their namespace.
_MESSAGES = {
    "metric_message_duration": (OWN, "MessageDuration", "Average", "node"),
    "metric_message_queue_time": (OWN, "MessageQueueTime", "Average", "node"),
}
_API_METRICS = {
    "metric_count": ("AWS/ApiGateway", "Count", "SampleCount", "stage"),
    "metric_client_error": ("AWS/ApiGateway", "4XXError", "Sum", "stage"),
    "metric_server_error": ("AWS/ApiGateway", "5XXError", "Sum", "stage"),
    "metric_latency": ("AWS/ApiGateway", "Latency", "Average", "stage"),
}
METRICS: dict[str, dict[str, tuple[str, str, str, str]]] = {
    "TracedPipeline": {
        "metric_server_error": ("AWS/ApiGateway", "5XXError", "Sum", "ingest.stage"),
        "metric_latency": ("AWS/ApiGateway", "Latency", "Average", "ingest.stage"),
        "metric_approximate_age_of_oldest_message": _QUEUE["metric_approximate_age_of_oldest_message"],
        "metric_approximate_number_of_messages_visible": _QUEUE["metric_approximate_number_of_messages_visible"],
        "metric_dead_letter_messages": _QUEUE["metric_dead_letter_messages"],
        "metric_approximate_trace_count": ("AWS/X-Ray", "ApproximateTraceCount", "Sum", "trace_group"),
    },
    "IngestApi": _API_METRICS,
    "TracedTopic": {
        "metric_number_of_messages_published": ("AWS/SNS", "NumberOfMessagesPublished", "Sum", "topic"),
        "metric_number_of_notifications_delivered": ("AWS/SNS", "NumberOfNotificationsDelivered", "Sum", "topic"),
        "metric_number_of_notifications_failed": ("AWS/SNS", "NumberOfNotificationsFailed", "Sum", "topic"),
    },
    "TracedFunction": _FUNCTION,
    "QueueWorker": {**_QUEUE, **_FUNCTION, **_MESSAGES},
    "DeadLetterWorker": {**_QUEUE, **_FUNCTION, **_MESSAGES},
    "ContainerWorker": {
        **_QUEUE,
        **_MESSAGES,
        "metric_cpu_utilization": ("AWS/ECS", "CPUUtilization", "Average", "service"),
        "metric_memory_utilization": ("AWS/ECS", "MemoryUtilization", "Average", "service"),
    },
}
"""The methods of each block: namespace, name, statistic by default, and the resource that the metric is about."""
