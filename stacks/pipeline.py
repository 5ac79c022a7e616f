"""The functions, the state machine that calls them, and what each of them may do."""

from typing import Any

from aws_cdk import Aws, CfnOutput, CustomResource, Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as s3_assets
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from spine.shipped import load
from stacks import images
from stacks.base import SpineStack
from stacks.bundling import JOB, JOB_ARCHITECTURE
from stacks.checks import acknowledge
from stacks.functions import RETENTION, StepFunction
from stacks.permissions import Permission, allow, grant
from stacks.settings import Settings
from stacks.storage import Storage
from stacks.workflow import Preparation, Steps, Workflow

_NO_RESOURCE = "IAM knows no resource for SageMaker's lists."
_ANY_RUN = (
    "What a run makes is known beforehand by the stage's name prefix and the run's folder only."
)


class Pipeline(SpineStack):
    """Provisions the steps' functions and the state machine.

    Attributes:
        machine: Runs the whole of it; its input is the execution input.
    """

    def __init__(self, scope: Construct, *, settings: Settings, storage: Storage) -> None:
        super().__init__(
            scope,
            "pipeline",
            settings=settings,
            description="Spine: the functions and the state machine",
        )
        self._storage = storage
        # Exported by name rather than where CDK finds the reference, at the end of synthesis:
        # findings on what is built from it are acknowledged before.
        self._bucket_arn = storage.export_value(storage.bucket.bucket_arn)
        steps = Steps(
            plan=self._plan(),
            prepare=self._prepare(),
            predict=self._predict(),
            evaluate=self._evaluate(),
            cleanup=self._cleanup(),
        )
        leftovers = self._leftovers()
        self.machine = self._machine(steps)
        # Deleted in reverse: first what runs is stopped, then the machine goes, so that nothing new
        # begins, then what runs left.
        self.machine.node.add_dependency(leftovers)
        self._stop_before_removal()
        CfnOutput(self, "StateMachineArn", value=self.machine.state_machine_arn)

    def may(self, kind: str, *names: str, when: dict[str, Any] | None = None) -> Permission:
        """Actions of SageMaker on one kind of what this stage's runs make."""
        actions = (f"sagemaker:{name}" for name in names)
        arns = self.arns("sagemaker", f"{kind}/{self.settings.prefix}-*")
        return allow(*actions, on=arns, when=when, because=_ANY_RUN)

    def _objects(self, *patterns: str) -> list[str]:
        return [f"{self._bucket_arn}/{pattern}" for pattern in patterns]

    def _plan(self) -> StepFunction:
        return StepFunction(
            self,
            "Plan",
            bundle="plan",
            description="checks the execution input, derives names and places",
            # How large a source is decides which engine prepares it.
            permissions=self._reading(),
            environment={
                "BUCKET": self._storage.bucket.bucket_name,
                "NAME_PREFIX": self.settings.prefix,
                "SOURCE_HOSTS": ",".join(self.settings.source_hosts),
                "SOURCE_BUCKETS": ",".join(self.settings.source_buckets),
                "INSTANCE_TYPES": ",".join(self.settings.instance_types),
                **{
                    each.version_variable: self.settings.version(each)
                    for each in load("algorithms").ALGORITHMS.values()
                },
                "SPARK_REGISTRY": self.registry("spark"),
            },
            # botocore's model of SageMaker, read for its instance types, takes 150 MB.
            memory_mb=512,
            timeout=Duration.seconds(30),
        )

    def _reading(self) -> list[Permission]:
        """What it takes to read sources, from the folders and buckets they may lie in."""
        others = [f"arn:{Aws.PARTITION}:s3:::{name}" for name in self.settings.source_buckets]
        files = self._objects("incoming/*", "uploads/*") + [f"{arn}/*" for arn in others]
        return [
            allow(
                "s3:GetObject",
                "s3:GetObjectVersion",
                on=files,
                because="Files arrive under names of their senders' choice.",
            ),
            # Without it S3 answers "access denied" for a file that is not there.
            allow("s3:ListBucket", on=[self._storage.bucket.bucket_arn, *others]),
            *self.with_key("kms:Decrypt", via="s3"),
        ]

    def _prepare(self) -> StepFunction:
        return StepFunction(
            self,
            "Prepare",
            bundle="prepare",
            description="fetches, checks and splits the training file",
            permissions=[
                *self._reading(),
                allow(
                    "s3:PutObject",
                    on=self._objects(
                        "runs/*/train/*",
                        "runs/*/test/*",
                        "runs/*/validate/*",
                        "runs/*/batch-in/*",
                        "runs/*/data_profile.json",
                    ),
                    because=_ANY_RUN,
                ),
                *self.with_key("kms:GenerateDataKey", via="s3"),
            ],
            environment={"SOURCE_HOSTS": ",".join(self.settings.source_hosts)},
            memory_mb=3008,
            # A source of 4 GiB, and the files made of it before they are uploaded.
            disk_mb=10_240,
            timeout=Duration.minutes(15),
        )

    def _preparation(self) -> Preparation:
        """The processing jobs that prepare what the function does not."""
        architecture = JOB_ARCHITECTURE if self.settings.functions == "aws" else None
        code = s3_assets.Asset(
            self,
            "PreparationCode",
            path=str(JOB.stage(architecture)),
            asset_hash=JOB.digest(architecture),
        )
        return Preparation(
            image=self.image(images.load()["sklearn"], registry="account"),
            spark_image=self.image(images.load()["spark"], registry="spark"),
            role_arn=self._preparation_role(code).role_arn,
            code_bucket=code.s3_bucket_name,
            code_key=code.s3_object_key,
            hosts=self.settings.source_hosts,
        )

    def _preparation_role(self, code: s3_assets.Asset) -> iam.Role:
        role = iam.Role(
            self,
            "PreparationRole",
            description="Spine: what processing jobs that prepare data may do",
            assumed_by=iam.ServicePrincipal(
                "sagemaker.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            ),
        )
        assets = f"arn:{Aws.PARTITION}:s3:::{code.s3_bucket_name}"
        prepared = (
            "runs/*/train/*",
            "runs/*/validate/*",
            "runs/*/preparation/*",
        )
        grant(
            role,
            (
                *self._reading(),
                allow("s3:GetObject", on=[f"{assets}/{code.s3_object_key}"]),
                allow(
                    "s3:ListBucket",
                    on=[assets],
                    when={"StringLike": {"s3:prefix": [code.s3_object_key]}},
                ),
                allow("s3:GetObject", on=self._objects("runs/*/preparation/*"), because=_ANY_RUN),
                allow(
                    "s3:PutObject",
                    on=self._objects(
                        *prepared,
                        "runs/*/test/*",
                        "runs/*/batch-in/*",
                        "runs/*/data_profile.json",
                    ),
                    because=_ANY_RUN,
                ),
                # Spark's blocks when they are no longer needed, and shards of an earlier attempt.
                allow("s3:DeleteObject", on=self._objects(*prepared), because=_ANY_RUN),
                *self._storage.running(
                    f"{self.registry('account')}:repository/{images.load()['sklearn'].partition(':')[0]}",
                    f"{self.registry('spark')}:repository/"
                    f"{images.load()['spark'].partition(':')[0]}",
                ),
                *self.with_key("kms:GenerateDataKey", via="s3"),
                *self._storage.volumes(),
            ),
        )
        return role

    def _predict(self) -> StepFunction:
        return StepFunction(
            self,
            "Predict",
            bundle="predict",
            description="asks the endpoint about rows of the test split",
            permissions=[
                allow(
                    "s3:GetObject",
                    on=self._objects("runs/*/test/*", "runs/*/data_profile.json"),
                    because=_ANY_RUN,
                ),
                self.may("endpoint", "InvokeEndpoint"),
                *self.with_key("kms:Decrypt", via="s3"),
            ],
            environment={},
            timeout=Duration.minutes(5),
        )

    def _evaluate(self) -> StepFunction:
        return StepFunction(
            self,
            "Evaluate",
            bundle="evaluate",
            description="scores the batch output and writes the report",
            permissions=[
                allow(
                    "s3:GetObject",
                    on=self._objects(
                        "runs/*/test/*", "runs/*/batch-out/*", "runs/*/data_profile.json"
                    ),
                    because=_ANY_RUN,
                ),
                allow("s3:PutObject", on=self._objects("runs/*/evaluation/*"), because=_ANY_RUN),
                *self.with_key("kms:Decrypt", "kms:GenerateDataKey", via="s3"),
            ],
            environment={},
            # For the test rows of what one instance prepares: a row takes about 110 bytes.
            memory_mb=3008,
            timeout=Duration.minutes(15),
        )

    def _cleanup(self) -> StepFunction:
        return StepFunction(
            self,
            "CleanUp",
            bundle="cleanup",
            description="deletes what one run left in SageMaker",
            permissions=self.cleaning(),
            environment={},
            timeout=Duration.minutes(2),
        )

    def cleaning(self) -> list[Permission]:
        """What it takes to find and delete whatever this stage's runs made in SageMaker."""
        return [
            allow(
                "sagemaker:ListEndpoints",
                "sagemaker:ListEndpointConfigs",
                "sagemaker:ListModels",
                "sagemaker:ListProcessingJobs",
                "sagemaker:ListTrainingJobs",
                "sagemaker:ListTransformJobs",
                on=["*"],
                because=_NO_RESOURCE,
            ),
            *(
                self.may(kind, *names)
                for kind, names in {
                    "endpoint": ("DescribeEndpoint", "DeleteEndpoint", "ListTags"),
                    "endpoint-config": ("DeleteEndpointConfig", "ListTags"),
                    "model": ("DeleteModel", "ListTags"),
                    "processing-job": ("StopProcessingJob", "ListTags"),
                    "training-job": ("StopTrainingJob", "ListTags"),
                    "transform-job": ("StopTransformJob", "ListTags"),
                }.items()
            ),
        ]

    def _leftovers(self) -> CustomResource:
        teardown = StepFunction(
            self,
            "TearDown",
            bundle="cleanup",
            module="teardown",
            description="deletes what runs left, when the stack is removed",
            permissions=self.cleaning(),
            environment={"NAME_PREFIX": self.settings.prefix},
            timeout=Duration.minutes(15),
        )
        return self._when_removed("Leftovers", teardown, timeout=Duration.minutes(15))

    def _when_removed(
        self,
        name: str,
        function: StepFunction,
        *,
        timeout: Duration,
        properties: dict[str, str] | None = None,
    ) -> CustomResource:
        """A resource whose deletion calls a function."""
        resource = CustomResource(
            self,
            name,
            resource_type=f"Custom::Spine{name}",
            service_token=function.function_arn,
            service_timeout=timeout,
            properties=properties,
        )
        # The policy must outlive the resource, or its function could no longer do anything.
        resource.node.add_dependency(function)
        return resource

    def _stop_before_removal(self) -> None:
        machine = self.machine
        stop = StepFunction(
            self,
            "Stop",
            bundle="cleanup",
            module="stop",
            description="stops what runs, when the stack is removed",
            permissions=[
                allow("states:ListExecutions", on=[machine.state_machine_arn]),
                allow(
                    "states:StopExecution",
                    on=self.arns("states", f"execution:{machine.state_machine_name}:*"),
                    because="Executions of Spine's own machine, whatever their names.",
                ),
            ],
            environment={"NAME_PREFIX": self.settings.prefix},
            timeout=Duration.minutes(5),
        )
        self._when_removed(
            "Running",
            stop,
            timeout=Duration.minutes(5),
            properties={"StateMachineArn": machine.state_machine_arn},
        )

    def _machine(self, steps: Steps) -> sfn.StateMachine:
        settings = self.settings
        algorithm = load("algorithms").DEFAULT
        preparation = self._preparation()
        workflow = Workflow(
            self,
            "Workflow",
            steps=steps,
            preparation=preparation,
            image=self.image(
                images.trained_by(algorithm, settings.version(algorithm)),
                registry=images.load()["registry"][algorithm.name],
            ),
            role_arn=self._storage.sagemaker_role.role_arn,
            tags={"spine:stage": settings.stage},
            key_arn=settings.encryption_key,
            network=settings.network,
        )
        log_group = logs.LogGroup(
            self,
            "MachineLog",
            # Elsewhere every state machine lengthens one resource policy, until it is full.
            log_group_name=f"/aws/vendedlogs/states/{settings.prefix}",
            retention=RETENTION[settings.log_retention_days],
            removal_policy=RemovalPolicy.DESTROY,
            encryption_key=self.key,
        )
        return sfn.StateMachine(
            self,
            "Machine",
            comment="Spine: a training file in; a trained, measured, served model out",
            definition_body=sfn.DefinitionBody.from_chainable(workflow.start),
            query_language=sfn.QueryLanguage.JSONATA,
            # The policy over the key names the machine that may use it, which has no ARN yet.
            state_machine_name=settings.prefix if self.key else None,
            encryption_configuration=(
                sfn.CustomerManagedEncryptionConfiguration(self.key) if self.key else None
            ),
            role=self._machine_role(steps, preparation),
            timeout=Duration.hours(settings.run_timeout_hours),
            tracing_enabled=True,
            # Inputs may name files and carry labels; the history keeps them, the log need not.
            logs=sfn.LogOptions(
                destination=log_group, level=sfn.LogLevel.ALL, include_execution_data=False
            ),
        )

    def _machine_role(self, steps: Steps, preparation: Preparation) -> iam.Role:
        role = iam.Role(
            self,
            "MachineRole",
            description="Spine: what the state machine may do",
            assumed_by=iam.ServicePrincipal(
                "states.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            ),
        )
        allowed_types = {
            "ForAllValues:StringEquals": {
                "sagemaker:InstanceTypes": list(self.settings.instance_types)
            }
        }
        isolated = {"Bool": {"sagemaker:NetworkIsolation": "true"}}
        functions = (steps.plan, steps.prepare, steps.predict, steps.evaluate, steps.cleanup)
        grant(
            role,
            (
                allow("lambda:InvokeFunction", on=[each.function_arn for each in functions]),
                self.may("processing-job", "CreateProcessingJob", when=allowed_types),
                self.may("processing-job", "DescribeProcessingJob", "StopProcessingJob"),
                self.may("training-job", "CreateTrainingJob", when={**allowed_types, **isolated}),
                self.may("training-job", "DescribeTrainingJob", "StopTrainingJob"),
                self.may("model", "CreateModel", when=isolated),
                self.may("endpoint-config", "CreateEndpointConfig", when=allowed_types),
                self.may("endpoint", "CreateEndpoint", "DescribeEndpoint"),
                # Whose it is, when a creation finds its name taken.
                *(self.may(kind, "ListTags") for kind in ("model", "endpoint-config", "endpoint")),
                # Creating an endpoint is authorized on its config as well.
                self.may("endpoint-config", "CreateEndpoint"),
                self.may("transform-job", "CreateTransformJob", when=allowed_types),
                self.may("transform-job", "DescribeTransformJob", "StopTransformJob"),
                # At creation for each of them, and later on an endpoint that is kept.
                *(
                    self.may(kind, "AddTags")
                    for kind in (
                        "processing-job",
                        "training-job",
                        "model",
                        "endpoint-config",
                        "endpoint",
                        "transform-job",
                    )
                ),
                *(
                    allow(
                        "iam:PassRole",
                        on=[each],
                        when={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
                    )
                    for each in (self._storage.sagemaker_role.role_arn, preparation.role_arn)
                ),
                # How Step Functions learns that a job it waits for has ended.
                allow(
                    "events:DescribeRule",
                    "events:PutRule",
                    "events:PutTargets",
                    on=self.arns(
                        "events",
                        "rule/StepFunctionsGetEventsForSageMakerProcessingJobsRule",
                        "rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule",
                        "rule/StepFunctionsGetEventsForSageMakerTransformJobsRule",
                    ),
                ),
                allow(
                    "s3:PutObject",
                    on=self._objects("runs/*/manifest.json", "runs/*/preparation/plan.json"),
                    because=_ANY_RUN,
                ),
                allow("s3:GetObject", on=self._objects("runs/*/preparation/*"), because=_ANY_RUN),
                # How a failed run ends with the error that began it, and can be redriven.
                allow(
                    "states:SendTaskFailure",
                    on=["*"],
                    because="IAM knows no resource for it; whoever calls needs the task's token.",
                ),
                *self.with_key("kms:Decrypt", "kms:GenerateDataKey", via="s3"),
                *self._storage.volumes(),
            ),
        )
        acknowledge(
            role,
            {
                "AwsSolutions-IAM5[Resource::*]": (
                    "IAM knows no resource for the actions of log delivery and of X-Ray."
                )
            },
        )
        return role
