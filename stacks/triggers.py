"""What starts runs without a person, and what cleans up after runs that could not."""

import json
from collections.abc import Sequence

from aws_cdk import Aws, Duration, RemovalPolicy, TimeZone
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as scheduler_targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.base import SpineStack
from stacks.checks import acknowledge
from stacks.functions import Function
from stacks.machine.state_machine import Machine
from stacks.permissions import allow, grant
from stacks.settings import Settings
from stacks.steps.clean_up import cleaning
from stacks.storage import Storage


class Triggers(SpineStack):
    """Provisions the rule for arriving files, the schedule, and the sweeper.

    Attributes:
        sweep: The sweeper's function.
        dead_letters: Queues of events that could not be dealt with, by the function they were for.
    """

    def __init__(
        self, scope: Construct, *, settings: Settings, storage: Storage, machines: Sequence[Machine]
    ) -> None:
        """Provision them.

        Args:
            scope: The app.
            settings: Of the stage.
            storage: Holds the runs.
            machines: The first is what files and the clock start; the sweeper cleans up after all.
        """
        super().__init__(
            scope,
            "triggers",
            settings=settings,
            description="Spine: what starts runs, and the sweeper",
        )
        self._storage = storage
        self._machines = machines
        self._started = machines[0]
        self.dead_letters: dict[str, sqs.Queue] = {}
        self._incoming()
        self._schedule()
        self._sweeper()

    def _incoming(self) -> None:
        """What a file that arrives sets off; switched off, all of it stays, and nothing calls it.

        Without it an alarm of the monitoring stack would lose what it imports, which CloudFormation
        refuses, and the records of what was started would go.
        """
        machine = self._started
        records = dynamodb.Table(
            self,
            "Started",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=(
                dynamodb.TableEncryption.CUSTOMER_MANAGED
                if self.key
                else dynamodb.TableEncryption.AWS_MANAGED
            ),
            encryption_key=self.key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute="expires",
            removal_policy=RemovalPolicy.DESTROY,
        )
        start = Function(
            self,
            "Start",
            bundle="start",
            description="starts one run for a file that arrived",
            permissions=[
                allow("states:StartExecution", on=[machine.state_machine_arn]),
                allow("dynamodb:UpdateItem", on=[records.table_arn]),
                *self.with_key("kms:Decrypt", "kms:GenerateDataKey", via="sqs"),
                *self.with_key(
                    "kms:Decrypt",
                    "kms:DescribeKey",
                    "kms:Encrypt",
                    "kms:GenerateDataKey",
                    "kms:ReEncryptFrom",
                    "kms:ReEncryptTo",
                    via="dynamodb",
                ),
            ],
            environment={
                "RECORDS": records.table_name,
                "STATE_MACHINE_ARN": machine.state_machine_arn,
                "INPUT": json.dumps(self.settings.incoming.input, sort_keys=True),
            },
            timeout=Duration.seconds(30),
        )
        events.Rule(
            self,
            "FileArrived",
            description="Spine: a file under incoming/ starts a run",
            enabled=self.settings.incoming.enabled,
            # By detail type alone, so that multipart uploads and copies count too.
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [self._storage.bucket.bucket_name]},
                    "object": {"key": [{"prefix": "incoming/"}]},
                },
            ),
            targets=[self._target(start, "Start")],
        )

    def _schedule(self) -> None:
        schedule = self.settings.schedule
        role = iam.Role(
            self,
            "ScheduleRole",
            description="Spine: lets the schedule start runs",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            ),
        )
        scheduler.Schedule(
            self,
            "Schedule",
            description="Spine: starts a run by the clock",
            enabled=schedule.enabled,
            schedule=scheduler.ScheduleExpression.expression(schedule.expression, TimeZone.ETC_UTC),
            target=scheduler_targets.StepFunctionsStartExecution(
                self._started,
                input=scheduler.ScheduleTargetInput.from_object(schedule.input),
                role=role,
            ),
        )

    def _sweeper(self) -> None:
        self.sweep = sweep = Function(
            self,
            "Sweep",
            bundle="cleanup",
            module="sweep",
            description="deletes what ended runs left and what was kept long enough",
            permissions=[
                *cleaning(self),
                allow(
                    "states:DescribeExecution",
                    # Those of machines that are gone are not among them: what may not be looked up
                    # is judged by its age.
                    on=self.arns(
                        "states", *(f"execution:{each.known_as}:*" for each in self._machines)
                    ),
                    because="Executions of Spine's own machine, whatever their names.",
                ),
                *self.with_key("kms:Decrypt", "kms:GenerateDataKey", via="sqs"),
            ],
            environment={
                "NAME_PREFIX": self.settings.prefix,
                "LONGEST_RUN_SECONDS": str(self.settings.run_timeout_hours * 3600),
            },
            timeout=Duration.minutes(10),
        )
        target = self._target(sweep, "Sweep")
        events.Rule(
            self,
            "EveryQuarterHour",
            description="Spine: sweeps up what no other clean-up reached",
            schedule=events.Schedule.rate(Duration.minutes(15)),
            targets=[target],
        )
        events.Rule(
            self,
            "RunEndedBadly",
            description="Spine: an aborted or timed-out run does not pass its own clean-up",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "status": ["FAILED", "TIMED_OUT", "ABORTED"],
                    "stateMachineArn": [machine.state_machine_arn for machine in self._machines],
                },
            ),
            targets=[target],
        )

    def _target(self, function: Function, name: str) -> targets.LambdaFunction:
        """What a rule calls; events that cannot be dealt with are kept, neither lost nor repeated.

        Two ways lead to the one queue: EventBridge could not hand the event over within a day, or
        the function failed for it three times.
        """
        queue = sqs.Queue(
            self,
            f"{name}DeadLetters",
            encryption=(sqs.QueueEncryption.KMS if self.key else sqs.QueueEncryption.SQS_MANAGED),
            encryption_master_key=self.key,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        acknowledge(queue, {"AwsSolutions-SQS3": "It is the dead-letter queue itself."})
        self.dead_letters[name] = queue
        # The resource itself: CDK's own destination also grants reading the queue's settings.
        sending = allow("sqs:SendMessage", on=[queue.queue_arn])
        grant(function.role, [sending])
        lambda_.CfnEventInvokeConfig(
            self,
            f"{name}Failures",
            function_name=function.function_name,
            qualifier="$LATEST",
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
                on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(
                    destination=queue.queue_arn
                )
            ),
            maximum_retry_attempts=2,
            maximum_event_age_in_seconds=int(Duration.hours(6).to_seconds()),
        ).node.add_dependency(function.role)
        return targets.LambdaFunction(function, dead_letter_queue=queue)
