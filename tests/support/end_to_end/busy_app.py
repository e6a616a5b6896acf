"""A CDK app: a pipeline whose worker does everything at once, its packages beside its code."""

import shutil
import tempfile
from importlib.metadata import files
from pathlib import Path

from aws_cdk import App, CfnOutput, Stack
from traced_pipeline import Handler, IngestOptions, TracedPipeline, WorkerOptions

_HANDLER = Path(__file__).parent / "busy" / "app.py"
_PACKAGES = (
    *("requests", "urllib3", "certifi", "charset-normalizer", "idna"),
    *("httpx", "httpcore", "h11", "anyio", "typing-extensions"),
)


def main() -> None:
    """Synthesizes the stack `Busy`."""
    app = App()
    stack = Stack(app, "Busy")
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(_HANDLER, folder)
        for package in _PACKAGES:
            _copy(package, Path(folder))
        orders = TracedPipeline(
            stack,
            "Orders",
            ingest=IngestOptions(path="/orders"),
            worker=WorkerOptions(handler=Handler(folder, "app.handler")),
        )
        CfnOutput(stack, "ApiUrl", value=orders.url)
        CfnOutput(stack, "QueueUrl", value=orders.queue.queue_url)
        app.synth()


def _copy(package: str, folder: Path) -> None:
    """Copies an installed package, as `pip install --target` would put it there."""
    for file in files(package) or ():
        if ".." not in file.parts and "__pycache__" not in file.parts:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(file.locate()), folder / file)


if __name__ == "__main__":
    main()
