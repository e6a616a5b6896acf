"""More of the collector's cases: the blocks `http`, `aws`, `sql` and `cause`, and links; see `collector_cases`."""

from typing import Any

from tests.support.collector_cases import CLIENT, ERROR, OK, SERVER, UNSET, Case

_URL = "https://api.example.com/users/junit"
_RECEIVED = ("message", {"message.type": "RECEIVED", "messaging.message_payload_size_bytes": 12452})


def _http(name: str, kind: Any, attributes: dict[str, Any], expected: dict[str, Any], *events: Any) -> Case:
    return Case(
        name=name,
        kind=kind,
        span_name="/users/junit",
        attributes=attributes,
        events=events,
        expected={f"http/{field}": value for field, value in expected.items()},
    )


_OLD = {"http.method": "GET", "http.status_code": 200}
_STABLE = {"http.request.method": "GET", "http.response.status_code": 200}
HTTP = [
    _http("TestClientSpanWithURLAttribute", CLIENT, _OLD | {"http.url": _URL}, {"request/url": _URL}),
    _http("TestClientSpanWithURLAttributeStable", CLIENT, _STABLE | {"url.full": _URL}, {"request/url": _URL}),
    _http(
        "TestClientSpanWithSchemeHostTargetAttributes",
        CLIENT,
        _OLD | {"http.scheme": "https", "http.host": "api.example.com", "http.target": "/users/junit"},
        {"request/url": _URL},
    ),
    _http(
        "TestClientSpanWithSchemeHostTargetAttributesStable",
        CLIENT,
        _STABLE | {"url.scheme": "https", "http.host": "api.example.com"},
        {"request/url": "https://api.example.com/"},
    ),
    _http(
        "TestClientSpanWithPeerAttributes",
        CLIENT,
        _OLD
        | {
            "http.scheme": "http",
            "net.peer.name": "kb234.example.com",
            "net.peer.port": 8080,
            "net.peer.ip": "10.8.17.36",
            "http.target": "/users/junit",
        },
        {"request/client_ip": "10.8.17.36", "request/url": "http://kb234.example.com:8080/users/junit"},
    ),
    _http(
        "TestClientSpanWithPeerAttributesStable",
        CLIENT,
        _STABLE
        | {
            "url.scheme": "http",
            "net.peer.name": "kb234.example.com",
            "net.peer.port": 8080,
            "net.peer.ip": "10.8.17.36",
        },
        {"request/client_ip": "10.8.17.36", "request/url": "http://kb234.example.com:8080/"},
    ),
    _http(
        "TestClientSpanWithHttpPeerAttributes",
        CLIENT,
        {"http.client_ip": "1.2.3.4", "net.peer.ip": "10.8.17.36"},
        {"request/client_ip": "1.2.3.4"},
    ),
    _http(
        "TestClientSpanWithHttpPeerAttributesStable",
        CLIENT,
        {"url.full": _URL, "client.address": "1.2.3.4", "network.peer.address": "10.8.17.36"},
        {"request/client_ip": "1.2.3.4"},
    ),
    _http(
        "TestClientSpanWithPeerIp4Attributes",
        CLIENT,
        _OLD
        | {"http.scheme": "http", "net.peer.ip": "10.8.17.36", "net.peer.port": "8080", "http.target": "/users/junit"},
        {"request/url": "http://10.8.17.36:8080/users/junit"},
    ),
    _http(
        "TestClientSpanWithPeerIp6Attributes",
        CLIENT,
        _OLD
        | {
            "http.scheme": "https",
            "net.peer.ip": "2001:db8:85a3::8a2e:370:7334",
            "net.peer.port": "443",
            "http.target": "/users/junit",
        },
        {"request/url": "https://2001:db8:85a3::8a2e:370:7334/users/junit"},
    ),
    _http(
        "TestServerSpanWithURLAttribute",
        SERVER,
        _OLD | {"http.url": _URL, "http.client_ip": "192.168.15.32", "http.user_agent": "PostmanRuntime/7.21.0"},
        {"request/url": _URL, "request/user_agent": "PostmanRuntime/7.21.0"},
    ),
    _http(
        "TestServerSpanWithURLAttributeStable",
        SERVER,
        _STABLE | {"url.full": _URL, "client.address": "192.168.15.32", "user_agent.original": "PostmanRuntime/7.21.0"},
        {"request/url": _URL, "request/user_agent": "PostmanRuntime/7.21.0"},
    ),
    _http(
        "TestServerSpanWithSchemeHostTargetAttributes",
        SERVER,
        _OLD | {"http.scheme": "https", "http.host": "api.example.com", "http.target": "/users/junit"},
        {"request/url": _URL},
    ),
    _http(
        "TestServerSpanWithSchemeHostTargetAttributesStable",
        SERVER,
        _STABLE | {"url.scheme": "https", "server.address": "api.example.com", "url.path": "/users/junit"},
        {"request/url": _URL},
    ),
    _http(
        "TestServerSpanWithSchemeServernamePortTargetAttributes",
        SERVER,
        _OLD
        | {
            "http.scheme": "https",
            "http.server_name": "api.example.com",
            "net.host.port": 443,
            "http.target": "/users/junit",
        },
        {"request/url": _URL},
    ),
    _http(
        "TestServerSpanWithSchemeServernamePortTargetAttributesStable",
        SERVER,
        _STABLE
        | {
            "url.scheme": "https",
            "server.address": "api.example.com",
            "server.port": 443,
            "url.path": "/users/junit",
        },
        {"request/url": _URL},
    ),
    _http(
        "TestServerSpanWithSchemeNamePortTargetAttributes",
        SERVER,
        _OLD
        | {
            "http.scheme": "http",
            "host.name": "kb234.example.com",
            "net.host.port": 8080,
            "http.target": "/users/junit",
        },
        {"request/url": "http://kb234.example.com:8080/users/junit", "response/content_length": 12452},
        _RECEIVED,
    ),
    _http(
        "TestServerSpanWithSchemeNamePortTargetAttributesStable",
        SERVER,
        _STABLE
        | {
            "url.scheme": "http",
            "server.address": "kb234.example.com",
            "server.port": 8080,
            "url.path": "/users/junit",
        },
        {"request/url": "http://kb234.example.com:8080/users/junit"},
    ),
    _http(
        "TestSpanWithNotEnoughHTTPRequestURLAttributes",
        SERVER,
        _OLD
        | {
            "http.scheme": "http",
            "http.client_ip": "192.168.15.32",
            "http.user_agent": "PostmanRuntime/7.21.0",
            "http.target": "/users/junit",
            "net.host.port": 443,
            "net.peer.port": 8080,
        },
        {
            "request/url": None,
            "request/client_ip": "192.168.15.32",
            "request/method": "GET",
            "request/user_agent": "PostmanRuntime/7.21.0",
            "response/content_length": 12452,
            "response/status": 200,
        },
        _RECEIVED,
    ),
    _http(
        "TestSpanWithNotEnoughHTTPRequestURLAttributesStable",
        SERVER,
        _STABLE
        | {
            "url.scheme": "http",
            "client.address": "192.168.15.32",
            "user_agent.original": "PostmanRuntime/7.21.0",
            "url.path": "/users/junit",
            "server.port": 443,
        },
        {
            "request/url": None,
            "request/client_ip": "192.168.15.32",
            "request/method": "GET",
            "request/user_agent": "PostmanRuntime/7.21.0",
            "response/status": 200,
        },
    ),
    _http(
        "TestSpanWithClientAddrWithoutNetworkPeerAddr",
        SERVER,
        {"url.full": _URL, "client.address": "192.168.15.32"},
        {"request/x_forwarded_for": True},
    ),
    _http(
        "TestSpanWithClientAddrAndNetworkPeerAddr",
        SERVER,
        {"url.full": _URL, "client.address": "192.168.15.32", "network.peer.address": "192.168.15.32"},
        {"request/client_ip": "192.168.15.32", "request/x_forwarded_for": None},
    ),
    _http(
        "TestSpanWithClientAddrNotIP",
        SERVER,
        {"url.full": _URL, "client.address": "api.example.com", "network.peer.address": "api.example.com"},
        {"request/client_ip": None, "request/x_forwarded_for": None},
    ),
]

