"""The gate of updates: what CloudFormation would refuse, or lose, is found before."""

import json
from pathlib import Path
from typing import Any

import pytest

from gates import updates
from gates.assembly import Assembly
from stacks.settings import Settings

QUEUE: dict[str, Any] = {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 30}}
MACHINE = {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"RoleArn": "arn:role"}}


def export(name: str, value: Any) -> dict[str, Any]:
    """An output that another stack may import."""
    return {name: {"Value": value, "Export": {"Name": f"giver:{name}"}}}


def app(folder: Path, resources: dict[str, Any], outputs: dict[str, Any]) -> Assembly:
    """A stack that gives, and one whose alarm takes what there is of queue and machine."""
    taken = [{"Fn::ImportValue": f"giver:{name}"} for name in ("Queue", "Machine")]
    alarm = {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "Dimensions": [
                {"Value": each}
                for each in taken
                if each["Fn::ImportValue"].removeprefix("giver:") in outputs
            ],
        },
    }
    folder.mkdir()
    for room, template in {
        "giver": {"Resources": resources, "Outputs": outputs},
        "taker": {"Resources": {"Alarm": alarm}},
    }.items():
        (folder / f"spine-dev-{room}.template.json").write_text(json.dumps(template))
    return Assembly(folder)


RESOURCES = {"Queue": QUEUE, "Machine": MACHINE}
OUTPUTS = {
    **export("Queue", {"Fn::GetAtt": ["Queue", "QueueName"]}),
    **export("Machine", {"Ref": "Machine"}),
}


@pytest.fixture
def before(tmp_path: Path) -> Assembly:
    """What is deployed."""
    return app(tmp_path / "before", RESOURCES, OUTPUTS)


def test_what_changes_in_place_is_no_problem(before: Assembly, tmp_path: Path) -> None:
    """Nor is what is added, in a stack or as an export."""
    queue = {**QUEUE, "Properties": {"VisibilityTimeout": 60, "KmsMasterKeyId": "key"}}
    after = app(
        tmp_path / "after",
        {**RESOURCES, "Queue": queue, "Other": QUEUE},
        {**OUTPUTS, **export("Other", {"Ref": "Other"})},
    )
    assert updates.between(before, after) == []


def test_an_export_that_is_imported_must_not_go(before: Assembly, tmp_path: Path) -> None:
    """Even if nothing imports it after the update: the stack that gives it is updated first."""
    outputs = {name: each for name, each in OUTPUTS.items() if name != "Queue"}
    after = app(tmp_path / "after", RESOURCES, outputs)
    (problem,) = updates.between(before, after)
    assert problem == "giver: the export giver:Queue goes, and taker imports it"


def test_an_export_that_is_imported_must_not_change(before: Assembly, tmp_path: Path) -> None:
    """A name of another resource is another value."""
    outputs = {**OUTPUTS, **export("Queue", {"Fn::GetAtt": ["Other", "QueueName"]})}
    after = app(tmp_path / "after", {**RESOURCES, "Other": QUEUE}, outputs)
    (problem,) = updates.between(before, after)
    assert problem == "giver: the export giver:Queue changes, and taker imports it"


def test_a_replaced_resource_changes_what_is_exported_of_it_and_loses_its_data(
    before: Assembly, tmp_path: Path
) -> None:
    """A name is such a property: a machine that gets one is another machine."""
    named = {**MACHINE, "Properties": {"RoleArn": "arn:role", "StateMachineName": "spine-dev"}}
    after = app(tmp_path / "after", {**RESOURCES, "Machine": named}, OUTPUTS)
    assert updates.between(before, after) == [
        "giver: the export giver:Machine changes, and taker imports it",
        (
            "giver: Machine (AWS::StepFunctions::StateMachine) is replaced"
            " for its StateMachineName, and it holds data"
        ),
    ]


