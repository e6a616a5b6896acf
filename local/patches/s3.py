"""S3: the tracing header of a call on its way to the queues that the bucket notifies.

Source: X-Ray Developer Guide, "Amazon S3 and AWS X-Ray": "If a service traces requests by using the X-Ray SDK, Amazon
S3 can send the tracing headers to downstream event subscribers such as AWS Lambda, Amazon SQS, and Amazon SNS". S3
sends no segment. A topic gets the header as from any publisher; what becomes of it there is SNS's.
"""

from typing import Any

from ministack.services import s3

from local.patches import sns
from local.propagation import request_context


def install() -> None:
    """Carries the header to the queues."""
    deliver = s3._deliver_event_to_sqs

    def deliver_to_queue(*args: Any, **kwargs: Any) -> None:
        with sns.delivering(request_context.inbound.get()):
            deliver(*args, **kwargs)

    s3._deliver_event_to_sqs = deliver_to_queue
