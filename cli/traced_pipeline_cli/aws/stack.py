"""Finds a deployed pipeline and sends requests through its API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from ..errors import NotFoundError
from .endpoints import dns_suffix, is_of_aws

if TYPE_CHECKING:
    from types_boto3_apigateway import APIGatewayClient
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_cloudformation.type_defs import StackResourceSummaryTypeDef

_API_HOST = re.compile(r"(?P<api>[a-z0-9]+)\.execute-api\.(?P<region>[a-z0-9-]+)\.[a-z0-9.-]+")
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
_GOING = frozenset({"DELETE_IN_PROGRESS", "DELETE_COMPLETE"})
_URL_PARTS = re.compile(r"[./]")


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """Where a stack's pipeline is reached.

    Attributes:
        stack: The stack's name.
        status: The stack's status, such as `CREATE_COMPLETE`.
        api_url: The URL to post to; None where the stack has no REST API, or `find_stage` found no output that says it.
        api_id: The REST API's id; None where the stack has several and the URL names none of them.
        stage: The API's stage.
        api_path: The path to post to below the stage, such as `/orders`.
        queue_url: The worker's queue; None where no output says it and the stack has several.
        dead_letter_queue_url: Its dead-letter queue; None where no output says it.
        table: The table's name; None where no output says it and the stack has several.
        outputs: All of the stack's outputs.
        apis: The ids of its REST APIs.
        functions: The names of the stack's functions.
        topics: The ARNs of its topics.
        queues: The URLs of its queues.
        tables: The names of its tables.
    """

    stack: str
    status: str
    api_url: str | None
    api_id: str | None
    stage: str | None
    api_path: str | None
    queue_url: str | None
    dead_letter_queue_url: str | None
    table: str | None
    outputs: Mapping[str, str]
    apis: tuple[str, ...]
    functions: tuple[str, ...]
    topics: tuple[str, ...]
    queues: tuple[str, ...]
    tables: tuple[str, ...]

    def url_to_post_to(self) -> str:
        """Returns the URL to post to.

        Raises:
            NotFoundError: There is none.
        """
        if self.api_url is None:
            raise NotFoundError(f"The stack {self.stack} has no REST API to post to; its status is {self.status}.")
        return self.api_url

    def check_api(self) -> None:
        """Checks that it is known which of the stack's APIs is meant.

        Raises:
            NotFoundError: There are several, and the URL names none of them, as one of a domain of your own.
        """
        if self.api_id is None and len(self.apis) > 1:
            raise NotFoundError(
                f"The stack {self.stack} has several APIs, and the URL says none of their ids. Name an output with the "
                f"URL that AWS gave the one you mean with --api; outputs with a URL: {_urls(self.outputs) or 'none'}."
            )


def find_parts(cloudformation: CloudFormationClient, stack: str) -> Pipeline:
    """Finds a pipeline's parts by its stack, without the API.

    The outputs `QueueUrl`, `DeadLetterQueueUrl` and `TableName` are taken as they are; what they do not say comes from
    the stack's resources.

    Args:
        cloudformation: The CloudFormation client.
        stack: The stack's name.

    Raises:
        NotFoundError: There is no such stack, or it is being deleted.
        botocore.exceptions.ClientError: AWS refused.
    """
    return _parts(_read(cloudformation, stack))


def find_stage(cloudformation: CloudFormationClient, stack: str, *, api: str | None = None) -> Pipeline:
    """Finds a pipeline's parts by its stack, with its API and stage; the URL is what an output says.

    Args:
        cloudformation: The CloudFormation client.
        stack: The stack's name.
        api: The output with the URL of the API or of its stage; by default `ApiUrl`, or the only one whose name ends
            so.

    Raises:
        NotFoundError: There is no such stack, it is being deleted, it has no such output, or it has several APIs.
        botocore.exceptions.ClientError: AWS refused.
    """
    read = _read(cloudformation, stack)
    apis, stages = _ids(read.resources, "AWS::ApiGateway::RestApi"), _ids(read.resources, "AWS::ApiGateway::Stage")
    key = _api_output(read, apis) if api is None else api
    if key is not None and not _is_url(read.outputs.get(key, "")):
        raise NotFoundError(
            f"The stack {stack} has no output {key} with the URL of an API. It has: {_urls(read.outputs) or 'none'}."
        )
    said = None if key is None else read.outputs[key]
    host = _API_HOST.fullmatch(urlsplit(said).hostname or "") if said else None
    url = said if key is not None and key.endswith("ApiUrl") else None
    stage = urlsplit(said).path.split("/")[1] if said and host else _named_in(said, stages) or next(iter(stages), None)
    pipeline = replace(
        _parts(read),
        api_url=url,
        api_id=host["api"] if host else _named_in(said, apis) or _only(apis),
        stage=stage,
        api_path=None if url is None else _path_below_stage(url, stage),
    )
    if url is None:
        pipeline.check_api()
    return pipeline


def find_pipeline(
    cloudformation: CloudFormationClient,
    apigateway: APIGatewayClient,
    stack: str,
    *,
    path: str | None = None,
    api: str | None = None,
) -> Pipeline:
    """Finds a pipeline's parts by its stack, with the URL of its API.

    Where no output is the API's URL, one that leads to its stage, as the CDK's `RestApi` makes, says where the API is
    served; otherwise that is its host at AWS.

    Args:
        cloudformation: The CloudFormation client.
        apigateway: The API Gateway client.
        stack: The stack's name.
        path: The path to post to, such as `/orders`; by default that of the `ApiUrl` output, or the only path
            of the API that takes POST.
        api: The output with the URL of the API, as `find_stage` takes it.

    Raises:
        NotFoundError: There is no such stack, it is being deleted, it has several APIs, the API has no or
            several paths that take POST, or no output says where a local AWS serves it.
        botocore.exceptions.ClientError: AWS refused.
    """
    pipeline = find_stage(cloudformation, stack, api=api)
    url, api_id, stage = pipeline.api_url, pipeline.api_id, pipeline.stage
    if path is not None:
        pipeline.check_api()
    if api_id and stage and (path is not None or url is None):
        base = _stage_url(apigateway, pipeline.outputs, api_id=api_id, stage=stage, stack=stack)
        posted = path if path is not None else _posted_path(apigateway, api_id, stack)
        url = f"{base}/{posted.lstrip('/')}"
    return replace(pipeline, api_url=url, api_path=None if url is None else _path_below_stage(url, stage))


def stage_service(apigateway: APIGatewayClient, pipeline: Pipeline) -> str:
    """Returns the name of the pipeline's stage in X-Ray: `<API's name>/<stage>`.

    Raises:
        NotFoundError: The stack has no REST API with a stage.
        botocore.exceptions.ClientError: AWS refused.
    """
    pipeline.check_api()
    if pipeline.api_id is None or pipeline.stage is None:
        raise NotFoundError(
            f"The stack {pipeline.stack} has no REST API with a stage, so its traces cannot be looked up by the "
            f"stage; its status is {pipeline.status}. Give a trace id instead."
        )
    name = apigateway.get_rest_api(restApiId=pipeline.api_id).get("name", "")
    return f"{name}/{pipeline.stage}"


@dataclass(frozen=True, kw_only=True)
class _Stack:
    """What CloudFormation says of a stack."""

    name: str
    status: str
    outputs: Mapping[str, str]
    resources: list[StackResourceSummaryTypeDef]


def _read(cloudformation: CloudFormationClient, stack: str) -> _Stack:
    try:
        stacks = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        # DescribeStacks has no error code of its own for a stack that is not there.
        if error.response["Error"].get("Code") != "ValidationError":
            raise
        stacks = []
    if not stacks:
        raise NotFoundError(
            f"There is no stack {stack!r} in the region {cloudformation.meta.region_name}. Check the name, the "
            "region (--region) and the account (--profile)."
        )
    status = stacks[0].get("StackStatus", "")
    if status in _GOING:
        raise NotFoundError(f"The stack {stack} is deleted or being deleted: its status is {status}.")
    return _Stack(
        name=stack,
        status=status,
        outputs={output.get("OutputKey", ""): output.get("OutputValue", "") for output in stacks[0].get("Outputs", [])},
        resources=_resources(cloudformation, stack),
    )


def _parts(read: _Stack) -> Pipeline:
    queues = _ids(read.resources, "AWS::SQS::Queue")
    tables = _ids(read.resources, "AWS::DynamoDB::Table") + _ids(read.resources, "AWS::DynamoDB::GlobalTable")
    return Pipeline(
        stack=read.name,
        status=read.status,
        api_url=None,
        api_id=None,
        stage=None,
        api_path=None,
        queue_url=read.outputs.get("QueueUrl") or _only(queues),
        dead_letter_queue_url=read.outputs.get("DeadLetterQueueUrl"),
        table=read.outputs.get("TableName") or _only(tables),
        outputs=read.outputs,
        apis=_ids(read.resources, "AWS::ApiGateway::RestApi"),
        functions=_ids(read.resources, "AWS::Lambda::Function"),
        topics=_ids(read.resources, "AWS::SNS::Topic"),
        queues=queues,
        tables=tables,
    )


def _resources(cloudformation: CloudFormationClient, stack: str) -> list[StackResourceSummaryTypeDef]:
    """Returns the resources of a stack and of those nested in it, however deep."""
    resources: list[StackResourceSummaryTypeDef] = []
    todo = [stack]
    while todo:
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=todo.pop(0))
        listed = [resource for page in pages for resource in page["StackResourceSummaries"]]
        resources += listed
        todo += _ids(listed, "AWS::CloudFormation::Stack")
    return resources


def _ids(resources: list[StackResourceSummaryTypeDef], resource_type: str) -> tuple[str, ...]:
    return tuple(
        resource["PhysicalResourceId"]
        for resource in resources
        if resource["ResourceType"] == resource_type
        and "PhysicalResourceId" in resource
        # Resources that are deleted are listed for a while.
        and resource.get("ResourceStatus") != "DELETE_COMPLETE"
    )


def _only(ids: tuple[str, ...]) -> str | None:
    return ids[0] if len(ids) == 1 else None


def _api_output(read: _Stack, apis: tuple[str, ...]) -> str | None:
    """Returns the output with the URL of the stack's only API; None where no output has it.

    Raises:
        NotFoundError: There are several, and none is chosen by the name `ApiUrl`.
    """
    if "ApiUrl" in read.outputs:
        return "ApiUrl"
    stated = {key: url for key, url in read.outputs.items() if key.endswith("ApiUrl") and _is_url(url)}
    if len(set(stated.values())) > 1 or (not stated and len(apis) > 1):
        raise NotFoundError(
            f"The stack {read.name} has several APIs. Name the output with the URL of the one you mean with --api; "
            f"outputs with a URL: {_urls(stated or read.outputs) or 'none'}."
        )
    return min(stated, default=None)


def _urls(outputs: Mapping[str, str]) -> str:
    """Returns the names of the outputs that are URLs, for a message."""
    return ", ".join(key for key, value in sorted(outputs.items()) if _is_url(value))


def _is_url(value: str) -> bool:
    return value.startswith(("https://", "http://"))


def _named_in(url: str | None, ids: tuple[str, ...]) -> str | None:
    """Returns the id that is a part of a URL."""
    parts = _URL_PARTS.split(url or "")
    return next((physical_id for physical_id in ids if physical_id in parts), None)


def _stage_url(client: APIGatewayClient, outputs: Mapping[str, str], *, api_id: str, stage: str, stack: str) -> str:
    """Returns the URL of a stage: that of an output which names API and stage, or else the one AWS serves it at.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-call-api.html
    """
    for value in (value for _, value in sorted(outputs.items()) if _is_url(value)):
        before, separator, _ = f"{value}/".partition(f"/{stage}/")
        if separator and api_id in _URL_PARTS.split(before):
            return f"{before}/{stage}"
    endpoint, region = client.meta.endpoint_url, client.meta.region_name
    if not is_of_aws(endpoint):
        raise NotFoundError(
            f"No output of the stack {stack} says where its API is served, and {endpoint} is not an endpoint of AWS. "
            "Add an output ApiUrl with the URL to post to; for a TracedPipeline `orders` in the CDK that is "
            'CfnOutput(stack, "ApiUrl", value=orders.url).'
        )
    return f"https://{api_id}.execute-api.{region}.{dns_suffix(region)}/{stage}"


def _path_below_stage(url: str, stage: str | None) -> str:
    """Returns the path to post to: what stands behind the stage's name, or the whole path where that is not in it."""
    path = urlsplit(url).path
    _, separator, below = f"{path}/".partition(f"/{stage}/")
    return f"/{below.removesuffix('/')}" if separator else path


def _posted_path(apigateway: APIGatewayClient, api_id: str, stack: str) -> str:
    pages = apigateway.get_paginator("get_resources").paginate(restApiId=api_id, embed=["methods"])
    paths = sorted(
        resource.get("path", "")
        for page in pages
        for resource in page.get("items", [])
        if "POST" in resource.get("resourceMethods", {})
    )
    if len(paths) != 1:
        listed = ", ".join(paths) if paths else "none"
        raise NotFoundError(
            f"The API of the stack {stack} should have one path that takes POST; it has {listed}. Name one with --path."
        )
    return paths[0]
