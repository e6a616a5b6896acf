"""A worker of your own. Edit `handlers/pricing/app.py`, deploy again with `--hotswap`, and see it in the next trace."""

from pathlib import Path

from aws_cdk import App, CfnOutput, Stack
from constructs import Construct
from traced_pipeline import Handler, IngestOptions, TopicOptions, TracedPipeline, WorkerOptions

HANDLERS = Path(__file__).parent / "handlers"


class OwnHandler(Stack):
    def __init__(self, scope: Construct, construct_id: str, *, topic: TopicOptions | None = None) -> None:
        super().__init__(scope, construct_id)
        orders = TracedPipeline(
            self,
            "Orders",
            topic=topic,
            ingest=IngestOptions(path="/orders"),
            worker=WorkerOptions(handler=Handler(HANDLERS / "pricing", "app.handler")),
        )
        CfnOutput(self, "ApiUrl", value=orders.url)


if __name__ == "__main__":
    app = App()
    OwnHandler(app, "OwnHandler")
    app.synth()
