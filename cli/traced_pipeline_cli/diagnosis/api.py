"""Checks of where a trace begins: the API's stage, the function behind it, and sampling."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from ..deployment.model import Deployment, Function, SamplingRule
from ..text import counted, readable_name
from .checks import Check
from .finding import Finding


def stage_tracing(deployment: Deployment) -> Iterator[Finding]:
    """A stage records only with its own switch: https://docs.aws.amazon.com/xray/latest/devguide/xray-services-apigateway.html."""
    stage = deployment.stage
    if stage is not None and stage.traced is False:
        yield Finding(
            check=Check.STAGE_TRACING_OFF,
            kind="stage",
            name=stage.service,
            text=f"X-Ray tracing is off on the stage {stage.service}, so that it records no request.",
            fix="Turn it on: TracingEnabled of AWS::ApiGateway::Stage; IngestApi does so by itself.",
        )


def ingest_tracing(deployment: Deployment) -> Iterator[Finding]:
    """A function that is not Active propagates `Root` without a decision: https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html."""
    for function in _entrances(deployment):
        if not function.active:
            yield Finding(
                check=Check.INGEST_NOT_ACTIVE,
                kind="function",
                name=function.name,
                text=f"Lambda's tracing is PassThrough on the function {readable_name(function.name)}: it records "
                "nothing, and its messages carry a trace id without the decision to record (Sampled=1), which neither "
                "the topic nor the bridge takes as consent.",
                fix="Set TracingConfig.Mode of the function to Active.",
            )


def applying_rule(rules: tuple[SamplingRule, ...], service: str) -> SamplingRule | None:
    """Returns the sampling rule for a stage: of those for it, the one of the lowest priority, ties broken by name.

    https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html
    """
    fitting = [
        rule
        for rule in rules
        if fnmatchcase(service, rule.service) and fnmatchcase("AWS::ApiGateway::Stage", rule.service_type)
    ]
    return min(fitting, key=lambda rule: (rule.priority, rule.name), default=None)


def not_sampled(deployment: Deployment) -> Finding | None:
    """What decided that a request was not recorded at all; None where there is no stage.

    That API Gateway heeds a caller's `Sampled=1` is not documented.
    """
    stage = deployment.stage
    if stage is None:
        return None
    rule = applying_rule(deployment.xray.rules, stage.service) if deployment.xray.rules else None
    decided = (
        "AWS's default records one request a second and 5 % of the rest"
        if rule is None
        else f"the rule {rule.name} records {counted(rule.reservoir, 'request')} a second and {rule.rate:.0%} of others"
    )
    return Finding(
        check=Check.NOT_SAMPLED,
        kind="stage",
        name=stage.service,
        text=f"Nothing of the request was recorded. It was sent with Sampled=1; that API Gateway heeds a caller's "
        f"decision is not documented by AWS, and where it does not, the sampling rules decide: {decided}.",
        fix="Try again; or give the stage a sampling rule with a rate of 1 while you investigate "
        "(TracedPipeline(sampling=SamplingOptions(rate=1))).",
    )


def _entrances(deployment: Deployment) -> list[Function]:
    integrated = deployment.stage.functions if deployment.stage is not None else None
    return [function for arn in dict.fromkeys(integrated or ()) if (function := deployment.function(arn)) is not None]
