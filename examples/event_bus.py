"""Events of EventBridge in front of a pipeline: a rule sends them to a topic, another one to the worker's queue itself.

The trace goes on in both: EventBridge propagates the header of PutEvents to its targets. It sends no segment, so that
the map shows a bus only where the sender recorded its call. Events of AWS services, schedules, partners and replays
carry no header: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-xray-integ.html
"""

from pathlib import Path

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct
from traced_pipeline import Handler, QueueWorker, TracedTopic, WorkerOptions

HANDLERS = Path(__file__).parent / "handlers"


class EventBus(Stack):
    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.bus = events.EventBus(self, "Bus")
        topic = TracedTopic(self, "Placed").topic
        key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        table = dynamodb.TableV2(self, "Events", partition_key=key)
        handler = Handler(HANDLERS / "events", "app.handler")
        worker = QueueWorker(self, "Record", topic=topic, options=WorkerOptions(handler=handler, table=table))
        self._rule("OrderPlaced").add_target(targets.SnsTopic(topic))
        self._rule("OrderCancelled").add_target(targets.SqsQueue(worker.queue))
        CfnOutput(self, "BusName", value=self.bus.event_bus_name)

    def _rule(self, detail_type: str) -> events.Rule:
        pattern = events.EventPattern(detail_type=[detail_type])
        return events.Rule(self, detail_type, event_bus=self.bus, event_pattern=pattern)


if __name__ == "__main__":
    app = App()
    EventBus(app, "EventBus")
    app.synth()
