"""What the handlers of the benchmarks are given: an environment, events and contexts as Lambda's."""

import os
import time
from typing import Any

SAMPLED = "Root=1-6b04d6c2-aaaaaaaaaaaaaaaaaaaaaaaa;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=061379e8:0"
PASS_THROUGH = SAMPLED.replace("Sampled=1", "Sampled=0")


class Context:
    """An invocation's context."""

    aws_request_id = "7f2a6f0e-0000-4000-8000-000000000000"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:worker"

    def get_remaining_time_in_millis(self) -> int:
        """Returns plenty."""
        return 30_000


def close_environment(address: tuple[str, int]) -> None:
    """Makes the environment that of a Lambda function whose daemon listens at an address."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(
        AWS_LAMBDA_FUNCTION_NAME="worker",
        AWS_LAMBDA_LOG_GROUP_NAME="/aws/lambda/worker",
        LAMBDA_TASK_ROOT="/var/task",
        AWS_XRAY_DAEMON_ADDRESS=f"{address[0]}:{address[1]}",
        AWS_REGION="us-east-1",
        AWS_DEFAULT_REGION="us-east-1",
        AWS_ACCESS_KEY_ID="benchmark",
        AWS_SECRET_ACCESS_KEY="benchmark",  # noqa: S106 - signs nothing that leaves the machine
        AWS_EC2_METADATA_DISABLED="true",
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        _X_AMZN_TRACE_ID=SAMPLED,
    )


def set_invocation(header: str) -> None:
    """Sets Lambda's own trace header."""
    from tests.support import bridge  # imports the whole bridge, which `imports` measures

    os.environ["_X_AMZN_TRACE_ID"] = header
    bridge.forget_invocation()


def batch(size: int, *, sampled: bool) -> dict[str, Any]:
    """Returns an event with so many messages, each of a trace of its own."""
    now = int(time.time())
    return {
        "Records": [
            {
                "messageId": f"{number:08d}-0000-4000-8000-000000000000",
                "body": '{"id": "1", "customer": "Ann", "amount": 12}',
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:orders-queue",
                "attributes": {
                    "AWSTraceHeader": f"Root=1-{now:08x}-{number:024x};Parent=53995c3f42cd8ad8;Sampled={int(sampled)}",
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": f"{now}000",
                    "ApproximateFirstReceiveTimestamp": f"{now}250",
                },
            }
            for number in range(1, size + 1)
        ]
    }
