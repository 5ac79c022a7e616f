"""The README tells the truth: its commands work, its picture and its defaults are the real ones."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from spine.shipped import load
from tests.e2e.conftest import Deployment
from tests.support import ROOT, SAMPLE, image_versions

pytestmark = pytest.mark.e2e

README = (ROOT / "README.md").read_text()
GUIDE = (ROOT / "docs" / "guide.fr.md").read_text()


def commands(text: str, program: str) -> list[str]:
    """The lines of console blocks that run a program, without their comments."""
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith(program)]


def test_the_commands_of_the_command_line_work(app: Deployment, tmp_path: Path) -> None:
    """Each `spine` line of the README and the guide, in order, on a cloud where nothing is kept."""
    table = tmp_path / "my.csv"
    rows = [f"{number},{number % 7},{'yes' if number % 3 else 'no'}" for number in range(120)]
    table.write_text("\n".join(["age,dose,outcome", *rows]))
    lines = commands(README, ".venv/bin/spine") + commands(GUIDE, ".venv/bin/spine")
    assert len(lines) >= 8
    for line in lines:
        words = shlex.split(line)[1:]
        if words == ["down"]:
            continue  # the shared cloud goes on; stopping it is tested where it ends
        if words[0] in ("run", "inspect"):
            words = _offline(words, table)
        done = app.spine(*words)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        if words[0] == "predict":
            _sweep_kept(app)


def _offline(words: list[str], table: Path) -> list[str]:
    """The same run on files of this test: nothing here may reach for UCI."""
    if words[0] == "run" and "--source" not in words:
        return [*words, "--source", str(SAMPLE)]
    named = {"diagnostic": "outcome", "malade": "yes"}
    places = {".csv": table, "input.json": table.with_name("input.json")}
    words = [
        next((str(place) for end, place in places.items() if word.endswith(end)), word)
        for word in words
    ]
    return [re.sub("|".join(named), lambda found: named[found[0]], word) for word in words]


def _sweep_kept(app: Deployment) -> None:
    sagemaker = app.cloud.client("sagemaker")
    for name in app.left().get("endpoints", []):
        sagemaker.delete_endpoint(EndpointName=name)
        sagemaker.get_waiter("endpoint_deleted").wait(
            EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )
        sagemaker.delete_endpoint_config(EndpointConfigName=name)


def test_the_targets_of_make_exist() -> None:
    """`make` would run each target that the README names."""
    named = {line.split()[1] for line in commands(README, "make ")}
    named |= {line.split("make ")[1] for line in commands(README, "npm ci")}
    assert {"run", "test", "bundle"} <= named
    for target in named:
        done = subprocess.run(["make", "-n", target], cwd=ROOT, check=False, capture_output=True)
        assert done.returncode == 0, target


def test_the_picture_shows_the_states_of_the_machine(app: Deployment) -> None:
    """No state is missing from the drawing, and none in it has been renamed."""
    found = app.cloud.client("stepfunctions").describe_state_machine(stateMachineArn=app.machine)
    definition = json.loads(found["definition"])
    states = set(definition["States"]) - {"Serve and score"}
    for branch in definition["States"]["Serve and score"]["Branches"]:
        states |= set(branch["States"])
    (picture,) = re.findall(r"```mermaid\n(.*?)```", README, re.DOTALL)
    drawn = set(re.findall(r'[\[{]"([^"]+)"[\]}]', picture)) - {"Serve and score"}
    # How a creation is repeated or adopted, a branch fails, and a redrive goes on, would hide the
    # way of a good run.
    left_out = re.compile(
        r".* again\?|Wait to .*|Whose is the .*|This run's .*|Another's .*|Redriven and swept\?"
        r"|Endpoint swept\?|Model swept meanwhile\?|Finished already\?|Run failed for good"
        "|Batch failed|Endpoint not in service"
    )
    assert drawn == {state for state in states if not left_out.fullmatch(state)}


def test_the_execution_input_shown_is_the_default() -> None:
    """The JSON of the README is what `{}` means, and no field is left out."""
    (shown,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    rules = load("plan.rules").Rules(
        bucket="spine",
        hosts=frozenset({"archive.ics.uci.edu"}),
        buckets=frozenset(),
        instances=load("plan.instances").known(),
        allowed=frozenset({"ml.m5.large", "ml.m5.xlarge"}),
        versions=image_versions(),
    )

    engines = load("plan.engines")
    source = engines.Source(uri="https://x/rows.zip", size=9000)

    def planned(given: object) -> dict[str, object]:
        parsed = load("plan.execution_input").parse(given, rules)
        plan: dict[str, object] = load("plan.plan").build(
            parsed,
            preparation=engines.choose(
                parsed.preparation, lambda: source, training_instances=1, spark=True
            ),
            execution_arn="arn:aws:states:eu-west-1:111122223333:execution:spine:x",
            execution_name="x",
            started_at="2026-01-01T00:00:00Z",
            bucket="spine",
            name_prefix="spine-dev",
        )
        return plan

    given, default = planned(json.loads(shown)), planned({})
    # A source that is given, even the default one, is not held to the pinned hash.
    assert given.pop("source") == {**dict(default.pop("source")), "sha256": None}  # type: ignore[call-overload]
    assert given == default
