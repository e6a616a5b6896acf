"""Sampling: decided once, at the edge, by the rules; obeyed by everything behind it."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.propagation.header import new_trace_id
from local.xray.sampling.rules import Request, Reservoir, Rule, SamplingRules
from tests.support.account import Account
from tests.support.local_aws.functions import role
from tests.support.local_aws.tracing import fields, receive
from tests.support.local_aws.xray import rule

REQUEST = Request(
    service_name="Shop/prod",
    service_type="AWS::ApiGateway::Stage",
    host="shop.example.com",
    http_method="POST",
    url_path="/prod/orders",
    resource_arn="arn:aws:apigateway:us-east-1::/restapis/abc/stages/prod",
)


@pytest.fixture
def rules(aws: Account) -> Iterator[Any]:
    """X-Ray's client, with the sampling rules of before put back after."""
    xray = aws.client("xray")
    before = {record["SamplingRule"]["RuleName"] for record in xray.get_sampling_rules()["SamplingRuleRecords"]}
    yield xray
    for record in xray.get_sampling_rules()["SamplingRuleRecords"]:
        if record["SamplingRule"]["RuleName"] not in before:
            xray.delete_sampling_rule(RuleName=record["SamplingRule"]["RuleName"])


def test_the_reservoir_comes_first_and_the_rate_after() -> None:
    now = 100.0
    reservoir = Reservoir(clock=lambda: now)
    assert [reservoir.take(size=2, rate=0.0) for _ in range(4)] == [True, True, False, False]
    now = 101.0
    assert reservoir.take(size=2, rate=0.0)
    taken = sum(reservoir.take(size=0, rate=0.05) for _ in range(4000))
    assert 100 <= taken <= 320  # 200 expected; further off than six sigma would be wrong
    assert all(reservoir.take(size=0, rate=1.0) for _ in range(100))


def test_the_first_matching_rule_by_priority_decides() -> None:
    rules = SamplingRules()
    rules.put(Rule(name="all", priority=100, fixed_rate=1.0, reservoir_size=0))
    rules.put(Rule(name="orders", priority=5, fixed_rate=0.0, reservoir_size=0, url_path="/*/order?"))
    rules.put(Rule(name="attributes", priority=1, fixed_rate=1.0, reservoir_size=0, attributes={"a": "b"}))
    assert (rules.decide(REQUEST).rule_name, rules.decide(REQUEST).sampled) == ("orders", False)
    rules.delete("orders")
    assert (rules.decide(REQUEST).rule_name, rules.decide(REQUEST).sampled) == ("all", True)
    rules.delete("all")
    assert rules.decide(REQUEST).rule_name == "Default"


def test_a_rate_of_zero_leaves_the_whole_way_untraced(aws: Account, stack: dict[str, str], rules: Any) -> None:
    rules.create_sampling_rule(SamplingRule=rule("nothing", ServiceName="Hops/*"))
    sqs = aws.client("sqs")
    sqs.purge_queue(QueueUrl=stack["QueueUrl"])
    status, seen, headers = aws.post(f"{stack['ApiId']}/traced/")
    env = fields(seen["env"])
    assert (status, env["Sampled"]) == (200, "0")
    assert headers["X-Amzn-Trace-Id"] == f"Root={env['Root']};Sampled=0"
    message = receive(sqs, stack["QueueUrl"])
    carried = fields(message["Attributes"]["AWSTraceHeader"])
    assert (carried["Root"], carried["Sampled"]) == (env["Root"], "0")
    assert aws.documents(env["Root"]) == []


def test_what_a_state_machine_leaves_untraced_is_untraced_in_what_it_calls(
    aws: Account, stack: dict[str, str], rules: Any
) -> None:
    rules.create_sampling_rule(SamplingRule=rule("nothing", ServiceType="AWS::StepFunctions::StateMachine"))
    parameters = {"QueueUrl": stack["SpareUrl"], "MessageBody": "x"}
    send = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Parameters": parameters, "End": True}
    definition = json.dumps({"StartAt": "Send", "States": {"Send": send}})
    tracing = {"TracingConfiguration": {"Enabled": True}, "RoleArn": role(aws, "untraced")}
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {"DefinitionString": definition, **tracing},
    }
    outputs = {"Arn": {"Value": {"Ref": "Machine"}}}
    deployed, root = aws.deploy("untraced", {"Resources": {"Machine": machine}, "Outputs": outputs}), new_trace_id()
    aws.client("stepfunctions").start_execution(stateMachineArn=deployed["Arn"], traceHeader=f"Root={root}")
    sqs = aws.client("sqs")
    message = receive(sqs, stack["SpareUrl"])
    sqs.delete_message(QueueUrl=stack["SpareUrl"], ReceiptHandle=message["ReceiptHandle"])
    assert message["Attributes"]["AWSTraceHeader"] == f"Root={root};Sampled=0"
    assert aws.documents(root) == []