_AWS = {"cloud.provider": "aws", "cloud.account.id": "123456789", "cloud.availability_zone": "us-east-1c"}
_HOST = {"host.id": "i-00f7c0bcb26da2a99", "host.type": "m5.xlarge"}
_QUEUE_URL = "https://sqs.use1.amazonaws.com/Meltdown-Alerts"
_GROUP = "arn:aws:logs:us-east-1:123456789123:log-group:"


def _aws(name: str, resource: dict[str, Any], attributes: dict[str, Any], expected: dict[str, Any]) -> Case:
    return Case(
        name=name,
        resource=resource,
        attributes=attributes,
        expected={f"aws/{field}": value for field, value in expected.items()},
    )


AWS = [
    _aws(
        "TestAwsFromEc2Resource",
        _AWS | {"cloud.platform": "aws_ec2", **_HOST, "host.image.id": "ami-0123456789"},
        {},
        {
            "account_id": "123456789",
            "ec2": {
                "instance_id": "i-00f7c0bcb26da2a99",
                "availability_zone": "us-east-1c",
                "instance_size": "m5.xlarge",
                "ami_id": "ami-0123456789",
            },
            "ecs": None,
            "elastic_beanstalk": None,
            "eks": None,
        },
    ),
    _aws(
        "TestAwsFromEcsResource",
        _AWS
        | _HOST
        | {
            "cloud.platform": "aws_ecs",
            "container.name": "signup_aggregator-x82ufje83",
            "container.id": "0123456789A",
            "aws.ecs.cluster.arn": "arn:aws:ecs:us-west-2:123456789123:cluster/my-cluster",
            "aws.ecs.container.arn": "arn:aws:ecs:us-west-2:123456789123:container-instance/123",
            "aws.ecs.task.arn": "arn:aws:ecs:us-west-2:123456789123:task/123",
            "aws.ecs.task.family": "family",
            "aws.ecs.launchtype": "fargate",
        },
        {},
        {
            "ecs": {
                "container": "signup_aggregator-x82ufje83",
                "container_id": "0123456789A",
                "availability_zone": "us-east-1c",
                "cluster_arn": "arn:aws:ecs:us-west-2:123456789123:cluster/my-cluster",
                "container_arn": "arn:aws:ecs:us-west-2:123456789123:container-instance/123",
                "task_arn": "arn:aws:ecs:us-west-2:123456789123:task/123",
                "task_family": "family",
                "launch_type": "fargate",
            },
            "ec2/instance_id": "i-00f7c0bcb26da2a99",
            "elastic_beanstalk": None,
            "eks": None,
        },
    ),
    _aws(
        "TestAwsFromBeanstalkResource",
        _AWS
        | {
            "cloud.platform": "aws_elastic_beanstalk",
            "service.namespace": "production",
            "service.instance.id": "232",
            "service.version": "4",
        },
        {},
        {
            "elastic_beanstalk": {"environment_name": "production", "version_label": "4", "deployment_id": 232},
            "ec2": None,
            "ecs": None,
            "eks": None,
        },
    ),
    _aws(
        "TestAwsFromEksResource",
        _AWS
        | _HOST
        | {
            "cloud.platform": "aws_eks",
            "k8s.cluster.name": "production",
            "k8s.pod.name": "my-deployment-65dcf7d447-ddjnl",
            "container.id": "0123456789A",
        },
        {},
        {
            "eks": {
                "cluster_name": "production",
                "pod": "my-deployment-65dcf7d447-ddjnl",
                "container_id": "0123456789A",
            },
            "ec2/instance_id": "i-00f7c0bcb26da2a99",
            "ecs": None,
            "elastic_beanstalk": None,
        },
    ),
    _aws(
        "TestAwsWithAwsSqsResources",
        _AWS,
        {
            "aws.operation": "SendMessage",
            "aws.account_id": "987654321",
            "aws.region": "us-east-2",
            "aws.queue_url": _QUEUE_URL,
            "employee.id": "XB477",
        },
        {"queue_url": _QUEUE_URL, "region": "us-east-2", "account_id": "987654321"},
    ),
    _aws("TestAwsWithRpcAttributes", {}, {"rpc.method": "ListBuckets"}, {"operation": "ListBuckets"}),
    _aws("TestAwsWithSqsAlternateAttribute", {}, {"aws.queue.url": _QUEUE_URL}, {"queue_url": _QUEUE_URL}),
    _aws("TestAwsWithSqsSemConvAttributes", {}, {"messaging.url": _QUEUE_URL}, {"queue_url": _QUEUE_URL}),
    _aws(
        "TestAwsWithAwsDynamoDbResources",
        _AWS,
        {
            "rpc.method": "IncorrectAWSSDKOperation",
            "aws.operation": "PutItem",
            "aws.request_id": "75107C82-EC8A-4F75-883F-4440B491B0AB",
            "aws.table_name": "WIDGET_TYPES",
        },
        {
            "operation": "PutItem",
            "request_id": "75107C82-EC8A-4F75-883F-4440B491B0AB",
            "table_name": "WIDGET_TYPES",
        },
    ),
    _aws("TestAwsWithDynamoDbAlternateAttribute", {}, {"aws.table.name": "MyTable"}, {"table_name": "MyTable"}),
    _aws(
        "TestAwsWithRequestIdAlternateAttribute",
        {},
        {"aws.requestId": "12345-request"},
        {"request_id": "12345-request"},
    ),
    *(
        _aws(
            name,
            {
                "telemetry.sdk.name": sdk,
                "telemetry.sdk.language": language,
                "telemetry.sdk.version": version,
                **automatic,
            },
            {},
            {"xray": {"sdk": f"{sdk} for {language}", "sdk_version": version, "auto_instrumentation": bool(automatic)}},
        )
        for name, sdk, language, version, automatic in (
            ("TestJavaSDK", "opentelemetry", "java", "1.2.3", {}),
            ("TestJavaAutoInstrumentation", "opentelemetry", "java", "1.2.3", {"telemetry.auto.version": "3.4.5"}),
            ("TestGoSDK", "opentelemetry", "go", "2.0.3", {}),
            ("TestCustomSDK", "opentracing", "java", "2.0.3", {}),
        )
    ),
    _aws(
        "TestLogGroups",
        {"aws.log.group.names": ("group1", "group2")},
        {},
        {"cloudwatch_logs": [{"log_group": "group1"}, {"log_group": "group2"}]},
    ),
    _aws(
        "TestLogGroupsFromStringResourceAttribute",
        {"aws.log.group.names": "group1&group2"},
        {},
        {"cloudwatch_logs": [{"log_group": "group1"}, {"log_group": "group2"}]},
    ),
    _aws(
        "TestLogGroupsFromArns",
        {"aws.log.group.arns": (f"{_GROUP}group1", f"{_GROUP}group2")},
        {},
        {
            "cloudwatch_logs": [
                {"log_group": "group1", "arn": f"{_GROUP}group1"},
                {"log_group": "group2", "arn": f"{_GROUP}group2"},
            ]
        },
    ),
]

