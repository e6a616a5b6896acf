"""What a synthesized pipeline says about itself, found in the template and nowhere else."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.templates import Properties, Synthesized


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """One of `bench.pipelines`, synthesized.

    Attributes:
        source: Its file.
        template: What came out.
        nag: Rules of cdk-nag's AwsSolutions that it breaks, one entry a resource.
        lint: Findings of cfn-lint.
        printed: Lines that synthesis printed.
        cdk: Version of the CDK that made it.
    """

    source: Path
    template: Synthesized
    nag: list[str]
    lint: list[str]
    printed: list[str]
    cdk: str

    @property
    def lines(self) -> int:
        """Lines of code a user writes: no blank lines, no docstrings; `ruff format` broke all files alike."""
        tree = ast.parse(self.source.read_text(encoding="utf-8"))
        holders = (ast.Module, ast.FunctionDef)
        texts = [node.body[0] for node in ast.walk(tree) if isinstance(node, holders) and ast.get_docstring(node)]
        prose = {line for text in texts for line in range(text.lineno, (text.end_lineno or text.lineno) + 1)}
        lines = self.source.read_text(encoding="utf-8").splitlines()
        return sum(1 for number, line in enumerate(lines, 1) if line.strip() and number not in prose)

    @property
    def worker(self) -> Properties:
        """The function behind the queue."""
        name = self.template.one("AWS::Lambda::EventSourceMapping")["FunctionName"]["Ref"]
        return self.template.all("AWS::Lambda::Function")[name]

    @property
    def ingest(self) -> Properties:
        """The function behind the API."""
        (other,) = [f for f in self.template.all("AWS::Lambda::Function").values() if f != self.worker]
        return other

    @property
    def queue(self) -> Properties:
        """The queue the worker reads."""
        source = self.template.one("AWS::Lambda::EventSourceMapping")["EventSourceArn"]["Fn::GetAtt"][0]
        return self.template.all("AWS::SQS::Queue")[source]


def stage_traced(p: Pipeline) -> str:
    return _yes(p.template.one("AWS::ApiGateway::Stage").get("TracingEnabled") is True)


def ingest_traced(p: Pipeline) -> str:
    return _yes(_mode(p.ingest) == "Active")


def topic_traced(p: Pipeline) -> str:
    active = p.template.one("AWS::SNS::Topic").get("TracingConfig") == "Active"
    return _yes(active and bool(p.template.all("AWS::XRay::ResourcePolicy")))


def bridged(p: Pipeline) -> str:
    return _yes(bool(p.worker.get("Layers")))


def worker_traced(p: Pipeline) -> str:
    if p.worker.get("Layers"):
        return "in each message's own trace"
    return "in a trace of its own" if _mode(p.worker) == "Active" else "no"


def access_log_names_the_trace(p: Pipeline) -> str:
    setting = p.template.one("AWS::ApiGateway::Stage").get("AccessLogSetting", {})
    return _yes("$context.xrayTraceId" in setting.get("Format", ""))


def bodies_validated(p: Pipeline) -> str:
    return _yes(any("RequestModels" in method for method in p.template.all("AWS::ApiGateway::Method").values()))


def callers_authorized(p: Pipeline) -> str:
    kinds = {method["AuthorizationType"] for method in p.template.all("AWS::ApiGateway::Method").values()}
    return "no" if kinds == {"NONE"} else ", ".join(sorted(kinds))


def fails_one_by_one(p: Pipeline) -> str:
    mapping = p.template.one("AWS::Lambda::EventSourceMapping")
    return _yes("ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", []))


def dead_letters(p: Pipeline) -> str:
    policy = p.queue.get("RedrivePolicy")
    return f"after {policy['maxReceiveCount']} attempts" if policy else "no"


def undeliverable_kept(p: Pipeline) -> str:
    return _yes("RedrivePolicy" in p.template.one("AWS::SNS::Subscription"))


def visibility(p: Pipeline) -> str:
    # The defaults of SQS and Lambda, where the template says nothing.
    return f"{p.queue.get('VisibilityTimeout', 30)} s ÷ {p.worker.get('Timeout', 3)} s"


def tls_only(p: Pipeline) -> str:
    policies = [*p.template.all("AWS::SNS::TopicPolicy").values(), *p.template.all("AWS::SQS::QueuePolicy").values()]
    channels = len(p.template.all("AWS::SNS::Topic")) + len(p.template.all("AWS::SQS::Queue"))
    closed = sum("aws:SecureTransport" in json.dumps(policy) for policy in policies)
    return f"{closed} of {channels}"


def encrypted(p: Pipeline) -> str:
    queue = "customer key" if isinstance(p.queue.get("KmsMasterKeyId"), dict) else "key of SQS"
    topic = "key of AWS" if "KmsMasterKeyId" in p.template.one("AWS::SNS::Topic") else "not"
    return f"topic {topic}, queue {queue}"


def retention(p: Pipeline) -> str:
    groups = p.template.all("AWS::Logs::LogGroup").values()
    limited = [group["RetentionInDays"] for group in groups if "RetentionInDays" in group]
    days = f" ({max(limited)} days)" if limited else ""
    return f"{len(limited)} of {len(groups)} groups{days}" if groups else "groups that Lambda makes, for ever"


def point_in_time(p: Pipeline) -> str:
    return _yes('"PointInTimeRecoveryEnabled": true' in json.dumps(p.template.template))


def account_wide(p: Pipeline) -> str:
    kinds = {resource["Type"] for resource in p.template.resources.values()}
    return ", ".join(f"`{kind}`" for kind in sorted(kinds & {"AWS::ApiGateway::Account", "AWS::XRay::ResourcePolicy"}))


def nag(p: Pipeline) -> str:
    rules = sorted({rule.partition("[")[0].removeprefix("AwsSolutions-") for rule in p.nag})
    return f"{len(p.nag)} ({', '.join(rules)})" if rules else "0"


def lint(p: Pipeline) -> str:
    return str(len(p.lint))


def _mode(function: Properties) -> Any:
    return function.get("TracingConfig", {}).get("Mode")


def _yes(fact: bool) -> str:
    return "**yes**" if fact else "no"
