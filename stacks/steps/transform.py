"""Transform the batch, and evaluate what came of it."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Duration

from stacks.base import SpineStack
from stacks.functions import Function
from stacks.machine import fragment
from stacks.machine.failing import Failing
from stacks.machine.fragment import Fragment
from stacks.machine.grants import ANY_RUN
from stacks.machine.retrying import Retrying
from stacks.machine.step import Step
from stacks.machine.tasks import Tasks
from stacks.permissions import allow
from stacks.storage import Storage

# What `Evaluate` would have put out, of a run that wants no batch.
NOT_MEASURED: Mapping[str, Any] = {
    "metrics": "{% null %}",
    "gate": {
        "passed": "{% $plan.evaluation.minimum = {}"
        " and $plan.evaluation.maximum = {} ? true : null %}",
        "checks": [],
    },
    "artifacts": {},
}


class Transform(Step):
    """Has SageMaker score the test split by the model, in a transform job."""

    name = "Transform the batch"
    tries = "transform_tries"

    def __init__(self, algorithm: Any, *, model: str = "{% $plan.run.name %}") -> None:
        """Ask a model for its scores.

        Args:
            algorithm: Which made it: it says what the model reads and how it answers.
            model: Its name, or an expression for it; by default the run's own.
        """
        self._algorithm = algorithm
        self._model = model

    def fragment(self, tasks: Tasks, failing: Failing) -> Fragment:
        """The job, repeated for transient reasons; its output names it."""
        job = tasks.creation(
            self.name,
            "TransformJob",
            arguments={
                "ModelName": self._model,
                "BatchStrategy": "MultiRecord",
                "MaxPayloadInMB": 6,
                "TransformInput": {
                    "DataSource": {
                        "S3DataSource": {
                            "S3DataType": "S3Prefix",
                            "S3Uri": "{% $plan.places.batch_in %}",
                        }
                    },
                    "ContentType": self._algorithm.content_type,
                    "SplitType": "Line",
                },
                "TransformOutput": {
                    "S3OutputPath": "{% $plan.places.batch_out %}",
                    "AssembleWith": "Line",
                    "Accept": self._algorithm.form.accept,
                },
                "TransformResources": {
                    "InstanceType": "{% $plan.batch_transform.instance_type %}",
                    "InstanceCount": "{% $plan.batch_transform.instance_count %}",
                },
            },
            timeout=6 * 3600,
            Output={"transform_job": "{% $states.result.TransformJobName %}"},
        )
        retrying = Retrying(
            question="Transform again?", wait="Wait to transform again", tries=self.tries
        )
        return retrying.around(job, tasks, failing)


class Evaluate(Step):
    """Scores the batch output; what it answers, `$evaluation`, holds metrics and gate.

    Attributes:
        function: Its log tells how each gate was decided.
    """

    name = "Evaluate"
    output: Mapping[str, Any] = {
        "metrics": "{% $evaluation.metrics %}",
        "quality_gate": "{% $evaluation.gate %}",
    }

    def __init__(self, stack: SpineStack, storage: Storage) -> None:
        """Provision the function."""
        read = ("runs/*/test/*", "runs/*/batch-out/*", "runs/*/data_profile.json")
        self.function = Function(
            stack,
            "Evaluate",
            bundle="evaluate",
            description="scores the batch output and writes the report",
            permissions=[
                allow("s3:GetObject", on=storage.objects(*read, to=stack), because=ANY_RUN),
                allow(
                    "s3:PutObject",
                    on=storage.objects("runs/*/evaluation/*", to=stack),
                    because=ANY_RUN,
                ),
                *stack.with_key("kms:Decrypt", "kms:GenerateDataKey", via="s3"),
            ],
            environment={},
            # For the test rows of what one instance prepares: a row takes about 110 bytes.
            memory_mb=3008,
            timeout=Duration.minutes(15),
        )

    def fragment(self, tasks: Tasks, failing: Failing) -> Fragment:
        """One state, whose output is the evaluation."""
        state = tasks.function(
            self.name,
            self.function,
            comment="Joins predictions with labels; writes the metrics and the report",
            payload={
                "plan": "{% $plan %}",
                "prepared": "{% $prepared %}",
                "training": "{% $training %}",
                "model_data": "{% $training.model_data %}",
                "transform_job": "{% $states.input.transform_job %}",
            },
            Output="{% $states.result.Payload %}",
        )
        failing.guard(state)
        return fragment.of(state)
