"""All the examples in one app: `cdk deploy --all --app "python3 -m examples"`."""

from aws_cdk import App
from traced_pipeline import TopicOptions

from examples.account import Account
from examples.bring_your_own import Platform, Shop
from examples.chain import Ordering, Shipping
from examples.customer_keys import CustomerKeys
from examples.event_bus import EventBus
from examples.fan_in import FanIn
from examples.fan_out import FanOut
from examples.fifo import Fifo
from examples.graphql import GraphQl
from examples.load_balancer import LoadBalancer
from examples.other_calls import OtherCalls
from examples.own_handler import OwnHandler
from examples.state_machine import Fulfilment
from examples.straight_to_topic import StraightToTopic
from examples.uploads import Uploads
from examples.worker_modes import WorkerModes


def main() -> None:
    app = App()
    account = Account(app, "Account")
    shipping = Shipping(app, "Shipping")
    platform, shop = Platform(app, "Platform"), Shop(app, "Shop")
    shop.add_stack_dependency(platform)
    uploads, event_bus, fulfilment = Uploads(app, "Uploads"), EventBus(app, "EventBus"), Fulfilment(app, "Fulfilment")
    others = (
        shipping,
        uploads,
        event_bus,
        fulfilment,
        OtherCalls(app, "OtherCalls", bucket=uploads.bucket, bus=event_bus.bus, machine=fulfilment.machine),
        GraphQl(app, "GraphQl"),
        LoadBalancer(app, "LoadBalancer"),
        StraightToTopic(app, "StraightToTopic"),
        Ordering(app, "Ordering", shipments=shipping.topic),
        Fifo(app, "Fifo"),
        FanIn(app, "FanIn"),
        FanOut(app, "FanOut"),
        CustomerKeys(app, "CustomerKeys"),
        OwnHandler(app, "OwnHandler", topic=TopicOptions(trace_permission="none")),
        WorkerModes(app, "WorkerModes"),
    )
    for stack in (shop, *others):
        stack.add_stack_dependency(account)  # add_dependency, with aws-cdk-lib 2.253
    app.synth()


if __name__ == "__main__":
    main()
