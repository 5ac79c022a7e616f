"""Plan the run: check the input, fill in defaults, derive names and places."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Duration

from spine.shipped import load
from stacks.base import SpineStack
from stacks.functions import Function
from stacks.machine import fragment
from stacks.machine.failing import Failing
from stacks.machine.fragment import Fragment
from stacks.machine.step import Step
from stacks.machine.tasks import Tasks
from stacks.steps.reading import reading
from stacks.storage import Storage


class Plan(Step):
    """The first step of any pipeline: what it answers, `$plan`, tells all others what to do."""

    name = "Plan the run"
    survives = True
    output: Mapping[str, Any] = {
        "run": {
            "id": "{% $plan.run.id %}",
            "execution": "{% $plan.run.execution %}",
            "started_at": "{% $plan.run.started_at %}",
        }
    }

    def __init__(self, stack: SpineStack, storage: Storage) -> None:
        """Provision the function."""
        settings = stack.settings
        self._function = Function(
            stack,
            "Plan",
            bundle="plan",
            description="checks the execution input, derives names and places",
            # How large a source is decides which engine prepares it.
            permissions=reading(stack, storage),
            environment={
                "BUCKET": storage.bucket.bucket_name,
                "NAME_PREFIX": settings.prefix,
                "SOURCE_HOSTS": ",".join(settings.source_hosts),
                "SOURCE_BUCKETS": ",".join(settings.source_buckets),
                "INSTANCE_TYPES": ",".join(settings.instance_types),
                **{
                    each.version_variable: settings.version(each)
                    for each in load("algorithms").ALGORITHMS.values()
                },
                "SPARK_REGISTRY": stack.registry("spark"),
                "LARGEST_VOLUME_GB": str(settings.largest_volume_gb),
            },
            # botocore's model of SageMaker, read for its instance types, takes 150 MB.
            memory_mb=512,
            timeout=Duration.seconds(30),
        )

    def fragment(self, tasks: Tasks, failing: Failing) -> Fragment:
        """One state, which also assigns what later steps want to find assigned."""
        state = tasks.function(
            self.name,
            self._function,
            comment="Checks the input, fills defaults, derives names and places",
            payload={
                # Not the state's: a redrive comes back here with another.
                "input": "{% $states.context.Execution.Input %}",
                "pipeline": tasks.label,
                "execution": {
                    "arn": "{% $states.context.Execution.Id %}",
                    "name": "{% $states.context.Execution.Name %}",
                    "started_at": "{% $states.context.Execution.StartTime %}",
                },
            },
            Assign={"plan": "{% $states.result.Payload %}", **tasks.variables},
        )
        failing.guard(state)
        return fragment.of(state)
