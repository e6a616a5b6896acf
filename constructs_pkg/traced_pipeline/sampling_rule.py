"""How many requests X-Ray records: the sampling rule of an API's stage."""

from __future__ import annotations

from aws_cdk import Token
from aws_cdk import aws_xray as xray
from constructs import Construct

from .checks import Check, PipelineError
from .limits import SERVICE_NAME
from .names import account_wide_name
from .option_checks import check_options
from .tracing_options import SamplingOptions

_RULE_NAME_LENGTH = 32
_LAST_PRIORITY = 9999
_BEGINNINGS_OF_A_PATH = ("/", "*", "?")


def sampling_rule(
    scope: Construct,
    construct_id: str,
    *,
    stage_service_name: str,
    options: SamplingOptions,
) -> xray.CfnSamplingRule:
    """Creates a sampling rule for the requests of one API stage.

    Args:
        scope: Where to create it.
        construct_id: Id of the rule.
        stage_service_name: Name of the stage as X-Ray knows it, `<api name>/<stage name>`.
        options: What to record.

    Raises:
        PipelineError: A value is out of X-Ray's bounds.
    """
    check_options(options)
    _check_bounds(options, stage_service_name)
    return _rule(scope, construct_id, options, service_name=stage_service_name, service_type="AWS::ApiGateway::Stage")


def account_sampling_rule(scope: Construct, construct_id: str, *, rate: float, reservoir: int) -> xray.CfnSamplingRule:
    """Creates a sampling rule for all requests that no other rule of the account is for.

    Its priority is the last one; X-Ray's own rule `Default`, which cannot be created, comes after it.
    https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html

    Args:
        scope: Where to create it.
        construct_id: Id of the rule.
        rate: Fraction of the requests beyond the reservoir that is recorded.
        reservoir: Requests per second that are recorded before the rate applies.

    Raises:
        PipelineError: A value is out of X-Ray's bounds.
    """
    options = SamplingOptions(rate=rate, reservoir=reservoir, priority=_LAST_PRIORITY)
    _check_bounds(options, "*")
    return _rule(scope, construct_id, options, service_name="*", service_type="*")


def _rule(
    scope: Construct, construct_id: str, options: SamplingOptions, *, service_name: str, service_type: str
) -> xray.CfnSamplingRule:
    return xray.CfnSamplingRule(
        scope,
        construct_id,
        sampling_rule=xray.CfnSamplingRule.SamplingRuleProperty(
            rule_name=account_wide_name(scope, max_length=_RULE_NAME_LENGTH),
            version=1,
            priority=options.priority,
            fixed_rate=options.rate,
            reservoir_size=options.reservoir,
            service_name=service_name,
            service_type=service_type,
            http_method=options.method,
            url_path=options.path,
            host="*",
            resource_arn="*",
        ),
    )


def check_service_name(name: str) -> None:
    """Refuses names of an API and its stage that no sampling rule can take.

    Args:
        name: Both, as X-Ray joins them: `<api name>/<stage name>`.

    Raises:
        PipelineError: They are too long together.
    """
    if not Token.is_unresolved(name) and len(name) > (SERVICE_NAME.most or 0):
        raise PipelineError(
            Check.OPTION_VALUE,
            f"name of API and stage is {name!r}, {len(name)} characters, but a sampling rule takes at most "
            f"{SERVICE_NAME.most}; give a shorter api_name",
        )


def _check_bounds(options: SamplingOptions, service_name: str) -> None:
    if not Token.is_unresolved(options.path) and not options.path.startswith(_BEGINNINGS_OF_A_PATH):
        raise PipelineError(
            Check.OPTION_VALUE,
            f"sampling path is {options.path!r}, but a request's path begins with /, so that the rule would apply to "
            f"none; give {f'/{options.path}'!r}, or begin with a wildcard",
        )
    if not Token.is_unresolved(options.rate) and not 0 <= options.rate <= 1:
        raise PipelineError(Check.OPTION_VALUE, f"sampling rate is {options.rate}, but must be a fraction from 0 to 1")
    if not Token.is_unresolved(options.reservoir) and options.reservoir < 0:
        raise PipelineError(
            Check.OPTION_VALUE,
            f"sampling reservoir is {options.reservoir}, but must be requests a second, at least 0",
        )
    if not Token.is_unresolved(options.priority) and not 1 <= options.priority <= _LAST_PRIORITY:
        raise PipelineError(
            Check.OPTION_VALUE, f"sampling priority is {options.priority}, but must be from 1 to {_LAST_PRIORITY}"
        )
    check_service_name(service_name)
