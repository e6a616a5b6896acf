"""IAM: policies of AWS's own that MiniStack does not know.

Source: AWS Managed Policy Reference. `AWSXrayWriteOnlyAccess` is what the SAM translator attaches for `Tracing:
Active`; the others are those it attaches for event sources, and what goes with tracing.
"""

import json

from ministack.services import iam

_WRITE = (
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:GetSamplingStatisticSummaries",
)
_LOGS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
_NETWORK = (
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeVpcs",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeSubnets",
    "ec2:DescribeSecurityGroups",
)
_POLICIES: dict[str, tuple[str, ...]] = {
    "AWSXrayWriteOnlyAccess": _WRITE,
    "AWSXrayFullAccess": ("xray:*",),
    "CloudWatchLambdaApplicationSignalsExecutionRolePolicy": ("xray:PutTraceSegments", *_LOGS),
    "service-role/AWSLambdaMSKExecutionRole": (
        "kafka:DescribeCluster",
        "kafka:DescribeClusterV2",
        "kafka:GetBootstrapBrokers",
        *_NETWORK,
        *_LOGS,
    ),
}


def install() -> None:
    """Adds them to those that are there."""
    for name, actions in _POLICIES.items():
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": ["*"]}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        arn = f"{iam._AWS_MANAGED_POLICY_PREFIX}{name}"
        iam._aws_managed_policies.setdefault(arn, iam._make_aws_managed_record(name, document))
