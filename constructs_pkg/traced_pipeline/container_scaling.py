"""How many tasks a container worker has: by the messages that wait for each of them."""

from __future__ import annotations

from aws_cdk import Duration, Token
from aws_cdk import aws_applicationautoscaling as appscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_sqs as sqs

from .container_options import ContainerWorkerOptions

_Policy = appscaling.CfnScalingPolicy
_WAKING_COOLDOWN = Duration.minutes(5)


def scale_on_backlog(
    service: ecs.FargateService, queue: sqs.IQueue, options: ContainerWorkerOptions
) -> ecs.ScalableTaskCount:
    """Keeps the messages that wait for each running task near a target.

    The metrics are those of AWS's own example. Where there may be no task, there is nothing to divide by, and a second
    policy starts the first one.
    https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking-metric-math.html

    Args:
        service: The service.
        queue: The queue it works through.
        options: The worker's settings.
    """
    count = service.auto_scale_task_count(min_capacity=options.min_capacity, max_capacity=options.max_capacity)
    target = count.node.find_child("Target")
    if not isinstance(target, appscaling.ScalableTarget):
        raise TypeError(f"{target.node.path} is no ScalableTarget")
    # The CDK's own policies track single metrics only.
    _Policy(
        service,
        "Backlog",
        policy_name="BacklogPerTask",
        policy_type="TargetTrackingScaling",
        scaling_target_id=target.scalable_target_id,
        target_tracking_scaling_policy_configuration=_Policy.TargetTrackingScalingPolicyConfigurationProperty(
            target_value=options.backlog_per_task,
            customized_metric_specification=_Policy.CustomizedMetricSpecificationProperty(
                metrics=_backlog_per_task(service, queue)
            ),
        ),
    )
    if not Token.is_unresolved(options.min_capacity) and options.min_capacity == 0:
        _wake(service, queue, target)
    return count


def _backlog_per_task(
    service: ecs.FargateService, queue: sqs.IQueue
) -> list[appscaling.CfnScalingPolicy.TargetTrackingMetricDataQueryProperty]:
    cluster = service.cluster.cluster_name
    return [
        _metric("waiting", "AWS/SQS", "ApproximateNumberOfMessagesVisible", "Sum", QueueName=queue.queue_name),
        _metric(
            "running",
            "ECS/ContainerInsights",
            "RunningTaskCount",
            "Average",
            ClusterName=cluster,
            ServiceName=service.service_name,
        ),
        _Policy.TargetTrackingMetricDataQueryProperty(id="backlog", expression="waiting / running", return_data=True),
    ]


def _metric(
    metric_id: str, namespace: str, name: str, stat: str, **dimensions: str
) -> appscaling.CfnScalingPolicy.TargetTrackingMetricDataQueryProperty:
    metric = _Policy.TargetTrackingMetricProperty(
        namespace=namespace,
        metric_name=name,
        dimensions=[
            _Policy.TargetTrackingMetricDimensionProperty(name=dimension, value=value)
            for dimension, value in dimensions.items()
        ],
    )
    return _Policy.TargetTrackingMetricDataQueryProperty(
        id=metric_id,
        metric_stat=_Policy.TargetTrackingMetricStatProperty(metric=metric, stat=stat),
        return_data=False,
    )


def _wake(service: ecs.FargateService, queue: sqs.IQueue, target: appscaling.ScalableTarget) -> None:
    """Starts a task where messages wait and none is being worked on."""
    minute = Duration.minutes(1)
    untouched = cloudwatch.MathExpression(
        expression="IF(waiting > 0 AND hidden < 1, waiting, 0)",
        using_metrics={
            "waiting": queue.metric_approximate_number_of_messages_visible(period=minute, statistic="Maximum"),
            "hidden": queue.metric_approximate_number_of_messages_not_visible(period=minute, statistic="Maximum"),
        },
        period=minute,
        label="Messages that no task works on",
    )
    start = appscaling.StepScalingAction(
        service,
        "Start",
        scaling_target=target,
        adjustment_type=appscaling.AdjustmentType.CHANGE_IN_CAPACITY,
        cooldown=_WAKING_COOLDOWN,
    )
    start.add_adjustment(adjustment=1, lower_bound=0)
    alarm = untouched.create_alarm(
        service,
        "Waiting",
        alarm_description="Messages wait and no task works on any: starts one (this is no fault).",
        threshold=1,
        evaluation_periods=1,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
    alarm.add_alarm_action(cloudwatch_actions.ApplicationScalingAction(start))
