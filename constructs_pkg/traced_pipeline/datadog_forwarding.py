"""What a team needs that reads a pipeline's traces, log lines and metrics in Datadog."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from aws_cdk import Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct, IConstruct

from .acknowledged import acknowledge_star
from .checks import Check, PipelineError, names_path, warn
from .container_worker import ContainerWorker
from .customer_keys import use_of_key
from .datadog_checks import READ_TRACES, check_indexing, check_place, check_role
from .datadog_dashboard import Consumer, DatadogDashboard, Kind, dead_letter_queue_of
from .datadog_ids import write_datadog_ids, write_datadog_ids_in_container
from .datadog_logs import LogSubscriptions
from .datadog_tags import HOP, LONGEST_NAME, add_tags, check_tag_value, name_in_tags
from .dead_letter_worker import DeadLetterWorker
from .environments import refuse_other_account, refuse_other_region
from .existing_function import own_function
from .log_group import own_log_group_name
from .names import account_wide_name, free_id
from .option_checks import checks_arguments
from .pipeline import TracedPipeline
from .queue_worker import QueueWorker
from .resource import referenced_resource
from .synthesis_checks import check_at_synthesis

_POLICY_REASON = "X-Ray's reads do not support resource-level permissions"


class DatadogForwarding(Construct):
    """Forwards a pipeline's log lines to Datadog, with the tags and ids by which Datadog finds what belongs together.

    Datadog reads the traces from X-Ray itself, by its X-Ray integration. Here its Forwarder, a function that you
    bring, is subscribed to every log group of the pipeline, and log lines carry the ids of their traces in Datadog.
    Functions, queues, topic, table, API, services and log groups get the tags that it knows them by, and a dashboard
    is made for it. Workers that are added to the pipeline later are included.
    https://docs.datadoghq.com/integrations/amazon-xray/

    Args:
        scope: Where to create it: a stack of the pipeline's account and Region.
        construct_id: Id of the construct.
        pipeline: The pipeline.
        forwarder: The function that gets the log lines: Datadog's Forwarder, of the same account and Region. CloudWatch
            Logs is allowed to invoke it if it is made in this app; the one that Datadog's template makes allows it.
            https://docs.datadoghq.com/logs/guide/forwarder/
        env: The environment, such as `prod`: Datadog's tag `env`.
        service: Datadog's tag `service`, for all of the pipeline. Default: none, so that each function is a service of
            its own, by its name.
        version: Datadog's tag `version`, of functions and services. Default: none.
        name: The pipeline's name in the tag `traced_pipeline` and in the dashboard. Default: name of the stack and id
            of the pipeline, such as `shop-orders`.
        integration_role: The role by which Datadog's AWS integration reads this account; it is allowed to read traces.
            Several pipelines of an account need it once. Default: none is, and the role has to be allowed otherwise.
        xray_key: With `integration_role`: the customer key that X-Ray encrypts traces with. Default: it has none.

    Raises:
        PipelineError: The forwarder cannot get the pipeline's log lines, or a tag is none that Datadog keeps as it is.

    Example:
        ```python
        from aws_cdk import App, Environment, Stack
        from aws_cdk import aws_lambda as lambda_
        from traced_pipeline import DatadogForwarding, TracedPipeline

        stack = Stack(App(), "Shop", env=Environment(account="111122223333", region="eu-west-1"))
        orders = TracedPipeline(stack, "Orders")
        arn = "arn:aws:lambda:eu-west-1:111122223333:function:datadog-forwarder"
        forwarder = lambda_.Function.from_function_arn(stack, "Forwarder", arn)
        DatadogForwarding(stack, "Datadog", pipeline=orders, forwarder=forwarder, env="prod", version="1.4.2")
        ```
    """

    @names_path
    @checks_arguments
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        pipeline: TracedPipeline,
        forwarder: lambda_.IFunction,
        env: str,
        service: str | None = None,
        version: str | None = None,
        name: str | None = None,
        integration_role: iam.IRole | None = None,
        xray_key: kms.IKey | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._name = _checked_name(name, pipeline)
        tags = {"env": env, "service": service, "version": version}
        for key, value in tags.items():
            if value is not None:
                check_tag_value(f"DatadogForwarding({key}=)", key, value)
        check_place(self, pipeline, forwarder)
        self._tags = tags
        self._hops = {"ingest", "topic", "table"}
        self._pipeline = pipeline
        self._subscriptions = LogSubscriptions(self, forwarder, pipeline)
        self._policy = self._read_traces(integration_role, xray_key)
        self._dashboard = DatadogDashboard(name=self._name, env="*" if Token.is_unresolved(env) else env)
        self._forward_ingest()
        pipeline.each_worker(self._forward_worker)
        check_at_synthesis(self, partial(check_indexing, self))

    @property
    def integration_policy(self) -> iam.ManagedPolicy | None:
        """The policy that lets Datadog's role read traces, if that role is given."""
        return self._policy

    @property
    def dashboard_json(self) -> str:
        """The dashboard, for Datadog's "Import dashboard JSON"; of the workers that the pipeline has by now."""
        return self._dashboard.json()

    @names_path
    @checks_arguments
    def subscribe(self, construct_id: str, log_group: logs.ILogGroup) -> logs.CfnSubscriptionFilter:
        """Subscribes the forwarder to a further log group, such as that of a function that is made elsewhere.

        Args:
            construct_id: Id of the subscription within this construct.
            log_group: The log group.

        Returns:
            The subscription; the one that there is, if the forwarder gets the lines of the log group already.

        Raises:
            PipelineError: The log group is of another account or Region, or the forwarder writes to it itself.
        """
        why = "a log group is subscribed to in its own"
        refuse_other_region(self, log_group, log_group.log_group_arn, "log group", why=why)
        refuse_other_account(self, log_group, log_group.log_group_arn, "log group", why=why)
        return self._subscriptions.add(construct_id, log_group.log_group_name)

    def _forward_ingest(self) -> None:
        pipeline = self._pipeline
        ingest = pipeline.ingest
        self._tag("ingest", pipeline.api, ingest.function)
        self._tag("topic", pipeline.topic)
        self._tag("table", pipeline.table)
        if ingest.access_log_group is not None:
            self._forward("AccessLog", "ingest", ingest.access_log_group.log_group_name)
        self._forward_function("Ingest", "ingest", ingest.function)

    def _forward_worker(self, worker: QueueWorker | ContainerWorker) -> None:
        construct_id = worker.node.id
        hop = self._new_hop(worker, name_in_tags(construct_id))
        self._tag(hop, worker.queue)
        self._tag(dead_letter_queue_of(hop), worker.dead_letter_queue)
        if isinstance(worker, ContainerWorker):
            self._tag(hop, worker.service)
            write_datadog_ids_in_container(worker.container)
            self._forward(self._logs_id(construct_id), hop, worker.log_group.log_group_name)
        else:
            self._tag(hop, worker.function)
            self._forward_function(construct_id, hop, worker.function)
        self._show(worker, hop)
        if isinstance(worker, QueueWorker):
            worker.each_dead_letter_worker(partial(self._forward_dead_letter_worker, worker))

    def _forward_dead_letter_worker(self, of: QueueWorker, worker: DeadLetterWorker) -> None:
        hop = self._new_hop(worker, f"{name_in_tags(of.node.id)}.{name_in_tags(worker.node.id)}")
        self._tag(hop, worker.function)
        if worker.dead_letter_queue is not None:
            self._tag(dead_letter_queue_of(hop), worker.dead_letter_queue)
        self._forward_function(f"{of.node.id}-{worker.node.id}", hop, worker.function)
        self._dashboard.add_dead_letter_worker(hop, set(_elsewhere(("worker", worker.function))))

    def _new_hop(self, worker: Construct, hop: str) -> str:
        """Returns the hop of a worker; refuses one whose metrics and lines would be those of another hop as well."""
        hops = {hop, dead_letter_queue_of(hop)}
        if hops & self._hops:
            raise PipelineError(
                Check.OPTION_CONFLICT,
                f"worker {worker.node.path} and another hop of the pipeline are both {hop!r} in Datadog's tags, which "
                "have lower-case letters only; give the worker another id",
            )
        self._hops |= hops
        return hop

    def _show(self, worker: QueueWorker | ContainerWorker, hop: str) -> None:
        pipeline = self._pipeline
        elsewhere = set(_elsewhere(("queue", worker.queue)))
        kind: Consumer = "ecs"
        if isinstance(worker, QueueWorker):
            kind = "lambda"
            elsewhere |= set(_elsewhere(("worker", worker.function)))
        if worker is not pipeline.worker:
            self._dashboard.add_worker(hop, kind, elsewhere)
            return
        elsewhere |= set(_elsewhere(("API", pipeline.api), ("ingest", pipeline.ingest_function)))
        elsewhere |= set(_elsewhere(("topic", pipeline.topic), ("table", pipeline.table)))
        self._dashboard.add_pipeline(hop, kind, elsewhere)

    def _forward_function(self, construct_id: str, hop: str, function: lambda_.IFunction) -> None:
        made_here = own_function(function)
        log_group_name = None if made_here is None else own_log_group_name(made_here)
        if made_here is not None:
            write_datadog_ids(made_here)
        if log_group_name is not None:
            self._forward(self._logs_id(construct_id), hop, log_group_name)
            return
        warn(
            self,
            Check.LOGS_NOT_FORWARDED,
            f"function {function.node.path} is given no log group in this app, so that none can be subscribed to for "
            "the forwarder: give the function a log_group where it is made, or name the one that it has, by "
            'DatadogForwarding.subscribe("…", logs.LogGroup.from_log_group_name(…))',
        )

    def _forward(self, construct_id: str, hop: str, log_group_name: str) -> None:
        log_group = referenced_resource(log_group_name)
        if log_group is not None:
            self._tag(hop, log_group)
        self._subscriptions.add(construct_id, log_group_name)

    def _logs_id(self, construct_id: str) -> str:
        return free_id(self, f"{construct_id}Logs", f"{construct_id}-Logs")

    def _tag(self, hop: str, *resources: IConstruct) -> None:
        for resource in resources:
            add_tags(_own(resource) or resource, {**self._tags, HOP: f"{self._name}.{hop}"})

    def _read_traces(self, role: iam.IRole | None, key: kms.IKey | None) -> iam.ManagedPolicy | None:
        check_role(self, role, key)
        if role is None:
            return None
        statements = [iam.PolicyStatement(actions=[*READ_TRACES], resources=["*"])]
        if key is not None:
            statements.append(use_of_key(key, "kms:Decrypt"))
        policy = iam.ManagedPolicy(
            self,
            "ReadTraces",
            description="Lets Datadog's X-Ray integration read traces",
            statements=statements,
            roles=[role],
        )
        acknowledge_star(policy, _POLICY_REASON)
        return policy


def _checked_name(name: str | None, pipeline: TracedPipeline) -> str:
    if name is None:
        return name_in_tags(account_wide_name(pipeline, max_length=LONGEST_NAME))
    if Token.is_unresolved(name) or len(name) > LONGEST_NAME:
        raise PipelineError(
            Check.OPTION_VALUE,
            f"DatadogForwarding(name=) is {name!r}, but must be known at synthesis, since the dashboard holds it, and "
            f"have at most {LONGEST_NAME} characters",
        )
    check_tag_value("DatadogForwarding(name=)", HOP, name, most=LONGEST_NAME)
    return name


def _elsewhere(*resources: tuple[Kind, IConstruct]) -> Iterator[Kind]:
    """Returns which of some resources are imported, so that they cannot be tagged here."""
    return (kind for kind, resource in resources if _own(resource) is None)


def _own(resource: IConstruct) -> IConstruct | None:
    """Returns what this app makes of a resource, the function behind an alias or version; None if it is imported."""
    if isinstance(resource, lambda_.FunctionBase):
        return own_function(resource)
    return None if resource.node.default_child is None else resource
