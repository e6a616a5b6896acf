"""The types of AWS resources that carry requests and have no tracing to turn on, and why."""

from __future__ import annotations

from collections.abc import Mapping

_STORES = "records nothing; the map draws it from its caller's subsegment"
_NO_SETTING = (
    "has no setting for X-Ray and records nothing; what it calls starts a trace of its own or continues the one "
)
_NO_SETTING += "of a trace header that came through"
_CARRIES_NO_HEADER = (
    "records nothing, and Lambda begins a trace of its own behind it; to continue one, the producer must "
)
_CARRIES_NO_HEADER += "put a trace header into the record"
_NOT_BEFORE_LAMBDA = "records nothing, and Lambda does not support X-Ray for functions that it feeds"
_EVENT_BRIDGE = "EventBridge propagates the trace header to targets and records nothing"
_IN_CONTAINERS = (
    "its application sends the segments: instrument the code, for instance with OpenTelemetry, and run a collector or "
    "the X-Ray daemon beside it"
)


def _each(reason: str, *kinds: str) -> dict[str, str]:
    return dict.fromkeys(kinds, reason)


# https://docs.aws.amazon.com/xray/latest/devguide/xray-services.html lists the services that work with X-Ray.
NOT_TRACEABLE: Mapping[str, str] = {
    **_each(
        "X-Ray traces REST APIs only, no HTTP and no WebSocket APIs",
        "AWS::ApiGatewayV2::Api",
        "AWS::Serverless::HttpApi",
    ),
    # https://docs.aws.amazon.com/xray/latest/devguide/xray-services-appsync.html
    **_each("X-Ray traces GraphQL APIs of AppSync only, no Event APIs", "AWS::AppSync::Api"),
    **_each(
        "SQS propagates the trace header with a message and records nothing; a consumer continues the trace with "
        "trace_bridge",
        "AWS::SQS::Queue",
    ),
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-related-service-xray.html
    **_each(_EVENT_BRIDGE, "AWS::Events::EventBus", "AWS::Events::Rule", "AWS::EventsV2::EventBus"),
    **_each("S3 propagates the trace header with its notifications and records nothing", "AWS::S3::Bucket"),
    # https://docs.aws.amazon.com/xray/latest/devguide/xray-services-elb.html
    **_each(
        "an Application Load Balancer adds a trace header to requests, others do not; none of them records anything",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "AWS::ElasticLoadBalancing::LoadBalancer",
    ),
    # https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
    **_each(
        _CARRIES_NO_HEADER,
        "AWS::Kinesis::Stream",
        "AWS::KinesisFirehose::DeliveryStream",
    ),
    **_each(
        _NOT_BEFORE_LAMBDA,
        "AWS::AmazonMQ::Broker",
        "AWS::MSK::Cluster",
        "AWS::MSK::ServerlessCluster",
    ),
    **_each(
        _NO_SETTING,
        "AWS::Amplify::App",
        "AWS::CloudFront::Distribution",
        "AWS::CloudFront::Function",
        "AWS::Events::ApiDestination",
        "AWS::GlobalAccelerator::Accelerator",
        "AWS::IoT::TopicRule",
        "AWS::Lambda::WebFunction",
        "AWS::Pipes::Pipe",
        "AWS::Scheduler::Schedule",
        "AWS::Serverless::WebSocketApi",
        "AWS::SES::ReceiptRule",
        "AWS::Transfer::Server",
        "AWS::VpcLattice::Service",
    ),
    **_each(
        f"DynamoDB {_STORES}",
        "AWS::DynamoDB::GlobalTable",
        "AWS::DynamoDB::Table",
        "AWS::Serverless::SimpleTable",
    ),
    **_each(
        f"a data store {_STORES}",
        "AWS::Cassandra::Table",
        "AWS::DAX::Cluster",
        "AWS::DocDB::DBCluster",
        "AWS::DocDBElastic::Cluster",
        "AWS::DSQL::Cluster",
        "AWS::ElastiCache::CacheCluster",
        "AWS::ElastiCache::ReplicationGroup",
        "AWS::ElastiCache::ServerlessCache",
        "AWS::MemoryDB::Cluster",
        "AWS::Neptune::DBCluster",
        "AWS::OpenSearchServerless::Collection",
        "AWS::OpenSearchService::Domain",
        "AWS::RDS::DBCluster",
        "AWS::RDS::DBInstance",
        "AWS::RDS::DBProxy",
        "AWS::Redshift::Cluster",
        "AWS::RedshiftServerless::Workgroup",
        "AWS::Timestream::InfluxDBInstance",
        "AWS::Timestream::Table",
    ),
}
"""Why a resource of a type cannot be traced."""

BY_ITS_APPLICATION: Mapping[str, str] = {
    **_each(
        _IN_CONTAINERS,
        "AWS::AutoScaling::AutoScalingGroup",
        "AWS::Batch::JobDefinition",
        "AWS::BedrockAgentCore::Runtime",
        "AWS::EC2::Instance",
        "AWS::ECS::ExpressGatewayService",
        "AWS::ECS::Service",
        "AWS::ECS::TaskDefinition",
        "AWS::EKS::Cluster",
        "AWS::Lightsail::Container",
        "AWS::SageMaker::Endpoint",
        "Custom::AWSCDK-EKS-Cluster",
    ),
    **_each(
        "its application sends the segments: instrument the code, and give the service an observability configuration; "
        "https://docs.aws.amazon.com/apprunner/latest/dg/monitor-xray.html",
        "AWS::AppRunner::Service",
    ),
    **_each(
        "its application sends the segments: instrument the code, and turn XRayEnabled on in the option namespace "
        "aws:elasticbeanstalk:xray; https://docs.aws.amazon.com/xray/latest/devguide/xray-services-beanstalk.html",
        "AWS::ElasticBeanstalk::Environment",
    ),
    **_each(
        "its proxies send the segments: see https://docs.aws.amazon.com/xray/latest/devguide/xray-services-appmesh.html",
        "AWS::AppMesh::VirtualGateway",
        "AWS::AppMesh::VirtualNode",
    ),
    **_each("its resources stand in a template of its own, which cannot be read here", "AWS::Serverless::Application"),
    **_each(
        "it is for SAM alone to read, so that its properties are not known here; set XrayEnabled in its template",
        "AWS::Serverless::GraphQLApi",
    ),
}
"""Why a resource of a type is left as it is: not the resource decides whether it is traced."""
