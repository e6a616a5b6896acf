"""Cases of the tests of the OpenTelemetry collector's AWS X-Ray exporter: its inputs and the fields it expects.

From exporter/awsxrayexporter/internal/translator/{segment,http,aws,cause,sql,span_links}_test.go of
https://github.com/open-telemetry/opentelemetry-collector-contrib; a case is named as the test there. Left out are stack
traces of other languages than Python (the exporter here runs in Python alone), options that it does not have
(attributes named beside `all`; names of log groups from a configuration file), and the refusal of trace ids whose first
part is no time (X-Ray takes them today, and the collector by its option to skip that check).
"""

from dataclasses import dataclass, field
from typing import Any

from opentelemetry.trace import SpanKind, StatusCode

CLIENT, SERVER, CONSUMER = SpanKind.CLIENT, SpanKind.SERVER, SpanKind.CONSUMER
PRODUCER, INTERNAL = SpanKind.PRODUCER, SpanKind.INTERNAL
UNSET, OK, ERROR = StatusCode.UNSET, StatusCode.OK, StatusCode.ERROR


@dataclass(frozen=True, kw_only=True)
class Case:
    """One span, and what its document holds.

    Attributes:
        name: Name of the collector's test.
        expected: Values by their place in the document, `/` between the fields; None for what is not there.
        annotations: The attributes to be annotated.
        events: Name and attributes of each of the span's events.
        has_parent: Whether the span has a parent in its own process.
    """

    name: str
    kind: SpanKind = SERVER
    span_name: str = "/api/locations"
    attributes: dict[str, Any] = field(default_factory=dict)
    resource: dict[str, Any] = field(default_factory=dict)
    status: StatusCode = UNSET
    message: str | None = None
    events: tuple[tuple[str, dict[str, Any]], ...] = ()
    annotations: Any = ()
    has_parent: bool = True
    expected: dict[str, Any]


RESOURCE: dict[str, Any] = {
    "service.name": "signup_aggregator",
    "service.version": "semver:1.1.4",
    "container.name": "signup_aggregator",
    "container.image.name": "otel/signupaggregator",
    "container.image.tag": "v1",
    "k8s.cluster.name": "production",
    "k8s.namespace.name": "default",
    "k8s.deployment.name": "signup_aggregator",
    "k8s.pod.name": "signup_aggregator-x82ufje83",
    "cloud.provider": "aws",
    "cloud.account.id": "123456789",
    "cloud.region": "us-east-1",
    "cloud.availability_zone": "us-east-1c",
    "string.key": "string",
    "int.key": 10,
    "double.key": 5.0,
    "bool.key": True,
    "array.key": ("foo", "bar"),
}
_AWS_CALL = {
    "http.method": "POST",
    "http.scheme": "https",
    "http.host": "dynamodb.us-east-1.amazonaws.com",
    "http.target": "/",
    "aws.request_id": "18BO1FEPJSSAOGNJEDPTPCMIU7VV4KQNSO5AEMVJF66Q9ASUAAJG",
    "aws.table_name": "otel-dev-Testing",
}
_LOCATIONS = {
    "http.method": "POST",
    "http.url": "https://api.example.org/api/locations",
    "http.target": "/api/locations",
    "http.status_text": "java.lang.NullPointerException",
    "http.user_agent": "PostmanRuntime/7.21.0",
    "enduser.id": "go.tester@example.com",
}
_PAYMENT = {
    "http.method": "POST",
    "http.scheme": "https",
    "http.host": "payment.amazonaws.com",
    "http.target": "/",
    "rpc.service": "ABC",
}
_TWO = {"attr1@1": "val1", "attr2@2": "val2"}
_OTEL_KEYS = ("string", "int", "double", "bool", "array")
_RESOURCE_KEYS = tuple(f"otel.resource.{key}.key" for key in _OTEL_KEYS)

