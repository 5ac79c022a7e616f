"""Serve the model: an endpoint, the wait until it is in service, and predictions by it."""

from collections.abc import Mapping
from functools import reduce
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn

from stacks.base import SpineStack
from stacks.functions import Function
from stacks.machine import fragment
from stacks.machine.adopting import Adopting
from stacks.machine.failing import IS_REDRIVEN, Failing
from stacks.machine.fragment import Fragment
from stacks.machine.grants import ANY_RUN, of_runs
from stacks.machine.requests import kind_of
from stacks.machine.retrying import Retrying
from stacks.machine.step import Step
from stacks.machine.tasks import Tasks
from stacks.permissions import allow
from stacks.storage import Storage

# What `Serve` would have put out, of a run that wants no endpoint.
NOT_SERVED: Mapping[str, Any] = {"endpoint_arn": "", "predictions": []}


class Serve(Step):
    """Makes the endpoint of the run, waits for it a bounded number of times, and asks it.

    Its output is the endpoint's ARN and the predictions.
    """

    name = "Create the endpoint"
    # Looks at the endpoint so far; how often what was swept is made again; tries.
    variables: Mapping[str, Any] = {
        "look": 0,
        "remakes": 0,
        "config_tries": 0,
        "endpoint_tries": 0,
    }
    output: Mapping[str, Any] = {"predictions": "{% $served.predictions %}"}

    def __init__(self, stack: SpineStack, storage: Storage) -> None:
        """Provision the function that asks the endpoint."""
        self._stack = stack
        self._function = Function(
            stack,
            "Predict",
            bundle="predict",
            description="asks the endpoint about rows of the test split",
            permissions=[
                allow(
                    "s3:GetObject",
                    on=storage.objects("runs/*/test/*", "runs/*/data_profile.json", to=stack),
                    because=ANY_RUN,
                ),
                of_runs(stack, kind_of("Endpoint"), "InvokeEndpoint"),
                *stack.with_key("kms:Decrypt", via="s3"),
            ],
            environment={},
            timeout=Duration.minutes(5),
        )

    def fragment(self, tasks: Tasks, failing: Failing) -> Fragment:
        """Config, endpoint, wait, predictions."""
        config = self._config(tasks, failing)
        return reduce(
            Fragment.next,
            (
                config,
                self._endpoint(tasks, failing),
                self._wait(tasks, failing, again=config.start),
                self._predictions(tasks, failing),
            ),
        )

    def _config(self, tasks: Tasks, failing: Failing) -> Fragment:
        config = tasks.creation(
            "Create the endpoint config",
            "EndpointConfig",
            arguments={
                "ProductionVariants": [
                    {
                        "VariantName": "AllTraffic",
                        "ModelName": "{% $plan.run.name %}",
                        "InstanceType": "{% $plan.endpoint.instance_type %}",
                        "InitialInstanceCount": 1,
                        "InitialVariantWeight": 1,
                    }
                ],
            },
        )
        retrying = Retrying(
            question="Create the endpoint config again?",
            wait="Wait to create the endpoint config",
            tries="config_tries",
        )
        adopting = Adopting(noun="EndpointConfig")
        return retrying.around(config, tasks, failing, adopting=adopting)

    def _endpoint(self, tasks: Tasks, failing: Failing) -> Fragment:
        endpoint = tasks.creation(
            self.name,
            "Endpoint",
            arguments={"EndpointConfigName": "{% $plan.run.name %}"},
        )
        # Creating an endpoint is authorized on its config as well.
        tasks.grants.also(of_runs(self._stack, kind_of("EndpointConfig"), "CreateEndpoint"))
        retrying = Retrying(
            question="Create the endpoint again?",
            wait="Wait to create the endpoint",
            tries="endpoint_tries",
        )
        adopting = Adopting(noun="Endpoint")
        return retrying.around(endpoint, tasks, failing, adopting=adopting)

    def _wait(self, tasks: Tasks, failing: Failing, *, again: sfn.State) -> Fragment:
        """Look until it is in service; make again, once, what was swept from a redriven run.

        Args:
            tasks: Of the machine.
            failing: Where failures lead.
            again: Where the endpoint's states begin.
        """
        wait = sfn.Wait.jsonata(
            tasks,
            "Wait for the endpoint",
            comment="Longer each time; when the plan's waits are used up, it fails",
            time=sfn.WaitTime.seconds("{% $plan.endpoint.polls[$look] %}"),
            assign={"look": "{% $look + 1 %}"},
        )
        look = tasks.call(
            "Look at the endpoint",
            "DescribeEndpoint",
            "Endpoint",
            arguments={"EndpointName": "{% $plan.run.name %}"},
            Output={
                "status": "{% $states.result.EndpointStatus %}",
                "reason": "{% $exists($states.result.FailureReason)"
                " ? $states.result.FailureReason : '' %}",
            },
        )
        swept = (
            sfn.Choice.jsonata(
                tasks, "Endpoint swept?", comment="A redriven run makes it again, once"
            )
            .when(
                sfn.Condition.jsonata(
                    f"{{% $remakes < 1 and {IS_REDRIVEN}"
                    f" and $contains(${failing.variable}.Cause, /Could not find/) %}}"
                ),
                again,
                assign={"remakes": "{% $remakes + 1 %}"},
            )
            .otherwise(failing.to)
        )
        failing.catch(look, to=swept)
        not_in_service = sfn.Pass.jsonata(
            tasks,
            "Endpoint not in service",
            assign={
                failing.variable: {
                    "Error": "EndpointFailedError",
                    "Cause": "{% 'Endpoint ' & $plan.run.name & ' is '"
                    " & $states.input.status & ' after ' & $string($look)"
                    " & ' looks. ' & $states.input.reason %}",
                }
            },
        )
        not_in_service.next(failing.to)
        there = sfn.Choice.jsonata(tasks, "Endpoint in service?").otherwise(not_in_service)
        wait.next(look).next(there)

        # The ways are asked in their order: whether it is there, then whether to wait on.
        def in_service(following: sfn.State) -> None:
            there.when(
                sfn.Condition.jsonata("{% $states.input.status = 'InService' %}"), following
            ).when(
                sfn.Condition.jsonata(
                    "{% ($states.input.status in ['Creating', 'Updating', 'SystemUpdating']"
                    # By the sweep after the attempt before; when it is gone, it is made again.
                    f" or $states.input.status = 'Deleting' and {IS_REDRIVEN})"
                    " and $look < $count($plan.endpoint.polls) %}"
                ),
                wait,
            )

        return Fragment(start=wait, ends=(in_service,))

    def _predictions(self, tasks: Tasks, failing: Failing) -> Fragment:
        predict = tasks.function(
            "Predict with the endpoint",
            self._function,
            comment="Rows of the test split, one at a time",
            payload={
                "plan": "{% $plan %}",
                "endpoint_name": "{% $plan.run.name %}",
                "feature_count": "{% $prepared.feature_count %}",
                "classes": "{% $prepared.classes %}",
            },
            Output={
                "endpoint_arn": tasks.arn("Endpoint"),
                "predictions": "{% $states.result.Payload.predictions %}",
            },
        )
        failing.guard(predict)
        return fragment.of(predict)
