"""The bucket that holds every run, and the role SageMaker works under."""

from functools import cached_property
from typing import Any

from aws_cdk import Aws, CfnOutput, Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from spine.shipped import load
from stacks import images
from stacks.base import SpineStack
from stacks.checks import acknowledge
from stacks.permissions import Permission, allow, grant
from stacks.settings import Settings

# Where the code of jobs is kept, a folder for each version.
CODE: str = load("common.folders").CODE


class Storage(SpineStack):
    """Provisions the data bucket, its access logs and SageMaker's execution role.

    Attributes:
        bucket: `incoming/` starts runs, `uploads/` holds files for runs started by hand,
            `runs/<run id>/` all that a run made, and `code/` what their jobs run.
        sagemaker_role: What training jobs, models and transform jobs may do.
    """

    def __init__(self, scope: Construct, *, settings: Settings) -> None:
        super().__init__(
            scope,
            "storage",
            settings=settings,
            description="Spine: the bucket of the runs and SageMaker's role",
        )
        self.bucket = self._data_bucket(self._log_bucket())
        self.sagemaker_role = self._sagemaker_role()
        CfnOutput(self, "BucketName", value=self.bucket.bucket_name)
        CfnOutput(self, "SageMakerRoleArn", value=self.sagemaker_role.role_arn)

    def _log_bucket(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "AccessLogs",
            lifecycle_rules=[
                s3.LifecycleRule(expiration=Duration.days(self.settings.log_retention_days))
            ],
            **self._locked_down(),
        )
        acknowledge(
            bucket,
            {"AwsSolutions-S1": "This bucket holds the access logs; it has none of its own."},
        )
        return bucket

    def _data_bucket(self, access_logs: s3.Bucket) -> s3.Bucket:
        keep = Duration.days(self.settings.run_retention_days)
        locked_down = self._locked_down()
        if self.key is not None:
            locked_down |= {
                "encryption": s3.BucketEncryption.KMS,
                "encryption_key": self.key,
                # One request to KMS for many objects, rather than one for each.
                "bucket_key_enabled": True,
            }
        bucket = s3.Bucket(
            self,
            "Data",
            versioned=True,
            server_access_logs_bucket=access_logs,
            server_access_logs_prefix="data/",
            lifecycle_rules=[
                s3.LifecycleRule(id="runs", prefix="runs/", expiration=keep),
                s3.LifecycleRule(id="uploads", prefix="uploads/", expiration=keep),
                # Step Functions lets no execution be open for more than a year, redrives included.
                s3.LifecycleRule(
                    id="code",
                    prefix=CODE,
                    tag_filters={"superseded": "true"},
                    expiration=Duration.days(366),
                ),
                s3.LifecycleRule(
                    id="leftovers",
                    noncurrent_version_expiration=Duration.days(30),
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                    expired_object_delete_marker=True,
                ),
            ],
            **locked_down,
        )
        # The property of the resource itself: CDK's `event_bridge_enabled` adds a custom resource
        # with a function and a role of its own for the same effect.
        resource = bucket.node.default_child
        assert isinstance(resource, s3.CfnBucket)  # noqa: S101 (narrows the type for mypy)
        resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(
                event_bridge_enabled=True
            )
        )
        return bucket

    def _locked_down(self) -> dict[str, Any]:
        destroy = self.settings.removal == "destroy"
        return {
            "encryption": s3.BucketEncryption.S3_MANAGED,
            "enforce_ssl": True,
            "minimum_tls_version": 1.2,
            "block_public_access": s3.BlockPublicAccess.BLOCK_ALL,
            "object_ownership": s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            "removal_policy": RemovalPolicy.DESTROY if destroy else RemovalPolicy.RETAIN,
            "auto_delete_objects": destroy,
        }

    def _sagemaker_role(self) -> iam.Role:
        role = iam.Role(
            self,
            "SageMakerRole",
            description="Spine: what SageMaker's jobs and models may do",
            assumed_by=iam.ServicePrincipal(
                "sagemaker.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            ),
        )
        a_run = "A run's folder is known only when the run begins."
        grant(
            role,
            (
                allow("s3:GetObject", on=self.objects("runs/*"), because=a_run),
                # SageMaker writes these of a run, and nothing else.
                allow(
                    "s3:PutObject",
                    on=self.objects("runs/*/model/*", "runs/*/checkpoints/*", "runs/*/batch-out/*"),
                    because=a_run,
                ),
                allow(
                    "s3:ListBucket",
                    on=[self.bucket.bucket_arn],
                    when={"StringLike": {"s3:prefix": ["runs/*"]}},
                ),
                *self.running(
                    *(
                        f"{self.registry(images.load()['registry'][algorithm.name])}"
                        f":repository/{images.repository(algorithm)}"
                        for algorithm in load("algorithms").ALGORITHMS.values()
                    )
                ),
                *self.with_key("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", via="s3"),
                *self.volumes(),
            ),
        )
        return role

    def running(self, *repositories: str) -> list[Permission]:
        """What any job takes that SageMaker runs: its image, its metrics, its log, its network.

        Args:
            repositories: Of images, as `account:repository/name`.
        """
        no_resource = "IAM knows no resource for this action."
        return [
            allow(
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:GetDownloadUrlForLayer",
                on=[f"arn:{Aws.PARTITION}:ecr:{self.region}:{each}" for each in repositories],
            ),
            allow("ecr:GetAuthorizationToken", on=["*"], because=no_resource),
            allow(
                "cloudwatch:PutMetricData",
                on=["*"],
                when={"StringLike": {"cloudwatch:namespace": ["/aws/sagemaker/*"]}},
                because=f"{no_resource} A condition binds it to SageMaker's namespaces.",
            ),
            allow(
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:DescribeLogStreams",
                "logs:PutLogEvents",
                on=self.arns("logs", "log-group:/aws/sagemaker/*"),
                because="SageMaker makes and names the log groups of its jobs and endpoints.",
            ),
            *self._interfaces(),
        ]

    def _interfaces(self) -> list[Permission]:
        """What SageMaker needs to stand in a VPC of the customer's.

        "Give SageMaker training jobs access to resources in your VPC", SageMaker developer guide.
        """
        network = self.settings.network
        if network is None:
            return []
        chosen = "SageMaker makes the interfaces, whose ids are known only then."
        return [
            allow(
                "ec2:CreateNetworkInterface",
                on=self.arns(
                    "ec2",
                    "network-interface/*",
                    *(f"subnet/{each}" for each in network.subnets),
                    *(f"security-group/{each}" for each in network.security_groups),
                ),
                because=chosen,
            ),
            allow(
                "ec2:CreateNetworkInterfacePermission",
                "ec2:DeleteNetworkInterface",
                "ec2:DeleteNetworkInterfacePermission",
                on=self.arns("ec2", "network-interface/*"),
                because=chosen,
            ),
            allow(
                "ec2:DescribeDhcpOptions",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
                on=["*"],
                because="IAM knows no resource for this action.",
            ),
        ]

    def objects(self, *patterns: str, to: SpineStack | None = None) -> list[str]:
        """ARNs of objects in the data bucket, by key pattern.

        Args:
            patterns: Of keys.
            to: The stack that names them; this one when left out.
        """
        arn = self.bucket.bucket_arn if to is None else self._exported_arn
        return [f"{arn}/{pattern}" for pattern in patterns]

    @cached_property
    def _exported_arn(self) -> str:
        """The bucket's ARN for other stacks.

        Exported by name rather than where CDK finds the reference, at the end of synthesis:
        findings on what is built from it are acknowledged before.
        """
        return self.export_value(self.bucket.bucket_arn)