_QUERY = {
    "db.system": "mysql",
    "db.name": "customers",
    "db.statement": "SELECT * FROM user WHERE user_id = ?",
    "db.user": "readonly_user",
    "db.connection_string": "mysql://db.example.com:3306",
    "net.peer.name": "db.example.com",
    "net.peer.port": "3306",
}
SQL = [
    Case(
        name="TestClientSpanWithStatementAttribute",
        kind=CLIENT,
        span_name="test span",
        attributes=_QUERY,
        expected={"sql/connection_string": "mysql://db.example.com:3306/customers", "sql/url": "test span"},
    ),
    Case(
        name="TestClientSpanWithNonSQLDatabase",
        kind=CLIENT,
        attributes=_QUERY | {"db.system": "redis", "db.statement": "SET key value"},
        expected={"sql": None, "metadata/default/db.statement": "SET key value"},
    ),
    Case(
        name="TestClientSpanWithoutDBurlAttribute",
        kind=CLIENT,
        span_name="test span",
        attributes=_QUERY | {"db.system": "postgresql", "db.connection_string": ""},
        expected={"sql/connection_string": "localhost/customers", "sql/url": "test span"},
    ),
]

_OLD_POST = {"http.method": "POST", "http.url": "https://api.example.com/widgets", "http.status_text": "this is a test"}
_STABLE_POST = {
    "http.request.method": "POST",
    "url.full": "https://api.example.com/widgets",
    "http.status_text": "this is a test",
}


