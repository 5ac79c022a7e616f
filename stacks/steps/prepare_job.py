"""Prepare the data in a processing job, where the function is not large enough."""

from typing import Any

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn

from stacks import images
from stacks.base import SpineStack
from stacks.bundling import JOB, JOB_ARCHITECTURE
from stacks.code import JobCode
from stacks.machine.failing import Failing
from stacks.machine.fragment import Fragment
from stacks.machine.grants import ANY_RUN
from stacks.machine.requests import attempt, kind_of
from stacks.machine.retrying import MOST_TRIES, Retrying
from stacks.machine.tasks import Tasks
from stacks.permissions import allow, grant
from stacks.steps.reading import reading
from stacks.storage import CODE, Storage

# Where the archive of a job's code lies in the container.
_CODE = "/opt/ml/processing/input/code"
_FOLDER = "'s3://' & $plan.bucket & '/' & $plan.places.preparation_key"


class PrepareJob:
    """The function's own code on instances: on one, or shared out to several by Spark."""

    # Of one job as of the other: a run has one of them.
    tries = "prepare_tries"

    def __init__(self, stack: SpineStack, storage: Storage) -> None:
        """Provision the code and the role of the jobs."""
        self._stack = stack
        architecture = JOB_ARCHITECTURE if stack.settings.functions == "aws" else None
        self._code = JobCode(
            stack, "PreparationCode", storage=storage, bundle=JOB, architecture=architecture
        )
        self._role = self._provision_role(storage)

    def fragment(self, tasks: Tasks, failing: Failing) -> Fragment:
        """Hands the plan over, waits for the job, and reads what it has prepared, or why not."""
        hand_over = tasks.put(
            "Hand over the plan",
            key="{% $plan.places.preparation_key & 'plan.json' %}",
            body={"plan": "{% $plan %}", "hosts": list(self._stack.settings.source_hosts)},
            pattern="runs/*/preparation/plan.json",
            Comment="A job's environment has no room for it",
        )
        read = tasks.get(
            "Read what was prepared",
            key="{% $plan.places.preparation_key & $prepared_by & '.json' %}",
            pattern="runs/*/preparation/*",
            Assign={"prepared": "{% $parse($states.result.Body).prepared %}"},
        )
        refused = tasks.get(
            "Read why",
            key="{% $plan.places.preparation_key"
            " & $parse($failure.Cause).ProcessingJobName & '.json' %}",
            pattern="runs/*/preparation/*",
            Comment="The job's own error, by the name the function would have given it",
            Assign={
                "failure": "{% ($told := $parse($states.result.Body).failure;"
                " $exists($told) ? $told : $failure) %}"
            },
        )
        for state in (hand_over, read):
            failing.guard(state)
        # A job that was killed has written nothing, and S3 says "access denied" of what is not
        # there: the failure stays what SageMaker says of the job.
        failing.catch(refused, keeping_first=True)
        on_spark = self._job(
            tasks,
            failing,
            "Prepare with Spark",
            "spark",
            image=self._stack.image(images.load()["spark"], registry="spark"),
            comment="The same checks and split, shared out to several instances",
            told=refused,
        )
        on_one = self._job(
            tasks,
            failing,
            "Prepare on an instance",
            "processing",
            image=self._stack.image(images.load()["sklearn"], registry="account"),
            comment="The function's own code on a machine of the size it needs",
            told=refused,
        )
        which = (
            sfn.Choice.jsonata(tasks, "On how many instances?")
            .when(sfn.Condition.jsonata("{% $plan.preparation.engine = 'spark' %}"), on_spark.start)
            .otherwise(on_one.start)
        )
        hand_over.next(which)
        refused.next(self._again(tasks, failing, which))
        for end in (*on_spark.ends, *on_one.ends):
            end(read)
        return Fragment(start=hand_over, ends=(read.next,))

    def _again(self, tasks: Tasks, failing: Failing, job: sfn.State) -> sfn.State:
        """The choice after a refusal: a source that is away is asked for again, as by the function.

        The job's description does not tell: of a failed driver SageMaker's submitter writes its own
        sentence over the message (aws/sagemaker-spark-container, `errors.py`).
        """
        wait = sfn.Wait.jsonata(
            tasks,
            "Wait to prepare again",
            time=sfn.WaitTime.seconds(
                f"{{% $ceil((0.5 + $random() / 2) * $power(2, ${self.tries} - 1) * 10) %}}"
            ),
        )
        wait.next(job)
        choice = sfn.Choice.jsonata(
            tasks, "Prepare again?", comment="After 10 + 20 + 40 + 80 s at most"
        )
        return choice.when(
            sfn.Condition.jsonata(
                "{% $failure.Error = 'SourceUnreachableError'"
                f" and ${self.tries} < {MOST_TRIES} %}}"
            ),
            wait,
            assign={self.tries: f"{{% ${self.tries} + 1 %}}"},
        ).otherwise(failing.to)

    def _job(
        self,
        tasks: Tasks,
        failing: Failing,
        name: str,
        engine: str,
        *,
        image: str,
        comment: str,
        told: sfn.State,
    ) -> Fragment:
        job = tasks.creation(
            name,
            "ProcessingJob",
            Comment=comment,
            arguments=self._request(engine, image),
            # SageMaker stops the job at its own limit; the hour on top is for capacity and images.
            timeout="{% $plan.preparation.max_runtime_seconds + 3600 %}",
            Assign={"prepared_by": "{% $states.result.ProcessingJobName %}"},
        )
        retrying = Retrying(
            question=f"{name} again?",
            wait=f"Wait to prepare {name.removeprefix('Prepare ')}",
            tries=self.tries,
        )
        return retrying.around(job, tasks, failing, told=told)

    def _request(self, engine: str, image: str) -> dict[str, Any]:
        name = attempt(kind_of("ProcessingJob"))
        return {
            "RoleArn": self._role.role_arn,
            "AppSpecification": {
                "ImageUri": image,
                # The version by name: another may come first on an image's path.
                "ContainerEntrypoint": [
                    f"python{images.PREPARATION_PYTHON}" if engine == "spark" else "python3",
                    f"{_CODE}/{self._code.file}",
                ],
            },
            "Environment": {
                "ENGINE": engine,
                "ORDER": f"{{% {_FOLDER} & 'plan.json' %}}",
                "RESULT": f"{{% {_FOLDER} & {name} & '.json' %}}",
                # boto3 does not read the AWS_REGION that SageMaker sets.
                "AWS_DEFAULT_REGION": Aws.REGION,
            },
            "ProcessingInputs": [
                {
                    "InputName": "code",
                    "S3Input": {
                        "S3Uri": self._code.uri,
                        "LocalPath": _CODE,
                        "S3DataType": "S3Prefix",
                        "S3InputMode": "File",
                        "S3DataDistributionType": "FullyReplicated",
                    },
                }
            ],
            "ProcessingResources": {
                "ClusterConfig": {
                    "InstanceType": "{% $plan.preparation.instance_type %}",
                    "InstanceCount": "{% $plan.preparation.instance_count %}",
                    "VolumeSizeInGB": "{% $plan.preparation.volume_gb %}",
                }
            },
            # Not isolated, unlike training: the job fetches the source and writes the files.
            "NetworkConfig": {"EnableNetworkIsolation": False},
            "StoppingCondition": {
                "MaxRuntimeInSeconds": "{% $plan.preparation.max_runtime_seconds %}"
            },
        }

    def _provision_role(self, storage: Storage) -> iam.Role:
        stack = self._stack
        role = iam.Role(
            stack,
            "PreparationRole",
            description="Spine: what processing jobs that prepare data may do",
            assumed_by=iam.ServicePrincipal(
                "sagemaker.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            ),
        )
        prepared = ("runs/*/train/*", "runs/*/validate/*", "runs/*/preparation/*")
        written = (*prepared, "runs/*/test/*", "runs/*/batch-in/*", "runs/*/data_profile.json")
        repositories = (
            (stack.registry("account"), images.load()["sklearn"]),
            (stack.registry("spark"), images.load()["spark"]),
        )
        grant(
            role,
            (
                *reading(stack, storage),
                allow(
                    "s3:GetObject",
                    on=storage.objects(f"{CODE}*", to=stack),
                    because="A run goes on with the code of the deployment that it began under.",
                ),
                allow(
                    "s3:GetObject",
                    on=storage.objects("runs/*/preparation/*", to=stack),
                    because=ANY_RUN,
                ),
                allow("s3:PutObject", on=storage.objects(*written, to=stack), because=ANY_RUN),
                # Spark's blocks when they are no longer needed, and shards of an earlier attempt.
                allow("s3:DeleteObject", on=storage.objects(*prepared, to=stack), because=ANY_RUN),
                *storage.running(
                    *(
                        f"{account}:repository/{image.partition(':')[0]}"
                        for account, image in repositories
                    )
                ),
                *stack.with_key("kms:GenerateDataKey", via="s3"),
                *stack.volumes(),
            ),
        )
        return role