SEGMENTS = [
    Case(
        name="TestClientSpanWithRpcAwsSdkClientAttributes",
        kind=CLIENT,
        span_name="AmazonDynamoDB.getItem",
        attributes=_AWS_CALL | {"rpc.service": "DynamoDB", "rpc.method": "GetItem", "rpc.system": "aws-api"},
        resource=RESOURCE,
        expected={
            "name": "DynamoDB",
            "namespace": "aws",
            "aws/operation": "GetItem",
            "type": "subsegment",
            "user": None,
        },
    ),
    Case(
        name="TestClientSpanWithLegacyAwsSdkClientAttributes",
        kind=CLIENT,
        attributes=_AWS_CALL
        | {"aws.service": "DynamoDB", "rpc.method": "IncorrectAWSSDKOperation", "aws.operation": "GetItem"},
        resource=RESOURCE,
        expected={"name": "DynamoDB", "namespace": "aws", "aws/operation": "GetItem", "type": "subsegment"},
    ),
    Case(
        name="TestClientSpanWithPeerService",
        kind=CLIENT,
        attributes=_AWS_CALL | {"peer.service": "cats-table", "aws.service": "DynamoDB", "aws.operation": "GetItem"},
        resource=RESOURCE,
        expected={"name": "cats-table"},
    ),
    Case(
        name="TestServerSpanWithInternalServerError",
        attributes=_LOCATIONS | {"http.status_code": 500},
        resource=RESOURCE,
        status=ERROR,
        message="java.lang.NullPointerException",
        expected={
            "name": "signup_aggregator",
            "fault": True,
            "cause/exceptions/0/message": "java.lang.NullPointerException",
            "user": "go.tester@example.com",
        },
    ),
    Case(
        name="TestServerSpanWithThrottle",
        attributes=_LOCATIONS | {"http.status_code": 429},
        resource=RESOURCE,
        status=ERROR,
        message="java.lang.NullPointerException",
        expected={
            "name": "signup_aggregator",
            "fault": None,
            "error": True,
            "throttle": True,
            "cause/exceptions/0/message": "java.lang.NullPointerException",
        },
    ),
    Case(name="TestServerSpanNoParentId", resource=RESOURCE, status=OK, has_parent=False, expected={"parent_id": None}),
    Case(name="TestSpanWithNoStatus", expected={"fault": None, "error": None, "type": None}),
    Case(
        name="TestClientSpanWithDbComponent",
        kind=CLIENT,
        span_name="call update_user_preference( ?, ?, ? )",
        attributes={
            "db.system": "mysql",
            "db.name": "customers",
            "db.statement": "call update_user_preference( ?, ?, ? )",
            "db.user": "userprefsvc",
            "db.connection_string": "mysql://db.dev.example.com:3306",
            "net.peer.name": "db.dev.example.com",
            "net.peer.port": "3306",
            "enterprise.app.id": "25F2E73B-4769-4C79-9DF3-7EBE85D571EA",
        },
        resource=RESOURCE,
        expected={
            "name": "customers@db.dev.example.com",
            "namespace": "remote",
            "sql/url": "call update_user_preference( ?, ?, ? )",
            "sql/sanitized_query": "call update_user_preference( ?, ?, ? )",
            "sql/connection_string": "mysql://db.dev.example.com:3306/customers",
            "sql/database_type": "mysql",
            "sql/user": "userprefsvc",
            "annotations": None,
            "metadata/default/enterprise.app.id": "25F2E73B-4769-4C79-9DF3-7EBE85D571EA",
            "cause": None,
            "http": None,
            "fault": None,
            "error": None,
        },
    ),
    Case(
        name="TestClientSpanWithHttpHost",
        kind=CLIENT,
        span_name="GET /",
        attributes={
            "http.method": "GET",
            "http.scheme": "https",
            "net.peer.ip": "2607:f8b0:4000:80c::2004",
            "net.peer.port": "9443",
            "http.target": "/",
            "http.host": "foo.com",
            "net.peer.name": "bar.com",
        },
        resource=RESOURCE,
        expected={"name": "foo.com"},
    ),
    Case(
        name="TestClientSpanWithoutHttpHost",
        kind=CLIENT,
        span_name="GET /",
        attributes={"http.method": "GET", "http.scheme": "https", "http.target": "/", "net.peer.name": "bar.com"},
        resource=RESOURCE,
        expected={"name": "bar.com"},
    ),
    Case(
        name="TestClientSpanWithRpcHost",
        kind=CLIENT,
        span_name="GET /com.foo.AnimalService/GetCats",
        attributes={"http.method": "GET", "rpc.service": "com.foo.AnimalService", "net.peer.name": "bar.com"},
        resource=RESOURCE,
        expected={"name": "com.foo.AnimalService"},
    ),
    Case(
        name="TestFixSegmentName, a valid name",
        kind=INTERNAL,
        span_name="EP @ test_15.testing-d\u00f6main.org#GO",
        expected={"name": "EP @ test_15.testing-d\u00f6main.org#GO"},
    ),
    Case(
        name="TestFixSegmentName, an invalid one",
        kind=INTERNAL,
        span_name="<subDomain>.example.com",
        expected={"name": "subDomain.example.com"},
    ),
    Case(name="TestFixSegmentName, nothing left of it", kind=INTERNAL, span_name="<>", expected={"name": "span"}),
    Case(
        name="TestServerSpanWithNilAttributes",
        resource=RESOURCE,
        status=ERROR,
        message="OK",
        expected={"name": "signup_aggregator", "fault": True, "cause/exceptions/0/message": "OK"},
    ),
    Case(
        name="TestSpanWithAttributesDefaultNotIndexed",
        attributes=_TWO,
        resource=RESOURCE,
        status=ERROR,
        expected={
            "annotations": None,
            "metadata/default/attr1@1": "val1",
            "metadata/default/attr2@2": "val2",
            "metadata/default/otel.resource.string.key": "string",
            "metadata/default/otel.resource.int.key": 10,
            "metadata/default/otel.resource.double.key": 5.0,
            "metadata/default/otel.resource.bool.key": True,
            "metadata/default/otel.resource.array.key": ["foo", "bar"],
        },
    ),
    Case(
        name="TestSpanWithResourceNotStoredIfSubsegment",
        kind=CLIENT,
        attributes=_TWO,
        resource=RESOURCE,
        status=ERROR,
        expected={"annotations": None, "metadata/default": _TWO},
    ),
    Case(
        name="TestSpanWithAttributesPartlyIndexed",
        attributes=_TWO,
        resource=RESOURCE,
        annotations=["attr1@1", "not_exist"],
        expected={"annotations": {"attr1_1": "val1"}, "metadata/default/attr2@2": "val2"},
    ),
    Case(
        name="TestSpanWithAnnotationsAttribute",
        attributes=_TWO | {"aws.xray.annotations": ("attr2@2", "not_exist")},
        resource=RESOURCE,
        expected={"annotations": {"attr2_2": "val2"}, "metadata/default/attr1@1": "val1"},
    ),
    Case(
        name="TestSpanWithAttributesAllIndexed",
        attributes=_TWO,
        resource=RESOURCE,
        annotations="all",
        expected={"annotations/attr1_1": "val1", "annotations/attr2_2": "val2"},
    ),
    Case(
        name="TestSpanWithAttributesSegmentMetadata",
        attributes={
            "attr1@1": "val1",
            "aws.xray.metadata.default": '{"custom_key": "custom_value"}',
            "aws.xray.metadata.http": '{"connection":{"reused":false,"was_idle":false}}',
            "aws.xray.metadata.non-xray-sdk": "retain-value",
        },
        resource=RESOURCE,
        expected={
            "annotations": None,
            "metadata/default/attr1@1": "val1",
            "metadata/default/custom_key": "custom_value",
            "metadata/default/aws.xray.metadata.non-xray-sdk": "retain-value",
            "metadata/default/aws.xray.metadata.default": None,
            "metadata/default/aws.xray.metadata.http": None,
            "metadata/http": {"connection": {"reused": False, "was_idle": False}},
        },
    ),
    Case(
        name="TestResourceAttributesCanBeIndexed",
        resource=RESOURCE,
        annotations=_RESOURCE_KEYS,
        expected={
            "annotations": {
                "otel_resource_string_key": "string",
                "otel_resource_int_key": 10,
                "otel_resource_double_key": 5.0,
                "otel_resource_bool_key": True,
            },
            "metadata/default/otel.resource.array.key": ["foo", "bar"],
        },
    ),
    Case(
        name="TestResourceAttributesNotIndexedIfSubsegment",
        kind=CLIENT,
        resource=RESOURCE,
        annotations=_RESOURCE_KEYS,
        expected={"annotations": None, "metadata": None},
    ),
    Case(
        name="TestSpanWithSpecialAttributesAsListed",
        attributes={"aws.operation": "aws_operation_val", "rpc.method": "rpc_method_val"},
        resource=RESOURCE,
        annotations=["aws.operation", "rpc.method"],
        expected={"annotations": {"aws_operation": "aws_operation_val", "rpc_method": "rpc_method_val"}},
    ),
    Case(
        name="TestSpanWithSpecialAttributesNotListedAndIndexAll",
        attributes={"aws.operation": "val1", "rpc.method": "val2"},
        resource=RESOURCE,
        annotations="all",
        expected={"annotations/aws_operation": None, "annotations/rpc_method": None},
    ),
    Case(
        name="TestFilteredAttributesMetadata",
        attributes={
            "string_value": "value",
            "int_value": 123,
            "float_value": 456.78,
            "bool_value": False,
            "array_value": (12, 34, 56),
        },
        expected={
            "metadata/default/string_value": "value",
            "metadata/default/int_value": 123,
            "metadata/default/float_value": 456.78,
            "metadata/default/bool_value": False,
            "metadata/default/array_value": [12, 34, 56],
        },
    ),
    Case(
        name="TestSpanWithSingleDynamoDBTableHasTableName",
        attributes={"aws.dynamodb.table_names": ("table1",)},
        resource=RESOURCE,
        expected={
            "aws/table_name": "table1",
            "aws/table_names": None,
            "metadata/default/aws.dynamodb.table_names": ["table1"],
        },
    ),
    Case(
        name="TestSpanWithMultipleDynamoDBTablesHasTableNames",
        attributes={"aws.dynamodb.table_names": ("table1", "table2")},
        resource=RESOURCE,
        expected={
            "aws/table_name": None,
            "aws/table_names": ["table1", "table2"],
            "metadata/default/aws.dynamodb.table_names": ["table1", "table2"],
        },
    ),
    Case(
        name="TestClientSpanWithAwsRemoteServiceName",
        kind=CLIENT,
        span_name="ABC.payment",
        attributes=_PAYMENT | {"aws.remote.service": "PaymentService"},
        resource=RESOURCE,
        expected={"name": "PaymentService", "type": "subsegment", "user": None},
    ),
    Case(
        name="TestAwsSdkSpanWithAwsRemoteServiceName",
        kind=CLIENT,
        span_name="DynamoDB.PutItem",
        attributes={"rpc.system": "aws-api", "rpc.service": "DynamoDb", "aws.remote.service": "AWS::DynamoDB"},
        resource=RESOURCE,
        expected={"name": "DynamoDB", "type": "subsegment"},
    ),
    Case(
        name="TestProducerSpanWithAwsRemoteServiceName",
        kind=PRODUCER,
        span_name="ABC.payment",
        attributes=_PAYMENT | {"aws.remote.service": "ProducerService"},
        resource=RESOURCE,
        expected={"name": "ProducerService", "type": "subsegment"},
    ),
    Case(
        name="TestServerSpanWithAwsLocalServiceName",
        span_name="ABC.payment",
        attributes=_PAYMENT | {"aws.local.service": "PaymentLocalService", "aws.remote.service": "PaymentService"},
        resource=RESOURCE,
        expected={"name": "PaymentLocalService"},
    ),
    *(
        Case(
            name=f"TestNotLocalRoot{kind.name.title()}",
            kind=kind,
            span_name="MyService",
            attributes={"aws.remote.service": "myRemoteService", "aws.local.service": "myLocalService"},
            expected={"type": "subsegment", "namespace": namespace, "name": name},
        )
        for kind, namespace, name in (
            (INTERNAL, None, "MyService"),
            (CONSUMER, "remote", "myRemoteService"),
            (CLIENT, "remote", "myRemoteService"),
            (PRODUCER, "remote", "myRemoteService"),
        )
    ),
    Case(
        name="TestNotLocalRootServer",
        attributes={"aws.local.service": "myLocalService"},
        expected={"type": None, "namespace": None, "name": "myLocalService"},
    ),
]

