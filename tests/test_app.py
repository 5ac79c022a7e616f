"""The app as a whole: synthesis is offline, deterministic, and passes the scanners."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gates.assembly import Assembly, run_app

ROOMS = ("storage", "pipeline", "triggers", "monitoring")
Synth = Callable[..., Assembly]


def test_the_same_input_gives_the_same_template(dev: Assembly, tmp_path: Path) -> None:
    """Nothing of the moment or the machine gets into a template."""
    done = run_app(tmp_path, functions="local")
    assert done.returncode == 0, done.stderr
    again = Assembly(tmp_path, "dev")
    assert all(again.text(room) == dev.text(room) for room in ROOMS)


@pytest.mark.process
def test_a_bad_setting_stops_the_synthesis_with_a_sentence(tmp_path: Path) -> None:
    """The last thing a person sees is the setting, not a stack trace of the CDK."""
    done = run_app(tmp_path, functions="local", xgboost_version="9.9-9")
    assert done.returncode != 0
    assert "xgboost_version: '9.9-9' is not a version" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.process
def test_what_cloudformation_would_refuse_stops_the_synthesis_of_the_gates(tmp_path: Path) -> None:
    """The CDK's own rules only warn by themselves; `make gates` applies them and fails."""
    program = """
import aws_cdk as cdk
from aws_cdk import aws_sqs as sqs

app = cdk.App()
sqs.CfnQueue(cdk.Stack(app, "Slow"), "Queue", delay_seconds=901)
app.synth()
"""
    done = run_app(tmp_path, program=("-c", program), validate=True)
    assert done.returncode != 0
    assert "DelaySeconds: 901 is greater than the maximum of 900" in done.stderr


def test_cfn_lint_finds_nothing(dev: Assembly, synth: Synth) -> None:
    """Both stages' templates, the definitions in them included, are valid CloudFormation."""
    # At once, since it reads the rules for as long as it applies them.
    folders = (dev.folder, synth(stage="prod").folder)
    templates = [str(path) for each in folders for path in sorted(each.glob("*.template.json"))]
    assert len(templates) == 2 * len(ROOMS)
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("cfn-lint")),
            "--regions",
            "eu-west-1",
            "--",
            *templates,
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
