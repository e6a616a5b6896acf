"""What tests put into X-Ray: documents, sampling rules, and the policies that let services write."""

import json
from typing import Any

from tests.support.account import Account

_SPANS = "arn:aws:logs:us-east-1:000000000000:log-group:aws/spans:*"


def put(aws: Account, *documents: object) -> Any:
    texts = [document if isinstance(document, str) else json.dumps(document) for document in documents]
    return aws.client("xray").put_trace_segments(TraceSegmentDocuments=texts)["UnprocessedTraceSegments"]


def rule(name: str, **more: Any) -> dict[str, Any]:
    patterns = dict.fromkeys(("ServiceName", "ServiceType", "Host", "HTTPMethod", "URLPath", "ResourceARN"), "*")
    return {"RuleName": name, "Priority": 1, "FixedRate": 0.0, "ReservoirSize": 0, "Version": 1, **patterns, **more}


def topic_policy(*, principal: str = "sns.amazonaws.com", account: str = "000000000000", topic: str = "*") -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": principal},
        "Action": ["xray:PutTraceSegments", "xray:GetSamplingRules", "xray:GetSamplingTargets"],
        "Resource": "*",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": account},
            "StringLike": {"aws:SourceArn": f"arn:aws:sns:us-east-1:{account}:{topic}"},
        },
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def spans_policy() -> str:
    """As in the CloudWatch User Guide, "Enable transaction search"."""
    statement = {
        "Sid": "TransactionSearchXRayAccess",
        "Effect": "Allow",
        "Principal": {"Service": "xray.amazonaws.com"},
        "Action": "logs:PutLogEvents",
        "Resource": [_SPANS],
        "Condition": {
            "ArnLike": {"aws:SourceArn": "arn:aws:xray:us-east-1:000000000000:*"},
            "StringEquals": {"aws:SourceAccount": "000000000000"},
        },
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
