"""The table of what runs make: every room does its part for every row, also for a new one."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gates import permissions
from gates.assembly import ROOT, Assembly
from gates.definition import findings
from gates.machine import Machine, machines
from spine import failure, logs
from spine.history import State, Status
from spine.shipped import load
from stacks.steps.clean_up import cleaning
from tests.fake_sagemaker import FakeSageMaker, FakeStepFunctions
from tests.leftovers import LONGEST_RUN, PREFIX, arn, backoff, base
from tests.reliability.virtual import Story
from tests.reliability.world import Faults

kinds = load("common.kinds")
names = load("common.names")
removal = load("cleanup.removal")
sweep = load("cleanup.sweep")

TRAINING = kinds.of_action("createTrainingJob")
# No row that exists: a job with short names, and something that is deleted.
JOB = replace(TRAINING, noun="SimulationJob", items="SimulationJobSummaries", longest_name=32)
CONFIG = kinds.Kind(noun="SimulationConfig", items="SimulationConfigs", longest_name=32)
TAGS = {"run": names.run_id_of(arn("one")), "execution": arn("one"), "stage": "dev"}


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table with two rows more."""
    *others, model = kinds.KINDS
    monkeypatch.setattr(kinds, "KINDS", (JOB, *others, CONFIG, model))


# Every row


every_kind = pytest.mark.parametrize("kind", kinds.KINDS, ids=lambda kind: kind.noun)


@every_kind
def test_iam_knows_the_kind_and_its_actions_by_these_names(kind: Any) -> None:
    """By its own lists: what a policy says of an unknown one is allowed to nobody."""
    data = ROOT / "gates" / "node_modules" / "@cloud-copilot" / "iam-data" / "data"
    types = json.loads((data / "resourceTypes" / "sagemaker.json").read_text())
    actions = json.loads((data / "actions" / "sagemaker.json").read_text())
    assert kind.resource_type in types
    for verb in ("Create", "Describe", kind.ending):
        action = actions[kind.operation(verb).lower()]
        assert kind.resource_type in {each["name"] for each in action["resourceTypes"]}
    assert actions[kind.operation("List").lower()]["resourceTypes"] == []
    conditions = actions[kind.operation("Create").lower()]["conditionKeys"]
    assert ("sagemaker:InstanceTypes" in conditions) == bool(kind.instance_types)
    for column, condition in (
        (kind.network_isolation, "sagemaker:NetworkIsolation"),
        (kind.traffic_encryption, "sagemaker:InterContainerTrafficEncryption"),
        (kind.vpc, "sagemaker:VpcSubnets"),
    ):
        assert condition in conditions or column is None


@every_kind
def test_a_machine_makes_it_and_its_role_may(assembly: Assembly, kind: Any) -> None:
    """Recorded runs made one, and ended one before its time or swept it."""
    assert kind in {each for machine in machines(assembly) for _, _, each in machine.creations()}
    recorded = {(call["role"], call["action"]) for call in permissions.recorded()}
    assert ("MachineRole", f"sagemaker:{kind.operation('Create')}") in recorded
    assert {role for role, action in recorded if action.endswith(f":{kind.operation('List')}")} >= {
        "CleanUpRole",
        "SweepRole",
        "TearDownRole",
    }
    assert any(action.endswith(f":{kind.operation(kind.ending)}") for _, action in recorded)


@every_kind
def test_the_functions_that_clean_up_may_find_and_end_it(assembly: Assembly, kind: Any) -> None:
    """Each of the three, with what is called after this stage."""
    granted = {(grant.role, grant.action) for grant in permissions.grants(assembly)}
    for role in ("CleanUpRole", "SweepRole", "TearDownRole"):
        for action in (kind.operation("List"), kind.operation(kind.ending), "ListTags"):
            assert (role, f"sagemaker:{action}") in granted