def test_what_is_made_from_a_replaced_resource_is_told_by_it(
    before: Assembly, tmp_path: Path
) -> None:
    """Where the exported value itself reads the same before and after."""
    fifo = {**QUEUE, "Properties": {"FifoQueue": True}}
    after = app(tmp_path / "after", {**RESOURCES, "Queue": fifo}, OUTPUTS)
    assert updates.between(before, after) == [
        (
            "giver: the export giver:Queue changes, and taker imports it:"
            " Queue is replaced for its FifoQueue"
        ),
        "giver: Queue (AWS::SQS::Queue) is replaced for its FifoQueue, and it holds data",
    ]


@pytest.mark.parametrize("kind", ["AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key"])
def test_what_holds_data_must_not_be_deleted(tmp_path: Path, kind: str) -> None:
    """Whatever else is deleted makes no difference to anybody."""
    resources = {"Kept": {"Type": kind}, "Rule": {"Type": "AWS::Events::Rule"}}
    before = app(tmp_path / "before", {**RESOURCES, **resources}, OUTPUTS)
    after = app(tmp_path / "after", RESOURCES, OUTPUTS)
    (problem,) = updates.between(before, after)
    assert problem == f"giver: Kept ({kind}) is deleted, and it holds data"


def test_every_setting_is_changed() -> None:
    """A setting that is added gets its row, and each row is a change."""
    names = [name for toggle in updates.TOGGLES.values() for name in toggle]
    assert {*names, *updates.NOT_CHANGED} == set(Settings.model_fields)
    defaults = Settings(removal="destroy", run_retention_days=30, log_retention_days=14)
    for toggle in updates.TOGGLES.values():
        changed = Settings.model_validate({**defaults.model_dump(), **toggle})
        assert all(getattr(changed, name) != getattr(defaults, name) for name in toggle)


@pytest.fixture
def synthesized(
    before: Assembly, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Assembly]:
    """What each variant is; the last release is the defaults, unless a test says another."""
    found = dict.fromkeys(("the defaults", "every setting", *updates.TOGGLES), before)
    monkeypatch.setattr(updates, "RELEASED", before.folder)
    monkeypatch.setattr(updates, "ACKNOWLEDGED", {})
    monkeypatch.setattr(
        updates, "synthesize_all", lambda _, asked: {name: found[name] for name in asked}
    )
    return found


def test_the_setting_that_breaks_an_update_is_named(
    synthesized: dict[str, Assembly], tmp_path: Path
) -> None:
    """In either direction; those that break nothing are not."""
    assert updates.problems(tmp_path) == []
    outputs = {name: each for name, each in OUTPUTS.items() if name != "Queue"}
    without = app(tmp_path / "without", {"Machine": MACHINE}, outputs)
    synthesized |= {"every setting": without, "incoming": without}
    assert updates.problems(tmp_path) == [
        "incoming changed: giver: the export giver:Queue goes, and taker imports it",
        "incoming changed: giver: Queue (AWS::SQS::Queue) is deleted, and it holds data",
    ]


def test_what_the_last_release_is_known_to_break_is_acknowledged_once(
    synthesized: dict[str, Assembly], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An acknowledgement that has become untrue is a problem itself."""
    outputs = {name: each for name, each in OUTPUTS.items() if name != "Queue"}
    after = app(tmp_path / "x", {"Machine": MACHINE}, outputs)
    synthesized |= dict.fromkeys(synthesized, after)
    assert len(updates.problems(tmp_path)) == 2
    known = {"giver: Queue (AWS::SQS": "Empty it.", "giver: the export giver:Queue go": "Wait."}
    monkeypatch.setattr(updates, "ACKNOWLEDGED", known)
    assert updates.problems(tmp_path) == []
    monkeypatch.setattr(updates, "ACKNOWLEDGED", {**known, "giver: Rule": "Old."})
    (problem,) = updates.problems(tmp_path)
    assert "'giver: Rule' is no problem any more" in problem


def test_the_templates_of_the_last_release_are_kept() -> None:
    """One for each stack, with what stands in it and no more."""
    released = Assembly(updates.RELEASED)
    assert released.rooms == ["monitoring", "pipeline", "storage", "triggers"]
    for template in released.templates.values():
        assert template["Resources"]
        assert all("Metadata" not in each for each in template["Resources"].values())
