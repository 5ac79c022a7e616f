"""An app may hold any number of state machines, in any number of stacks."""

import copy
from dataclasses import replace

import pytest

from gates import definition, permissions
from gates.assembly import Assembly, names
from gates.machine import machines


@pytest.fixture
def doubled(assembly: Assembly) -> Assembly:
    """The app with its pipeline's stack twice."""
    again = replace(assembly)
    templates = copy.deepcopy(assembly.templates)
    templates["retraining"] = copy.deepcopy(templates["pipeline"])
    del templates["retraining"]["Outputs"]
    # What cached properties keep: the copy reads these instead of the files.
    again.__dict__.update(templates=templates, rooms=sorted(templates))
    return again


def test_a_resource_is_called_by_its_logical_id_unless_two_stacks_have_it() -> None:
    """Without CDK's hash, which depends on nothing a person sees."""
    kinds = ("AWS::IAM::Role", "AWS::IAM::Policy")
    assert names(
        [
            ("a", kinds[0], "Role0A1B2C3D"),
            ("b", kinds[0], "Role99999999"),
            ("b", kinds[1], "Role88888888"),
            ("b", kinds[0], "Other77777777"),
        ]
    ) == {
        ("a", "Role0A1B2C3D"): "a-Role",
        ("b", "Role99999999"): "b-Role",
        ("b", "Role88888888"): "Role",
        ("b", "Other77777777"): "Other",
    }


def test_every_machine_is_held_to_the_rules_and_named(doubled: Assembly) -> None:
    """A finding says in which machine it is."""
    assert {each.name for each in machines(doubled)} == {"pipeline-Machine", "retraining-Machine"}
    assert definition.problems(doubled) == []
    properties = next(
        each["Properties"]
        for each in doubled.templates["retraining"]["Resources"].values()
        if each["Type"] == "AWS::StepFunctions::StateMachine"
    )
    properties["LoggingConfiguration"]["Level"] = "ERROR"
    (problem,) = definition.problems(doubled)
    assert problem.startswith("logs: retraining-Machine: -: ")


def test_roles_of_the_same_construct_in_two_stacks_are_told_apart(doubled: Assembly) -> None:
    """What one may do is not taken for what the other may do."""
    documents = permissions.policies(doubled)
    assert documents["pipeline-PlanRole"]
    assert len(documents["pipeline-PlanRole"]) == len(documents["retraining-PlanRole"])
    assert "PlanRole" not in documents
    passed = str(documents["retraining-MachineRole"])
    assert "function:retraining-Plan" in passed
    assert "function:pipeline-Plan" not in passed
