"""The recorded runs go every way that makes calls of its own."""

import json
from pathlib import Path

import pytest

from gates.assembly import Assembly
from gates.machine import machines
from gates.recording import GIVEN_UP, RUNS, normalized, runs_of
from spine.shipped import load
from stacks.pipelines import PIPELINES

kinds = load("common.kinds")


def test_a_run_is_given_up_with_one_of_every_kind_that_is_paid_for(assembly: Assembly) -> None:
    """In states that the definition has."""
    made = {name: kind for machine in machines(assembly) for name, _, kind in machine.creations()}
    assert {made[state].noun for state in GIVEN_UP} == {
        kind.noun for kind in kinds.KINDS if kind.billed
    }


def test_every_pipeline_has_runs_that_are_recorded() -> None:
    """A row each, by the label of its machine, and no row of one that is gone."""
    assert RUNS.keys() == PIPELINES.keys()


def test_a_machine_without_recorded_runs_is_told() -> None:
    """Those with a row are run; one without ends the recording, with its label and what to do."""
    assert runs_of(dict.fromkeys(RUNS, "arn")) == [(runs, "arn") for runs in RUNS.values()]
    with pytest.raises(RuntimeError, match=r"pipeline Absent: give it a row in RUNS"):
        runs_of(dict.fromkeys([*RUNS, "Absent"], "arn"))


def test_a_record_holds_no_name_of_the_moment(tmp_path: Path) -> None:
    """Runs, executions, assets and physical names are the same in every record, and once each."""
    run = "spine-dev-nightly-1a2b3c4d"
    calls = [
        {
            "role": "spine-dev-pipeline-MachineRole-X1",
            "action": "sagemaker:StopTrainingJob",
            "resource": f"arn:aws:sagemaker:us-east-1:000000000000:training-job/{run}-{moment}",
            "context": {"sagemaker:TaggingAction": "x", "aws:userid": "changes"},
            "allowed": True,
        }
        for moment in ("0000001", "00c0ysq")
    ] + [
        {
            "role": "spine-dev-pipeline-MachineRole-X1",
            "action": "states:RedriveExecution",
            "resource": "arn:aws:states:us-east-1:000000000000:execution:spine-dev-Weekly:nightly",
            "context": {},
            "allowed": True,
        },
        {"role": "cdk-role", "action": "x", "resource": "*", "context": {}, "allowed": True},
    ]
    record = tmp_path / "iam.jsonl"
    record.write_text("".join(json.dumps(call) + "\n" for call in calls))
    known = {"spine-dev-pipeline-MachineRole-X1": "MachineRole", "spine-dev-Weekly": "Weekly"}
    stop, redrive = normalized(record, known)
    assert (stop["role"], stop["context"]) == ("MachineRole", {"sagemaker:TaggingAction": "x"})
    assert stop["resource"].endswith(":training-job/spine-dev-run-moment")
    assert redrive["resource"].endswith(":execution:Weekly:name")
