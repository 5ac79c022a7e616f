"""The recorded runs go every way that makes calls of its own."""

import json
from pathlib import Path

from gates.assembly import Assembly
from gates.machine import machines
from gates.recording import GIVEN_UP, normalized
from spine.shipped import load

kinds = load("common.kinds")


def test_a_run_is_given_up_with_one_of_every_kind_that_is_paid_for(assembly: Assembly) -> None:
    """In states that the definition has."""
    made = {name: kind for machine in machines(assembly) for name, _, kind in machine.creations()}
    assert {made[state].noun for state in GIVEN_UP} == {
        kind.noun for kind in kinds.KINDS if kind.billed
    }


def test_a_record_holds_no_name_of_the_moment(tmp_path: Path) -> None:
    """Runs, executions, assets and physical names are the same in every record, and once each."""
    run = "spine-dev-nightly-1a2b3c4d"
    calls = [
        {
            "role": "spine-dev-pipeline-MachineRole-X1",
            "action": "sagemaker:StopTrainingJob",
            "resource": f"arn:aws:sagemaker:us-east-1:000000000000:training-job/{run}-0-{attempt}",
            "context": {"sagemaker:TaggingAction": "x", "aws:userid": "changes"},
            "allowed": True,
        }
        for attempt in (0, 0)
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
    assert stop["resource"].endswith(":training-job/spine-dev-run-0-0")
    assert redrive["resource"].endswith(":execution:Weekly:name")