@every_kind
def test_the_command_line_finds_the_log_of_what_a_state_started(kind: Any) -> None:
    """In the folder of its kind; a failed job is what logs are shown of."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    sync = ".sync" if kind.events_rule else ""
    state = State(
        name="Make it",
        kind="Task",
        status=Status.FAILED,
        started=moment,
        ended=moment,
        done_seconds=0.0,
        running_since=None,
        resource=f"sagemaker:{kind.action}{sync}",
        parameters={kind.name_member: "spine-dev-x"},
    )
    assert logs._started(state) == (kind.resource_type, "spine-dev-x")
    assert failure.job_name(state) == ("spine-dev-x" if kind.is_job else None)


# A row more


@pytest.mark.usefixtures("table")
def test_a_new_kind_is_found_by_its_short_name_and_swept() -> None:
    """Its job is stopped and what is left deleted, when its execution has ended."""
    sagemaker = FakeSageMaker()
    start = names.fitting(base("one"), 32)
    sagemaker.add("simulation-job", f"{start}-0-3", status="InProgress", **TAGS)
    sagemaker.add("simulation-job", f"{start}-0-4", status="InProgress", run="another")
    sagemaker.add("simulation-config", start, **TAGS)
    done = sweep.sweep(
        sagemaker,
        FakeStepFunctions({arn("one"): "FAILED"}),
        PREFIX,
        scope=None,
        longest_run=LONGEST_RUN,
        now=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        backoff=backoff(sagemaker, 60),
    )
    (removed,) = done["removed"]
    assert removed["run"] == base("one")
    assert removed["stopped_jobs"] == [f"{start}-0-3"]
    assert removed["deleted"]["simulation_configs"] == [start]
    assert sagemaker.left() == {f"{start}-0-4"}


@pytest.mark.usefixtures("table")
def test_the_state_machines_own_clean_up_ends_a_new_kind_too() -> None:
    """Under the name of the run alone."""
    sagemaker = FakeSageMaker()
    start = names.fitting(base("one"), 32)
    sagemaker.add("simulation-job", f"{start}-0-0", status="InProgress", **TAGS)
    sagemaker.add("simulation-config", start, **TAGS)
    removal.remove(sagemaker, base("one"), models=False, backoff=backoff(sagemaker, 60))
    assert sagemaker.calls == [
        ("StopSimulationJob", f"{start}-0-0"),
        ("DeleteSimulationConfig", start),
    ]


@pytest.mark.usefixtures("table")
def test_cleaning_a_new_kind_up_is_permitted() -> None:
    """To those who clean up: finding it, its tags, and its end."""

    class Stack:
        class settings:  # noqa: N801 (stands in for an attribute)
            prefix = PREFIX

        def arns(self, service: str, *resources: str) -> list[str]:
            return [f"{service}:{resource}" for resource in resources]

    stack: Any = Stack()
    granted = {(action, each.on[0]) for each in cleaning(stack) for action in each.actions}
    assert {
        ("sagemaker:ListSimulationJobs", "*"),
        ("sagemaker:ListTags", "sagemaker:simulation-job/spine-dev-*"),
        ("sagemaker:StopSimulationJob", "sagemaker:simulation-job/spine-dev-*"),
        ("sagemaker:DeleteSimulationConfig", "sagemaker:simulation-config/spine-dev-*"),
    } <= granted


def simulating(assembly: Assembly) -> Machine:
    """The pipeline's machine with a job of the new kind in the place of training."""
    machine = next(each for each in machines(assembly) if each.name == "Machine")
    made = replace(machine, definition=copy.deepcopy(machine.definition))
    task = made.states()["Train the model"]
    task["Resource"] = "arn:aws:states:::sagemaker:createSimulationJob.sync"
    name = task["Arguments"].pop("TrainingJobName")
    task["Arguments"]["SimulationJobName"] = name.replace("run.name", "run.short_name")
    return made


def broken(machine: Machine) -> set[str]:
    """The rules that find something."""
    return {each.rule.name for each in findings(machine)}


def test_a_kind_that_the_table_does_not_know_is_refused(assembly: Assembly) -> None:
    """It would be found by nobody, and its clean-up with it."""
    assert "kinds" in broken(simulating(assembly))


_MUTANTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "tags": lambda task: task["Arguments"]["Tags"].pop(),
    "stopping-condition": lambda task: task["Arguments"].pop("StoppingCondition"),
    "timeout-above-runtime": lambda task: task.update(TimeoutSeconds=60),
    "task-timeout": lambda task: task.pop("TimeoutSeconds"),
    "unique-job-names": lambda task: task["Arguments"].update(
        SimulationJobName="{% $plan.run.short_name %}"
    ),
    "sync": lambda task: task.update(Resource=task["Resource"].removesuffix(".sync")),
    "training-isolation": lambda task: task["Arguments"].pop("EnableNetworkIsolation"),
    "training-encryption": lambda task: task["Arguments"].pop(
        "EnableInterContainerTrafficEncryption"
    ),
    "own-image": lambda task: task["Arguments"].pop("AlgorithmSpecification"),
    "kms-everywhere": lambda task: task["Arguments"]["ResourceConfig"].update(
        VolumeKmsKeyId="arn:aws:kms:key"
    ),
    "vpc-everywhere": lambda task: task["Arguments"].update(VpcConfig={"Subnets": ["subnet-1"]}),
}


@pytest.mark.usefixtures("table")
def test_a_state_that_makes_a_new_kind_well_breaks_no_rule(assembly: Assembly) -> None:
    """Named, tagged, timed and isolated as its row says."""
    assert broken(simulating(assembly)) == set()


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("rule", _MUTANTS)
def test_a_state_that_makes_a_new_kind_badly_is_caught(assembly: Assembly, rule: str) -> None:
    """By the rule for it, as it would be for the kinds there are."""
    machine = simulating(assembly)
    _MUTANTS[rule](machine.states()["Train the model"])
    assert rule in broken(machine)


def lived(*, cleaned: bool) -> Story:
    """Sixty runs in virtual time, and whether anything cleans up after their bad endings."""
    odds = Faults() if cleaned else Faults(event_lost=1.0)
    story = Story(3, odds, sweeps=cleaned)
    for number in range(60):
        story.start(number, 30.0 * number)
    story.clock.run(8 * 3600)
    return story


@pytest.mark.slow
@pytest.mark.usefixtures("table")
def test_a_new_kind_is_made_and_removed_in_virtual_time() -> None:
    """What nobody cleans up stays, so that it counts; else jobs are stopped and nothing is left."""
    assert "simulation-config" in lived(cleaned=False).left()
    story = lived(cleaned=True)
    assert story.left() == {}
    assert story.world.delays["simulation-job"]
    assert story.world.delays["simulation-config"]
