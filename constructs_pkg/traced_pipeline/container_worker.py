"""A worker behind a topic, in containers: subscription, queue, dead-letter queue and Fargate service."""

from __future__ import annotations

from typing import Unpack

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .checks import names_path, refuse_variables
from .container_checks import check_container, check_visibility_of_containers, longest_message
from .container_cluster import make_cluster, vpc_of
from .container_options import ContainerWorkerOptions
from .container_scaling import scale_on_backlog
from .container_task import make_task
from .environments import check_environment
from .existing_topic import check_topic
from .filter_checks import check_filter_policies
from .grants import grant_publish, grant_receive, grant_table
from .message_log import MessageMetrics, check_message_log, filters_of_log_group
from .metric_keywords import MetricKeywords
from .option_checks import check_options, checks_arguments
from .queue_checks import check_dead_letter_queue_stack
from .queue_metrics import QueueMetrics
from .queue_subscription import subscribe_queue
from .references import check_reference, check_references
from .table_checks import check_table_actions
from .vpc_checks import check_network_path_of_tasks
from .wiring_checks import check_wiring
from .work_queue import Consumer, WorkQueue, make_queue, use_queue
from .worker_variables import hop_variables, queue_segment_variable


class ContainerWorker(QueueMetrics, MessageMetrics):
    """A subscription with its queue and dead-letter queue, and a Fargate service that works through it.

    The containers run `trace_bridge.poll` with the same handlers as `QueueWorker`. Each message continues its own
    trace. There are as many tasks as the messages that wait need, and a task that is stopped finishes the messages it
    works on.

    Args:
        scope: Where to create it.
        construct_id: Id of the construct.
        topic: The topic to subscribe to. If it is FIFO, the queues are too.
        options: The hop's settings; `image` is required.

    Raises:
        PipelineError: The options contradict each other, or name something that does not exist.

    Example:
        ```python
        from aws_cdk import App, Stack
        from aws_cdk import aws_ecs as ecs
        from traced_pipeline import ContainerWorker, ContainerWorkerOptions, TracedTopic

        stack = Stack(App(), "Shop")
        orders = TracedTopic(stack, "Orders").topic
        image = ecs.ContainerImage.from_registry("registry.example.com/shop/audit:1.4.2")
        ContainerWorker(stack, "Audit", topic=orders, options=ContainerWorkerOptions(image=image, max_capacity=20))
        ```
    """

    @names_path
    @checks_arguments
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        topic: sns.ITopic,
        options: ContainerWorkerOptions,
    ) -> None:
        super().__init__(scope, construct_id)
        check_options(options)
        check_reference(self, "topic", topic)
        check_references(self, options)
        check_dead_letter_queue_stack(self, options.dead_letter_queue, topic)
        check_container(self, options)
        check_topic(self, topic)
        check_filter_policies(options)
        check_table_actions(options)
        self._check_destinations(options)
        self._work = self._make_work_queue(topic, options)
        self._subscription = subscribe_queue(
            self, topic, queue=self.queue, dead_letter_queue=self.dead_letter_queue, options=options
        )
        check_message_log(options)
        self._task = make_task(self, options, self._environment(topic, options))
        self._message_filters = filters_of_log_group(self, options, self.log_group, owner=self.log_group)
        self._cluster = options.cluster or make_cluster(self, vpc=options.vpc, removal_policy=options.removal_policy)
        check_network_path_of_tasks(
            self, vpc_of(self._cluster), options.vpc_subnets, public_addresses=options.assign_public_ip
        )
        self._service = self._make_service(options)
        self._scaling = scale_on_backlog(self._service, self.queue, options)
        self._grant(options)
        check_wiring(self)

    @property
    def queue(self) -> sqs.IQueue:
        """The queue."""
        return self._work.queue

    @property
    def dead_letter_queue(self) -> sqs.IQueue:
        """The dead-letter queue."""
        return self._work.dead_letter_queue

    @property
    def subscription(self) -> sns.Subscription:
        """The subscription."""
        return self._subscription

    @property
    def cluster(self) -> ecs.ICluster:
        """The cluster."""
        return self._cluster

    @property
    def service(self) -> ecs.FargateService:
        """The service."""
        return self._service

    @property
    def task_definition(self) -> ecs.FargateTaskDefinition:
        """The task definition; its `task_role` is what the containers are allowed."""
        return self._task.definition

    @property
    def container(self) -> ecs.ContainerDefinition:
        """The container that works on the messages, for secrets, volumes and health checks."""
        return self._task.container

    @property
    def scaling(self) -> ecs.ScalableTaskCount:
        """How the number of tasks is scaled, for further policies and schedules."""
        return self._scaling

    @property
    def log_group(self) -> logs.ILogGroup:
        """The log group of the containers."""
        return self._task.log_group

    def metric_cpu_utilization(self, **options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """How much of its CPU the service uses, in percent."""
        return self._service.metric_cpu_utilization(**options)

    def metric_memory_utilization(self, **options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """How much of its memory the service uses, in percent."""
        return self._service.metric_memory_utilization(**options)

    def _check_destinations(self, options: ContainerWorkerOptions) -> None:
        if options.table is not None:
            check_environment(self, options.table, options.table.table_arn, "table")
        if options.publish_to is not None:
            check_topic(self, options.publish_to)

    def _make_work_queue(self, topic: sns.ITopic, options: ContainerWorkerOptions) -> WorkQueue:
        consumer = Consumer(
            same_region="a task's client of SQS is made for the task's own Region",
            visibility="keep its visibility timeout above the longest message",
            check_visibility=lambda visibility, what: check_visibility_of_containers(self, visibility, options, what),
        )
        if options.queue is not None:
            return use_queue(self, options.queue, options=options, topic=topic, consumer=consumer)
        visibility = options.visibility_timeout or longest_message(options)
        return make_queue(self, options=options, topic=topic, visibility_timeout=visibility, consumer=consumer)

    def _environment(self, topic: sns.ITopic, options: ContainerWorkerOptions) -> dict[str, str]:
        environment = {
            "QUEUE_URL": self.queue.queue_url,
            **hop_variables(self, options),
            **queue_segment_variable(topic, options.environment),
        }
        refuse_variables(options.environment, environment)
        return environment

    def _make_service(self, options: ContainerWorkerOptions) -> ecs.FargateService:
        service = ecs.FargateService(
            self,
            "Service",
            cluster=self._cluster,
            task_definition=self._task.definition,
            vpc_subnets=options.vpc_subnets,
            security_groups=None if options.security_groups is None else list(options.security_groups),
            assign_public_ip=options.assign_public_ip,
            min_healthy_percent=100,
            max_healthy_percent=200,
            circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
        )
        # Scaling decides how many there are; a number here would reset it with each deployment.
        resource = service.node.find_child("Service")
        if isinstance(resource, ecs.CfnService):
            resource.desired_count = None
        return service

    def _grant(self, options: ContainerWorkerOptions) -> None:
        role = self._task.role
        grant_receive(self.queue, role)
        if options.table is not None:
            grant_table(options.table, role, options.table_actions)
        if options.publish_to is not None:
            grant_publish(options.publish_to, role)
