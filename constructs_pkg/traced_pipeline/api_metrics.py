"""Metrics of an ingest API's stage."""

from __future__ import annotations

from typing import Unpack

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from .checks import names_path
from .existing_api import deployed_api
from .metric_keywords import MetricKeywords

_NAMED_BY = "its metrics have the dimensions ApiName and Stage"


class ApiMetrics(Construct):
    """A block with a REST API. Where the stage is made elsewhere, it has no name here, and all of this is an error.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
    """

    @property
    def api(self) -> apigateway.IRestApi:
        """The API."""
        raise NotImplementedError

    @property
    @names_path
    def stage(self) -> apigateway.Stage:
        """The API's stage; an error where it is not made with the API, or the API is imported."""
        return deployed_api(self.api, "stage's name", hint=_NAMED_BY).deployment_stage

    def metric_count(self, **options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """How many requests the API got."""
        return self.stage.metric_count(**options)

    def metric_client_error(self, **options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """How many requests the API answered with 4xx; with the statistic `Average`, the fraction of them."""
        return self.stage.metric_client_error(**options)

    def metric_server_error(self, **options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """How many requests the API answered with 5xx; with the statistic `Average`, the fraction of them."""
        return self.stage.metric_server_error(**options)

    def metric_latency(self, **options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """How long the API took to answer a request, in milliseconds."""
        return self.stage.metric_latency(**options)