def _failing(name: str, status: Any, code: int | None, expected: dict[str, Any]) -> list[Case]:
    absent = {"fault": None, "error": None, "throttle": None}
    codes = ({}, {}) if code is None else ({"http.status_code": code}, {"http.response.status_code": code})
    return [
        Case(
            name=name + suffix,
            span_name="/widgets",
            attributes=attributes | answered,
            status=status,
            expected=absent | expected,
        )
        for suffix, attributes, answered in (("", _OLD_POST, codes[0]), ("Stable", _STABLE_POST, codes[1]))
    ]


_TOLD = {"cause/exceptions/0/message": "this is a test"}
CAUSES = [
    Case(
        name="TestCauseWithStatusMessage",
        attributes={"http.method": "POST", "http.status_code": 500},
        status=ERROR,
        message="this is a test",
        expected={"fault": True, "error": None, "throttle": None, **_TOLD},
    ),
    *_failing("TestCauseWithHttpStatusMessage", ERROR, 500, {"fault": True, **_TOLD}),
    *_failing("TestCauseWithZeroStatusMessageAndFaultHttpCode", UNSET, 500, {"fault": True, "cause": None}),
    *_failing("TestNonHttpUnsetCodeSpan", UNSET, None, {"cause": None}),
    *_failing("TestNonHttpOkCodeSpan", OK, None, {"cause": None}),
    *_failing("TestNonHttpErrCodeSpan", ERROR, None, {"fault": True, **_TOLD}),
    *_failing("TestCauseWithZeroStatusMessageAndFaultErrorCode", UNSET, 400, {"error": True, "cause": None}),
    *_failing("TestCauseWithClientErrorMessage", ERROR, 499, {"error": True, **_TOLD}),
    *_failing("TestCauseWithThrottled", ERROR, 429, {"error": True, "throttle": True, **_TOLD}),
    Case(
        name="TestMakeCauseAwsSdkSpan",
        attributes={"rpc.system": "aws-api"},
        status=ERROR,
        message="this is a test",
        events=(
            (
                "HTTP request failure",
                {
                    "http.response.status_code": "503",
                    "aws.http.error_message": "service is temporarily unavailable",
                },
            ),
        ),
        expected={
            "fault": True,
            "cause/exceptions/0/type": "aws.http.error.event",
            "cause/exceptions/0/remote": True,
            "cause/exceptions/0/message": "503@1696954761.000001@service is temporarily unavailable",
        },
    ),
    *(
        Case(
            name="TestCauseExceptionWithoutError",
            status=status,
            events=(("exception", {"exception.type": "IllegalStateException", "exception.message": "bad state"}),),
            expected={
                "fault": None,
                "cause/exceptions/0/type": "IllegalStateException",
                "cause/exceptions/0/message": "bad state",
            },
        )
        for status in (UNSET, OK)
    ),
    *(
        Case(
            name="TestEventWithoutExceptionWithoutError",
            status=status,
            events=(("NotException", {"http.method": "Post"}),),
            expected={"fault": None, "cause": None},
        )
        for status in (UNSET, OK)
    ),
]
