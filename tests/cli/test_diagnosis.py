"""Each check by itself: configuration in, findings out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from traced_pipeline_cli.aws.read_errors import Unread
from traced_pipeline_cli.deployment.expected_path import route_of
from traced_pipeline_cli.deployment.model import Deployment, Network, SamplingRule, Subscription, Topic
from traced_pipeline_cli.diagnosis.api import applying_rule, not_sampled
from traced_pipeline_cli.diagnosis.diagnose import about_route, diagnose

from .deployments import (
    ACCOUNT,
    DEAD,
    QUEUE,
    SOURCE,
    TOPIC,
    WHOLE,
    function,
    policy,
    queue,
    with_queue,
    with_subscription,
    with_worker,
)

STAGE = WHOLE.stage
assert STAGE is not None
OTHER = f"arn:aws:sns:us-east-1:{ACCOUNT}:other"
NOWHERE = Network(vpc="vpc-1", endpoint=False, way_out=False)


def _env(**variables: str) -> dict[str, str]:
    return {"TABLE_NAME": "items", **variables}


def _xray(**changes: Any) -> Deployment:
    return replace(WHOLE, xray=replace(WHOLE.xray, **changes))


def test_a_whole_deployment_has_no_findings() -> None:
    assert diagnose(WHOLE) == ()


@pytest.mark.parametrize(
    ("deployment", "check", "at"),
    [
        (replace(WHOLE, stage=replace(STAGE, traced=False)), "stage-tracing-off", "Orders/prod"),
        (
            replace(WHOLE, functions=(replace(WHOLE.functions[0], active=False), WHOLE.functions[1])),
            "ingest-not-active",
            "ingest",
        ),
        (replace(WHOLE, topics=(replace(WHOLE.topics[0], active=False),)), "topic-not-active", "orders"),
        (_xray(policies=()), "topic-without-xray-policy", "orders"),
        (
            _xray(
                policies=(
                    policy(action="xray:PutTraceSegments", resource="*", ArnLike={"aws:SourceArn": OTHER}),
                    policy(action="xray:GetSamplingRules", resource="*"),
                )
            ),
            "topic-without-xray-policy",
            "orders",
        ),
        (replace(WHOLE, topics=(replace(WHOLE.topics[0], subscriptions=()),)), "subscription-missing", "orders"),
        (with_subscription(filter_policy='{"kind": ["returns"]}'), "subscription-filters", "work"),
        (with_queue(policy=None), "queue-policy", "work"),
        (
            with_queue(policy=policy(action="sqs:SendMessage", resource="*", ArnEquals={"aws:SourceArn": OTHER})),
            "queue-policy",
            "work",
        ),
        (with_queue(policy=policy(action="sqs:SendMessage", resource=DEAD)), "queue-policy", "work"),
        (with_queue(key="alias/aws/sqs"), "queue-key", "work"),
        (replace(WHOLE, event_sources=()), "event-source-missing", "work"),
        (replace(WHOLE, event_sources=(replace(SOURCE, state="Disabled"),)), "event-source-disabled", "worker"),
        (replace(WHOLE, event_sources=(replace(SOURCE, filtered=True),)), "event-source-filters", "worker"),
        (replace(WHOLE, event_sources=(replace(SOURCE, reports_failures=False),)), "batch-failures-ignored", "worker"),
        (with_worker(concurrency=0), "function-stopped", "worker"),
        (with_worker(environment=_env(TRACE_BRIDGE_ENABLED="False")), "bridge-off", "worker"),
        (with_worker(environment=_env(AWS_XRAY_SDK_ENABLED="0")), "bridge-off", "worker"),
        (with_worker(bridged=False), "bridge-missing", "worker"),
        (with_worker(environment=_env(TRACE_BRIDGE_EMITTER="udp")), "bridge-emitter", "worker"),
        (with_worker(may_send=False), "xray-permission-missing", "worker"),
        (with_worker(network=NOWHERE), "vpc-without-xray", "worker"),
        (with_worker(environment=_env(TRACE_BRIDGE_INSTRUMENT="no")), "calls-not-recorded", "worker"),
    ],
)
def test_each_check_names_its_cause_and_nothing_else(deployment: Deployment, check: str, at: str) -> None:
    [finding] = diagnose(deployment)
    assert (finding.check, finding.name) == (check, at)
    assert finding.text.endswith((".", "!"))
    assert finding.fix


@pytest.mark.parametrize(
    "deployment",
    [
        with_worker(bridged=None, may_send=None, network=Network(vpc="vpc-1", endpoint=None, way_out=False)),
        with_worker(network=Network(vpc="vpc-1", endpoint=True, way_out=False)),
        with_worker(network=Network(vpc="vpc-1", endpoint=False, way_out=True)),
        with_worker(active=True, environment=_env(TRACE_BRIDGE_EMITTER="udp")),
        _xray(policies=None, rules=None, destination=None),
        replace(WHOLE, stage=replace(STAGE, traced=None, functions=None)),
        replace(WHOLE, topics=(replace(WHOLE.topics[0], active=None, subscriptions=None),)),
        replace(
            WHOLE,
            event_sources=(),
            unread=(Unread(what="the event source mappings of the queue work", reason="Access denied"),),
        ),
        with_queue(
            policy=policy(action="sqs:*", resource="*", StringEquals={"aws:PrincipalOrgID": "o-1"}),
        ),
    ],
)
def test_what_is_right_or_was_not_seen_gives_no_finding(deployment: Deployment) -> None:
    assert diagnose(deployment) == ()


def test_only_functions_behind_the_api_have_to_be_active() -> None:
    more = replace(WHOLE, functions=(*WHOLE.functions, function("report", active=False)))
    assert diagnose(more) == ()


def _rule(name: str, priority: int, service: str = "*", service_type: str = "*") -> SamplingRule:
    return SamplingRule(name=name, priority=priority, rate=0.5, reservoir=2, service=service, service_type=service_type)


def test_the_rule_of_the_lowest_priority_that_fits_decides() -> None:
    rules = (
        _rule("Default", 10_000),
        _rule("functions", 1, service_type="AWS::Lambda::Function"),
        _rule("others", 2, service="Returns/*"),
        _rule("b", 100, service="Orders/*"),
        _rule("a", 100, service="Orders/pro?", service_type="AWS::ApiGateway::Stage"),
    )
    found = applying_rule(rules, "Orders/prod")
    assert found is not None
    assert found.name == "a"
    assert applying_rule((), "Orders/prod") is None


def test_of_an_unsampled_request_its_rule_is_named_and_what_is_not_known() -> None:
    finding = not_sampled(_xray(rules=(_rule("Default", 10_000),)))
    assert finding is not None
    assert "the rule Default records 2 requests a second and 50% of others" in finding.text
    assert "not documented by AWS" in finding.text
    unread = not_sampled(_xray(rules=None))
    assert unread is not None
    assert "one request a second and 5 %" in unread.text
    assert not_sampled(replace(WHOLE, stage=None)) is None


def test_a_topic_that_no_request_passes_is_no_concern_of_the_trace() -> None:
    on_call, paged = TOPIC.replace("orders", "on-call"), QUEUE.replace("work", "paged")
    subscription = Subscription(
        arn=f"{on_call}:1", topic=on_call, queue=paged, filter_policy=None, dead_letter_queue=None
    )
    alarms = Topic(arn=on_call, active=False, subscriptions=(subscription,))
    deployment = replace(
        WHOLE, topics=(*WHOLE.topics, alarms), queues=(*WHOLE.queues, queue(paged, policy=None, dead_letter_queue=None))
    )
    assert {finding.check for finding in diagnose(deployment)} >= {"topic-not-active", "event-source-missing"}
    assert about_route(diagnose(deployment), route_of(deployment)) == ()
    broken = replace(deployment, topics=(replace(WHOLE.topics[0], active=False), alarms))
    [finding] = about_route(diagnose(broken), route_of(broken))
    assert (finding.check, finding.name) == ("topic-not-active", "orders")
