"""The quality gate: an endpoint is kept behind it only, and everything else is cleaned up."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import aws_stepfunctions as sfn

from stacks.machine import fragment
from stacks.machine.failing import Failing
from stacks.machine.fragment import Fragment
from stacks.machine.step import Step, merged
from stacks.machine.tasks import Tasks

_IN_TTL_MINUTES = (
    "{% $fromMillis($millis() + $plan.endpoint.ttl_minutes * 60000,"
    " '[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01]Z') %}"
)


class KeepEndpoint(Step):
    """Tags the endpoint with the time until when it may live; `$kept_until` says the same."""

    name = "Keep the endpoint"
    variables: Mapping[str, Any] = {"kept_until": ""}
    output: Mapping[str, Any] = {
        "endpoint": {
            "left": "{% $kept_until != '' %}",
            "name": "{% $kept_until != '' ? $plan.run.name : null %}",
            "until": "{% $kept_until != '' ? $kept_until : null %}",
        }
    }

    def fragment(self, tasks: Tasks, failing: Failing) -> Fragment:
        """One state."""
        state = tasks.call(
            self.name,
            "AddTags",
            "Endpoint",
            arguments={
                "ResourceArn": "{% $served.endpoint_arn %}",
                "Tags": [{"Key": "spine:keep-until", "Value": "{% $kept_until %}"}],
            },
            Comment="Says until when; the sweeper deletes it then",
        )
        failing.guard_swept(state)
        return fragment.of(state)


class Gate(Step):
    """Decides by `$evaluation` what stays of what was served."""

    name = "Quality gate"

    def __init__(self, *, keep: Step, clean_up: Step) -> None:
        """Take the one step for an endpoint that is to be kept and the other for all else."""
        self._keep = keep
        self._clean_up = clean_up
        self.variables = {**keep.variables, **clean_up.variables}
        model = "{% $evaluation.gate.passed = false ? null : $plan.run.name %}"
        self.output = merged(({"run": {"model_name": model}}, keep.output, clean_up.output))

    def fragment(self, tasks: Tasks, failing: Failing) -> Fragment:
        """Two choices, and the states of both steps."""
        keep = self._keep.fragment(tasks, failing)
        clean_up = self._clean_up.fragment(tasks, failing)
        asked = (
            sfn.Choice.jsonata(tasks, "Keep the endpoint?")
            .when(
                sfn.Condition.jsonata("{% $plan.endpoint.keep %}"),
                keep.start,
                assign={"kept_until": _IN_TTL_MINUTES},
            )
            .otherwise(clean_up.start)
        )
        passed = (
            sfn.Choice.jsonata(tasks, self.name)
            .when(sfn.Condition.jsonata("{% $evaluation.gate.passed = true %}"), asked)
            .otherwise(clean_up.start)
        )
        return Fragment(start=passed, ends=(*keep.ends, *clean_up.ends))