def test_a_reservoir_takes_so_many_a_second(aws: Account, stack: dict[str, str], rules: Any) -> None:
    rules.create_sampling_rule(SamplingRule=rule("two", ServiceName="Hops/*", ReservoirSize=2))
    begin = int(time.time())
    decisions = [fields(aws.post(f"{stack['ApiId']}/traced/")[1]["env"])["Sampled"] for _ in range(12)]
    seconds = int(time.time()) - begin + 1
    assert 2 <= decisions.count("1") <= 2 * seconds
    assert decisions.count("0") > 0
    (summary,) = (
        found
        for found in rules.get_sampling_statistic_summaries()["SamplingStatisticSummaries"]
        if found["RuleName"] == "two"
    )
    assert (summary["RequestCount"], summary["SampledCount"]) == (12, decisions.count("1"))


def test_rules_are_created_changed_and_deleted(rules: Any) -> None:
    created = rules.create_sampling_rule(SamplingRule=rule("mine", Attributes={"colour": "red"}))
    arn = created["SamplingRuleRecord"]["SamplingRule"]["RuleARN"]
    with pytest.raises(ClientError, match="already exists"):
        rules.create_sampling_rule(SamplingRule=rule("mine"))
    changed = rules.update_sampling_rule(SamplingRuleUpdate={"RuleARN": arn, "FixedRate": 0.5})
    assert changed["SamplingRuleRecord"]["SamplingRule"]["FixedRate"] == 0.5
    assert changed["SamplingRuleRecord"]["SamplingRule"]["Attributes"] == {"colour": "red"}
    rules.delete_sampling_rule(RuleName="mine")
    with pytest.raises(ClientError, match="There is no sampling rule 'mine'"):
        rules.delete_sampling_rule(RuleName="mine")
    with pytest.raises(ClientError, match="default sampling rule cannot be deleted"):
        rules.delete_sampling_rule(RuleName="Default")
    for rate in (0.2, 0.05):
        default = rules.update_sampling_rule(SamplingRuleUpdate={"RuleName": "Default", "FixedRate": rate})
        assert default["SamplingRuleRecord"]["SamplingRule"]["FixedRate"] == rate


@pytest.mark.parametrize("wrong", [{"FixedRate": 1.5}, {"ServiceName": ""}])
def test_a_rule_that_does_not_fit_is_refused(rules: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match=next(iter(wrong))):
        rules.create_sampling_rule(SamplingRule=rule("wrong", **wrong))


def test_twenty_five_rules_at_most(rules: Any) -> None:
    present = len(rules.get_sampling_rules()["SamplingRuleRecords"]) - 1  # the default one does not count
    for number in range(25 - present):
        rules.create_sampling_rule(SamplingRule=rule(f"rule-{number}", ServiceName="nobody"))
    with pytest.raises(rules.exceptions.RuleLimitExceededException):
        rules.create_sampling_rule(SamplingRule=rule("one-more", ServiceName="nobody"))


def test_clients_share_a_rules_reservoir(rules: Any) -> None:
    rules.create_sampling_rule(SamplingRule=rule("shared", ReservoirSize=5, FixedRate=0.1, ServiceName="nobody"))

    def report(client: str, name: str = "shared") -> Any:
        document = {"RuleName": name, "ClientID": client * 24, "Timestamp": time.time()}
        counts = {"RequestCount": 110, "SampledCount": 20, "BorrowCount": 10}
        return rules.get_sampling_targets(SamplingStatisticsDocuments=[{**document, **counts}])

    (alone,) = report("a")["SamplingTargetDocuments"]
    assert (alone["ReservoirQuota"], alone["FixedRate"], alone["Interval"]) == (5, 0.1, 10)
    assert alone["ReservoirQuotaTTL"].timestamp() > time.time() + 200
    quotas = [report(client)["SamplingTargetDocuments"][0]["ReservoirQuota"] for client in ("b", "a")]
    assert sorted(quotas) == [2, 3]
    gone = report("a", "deleted-rule")
    assert gone["SamplingTargetDocuments"] == []
    assert gone["UnprocessedStatistics"][0]["RuleName"] == "deleted-rule"
    summaries = rules.get_sampling_statistic_summaries()["SamplingStatisticSummaries"]
    shared = next(found for found in summaries if found["RuleName"] == "shared")
    assert (shared["RequestCount"], shared["SampledCount"], shared["BorrowCount"]) == (330, 60, 30)
