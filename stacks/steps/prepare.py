"""Prepare the data: by the function, or by a processing job where that is not large enough."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn

from stacks.base import SpineStack
from stacks.functions import Function
from stacks.machine.failing import Failing
from stacks.machine.fragment import Fragment
from stacks.machine.grants import ANY_RUN
from stacks.machine.step import Step
from stacks.machine.tasks import Tasks
from stacks.permissions import allow
from stacks.steps.prepare_job import PrepareJob
from stacks.steps.reading import reading
from stacks.storage import Storage

# Two more tries, after 10 and 20 s at most, beside those inside the function.
_SOURCE_RETRY = {
    "ErrorEquals": ["SourceUnreachableError"],
    "IntervalSeconds": 10,
    "BackoffRate": 2,
    "MaxAttempts": 2,
    "MaxDelaySeconds": 60,
    "JitterStrategy": "FULL",
}


class Prepare(Step):
    """Prepares by the plan's engine; however it was done, `$prepared` says what there is."""

    name = "Prepare the data"
    survives = True
    tries = PrepareJob.tries
    # The summary reads it on every path.
    variables: Mapping[str, Any] = {"prepared_by": ""}
    output: Mapping[str, Any] = {
        "preparation": {
            "engine": "{% $plan.preparation.engine %}",
            "reason": "{% $plan.preparation.reason %}",
            "instance_type": "{% $plan.preparation.instance_type %}",
            "instance_count": "{% $plan.preparation.instance_count %}",
            "job": "{% $prepared_by = '' ? null : $prepared_by %}",
        },
        "data": (
            "{% $sift($prepared, function($v, $k) { $not($k in"
            " ['features', 'profile', 'hyperparameters', 'engine', 'training_volume_gb']) }) %}"
        ),
    }

    def __init__(self, stack: SpineStack, storage: Storage) -> None:
        """Provision the function, and what the jobs need."""
        self._job = PrepareJob(stack, storage)
        written = (
            "runs/*/train/*",
            "runs/*/test/*",
            "runs/*/validate/*",
            "runs/*/batch-in/*",
            "runs/*/data_profile.json",
        )
        self._function = Function(
            stack,
            "Prepare",
            bundle="prepare",
            description="fetches, checks and splits the training file",
            permissions=[
                *reading(stack, storage),
                allow("s3:PutObject", on=storage.objects(*written, to=stack), because=ANY_RUN),
                *stack.with_key("kms:GenerateDataKey", via="s3"),
            ],
            environment={"SOURCE_HOSTS": ",".join(stack.settings.source_hosts)},
            memory_mb=3008,
            # A source of 4 GiB, and the files made of it before they are uploaded.
            disk_mb=10_240,
            timeout=Duration.minutes(15),
        )

    def fragment(self, tasks: Tasks, failing: Failing) -> Fragment:
        """The choice of the engine, and each engine's states."""
        function = tasks.function(
            self.name,
            self._function,
            comment="Fetches, checks and splits the file, and writes the four CSV files",
            payload={"plan": "{% $plan %}"},
            retries=(_SOURCE_RETRY,),
            Assign={"prepared": "{% $states.result.Payload %}"},
        )
        failing.guard(function)
        job = self._job.fragment(tasks, failing)
        which = (
            sfn.Choice.jsonata(
                tasks, "Which engine?", comment="The plan says why, in preparation.reason"
            )
            .when(sfn.Condition.jsonata("{% $plan.preparation.engine = 'lambda' %}"), function)
            .otherwise(job.start)
        )
        return Fragment(start=which, ends=(function.next, *job.ends))