_CLOUD = {"cloud.provider": "aws"}
ORIGINS = [
    Case(name=f"TestOrigin{name}", resource=resource, status=ERROR, expected={"origin": origin})
    for name, resource, origin in (
        ("NotAws", {"cloud.provider": "gcp", "host.id": "instance-123"}, None),
        ("Ec2", _CLOUD | {"cloud.platform": "aws_ec2", "host.id": "instance-123"}, "AWS::EC2::Instance"),
        ("Ecs", _CLOUD | {"cloud.platform": "aws_ecs"}, "AWS::ECS::Container"),
        ("EcsEc2", _CLOUD | {"cloud.platform": "aws_ecs", "aws.ecs.launchtype": "ec2"}, "AWS::ECS::EC2"),
        ("EcsFargate", _CLOUD | {"cloud.platform": "aws_ecs", "aws.ecs.launchtype": "fargate"}, "AWS::ECS::Fargate"),
        (
            "Eb",
            _CLOUD | {"cloud.platform": "aws_elastic_beanstalk", "service.instance.id": "service-123"},
            "AWS::ElasticBeanstalk::Environment",
        ),
        ("Eks", _CLOUD | {"cloud.platform": "aws_eks", "k8s.cluster.name": "production"}, "AWS::EKS::Container"),
        ("AppRunner", _CLOUD | {"cloud.platform": "aws_app_runner"}, "AWS::AppRunner::Service"),
        ("Blank", _CLOUD, None),
        (
            "PrefersInfraService",
            _CLOUD | {"cloud.platform": "aws_ec2", "k8s.cluster.name": "cluster-123"},
            "AWS::EC2::Instance",
        ),
    )
]
