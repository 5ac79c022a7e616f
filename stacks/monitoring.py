"""Alarms: what a person should hear of without looking."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.base import SpineStack
from stacks.pipeline import PipelineStack
from stacks.settings import Settings
from stacks.triggers import Triggers

_QUARTER_HOUR = Duration.minutes(15)


class Monitoring(SpineStack):
    """Provisions the alarms; they notify the topic that the settings name, if they name one."""

    def __init__(
        self,
        scope: Construct,
        *,
        settings: Settings,
        pipeline: PipelineStack,
        triggers: Triggers,
    ) -> None:
        super().__init__(
            scope, "monitoring", settings=settings, description="Spine: what to be told about"
        )
        self._topic = (
            sns.Topic.from_topic_arn(self, "Topic", settings.alarm_topic_arn)
            if settings.alarm_topic_arn
            else None
        )
        for machine in pipeline.machines:
            self._alarm(
                "RunFailed",
                "A run failed. Its execution says in which state and why.",
                machine.metric_failed(period=Duration.minutes(5), statistic="Sum"),
                label=machine.label,
            )
            self._alarm(
                "RunTimedOut",
                "A run took longer than run_timeout_hours and was ended.",
                machine.metric_timed_out(period=Duration.minutes(5), statistic="Sum"),
                label=machine.label,
            )
        for name, queue in triggers.dead_letters.items():
            self._alarm(
                f"{name}DeadLetters",
                f"Events for the function {name} could not be dealt with. They wait in its"
                " dead-letter queue for 14 days; docs/reliability.md says how to repeat them.",
                queue.metric_approximate_number_of_messages_visible(
                    period=Duration.minutes(5), statistic="Maximum"
                ),
            )
        self._alarm(
            "SweepFailed",
            "The sweeper failed twice in a row: what ended runs left may still cost money.",
            triggers.sweep.metric_errors(period=_QUARTER_HOUR, statistic="Sum"),
            periods=2,
        )
        self._alarm(
            "SweepMissing",
            "The sweeper has not run for three quarters of an hour: in alarm, or without data.",
            triggers.sweep.metric_invocations(period=_QUARTER_HOUR, statistic="Sum"),
            periods=3,
            fewer_than_one=True,
        )
        self._alarm(
            "Overdue",
            "Something of an ended run, or an endpoint kept past its time, could not be removed by"
            " four sweeps. The sweeper's log names it.",
            self._pending(triggers),
            periods=4,
        )

    def _pending(self, triggers: Triggers) -> cloudwatch.Metric:
        """Sweeps by the clock that had to leave something behind, from what the sweeper logs."""
        found = logs.MetricFilter(
            self,
            "Pending",
            log_group=triggers.sweep.log_group,
            filter_pattern=logs.FilterPattern.literal(
                f'{{ $.event = "swept" && $.scope = "{self.settings.prefix}" && $.pending[0] = * }}'
            ),
            metric_namespace="Spine",
            metric_name=f"{self.settings.stage}-pending",
            metric_value="1",
        )
        return found.metric(period=_QUARTER_HOUR, statistic="Sum")

    def _alarm(
        self,
        name: str,
        description: str,
        metric: cloudwatch.IMetric,
        *,
        label: str = "",
        periods: int = 1,
        fewer_than_one: bool = False,
    ) -> None:
        operators = cloudwatch.ComparisonOperator
        missing = cloudwatch.TreatMissingData
        alarm = cloudwatch.Alarm(
            self,
            f"{label}{name}",
            alarm_description=f"Spine: {description}",
            metric=metric,
            threshold=1,
            evaluation_periods=periods,
            comparison_operator=operators.LESS_THAN_THRESHOLD
            if fewer_than_one
            else operators.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            # Without data an alarm of what should happen is INSUFFICIENT_DATA, as it is when it has
            # just been made: in alarm at every first deployment it would tell of nothing.
            treat_missing_data=missing.MISSING if fewer_than_one else missing.NOT_BREACHING,
        )
        if self._topic:
            alarm.add_alarm_action(actions.SnsAction(self._topic))
            if fewer_than_one:
                alarm.add_insufficient_data_action(actions.SnsAction(self._topic))
