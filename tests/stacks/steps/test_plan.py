"""The first step: it alone reads the input, and knows what the deployment allows."""

from gates.assembly import Assembly
from gates.machine import Machine
from spine.shipped import load
from tests.planning import ENVIRONMENT


def test_the_plan_is_given_input_and_execution(machine: Machine) -> None:
    """Of the execution, not of the state: a redrive comes back here with another input."""
    payload = machine.tasks()["Plan the run"]["Arguments"]["Payload"]
    context = "$states.context.Execution"
    assert payload == {
        "input": f"{{% {context}.Input %}}",
        "pipeline": "",
        "execution": {
            "arn": f"{{% {context}.Id %}}",
            "name": f"{{% {context}.Name %}}",
            "started_at": f"{{% {context}.StartTime %}}",
        },
    }


def test_every_variable_that_a_path_may_skip_is_there_from_the_plan_on(machine: Machine) -> None:
    """A state that reads one which was never assigned fails the run."""
    assigned = machine.states()["Plan the run"]["Assign"]
    assert assigned["plan"] == "{% $states.result.Payload %}"
    assert {"training", "prepared_by", "finished", "train_tries", "prepare_tries"} <= (
        assigned.keys()
    )


def test_the_function_is_told_what_the_deployment_allows(dev: Assembly) -> None:
    """All that it reads, and nothing else; the tests of the function set the same."""
    (function,) = (
        each
        for each in dev.properties("pipeline", "AWS::Lambda::Function")
        if each["Handler"] == "lambda.plan.handler.handler"
    )
    variables = function["Environment"]["Variables"]
    assert variables.keys() == ENVIRONMENT.keys()
    for each in load("algorithms").ALGORITHMS.values():
        assert variables[each.version_variable] == each.image.default
    assert variables["NAME_PREFIX"] == "spine-dev"
    assert "ml.m5.xlarge" in variables["INSTANCE_TYPES"].split(",")
