"""A Lambda function: its code, log group, role, and only the permissions it is given."""

from aws_cdk import Duration, RemovalPolicy, Size
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from stacks.base import SpineStack
from stacks.bundling import BUNDLES
from stacks.checks import acknowledge
from stacks.permissions import Permission, allow, grant

RETENTION = {
    1: logs.RetentionDays.ONE_DAY,
    3: logs.RetentionDays.THREE_DAYS,
    5: logs.RetentionDays.FIVE_DAYS,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    60: logs.RetentionDays.TWO_MONTHS,
    90: logs.RetentionDays.THREE_MONTHS,
    120: logs.RetentionDays.FOUR_MONTHS,
    150: logs.RetentionDays.FIVE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
}

_ARCHITECTURES = {
    "x86_64": lambda_.Architecture.X86_64,
    "arm64": lambda_.Architecture.ARM_64,
}


class Function(lambda_.Function):
    """One function of Spine, from one folder below `lambda/`."""

    def __init__(
        self,
        scope: SpineStack,
        construct_id: str,
        *,
        bundle: str,
        module: str = "handler",
        description: str,
        permissions: list[Permission],
        environment: dict[str, str],
        memory_mb: int = 256,
        disk_mb: int = 512,
        timeout: Duration,
    ) -> None:
        """Provision the function.

        Args:
            scope: The stack.
            construct_id: Stable; CloudFormation derives the physical name.
            bundle: The folder below `lambda/`.
            module: The module in it whose `handler` runs.
            description: Shown in the Lambda console.
            permissions: All that its role may do, beside writing its own log and traces.
            environment: Read by the handler, by key.
            memory_mb: MiB; Lambda gives CPU in proportion, one core at 1,769.
            disk_mb: MiB of /tmp.
            timeout: Of one invocation.
        """
        settings = scope.settings
        log_group = logs.LogGroup(
            scope,
            f"{construct_id}Log",
            retention=RETENTION[settings.log_retention_days],
            removal_policy=RemovalPolicy.DESTROY,
            encryption_key=scope.key,
        )
        role = iam.Role(
            scope,
            f"{construct_id}Role",
            description=f"Spine: {description}",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )
        # In place of AWSLambdaBasicExecutionRole, which may write to every log group.
        grant(
            role,
            (
                allow("logs:CreateLogStream", "logs:PutLogEvents", on=[log_group.log_group_arn]),
                *permissions,
            ),
        )
        staged = BUNDLES[bundle]
        architecture = settings.architecture if settings.functions == "aws" else None
        super().__init__(
            scope,
            construct_id,
            description=f"Spine: {description}",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=_ARCHITECTURES[settings.architecture],
            handler=f"lambda.{bundle}.{module}.handler",
            code=lambda_.Code.from_asset(
                str(staged.stage(architecture)), asset_hash=staged.digest(architecture)
            ),
            role=role,
            environment=environment,
            memory_size=memory_mb,
            ephemeral_storage_size=Size.mebibytes(disk_mb),
            timeout=timeout,
            log_group=log_group,
            tracing=lambda_.Tracing.ACTIVE,
        )
        acknowledge(
            role,
            {
                "AwsSolutions-IAM5[Resource::*]": (
                    "IAM knows no resource for X-Ray's actions and for SageMaker's lists; "
                    "neither reads nor changes what others made."
                )
            },
        )
        acknowledge(
            self,
            {
                "AwsSolutions-L1": (
                    "The function runs on 3.13, the Python its packages are built for "
                    "and the newest that Spine's tests cover."
                )
            },
        )
