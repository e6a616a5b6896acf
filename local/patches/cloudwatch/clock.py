"""CloudWatch: what happens in time: metrics of queues are published, alarms are evaluated.

On AWS both happen once a minute: SQS Developer Guide, "Monitoring Amazon SQS queues using CloudWatch", and CloudWatch
User Guide, "Alarm evaluation". Here it is every few seconds, so that an alarm is seen soon.
"""

import asyncio
import logging

from ministack.core.iam_evaluator import pin_request_origin

from local.patches.cloudwatch import alarms, queue_metrics

logger = logging.getLogger("local")

_SECONDS = 2.0


async def run() -> None:
    """Goes on until it is cancelled; what fails once is tried again the next time."""
    # CloudWatch publishes to topics over TLS, which policies may demand.
    pin_request_origin("127.0.0.1", True)
    while True:
        await asyncio.sleep(_SECONDS)
        for work in (queue_metrics.publish, alarms.evaluate_all):
            try:
                work()
            except Exception:
                logger.exception("CloudWatch: %s.%s failed", work.__module__, work.__name__)
