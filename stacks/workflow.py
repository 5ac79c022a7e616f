"""The state machine: one expression, top to bottom, in the states a person reads in the console.

Tasks are `CustomState`s: CDK's own SageMaker tasks bring broad grants and stray roles, know no spot
training, and put no tags on models and endpoints. What the machine may do stands in `pipeline.py`.

Everything is JSONata. `$plan` holds the checked input with names and S3 places, and variables carry
what later states need, so that the failure path still knows the run after any error.
"""

from dataclasses import dataclass
from typing import Any, TypeVar

from aws_cdk import Aws
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.settings import Network

# 2 + 4 + 8 + 16 + 30 + 30 s at most, with full jitter: 90 s for the service to recover.
_LAMBDA_RETRY = {
    "ErrorEquals": [
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.TooManyRequestsException",
    ],
    "IntervalSeconds": 2,
    "BackoffRate": 2,
    "MaxAttempts": 6,
    "MaxDelaySeconds": 30,
    "JitterStrategy": "FULL",
}

# 5 + 10 + 20 + 40 + 60 s at most: 135 s for the network. Only what Step Functions names apart
# stands here; what it does not, `_or_again` tells apart.
_CREATION_RETRY = {
    "ErrorEquals": ["SageMaker.SdkClientException"],
    "IntervalSeconds": 5,
    "BackoffRate": 2,
    "MaxAttempts": 5,
    "MaxDelaySeconds": 60,
    "JitterStrategy": "FULL",
}

# 3 + 6 + 12 + 24 s at most: 45 s. These calls (describe, list and add tags) carry nothing a person
# typed, so what SageMaker answers is throttling, or its own failure.
_SAGEMAKER_RETRY = {
    "ErrorEquals": ["SageMaker.SageMakerException", "SageMaker.SdkClientException"],
    "IntervalSeconds": 3,
    "BackoffRate": 2,
    "MaxAttempts": 4,
    "MaxDelaySeconds": 30,
    "JitterStrategy": "FULL",
}

# How often a creation is repeated that failed for no fault of the input: after 3 + 6 + 12 + 24 s,
# 45 s in all; for a quota that others use up after 10 + 20 + 40 + 80 s; for want of capacity after
# 1 + 2 + 4 + 8 minutes, 15 in all.
_MOST_TRIES = 4
# Step Functions gives everything that SageMaker's API refuses one error name; the cause tells
# throttling, failures of the service, and what is not found yet though it was just made
# (CreateEndpoint, API reference), from a request that can never work. A job says in its
# description that there was no capacity.
_PASSING = (
    "/Throttl|TooManyRequests|Rate exceeded|Status Code: 5[0-9][0-9]"
    "|Could not find (model|endpoint configuration)/"
)
_PASSING_OF_JOB = '/"FailureReason": ?"(CapacityError|InternalServerError)/'
_NO_CAPACITY = "/CapacityError/"
_QUOTA = "SageMaker.ResourceLimitExceededException"
# What the prepare function retries, as a job says it.
_PASSING_OF_PREPARATION = (
    '/"FailureReason": ?"(CapacityError|InternalServerError)|"ExitMessage": ?"SourceUnreachable/'
)
# Where the archive of a job's code lies in the container.
_CODE = "/opt/ml/processing/input/code"

# 1 + 2 + 4 s at most, for the call that ends a failed run.
_STATES_RETRY = {
    "ErrorEquals": ["Sfn.SfnException", "Sfn.SdkClientException"],
    "IntervalSeconds": 1,
    "BackoffRate": 2,
    "MaxAttempts": 3,
    "MaxDelaySeconds": 10,
    "JitterStrategy": "FULL",
}

# Two more tries, after 10 and 20 s at most, beside those inside the function.
_SOURCE_RETRY = {
    "ErrorEquals": ["SourceUnreachableError"],
    "IntervalSeconds": 10,
    "BackoffRate": 2,
    "MaxAttempts": 2,
    "MaxDelaySeconds": 60,
    "JitterStrategy": "FULL",
}

# An endpoint cannot be deleted while it is being created, which takes minutes.
# 5 + 7.5 + ... + 120 s, 26 times, 41 minutes in all; what is stuck for longer is the sweeper's.
_BUSY_RETRY = {
    "ErrorEquals": ["EndpointBusyError"],
    "IntervalSeconds": 5,
    "BackoffRate": 1.5,
    "MaxAttempts": 26,
    "MaxDelaySeconds": 120,
    "JitterStrategy": "NONE",
}

# Where a redrive of a failed run goes on. After the model's creation, the clean-up of the failure
# has deleted what was served, so that everything later begins there.
_PLAN = "Plan the run"
_PREPARE = "Prepare the data"
_TRAIN = "Train the model"
_MODEL = "Create the model"
# What a redriven run reports to itself.
_REDRIVEN = "RunRedriven"
_IS_REDRIVEN = "$states.context.Execution.RedriveCount > 0"
_SWEPT = "$states.context.Execution.RedriveCount > $model_made_in"

_TAGS = [
    {"Key": "spine:run", "Value": "{% $plan.run.id %}"},
    {"Key": "spine:execution", "Value": "{% $states.context.Execution.Id %}"},
]


def _attempt(tries: str) -> str:
    """Return an expression that names an attempt: the names of failed and lost jobs stay taken.

    A job whose creation lost its answer runs on under its own name; the clean-up stops it.
    """
    return (
        "$plan.run.name & '-' & $string($states.context.Execution.RedriveCount)"
        f" & '-' & $string({tries} * 10 + $states.context.State.RetryCount)"
    )


