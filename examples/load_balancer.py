"""An Application Load Balancer in front of a pipeline, with a function as its target that publishes to the topic.

The load balancer puts a trace id into the request's header, `Root=…`, and sends no segment, so that it is no node on
the map: https://docs.aws.amazon.com/xray/latest/devguide/xray-services-elb.html. The trace begins at the function.
Whether Lambda takes its trace id from that header is not documented, so the handler annotates its own trace with it: it
is the id in the load balancer's access logs.
"""

from pathlib import Path

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_elasticloadbalancingv2_targets as targets
from constructs import Construct
from traced_pipeline import FunctionOptions, Handler, QueueWorker, TracedFunction, TracedTopic, WorkerOptions

HANDLERS = Path(__file__).parent / "handlers"


class LoadBalancer(Stack):
    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        topic = TracedTopic(self, "Orders").topic
        publish = TracedFunction(
            self,
            "Publish",
            options=FunctionOptions(handler=Handler(HANDLERS / "load_balancer", "app.handler")),
            environment={"TOPIC_ARN": topic.topic_arn},
        ).function
        topic.grant_publish(publish)
        subnets = [ec2.SubnetConfiguration(name="Public", subnet_type=ec2.SubnetType.PUBLIC)]
        vpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=2,
            nat_gateways=0,
            subnet_configuration=subnets,
            restrict_default_security_group=False,
        )
        balancer = elbv2.ApplicationLoadBalancer(self, "Balancer", vpc=vpc, internet_facing=True)
        listener = balancer.add_listener("Http", port=80, protocol=elbv2.ApplicationProtocol.HTTP)
        listener.add_targets("Orders", targets=[targets.LambdaTarget(publish)])
        key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        table = dynamodb.TableV2(self, "Placed", partition_key=key)
        QueueWorker(self, "Place", topic=topic, options=WorkerOptions(table=table))
        CfnOutput(self, "BalancerName", value=balancer.load_balancer_name)
        CfnOutput(self, "BalancerUrl", value=f"http://{balancer.load_balancer_dns_name}/")


if __name__ == "__main__":
    app = App()
    LoadBalancer(app, "LoadBalancer")
    app.synth()
