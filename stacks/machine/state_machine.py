"""A state machine in a stack: its states, role, log and time-out."""

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn

from stacks.base import SpineStack
from stacks.checks import acknowledge
from stacks.functions import RETENTION
from stacks.machine.composition import Pipeline, compose
from stacks.machine.tasks import Tasks
from stacks.permissions import grant
from stacks.storage import Storage


class Machine(sfn.StateMachine):
    """Runs a pipeline; its input is the execution input.

    Attributes:
        label: Tells its constructs, log and alarms from those of other machines; "" for the first.
        known_as: Its name. It is the same whatever the settings: another would replace the machine,
            and the executions of the one before could not be looked up any more. (CloudFormation
            changes the key of a machine in place.)
    """

    def __init__(
        self, stack: SpineStack, pipeline: Pipeline, *, storage: Storage, label: str = ""
    ) -> None:
        """Provision the machine.

        Args:
            stack: Where its steps are provisioned, too.
            pipeline: What it does.
            storage: Holds the runs.
            label: See the class; in the form of construct ids, such as `Scoring`.
        """
        self.label = label
        settings = stack.settings
        self.known_as = "-".join(filter(None, (settings.prefix, label.lower())))
        tasks = Tasks(
            stack,
            f"{label}Workflow",
            storage=storage,
            label=label,
            variables=pipeline.variables,
            output=pipeline.output,
        )
        start = compose(pipeline, tasks)
        log_group = logs.LogGroup(
            stack,
            f"{label}MachineLog",
            # Elsewhere every state machine lengthens one resource policy, until it is full.
            log_group_name=f"/aws/vendedlogs/states/{self.known_as}",
            retention=RETENTION[settings.log_retention_days],
            removal_policy=RemovalPolicy.DESTROY,
            encryption_key=stack.key,
        )
        super().__init__(
            stack,
            f"{label}Machine",
            comment=pipeline.comment,
            definition_body=sfn.DefinitionBody.from_chainable(start),
            query_language=sfn.QueryLanguage.JSONATA,
            state_machine_name=self.known_as,
            encryption_configuration=(
                sfn.CustomerManagedEncryptionConfiguration(stack.key) if stack.key else None
            ),
            role=_role(stack, tasks, label),
            timeout=Duration.hours(settings.run_timeout_hours),
            tracing_enabled=True,
            # Inputs may name files and carry labels; the history keeps them, the log need not.
            logs=sfn.LogOptions(
                destination=log_group, level=sfn.LogLevel.ALL, include_execution_data=False
            ),
        )


def _role(stack: SpineStack, tasks: Tasks, label: str) -> iam.Role:
    role = iam.Role(
        stack,
        f"{label}MachineRole",
        description="Spine: what the state machine may do",
        assumed_by=iam.ServicePrincipal(
            "states.amazonaws.com",
            conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
        ),
    )
    grant(role, tasks.grants.permissions())
    acknowledge(
        role,
        {
            "AwsSolutions-IAM5[Resource::*]": (
                "IAM knows no resource for the actions of log delivery and of X-Ray."
            )
        },
    )
    return role