def _job_name(tries: str) -> str:
    return f"{{% {_attempt(tries)} %}}"


_State = TypeVar("_State", sfn.CustomState, sfn.Parallel)


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """What a processing job that prepares data is made of.

    Attributes:
        image: URI of the image for one instance.
        spark_image: URI of SageMaker's Spark image.
        role_arn: What the job may do.
        code_bucket: Where the archive lies that Python runs.
        code_key: Its key, which has no slash.
        hosts: Of https sources.
    """

    image: str
    spark_image: str
    role_arn: str
    code_bucket: str
    code_key: str
    hosts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Steps:
    """The functions of the steps."""

    plan: lambda_.Function
    prepare: lambda_.Function
    predict: lambda_.Function
    evaluate: lambda_.Function
    cleanup: lambda_.Function


class Workflow(Construct):
    """The states of the machine.

    Attributes:
        start: The first state; the rest hangs on it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        steps: Steps,
        preparation: Preparation,
        image: str,
        role_arn: str,
        tags: dict[str, str],
        key_arn: str | None = None,
        network: Network | None = None,
    ) -> None:
        """Build the states.

        Args:
            scope: The stack.
            construct_id: Stable.
            steps: The functions.
            preparation: The processing jobs that stand in for the prepare function.
            image: URI of SageMaker's XGBoost image, for training and serving alike.
            role_arn: SageMaker's execution role.
            tags: Put on everything SageMaker makes, beside the run's own.
            key_arn: The KMS key of volumes and output; AWS's own keys when left out.
            network: The VPC of training jobs and models; SageMaker's own when left out.
        """
        super().__init__(scope, construct_id)
        self._steps = steps
        self._preparation = preparation
        self._image = image
        self._role_arn = role_arn
        self._key_arn = key_arn
        self._network = network
        self._tags = [{"Key": key, "Value": value} for key, value in tags.items()] + _TAGS
        self._failed, self._redriven = self._fail()
        self._clean_up_after_failure = self._cleanup(
            "Clean up after failure",
            comment="Whatever failed, nothing is left behind",
            models="{% true %}",
        )
        # Even a clean-up that fails ends with the error that began it; the sweeper tries again.
        self._clean_up_after_failure.next(self._failed)
        self._clean_up_after_failure.add_catch(self._failed, errors=["States.ALL"])
        self.start = self._definition()

    def _definition(self) -> sfn.IChainable:
        finish = self._sum_up().next(self._or_clean_up(self._finish(), from_=_MODEL))
        clean_up = self._or_clean_up(
            self._cleanup(
                "Clean up",
                comment="Deletes the endpoint; the model stays unless it failed the gate",
                models="{% $evaluation.gate.passed = false %}",
            ),
            from_=_MODEL,
        ).next(finish)
        serve, keep = self._serve_and_score(), self._keep_endpoint()
        done = sfn.Succeed.jsonata(self, "Done", outputs="{% $output %}")
        model = self._create_model(
            then=sfn.Choice.jsonata(self, "Finished already?")
            .when(sfn.Condition.jsonata("{% $finished %}"), done)
            .otherwise(serve)
        )
        # What an aborted or timed-out run had made was swept: redriven, it makes it again, once.
        swept = (
            sfn.Choice.jsonata(self, "Redriven and swept?")
            .when(sfn.Condition.jsonata(f"{{% {_SWEPT} %}}"), model, assign={"model_tries": 0})
            .otherwise(self._clean_up_after_failure)
        )
        finish.next(
            sfn.Choice.jsonata(
                self,
                "Model swept meanwhile?",
                comment="The run was stopped at its end and redriven; its model is its result",
            )
            .when(
                sfn.Condition.jsonata(f"{{% {_SWEPT} and $evaluation.gate.passed != false %}}"),
                model,
                assign={"model_tries": 0},
            )
            .otherwise(done)
        )
        for state in (serve, keep):
            state.add_catch(swept, errors=["States.ALL"], assign=_failure(_MODEL))
        serve.next(
            sfn.Choice.jsonata(self, "Quality gate")
            .when(
                sfn.Condition.jsonata("{% $evaluation.gate.passed = true %}"),
                sfn.Choice.jsonata(self, "Keep the endpoint?")
                .when(
                    sfn.Condition.jsonata("{% $plan.endpoint.keep %}"),
                    keep.next(finish),
                    assign={"kept_until": _IN_TTL_MINUTES},
                )
                .otherwise(clean_up),
            )
            .otherwise(clean_up)
        )
        train = self._train(then=model)
        prepare = self._prepare(then=train)
        plan = self._plan()
        ways: tuple[tuple[str, sfn.IChainable, dict[str, Any] | None], ...] = (
            (_PLAN, plan, None),
            (_PREPARE, prepare, {"prepare_tries": 0}),
            (_TRAIN, train, {"train_tries": 0}),
            (_MODEL, model, {"model_tries": 0}),
        )
        for name, way, assign in ways:
            self._redriven.when(
                sfn.Condition.jsonata(
                    "{% $states.context.Execution.RedriveCount > $failed_in"
                    f" and $again_from = '{name}' %}}"
                ),
                way,
                assign=assign,
            )
        return plan.next(prepare)

    def _fail(self) -> tuple[sfn.CustomState, sfn.Choice]:
        """How a failed run ends, so that it can be redriven.

        Step Functions redrives a run from the state that did not succeed, and a Fail state only
        fails again. So a failed run ends in a task that fails: it reports to itself, by its own
        task token, the error and cause of what failed first. Redriven, the task is run again, and
        now reports that it was, which is caught: the run goes on where it had failed.

        Returns:
            The task, and the choice of where to go on; it needs its ways.
        """
        for_good = sfn.Fail.jsonata(
            self,
            "Run failed for good",
            comment="Only if the run could not fail by itself; it cannot be redriven",
            error="{% $failure.Error %}",
            cause="{% $failure.Cause %}",
        )
        where = sfn.Choice.jsonata(
            self,
            "Where did it fail?",
            comment="What the clean-up deleted is made again, nothing else is",
        ).otherwise(for_good)
        failed = self._task(
            "Run failed",
            "aws-sdk:sfn:sendTaskFailure.waitForTaskToken",
            comment="Fails with the first error and cause; redriven, goes on where it had failed",
            arguments={
                "TaskToken": "{% $states.context.Task.Token %}",
                "Error": "{% $states.context.Execution.RedriveCount > $failed_in"
                f" ? '{_REDRIVEN}' : $substring($failure.Error, 0, 256) %}}",
                # SendTaskFailure, API reference: the longest that it takes.
                "Cause": "{% $substring($failure.Cause, 0, 32768) %}",
            },
            timeout=120,
            retries=[_STATES_RETRY],
            # Of a time-out that is the run's own error the name is another.
            rest={"HeartbeatSeconds": 60},
        )
        failed.add_catch(where, errors=[_REDRIVEN])
        failed.add_catch(
            for_good,
            errors=[
                "Sfn.SfnException",
                "Sfn.SdkClientException",
                "Sfn.InvalidTokenException",
                "Sfn.TaskDoesNotExistException",
                "Sfn.TaskTimedOutException",
                "States.HeartbeatTimeout",
            ],
        )
        failed.next(for_good)
        return failed, where

    def _plan(self) -> sfn.CustomState:
        state = self._function(
            _PLAN,
            self._steps.plan,
            comment="Checks the input, fills defaults, derives names and places",
            payload={
                # Not the state's: a redrive comes back here with another.
                "input": "{% $states.context.Execution.Input %}",
                "execution": {
                    "arn": "{% $states.context.Execution.Id %}",
                    "name": "{% $states.context.Execution.Name %}",
                    "started_at": "{% $states.context.Execution.StartTime %}",
                },
            },
            rest={
                "Assign": {
                    "plan": "{% $states.result.Payload %}",
                    # So that the summary can read them on every path.
                    "training": {},
                    "kept_until": "",
                    "prepared_by": "",
                    "prepare_tries": 0,
                    "train_tries": 0,
                    "model_tries": 0,
                    "finished": False,
                }
            },
        )
        # Nothing exists yet that could need cleaning up.
        return state.add_catch(self._failed, errors=["States.ALL"], assign=_failure(_PLAN))

    def _prepare(self, *, then: sfn.IChainable) -> sfn.Choice:
        """Prepare by the plan's engine; however it was done, `$prepared` says what there is."""
        function = self._or_clean_up(
            self._function(
                _PREPARE,
                self._steps.prepare,
                comment="Fetches, checks and splits the file, and writes the four CSV files",
                payload={"plan": "{% $plan %}"},
                retries=[_SOURCE_RETRY],
                rest={"Assign": {"prepared": "{% $states.result.Payload %}"}},
            ),
            from_=_PREPARE,
        )
        function.next(then)
        hand_over = self._or_clean_up(
            self._object(
                "Hand over the plan",
                "putObject",
                comment="A job's environment has no room for it",
                arguments={
                    "Key": "{% $plan.places.preparation_key & 'plan.json' %}",
                    "Body": {"plan": "{% $plan %}", "hosts": list(self._preparation.hosts)},
                    "ContentType": "application/json",
                },
            ),
            from_=_PREPARE,
        )
        read = self._or_clean_up(
            self._object(
                "Read what was prepared",
                "getObject",
                arguments={"Key": "{% $plan.places.preparation_key & $prepared_by & '.json' %}"},
                rest={"Assign": {"prepared": "{% $parse($states.result.Body).prepared %}"}},
            ),
            from_=_PREPARE,
        )
        read.next(then)
        refused = self._or_clean_up(
            self._object(
                "Read why",
                "getObject",
                comment="The job's own error, by the name the function would have given it",
                arguments={
                    "Key": "{% $plan.places.preparation_key"
                    " & $parse($failure.Cause).ProcessingJobName & '.json' %}"
                },
                rest={"Assign": {"failure": "{% $parse($states.result.Body).failure %}"}},
            ),
            from_=_PREPARE,
        )
        refused.next(self._clean_up_after_failure)
        jobs = self._preparation
        hand_over.next(
            sfn.Choice.jsonata(self, "On how many instances?")
            .when(
                sfn.Condition.jsonata("{% $plan.preparation.engine = 'spark' %}"),
                self._preparation_job(
                    "Prepare with Spark",
                    "spark",
                    image=jobs.spark_image,
                    comment="The same checks and split, shared out to several instances",
                    then=read,
                    refused=refused,
                ),
            )
            .otherwise(
                self._preparation_job(
                    "Prepare on an instance",
                    "processing",
                    image=jobs.image,
                    comment="The function's own code on a machine of the size it needs",
                    then=read,
                    refused=refused,
                )
            )
        )
        return (
            sfn.Choice.jsonata(
                self, "Which engine?", comment="The plan says why, in preparation.reason"
            )
            .when(sfn.Condition.jsonata("{% $plan.preparation.engine = 'lambda' %}"), function)
            .otherwise(hand_over)
        )

    def _preparation_job(
        self,
        name: str,
        engine: str,
        *,
        image: str,
        comment: str,
        then: sfn.IChainable,
        refused: sfn.IChainable,
    ) -> sfn.CustomState:
        jobs = self._preparation
        folder = "'s3://' & $plan.bucket & '/' & $plan.places.preparation_key"
        job = self._sagemaker(
            name,
            "createProcessingJob.sync",
            comment=comment,
            arguments={
                "ProcessingJobName": _job_name("$prepare_tries"),
                "RoleArn": jobs.role_arn,
                "AppSpecification": {
                    "ImageUri": image,
                    "ContainerEntrypoint": [
                        "python3",
                        f"{_CODE}/{jobs.code_key}",
                    ],
                },
                "Environment": {
                    "ENGINE": engine,
                    "ORDER": f"{{% {folder} & 'plan.json' %}}",
                    "RESULT": f"{{% {folder} & {_attempt('$prepare_tries')} & '.json' %}}",
                    # boto3 does not read the AWS_REGION that SageMaker sets.
                    "AWS_DEFAULT_REGION": Aws.REGION,
                },
                "ProcessingInputs": [
                    {
                        "InputName": "code",
                        "S3Input": {
                            "S3Uri": f"s3://{jobs.code_bucket}/{jobs.code_key}",
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
                        **self._with_key("VolumeKmsKeyId"),
                    }
                },
                # Not isolated, unlike training: the job fetches the source and writes the files.
                "NetworkConfig": {
                    "EnableNetworkIsolation": False,
                    "EnableInterContainerTrafficEncryption": True,
                    **self._in_network(),
                },
                "StoppingCondition": {
                    "MaxRuntimeInSeconds": "{% $plan.preparation.max_runtime_seconds %}"
                },
            },
            # SageMaker stops the job at its own limit; the hour on top is for capacity and images.
            timeout="{% $plan.preparation.max_runtime_seconds + 3600 %}",
            rest={"Assign": {"prepared_by": "{% $states.result.ProcessingJobName %}"}},
        )
        self._or_again(
            job,
            again=f"{name} again?",
            wait=f"Wait to prepare {name.removeprefix('Prepare ')}",
            tries="prepare_tries",
            failure="failure",
            failed=self._clean_up_after_failure,
            from_=_PREPARE,
            passing_of_job=_PASSING_OF_PREPARATION,
            told=refused,
        )
        job.next(then)
        return job

    def _train(self, *, then: sfn.IChainable) -> sfn.CustomState:
        train = self._sagemaker(
            _TRAIN,
            "createTrainingJob.sync",
            comment="SageMaker XGBoost on train.csv, watched on validate.csv",
            arguments={
                "TrainingJobName": _job_name("$train_tries"),
                "RoleArn": self._role_arn,
                "AlgorithmSpecification": {
                    "TrainingImage": self._image,
                    "TrainingInputMode": "File",
                },
                # How many classes there are is known once the data is prepared.
                "HyperParameters": (
                    "{% $merge([$plan.training.hyperparameters, $prepared.hyperparameters]) %}"
                ),
                "InputDataConfig": [
                    # Spark writes shards: several instances then read a share of them each.
                    _channel("train", "{% $plan.places.train %}", _DISTRIBUTION),
                    _channel("validation", "{% $plan.places.validate %}", _DISTRIBUTION),
                ],
                "OutputDataConfig": {
                    "S3OutputPath": "{% $plan.places.model %}",
                    **self._with_key("KmsKeyId"),
                },
                "ResourceConfig": {
                    "InstanceType": "{% $plan.training.instance_type %}",
                    "InstanceCount": "{% $plan.training.instance_count %}",
                    "VolumeSizeInGB": 30,
                    **self._with_key("VolumeKmsKeyId"),
                },
                "StoppingCondition": "{% $plan.training.stopping_condition %}",
                "EnableManagedSpotTraining": "{% $plan.training.spot %}",
                "EnableNetworkIsolation": True,
                "EnableInterContainerTrafficEncryption": True,
                **self._in_network(),
            },
            # SageMaker stops the job at its own limit; the hour on top is for capacity and images.
            timeout="{% ($exists($plan.training.stopping_condition.MaxWaitTimeInSeconds)"
            " ? $plan.training.stopping_condition.MaxWaitTimeInSeconds"
            " : $plan.training.stopping_condition.MaxRuntimeInSeconds) + 3600 %}",
            rest={
                "Assign": {
                    "training": {
                        "job_name": "{% $states.result.TrainingJobName %}",
                        "image": "{% $states.result.AlgorithmSpecification.TrainingImage %}",
                        "model_data": "{% $states.result.ModelArtifacts.S3ModelArtifacts %}",
                        "seconds": "{% $exists($states.result.TrainingTimeInSeconds)"
                        " ? $states.result.TrainingTimeInSeconds : 0 %}",
                        "metrics": "{% [$states.result.FinalMetricDataList"
                        ".{'MetricName': MetricName, 'Value': Value}] %}",
                    }
                }
            },
        )
        self._or_again(
            train,
            again="Train again?",
            wait="Wait to train again",
            tries="train_tries",
            failure="failure",
            from_=_TRAIN,
            failed=self._clean_up_after_failure,
        )
        train.next(then)
        return train

    def _create_model(self, *, then: sfn.IChainable) -> sfn.CustomState:
        made_in = {"model_made_in": "{% $states.context.Execution.RedriveCount %}"}
        model = self._sagemaker(
            _MODEL,
            "createModel",
            arguments={
                "ModelName": "{% $plan.run.name %}",
                "ExecutionRoleArn": self._role_arn,
                "PrimaryContainer": {
                    # The image that trained also serves: another version may misread the model.
                    "Image": self._image,
                    "ModelDataUrl": "{% $training.model_data %}",
                },
                "EnableNetworkIsolation": True,
                **self._in_network(),
            },
            rest={"Assign": made_in},
        )
        self._or_again(
            model,
            again="Create the model again?",
            wait="Wait to create the model",
            tries="model_tries",
            failure="failure",
            from_=_MODEL,
            failed=self._clean_up_after_failure,
            adopted=self._adoption(
                "model",
                failure="failure",
                from_=_MODEL,
                then=then,
                assign=made_in,
                failed=self._clean_up_after_failure,
            ),
        )
        model.next(then)
        return model

    def _serve_and_score(self) -> sfn.Parallel:
        return (
            sfn.Parallel.jsonata(
                self,
                "Serve and score",
                comment="The endpoint and the batch transform, side by side; each may be off",
                assign={
                    "served": "{% $states.result[0] %}",
                    "evaluation": "{% $states.result[1] %}",
                },
            )
            .branch(self._endpoint_branch())
            .branch(self._batch_branch())
        )

    def _endpoint_branch(self) -> sfn.IChainable:
        wait = sfn.Wait.jsonata(
            self,
            "Wait for the endpoint",
            comment="Longer each time; when the plan's waits are used up, it fails",
            time=sfn.WaitTime.seconds("{% $plan.endpoint.polls[$look] %}"),
            assign={"look": "{% $look + 1 %}"},
        )
        failed = self._branch_failed("Endpoint failed", failure="endpoint_failure")
        predict = self._function(
            "Predict with the endpoint",
            self._steps.predict,
            comment="Rows of the test split, one at a time",
            payload={
                "plan": "{% $plan %}",
                "endpoint_name": "{% $plan.run.name %}",
                "feature_count": "{% $prepared.feature_count %}",
                "classes": "{% $prepared.classes %}",
            },
            rest={
                "Output": {
                    "endpoint_arn": self._arn("endpoint"),
                    "predictions": "{% $states.result.Payload.predictions %}",
                }
            },
        )
        create = self._sagemaker(
            "Create the endpoint",
            "createEndpoint",
            arguments={
                "EndpointName": "{% $plan.run.name %}",
                "EndpointConfigName": "{% $plan.run.name %}",
            },
        )
        config = self._sagemaker(
            "Create the endpoint config",
            "createEndpointConfig",
            arguments={
                "EndpointConfigName": "{% $plan.run.name %}",
                "ProductionVariants": [
                    {
                        "VariantName": "AllTraffic",
                        "ModelName": "{% $plan.run.name %}",
                        "InstanceType": "{% $plan.endpoint.instance_type %}",
                        "InitialInstanceCount": 1,
                        "InitialVariantWeight": 1,
                    }
                ],
                **self._with_key("KmsKeyId"),
            },
        )
        for state, then, noun, short in (
            (config, create, "endpoint config", "config"),
            (create, wait, "endpoint", "endpoint"),
        ):
            state.next(then)
            self._or_again(
                state,
                again=f"Create the {noun} again?",
                wait=f"Wait to create the {noun}",
                tries=f"{short}_tries",
                failure="endpoint_failure",
                failed=failed,
                adopted=self._adoption(noun, failure="endpoint_failure", then=then, failed=failed),
            )
        look = self._sagemaker(
            "Look at the endpoint",
            "describeEndpoint",
            sdk=True,
            arguments={"EndpointName": "{% $plan.run.name %}"},
            rest={
                "Output": {
                    "status": "{% $states.result.EndpointStatus %}",
                    "reason": "{% $exists($states.result.FailureReason)"
                    " ? $states.result.FailureReason : '' %}",
                }
            },
        )
        look.add_catch(
            sfn.Choice.jsonata(
                self, "Endpoint swept?", comment="A redriven run makes it again, once"
            )
            .when(
                sfn.Condition.jsonata(
                    f"{{% $remakes < 1 and {_IS_REDRIVEN}"
                    " and $contains($endpoint_failure.Cause, /Could not find/) %}"
                ),
                config,
                assign={"remakes": "{% $remakes + 1 %}"},
            )
            .otherwise(failed),
            errors=["States.ALL"],
            assign=_failure(None, "endpoint_failure"),
        )
        wait.next(look).next(
            sfn.Choice.jsonata(self, "Endpoint in service?")
            .when(sfn.Condition.jsonata("{% $states.input.status = 'InService' %}"), predict)
            .when(
                sfn.Condition.jsonata(
                    "{% ($states.input.status in ['Creating', 'Updating', 'SystemUpdating']"
                    # By the sweep after the attempt before; when it is gone, it is made again.
                    f" or $states.input.status = 'Deleting' and {_IS_REDRIVEN})"
                    " and $look < $count($plan.endpoint.polls) %}"
                ),
                wait,
            )
            .otherwise(
                sfn.Pass.jsonata(
                    self,
                    "Endpoint not in service",
                    assign={
                        "endpoint_failure": {
                            "Error": "EndpointFailedError",
                            "Cause": "{% 'Endpoint ' & $plan.run.name & ' is '"
                            " & $states.input.status & ' after ' & $string($look)"
                            " & ' looks. ' & $states.input.reason %}",
                        }
                    },
                ).next(failed)
            )
        )
        return (
            sfn.Choice.jsonata(self, "Endpoint wanted?")
            .when(
                sfn.Condition.jsonata("{% $plan.endpoint.enabled %}"),
                config,
                assign={"look": 0, "remakes": 0, "config_tries": 0, "endpoint_tries": 0},
            )
            .otherwise(
                sfn.Pass.jsonata(
                    self, "No endpoint", outputs={"endpoint_arn": "", "predictions": []}
                )
            )
        )

    def _batch_branch(self) -> sfn.IChainable:
        transform = self._sagemaker(
            "Transform the batch",
            "createTransformJob.sync",
            arguments={
                "TransformJobName": _job_name("$transform_tries"),
                "ModelName": "{% $plan.run.name %}",
                "BatchStrategy": "MultiRecord",
                "MaxPayloadInMB": 6,
                "TransformInput": {
                    "DataSource": {
                        "S3DataSource": {
                            "S3DataType": "S3Prefix",
                            "S3Uri": "{% $plan.places.batch_in %}",
                        }
                    },
                    "ContentType": "text/csv",
                    "SplitType": "Line",
                },
                "TransformOutput": {
                    "S3OutputPath": "{% $plan.places.batch_out %}",
                    "AssembleWith": "Line",
                    "Accept": "text/csv",
                    **self._with_key("KmsKeyId"),
                },
                "TransformResources": {
                    "InstanceType": "{% $plan.batch_transform.instance_type %}",
                    "InstanceCount": "{% $plan.batch_transform.instance_count %}",
                    **self._with_key("VolumeKmsKeyId"),
                },
            },
            timeout=6 * 3600,
            rest={"Output": {"transform_job": "{% $states.result.TransformJobName %}"}},
        )
        self._or_again(
            transform,
            again="Transform again?",
            wait="Wait to transform again",
            tries="transform_tries",
            failure="batch_failure",
            failed=self._branch_failed("Batch failed", failure="batch_failure"),
        )
        evaluate = self._function(
            "Evaluate",
            self._steps.evaluate,
            comment="Joins predictions with labels; writes the metrics and the report",
            payload={
                "plan": "{% $plan %}",
                "prepared": "{% $prepared %}",
                "training": "{% $training %}",
                "model_data": "{% $training.model_data %}",
                "transform_job": "{% $states.input.transform_job %}",
            },
            rest={"Output": "{% $states.result.Payload %}"},
        )
        return (
            sfn.Choice.jsonata(self, "Batch wanted?")
            .when(
                sfn.Condition.jsonata("{% $plan.batch_transform.enabled %}"),
                transform.next(evaluate),
                assign={"transform_tries": 0},
            )
            .otherwise(
                sfn.Pass.jsonata(
                    self,
                    "No batch",
                    comment="Nothing was measured: only a gate that asks for nothing is passed",
                    outputs={
                        "metrics": "{% null %}",
                        "gate": {
                            "passed": "{% $plan.evaluation.minimum = {}"
                            " and $plan.evaluation.maximum = {} ? true : null %}",
                            "checks": [],
                        },
                        "artifacts": {},
                    },
                )
            )
        )

    def _keep_endpoint(self) -> sfn.CustomState:
        return self._sagemaker(
            "Keep the endpoint",
            "addTags",
            sdk=True,
            comment="Says until when; the sweeper deletes it then",
            arguments={
                "ResourceArn": "{% $served.endpoint_arn %}",
                "Tags": [{"Key": "spine:keep-until", "Value": "{% $kept_until %}"}],
            },
            tagged=False,
        )

    def _sum_up(self) -> sfn.Pass:
        return sfn.Pass.jsonata(
            self,
            "Sum up",
            assign={
                "output": {
                    "run": {
                        "id": "{% $plan.run.id %}",
                        "execution": "{% $plan.run.execution %}",
                        "started_at": "{% $plan.run.started_at %}",
                        "training_job": "{% $training.job_name %}",
                        "model_name": "{% $evaluation.gate.passed = false"
                        " ? null : $plan.run.name %}",
                    },
                    "preparation": {
                        "engine": "{% $plan.preparation.engine %}",
                        "reason": "{% $plan.preparation.reason %}",
                        "instance_type": "{% $plan.preparation.instance_type %}",
                        "instance_count": "{% $plan.preparation.instance_count %}",
                        "job": "{% $prepared_by = '' ? null : $prepared_by %}",
                    },
                    "data": (
                        "{% $sift($prepared, function($v, $k)"
                        " { $not($k in ['features', 'profile', 'hyperparameters', 'engine']) }) %}"
                    ),
                    "metrics": "{% $evaluation.metrics %}",
                    "quality_gate": "{% $evaluation.gate %}",
                    "predictions": "{% $served.predictions %}",
                    "artifacts": (
                        # Of Spark's shards, the folder.
                        "{% ($spark := $plan.preparation.engine = 'spark'; $merge([{"
                        "'train': $plan.places.train & ($spark ? '' : 'train.csv'),"
                        "'test': $plan.places.test & 'test.csv',"
                        "'validate': $plan.places.validate & ($spark ? '' : 'validate.csv'),"
                        "'batch_input': $plan.places.batch_in & 'batch-in.csv',"
                        "'data_profile': $prepared.profile,"
                        "'model': $training.model_data,"
                        "'manifest': $plan.places.manifest"
                        "}, $plan.batch_transform.enabled"
                        " ? {'batch_output': $plan.places.batch_out & 'batch-in.csv.out'} : {},"
                        " $evaluation.artifacts])) %}"
                    ),
                    "endpoint": {
                        "left": "{% $kept_until != '' %}",
                        "name": "{% $kept_until != '' ? $plan.run.name : null %}",
                        "until": "{% $kept_until != '' ? $kept_until : null %}",
                    },
                }
            },
        )

    def _finish(self) -> sfn.CustomState:
        return self._object(
            "Finish",
            "putObject",
            comment="Writes the manifest, last, and returns the same",
            arguments={
                "Key": "{% $plan.places.manifest_key %}",
                "Body": "{% $output %}",
                "ContentType": "application/json",
            },
            rest={"Assign": {"finished": True}},
        )

    def _object(
        self,
        name: str,
        action: str,
        *,
        arguments: dict[str, Any],
        comment: str | None = None,
        rest: dict[str, Any] | None = None,
    ) -> sfn.CustomState:
        """Read or write a small object of the run."""
        return self._task(
            name,
            f"aws-sdk:s3:{action}",
            comment=comment,
            arguments={"Bucket": "{% $plan.bucket %}", **arguments},
            timeout=60,
            # 1 + 2 + 4 s at most.
            retries=[
                {
                    "ErrorEquals": ["S3.S3Exception", "S3.SdkClientException"],
                    "IntervalSeconds": 1,
                    "BackoffRate": 2,
                    "MaxAttempts": 3,
                    "MaxDelaySeconds": 10,
                    "JitterStrategy": "FULL",
                }
            ],
            rest=rest,
        )

    def _cleanup(self, name: str, *, comment: str, models: str) -> sfn.CustomState:
        return self._function(
            name,
            self._steps.cleanup,
            comment=comment,
            payload={"run_name": "{% $plan.run.name %}", "delete_model": models},
            retries=[_BUSY_RETRY],
        )

    def _or_again(
        self,
        state: sfn.CustomState,
        *,
        again: str,
        wait: str,
        tries: str,
        failure: str,
        failed: sfn.IChainable,
        from_: str | None = None,
        adopted: sfn.IChainable | None = None,
        passing_of_job: str = _PASSING_OF_JOB,
        told: sfn.IChainable | None = None,
    ) -> None:
        """Repeat a creation that failed for a passing reason; adopt what a lost answer made.

        Args:
            state: The creation.
            again: Name of the choice that reads the cause.
            wait: Name of the wait before the next try.
            tries: The variable that counts the tries; 0 before the first.
            failure: The variable that holds the error. In a branch it is the branch's own:
                variables of the outer scope cannot be assigned there.
            failed: Where any other error leads.
            from_: Where a redrive goes on; None in a branch, where the Parallel says so.
            adopted: Where an answer leads that the thing exists already.
            passing_of_job: What in a failed job's description says that trying again may help.
            told: Where a job leads that failed and has said why.
        """
        state.add_catch(
            choice := sfn.Choice.jsonata(
                self, again, comment="Only what may pass by itself is tried again"
            ),
            errors=["States.ALL"],
            assign=_failure(from_, failure),
        )
        passing = (
            f"$contains(${failure}.Cause, ${failure}.Error = 'States.TaskFailed'"
            f" ? {passing_of_job} : {_PASSING})"
        )
        passing = f"({passing} or {_quota_may_become_free(failure)})"
        if from_ is None:
            # Swept since the attempt before: waiting does not bring it back.
            passing = (
                f"({passing} and $not({_SWEPT} and $contains(${failure}.Cause, /Could not find/)))"
            )
        if adopted is not None:
            choice.when(
                sfn.Condition.jsonata(
                    f"{{% $contains(${failure}.Error & ${failure}.Cause, /already existing/) %}}"
                ),
                adopted,
            )
            # Whether it took effect is not known; the next try tells.
            passing = f"(${failure}.Error = 'States.Timeout' or {passing})"
        choice.when(
            sfn.Condition.jsonata(f"{{% ${tries} < {_MOST_TRIES} and {passing} %}}"),
            sfn.Wait.jsonata(
                self,
                wait,
                time=sfn.WaitTime.seconds(
                    f"{{% $ceil((0.5 + $random() / 2) * $power(2, ${tries} - 1)"
                    f" * ($contains(${failure}.Cause, {_NO_CAPACITY}) ? 60"
                    f" : ${failure}.Error = '{_QUOTA}' ? 10 : 3)) %}}"
                ),
            ).next(state),
            assign={tries: f"{{% ${tries} + 1 %}}"},
        )
        if told is not None:
            choice.when(
                sfn.Condition.jsonata(
                    f"{{% ${failure}.Error = 'States.TaskFailed'"
                    f' and $contains(${failure}.Cause, /"ExitMessage": ?"/) %}}'
                ),
                told,
            )
        choice.otherwise(failed)

    def _adoption(
        self,
        noun: str,
        *,
        failure: str,
        then: sfn.IChainable,
        failed: sfn.IChainable,
        from_: str | None = None,
        assign: dict[str, Any] | None = None,
    ) -> sfn.IChainable:
        """Go on with what exists already when its tags say that this execution made it."""
        whose = self._sagemaker(
            f"Whose is the {noun}?",
            "listTags",
            sdk=True,
            comment="It exists already: made by a try whose answer was lost, or by somebody else",
            arguments={"ResourceArn": self._arn(noun.replace(" ", "-"))},
            rest={"Output": "{% $states.result.Tags[Key = 'spine:execution'].Value %}"},
        )
        whose.add_catch(failed, errors=["States.ALL"], assign=_failure(from_, failure))
        return whose.next(
            sfn.Choice.jsonata(self, f"This run's {noun}?")
            .when(
                sfn.Condition.jsonata("{% $states.input = $states.context.Execution.Id %}"),
                then,
                assign=assign,
            )
            .otherwise(
                sfn.Pass.jsonata(
                    self,
                    f"Another's {noun}",
                    assign={
                        failure: {
                            "Error": "NameTakenError",
                            "Cause": f"{{% 'There is already a {noun} ' & $plan.run.name & ', and"
                            " its tags do not say that this execution made it. Delete it, or start"
                            " a new execution under another name.' %}",
                        }
                    },
                ).next(failed)
            )
        )

    def _arn(self, kind: str) -> str:
        """What SageMaker calls the run's own endpoint, endpoint config or model."""
        start = f"arn:{Aws.PARTITION}:sagemaker:{Aws.REGION}:{Aws.ACCOUNT_ID}:{kind}/"
        return f"{{% '{start}' & $plan.run.name %}}"

    def _branch_failed(self, name: str, *, failure: str) -> sfn.Fail:
        return sfn.Fail.jsonata(
            self, name, error=f"{{% ${failure}.Error %}}", cause=f"{{% ${failure}.Cause %}}"
        )

    def _or_clean_up(self, state: _State, *, from_: str) -> _State:
        state.add_catch(self._clean_up_after_failure, errors=["States.ALL"], assign=_failure(from_))
        return state

    def _function(
        self,
        name: str,
        function: lambda_.Function,
        *,
        payload: dict[str, Any],
        comment: str,
        retries: list[dict[str, Any]] | None = None,
        rest: dict[str, Any] | None = None,
    ) -> sfn.CustomState:
        return self._task(
            name,
            "lambda:invoke",
            comment=comment,
            arguments={"FunctionName": function.function_arn, "Payload": payload},
            # The function has its own limit; this one covers an invocation that never answers.
            timeout=_seconds(function) + 30,
            retries=[_LAMBDA_RETRY, *(retries or [])],
            rest=rest,
        )

    def _sagemaker(
        self,
        name: str,
        action: str,
        *,
        arguments: dict[str, Any],
        comment: str | None = None,
        timeout: int | str = 60,
        sdk: bool = False,
        tagged: bool = True,
        rest: dict[str, Any] | None = None,
    ) -> sfn.CustomState:
        if action.startswith("create") and tagged:
            arguments = {**arguments, "Tags": self._tags}
        return self._task(
            name,
            f"{'aws-sdk:' if sdk else ''}sagemaker:{action}",
            comment=comment,
            arguments=arguments,
            timeout=timeout,
            retries=[_SAGEMAKER_RETRY if sdk else _CREATION_RETRY],
            rest=rest,
        )

    def _with_key(self, member: str) -> dict[str, str]:
        return {member: self._key_arn} if self._key_arn else {}

    def _in_network(self) -> dict[str, Any]:
        if self._network is None:
            return {}
        return {
            "VpcConfig": {
                "Subnets": list(self._network.subnets),
                "SecurityGroupIds": list(self._network.security_groups),
            }
        }

    def _task(
        self,
        name: str,
        resource: str,
        *,
        arguments: dict[str, Any],
        timeout: int | str,
        retries: list[dict[str, Any]],
        comment: str | None = None,
        rest: dict[str, Any] | None = None,
    ) -> sfn.CustomState:
        state: dict[str, Any] = {
            "Type": "Task",
            "Resource": f"arn:{Aws.PARTITION}:states:::{resource}",
            "Arguments": arguments,
            "TimeoutSeconds": timeout,
            "Retry": retries,
            **(rest or {}),
        }
        if comment:
            state["Comment"] = comment
        return sfn.CustomState(self, name, state_json=state)


def _quota_may_become_free(failure: str) -> str:
    """Whether an error is a quota's, and large enough for what was asked for, once others end.

    SageMaker says "The account-level service limit 'ml.m5.xlarge for training job usage' is 0
    Instances, with current utilization of 0 Instances and a request delta of 1 Instances."
    """
    cause = f"${failure}.Cause"
    return (
        f"(${failure}.Error = '{_QUOTA}'"
        f" and ($contains({cause}, /is [0-9]+ Instances.*request delta of [0-9]+ /)"
        f" ? $number($match({cause}, /is ([0-9]+) Instances/)[0].groups[0])"
        f" >= $number($match({cause}, /request delta of ([0-9]+) /)[0].groups[0]) : true))"
    )


def _failure(from_: str | None, variable: str = "failure") -> dict[str, Any]:
    """What a Catch keeps: the error, and for a redrive of the failed run where to go on.

    Args:
        from_: The state; None in a branch, which cannot assign the machine's variables.
        variable: Holds the error.
    """
    kept = {variable: "{% $states.errorOutput %}"}
    if from_ is None:
        return kept
    redriven = {"failed_in": "{% $states.context.Execution.RedriveCount %}", "again_from": from_}
    return {**kept, **redriven}


_IN_TTL_MINUTES = (
    "{% $fromMillis($millis() + $plan.endpoint.ttl_minutes * 60000,"
    " '[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01]Z') %}"
)


def _seconds(function: lambda_.Function) -> int:
    timeout = function.timeout
    assert timeout is not None  # noqa: S101 (narrows the type; every function of ours sets it)
    return int(timeout.to_seconds())


_DISTRIBUTION = "{% $plan.preparation.distribution %}"


def _channel(name: str, uri: str, distribution: str) -> dict[str, Any]:
    return {
        "ChannelName": name,
        "ContentType": "text/csv",
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": uri,
                "S3DataDistributionType": distribution,
            }
        },
    }
