"""Train the model: SageMaker's training job."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn

from stacks.machine.failing import Failing
from stacks.machine.fragment import Fragment
from stacks.machine.retrying import Retrying
from stacks.machine.step import Step
from stacks.machine.tasks import Tasks


class Train(Step):
    """Trains on what was prepared; the artifact lies in the run's folder, whatever comes later."""

    name = "Train the model"
    survives = True
    tries = "train_tries"
    # The summary reads it on every path.
    variables: Mapping[str, Any] = {"training": {}}
    output: Mapping[str, Any] = {"run": {"training_job": "{% $training.job_name %}"}}

    def __init__(self, algorithm: Any, *, image: str, role: iam.IRole) -> None:
        """Train by an algorithm, in its image, under SageMaker's execution role."""
        self._algorithm = algorithm
        self._image = image
        self._role = role

    def fragment(self, tasks: Tasks, failing: Failing) -> Fragment:
        """The job, on demand or on spot capacity, repeated for transient reasons."""
        on_demand = self._job(
            tasks,
            failing,
            self.name,
            Retrying(question="Train again?", wait="Wait to train again", tries=self.tries),
            {"EnableManagedSpotTraining": False},
        )
        # Written after each round and read by whoever trains next: SageMaker when capacity has come
        # back, and the next attempt of this run. Of a job on demand they would only take time.
        on_spot = self._job(
            tasks,
            failing,
            "Train on spot",
            Retrying(
                question="Train on spot again?", wait="Wait to train on spot", tries=self.tries
            ),
            {
                "EnableManagedSpotTraining": True,
                "CheckpointConfig": {"S3Uri": "{% $plan.places.checkpoints %}"},
            },
        )
        which = (
            sfn.Choice.jsonata(tasks, "On spot?")
            .when(sfn.Condition.jsonata("{% $plan.training.spot %}"), on_spot.start)
            .otherwise(on_demand.start)
        )
        return Fragment(start=which, ends=(*on_demand.ends, *on_spot.ends))

    def _job(
        self,
        tasks: Tasks,
        failing: Failing,
        name: str,
        retrying: Retrying,
        capacity: Mapping[str, Any],
    ) -> Fragment:
        job = tasks.creation(
            name,
            "TrainingJob",
            Comment=f"SageMaker {self._algorithm.title} on train.csv, watched on validate.csv",
            arguments={
                "RoleArn": self._role.role_arn,
                "AlgorithmSpecification": {
                    "TrainingImage": self._image,
                    "TrainingInputMode": "File",
                },
                # How many classes there are is known once the data is prepared.
                "HyperParameters": (
                    "{% $merge([$plan.training.hyperparameters, $prepared.hyperparameters]) %}"
                ),
                "InputDataConfig": [
                    self._channel("train", "{% $plan.places.train %}"),
                    self._channel("validation", "{% $plan.places.validate %}"),
                ],
                "OutputDataConfig": {"S3OutputPath": "{% $plan.places.model %}"},
                "ResourceConfig": {
                    "InstanceType": "{% $plan.training.instance_type %}",
                    "InstanceCount": "{% $plan.training.instance_count %}",
                    "VolumeSizeInGB": "{% $prepared.training_volume_gb %}",
                },
                "StoppingCondition": "{% $plan.training.stopping_condition %}",
                **capacity,
            },
            # SageMaker stops the job at its own limit; the hour on top is for capacity and images.
            timeout="{% ($exists($plan.training.stopping_condition.MaxWaitTimeInSeconds)"
            " ? $plan.training.stopping_condition.MaxWaitTimeInSeconds"
            " : $plan.training.stopping_condition.MaxRuntimeInSeconds) + 3600 %}",
            Assign={
                "training": {
                    "job_name": "{% $states.result.TrainingJobName %}",
                    "image": "{% $states.result.AlgorithmSpecification.TrainingImage %}",
                    "model_data": "{% $states.result.ModelArtifacts.S3ModelArtifacts %}",
                    "seconds": "{% $exists($states.result.TrainingTimeInSeconds)"
                    " ? $states.result.TrainingTimeInSeconds : 0 %}",
                    "metrics": "{% [$states.result.FinalMetricDataList"
                    ".{'MetricName': MetricName, 'Value': Value}] %}",
                }
            },
        )
        return retrying.around(job, tasks, failing)

    def _channel(self, name: str, uri: str) -> dict[str, Any]:
        return {
            "ChannelName": name,
            "ContentType": self._algorithm.content_type,
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri": uri,
                    # Spark writes shards: several instances then read a share of them each.
                    "S3DataDistributionType": "{% $plan.preparation.distribution %}",
                }
            },
        }
