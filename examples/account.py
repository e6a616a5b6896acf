"""What an account needs once in a Region: a role with which API Gateway logs, and the permission for traces of SNS.

Stacks with APIs rely on the role (`account_logging_role="existing"`, the default). Of the resource policies that let
SNS send segments an account holds five; stacks beyond that share this one (`trace_permission="none"`).
"""

from aws_cdk import App, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from constructs import Construct
from traced_pipeline import SnsTracePermission


class Account(Stack):
    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        SnsTracePermission(self, "Topics")
        writes_logs = iam.ManagedPolicy.from_aws_managed_policy_name(
            "service-role/AmazonAPIGatewayPushToCloudWatchLogs"
        )
        role = iam.Role(
            self,
            "ApiGatewayLogs",
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
            managed_policies=[writes_logs],
        )
        account = apigateway.CfnAccount(self, "ApiGateway", cloud_watch_role_arn=role.role_arn)
        # Other stacks come to rely on both.
        role.apply_removal_policy(RemovalPolicy.RETAIN)
        account.apply_removal_policy(RemovalPolicy.RETAIN)


if __name__ == "__main__":
    app = App()
    Account(app, "Account")
    app.synth()
