"""An app may hold several machines: a further one is a file and a row, and all rooms take it."""

from pathlib import Path
from typing import Any

import pytest

from gates import definition, permissions
from gates.assembly import Assembly, as_list, run_app
from gates.machine import Machine, machines
from stacks.pipelines import PIPELINES

pytestmark = pytest.mark.process

MACHINE = "AWS::StepFunctions::StateMachine"
ARNS = [
    f"arn:aws:states:us-east-1:000000000000:stateMachine:{name}"
    for name in ("spine-dev", "spine-dev-preparing")
]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """The app with the training pipeline and one that only prepares."""
    folder = tmp_path_factory.mktemp("both")
    path = Path(__file__).with_name("second_machine.py")
    program = ("-c", f"import runpy; runpy.run_path('{path}', run_name='__main__')")
    done = run_app(folder, program=program, functions="local")
    # cdk-nag's rules are part of the synthesis.
    assert done.returncode == 0, done.stdout + done.stderr
    return Assembly(folder, "dev")


@pytest.fixture(scope="module")
def second(both: Assembly) -> Machine:
    """The second one."""
    _, found = machines(both)
    return found


def by_role(assembly: Assembly, role: str, action: str) -> list[str]:
    """The resources that a role may do something to."""
    return [
        resource
        for each in permissions.policies(assembly)[role]
        if action in as_list(each["Action"])
        for resource in as_list(each["Resource"])
    ]


def test_the_first_machine_is_as_it_was_alone(both: Assembly, dev: Assembly) -> None:
    """Definition and properties: two machines share functions, and nothing else."""
    further = tuple(label for label in PIPELINES if label)
    for kind in (MACHINE, "AWS::IAM::Role", "AWS::Lambda::Function"):
        for name, properties in dev.resources(kind).items():
            if name.startswith(further):
                continue
            assert both.resources(kind)[name] == properties
    assert permissions.policies(both)["MachineRole"] == permissions.policies(dev)["MachineRole"]


def test_the_second_machine_breaks_no_rule(second: Machine) -> None:
    """The same rules as for the first."""
    assert [str(each) for each in definition.findings(second)] == []


def test_its_run_goes_on_where_the_composition_says(second: Machine) -> None:
    """With what failed, since what was before it survives the clean-up: the data, the plan."""
    where = second.states()["Where did it fail?"]
    ways = [
        (choice["Condition"].rpartition("'")[0].rpartition("'")[2], choice["Next"])
        for choice in where["Choices"]
    ]
    assert ways == [
        ("Plan the run", "Plan the run"),
        ("Prepare the data", "Which engine?"),
        ("Clean up", "Clean up"),
    ]
    kept = {
        catch["Assign"]["again_from"]
        for state in second.states().values()
        for catch in state.get("Catch", [])
        if "again_from" in catch.get("Assign", {})
    }
    assert kept == {name for name, _ in ways}


def test_it_knows_the_variables_and_output_of_its_own_steps_only(second: Machine) -> None:
    """What it neither trains nor serves is not in its words."""
    states = second.states()
    assigned = states["Plan the run"]["Assign"]
    assert assigned.keys() == {"plan", "prepared_by", "prepare_tries", "finished"}
    output = states["Sum up"]["Assign"]["output"]
    assert output.keys() == {"run", "preparation", "data"}
    assert output["run"].keys() == {"id", "execution", "started_at"}
    assert states["Finish"]["Next"] == "Done"


def test_its_role_may_what_its_states_do_only(both: Assembly) -> None:
    """It makes processing jobs; a model, or the test of one, is not its business."""
    role = "PreparingMachineRole"
    made = {
        action
        for each in permissions.policies(both)[role]
        for action in as_list(each["Action"])
        if action.startswith(("sagemaker:Create", "lambda:"))
    }
    assert made == {"sagemaker:CreateProcessingJob", "lambda:InvokeFunction"}
    invoked = by_role(both, role, "lambda:InvokeFunction")
    assert {arn.rpartition(":")[2] for arn in invoked} == {"CleanUp", "Plan", "Prepare"}


def test_each_machine_has_its_log_output_and_alarms(both: Assembly) -> None:
    """Named by its label; the first without one."""
    groups = both.resources("AWS::Logs::LogGroup")
    assert {groups[f"{label}MachineLog"]["LogGroupName"] for label in ("", "Preparing")} == {
        "/aws/vendedlogs/states/spine-dev",
        "/aws/vendedlogs/states/spine-dev-preparing",
    }
    assert {"StateMachineArn", "PreparingStateMachineArn"} <= both.templates["pipeline"][
        "Outputs"
    ].keys()
    alarms: dict[str, Any] = {
        name: each.get("Dimensions")
        for name, each in both.resources("AWS::CloudWatch::Alarm").items()
    }
    for name in ("RunFailed", "RunTimedOut"):
        watched = [alarms[label + name][0]["Value"] for label in ("", "Preparing")]
        assert watched == ARNS


def test_the_sweeper_cleans_up_after_all_and_files_start_the_first(both: Assembly) -> None:
    """An aborted run of either is told to it, and it may ask whether either's still runs."""
    rules = both.resources("AWS::Events::Rule")
    ended = rules["RunEndedBadly"]["EventPattern"]["detail"]
    assert ended["stateMachineArn"] == ARNS
    asked = by_role(both, "SweepRole", "states:DescribeExecution")
    assert [arn.partition("execution:")[2] for arn in asked] == [
        "spine-dev-preparing:*",
        "spine-dev:*",
    ]
    assert by_role(both, "StartRole", "states:StartExecution") == ARNS[:1]


def test_the_removal_stops_the_runs_of_each(both: Assembly) -> None:
    """By one function; then the machines go, then what their runs left."""
    stopped = {each["StateMachineArn"] for each in both.resources("Custom::SpineRunning").values()}
    assert stopped == set(ARNS)
    assert sorted(by_role(both, "StopRole", "states:ListExecutions")) == ARNS
    raw = both.templates["pipeline"]["Resources"].values()
    for machine in (each for each in raw if each["Type"] == MACHINE):
        assert any(name.startswith("Leftovers") for name in machine["DependsOn"])
