"""A CDK app: the reference pipeline as it is with the bridge off, and with a linked worker."""

from aws_cdk import App
from constructs import Construct

from app import OrdersStack

_MODES = {"Unbridged": "off", "Linked": "linked"}


def main() -> None:
    """Synthesizes a stack a mode, with its name first, for an account that has API Gateway's role for logs."""
    app = App(context={"sampling": "all", "account_logging_role": "existing"})
    for name, bridge in _MODES.items():
        scope = Construct(app, name)
        scope.node.set_context("bridge", bridge)
        OrdersStack(scope, "Pipeline")
    app.synth()


if __name__ == "__main__":
    main()
