"""The commands: what each takes, its help, and what it prints."""

import json
import os
import subprocess
import sys
import tomllib

import pytest

from spine.app import app
from tests.spine import fakes
from tests.spine.conftest import Spine
from tests.support import ROOT


def test_help_teaches_every_command(spine: Spine) -> None:
    """Each command is listed, and each has a help of its own."""
    shown = spine("--help").stdout
    for command in app.registered_commands:
        assert command.callback is not None
        name = command.name or command.callback.__name__
        assert f" {name} " in shown
        assert spine(name, "--help").exit_code == 0
    assert "Examples" in spine("run", "--help").stdout


def test_the_version_is_that_of_the_project(spine: Spine) -> None:
    """`spine --version` prints what pyproject.toml says, needs no command, and runs none."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    result = spine("--version")
    assert result.exit_code == 0
    assert result.stdout == f"spine {project['version']}\n"


@pytest.mark.process
def test_help_loads_neither_boto3_nor_the_cloud() -> None:
    """The help is there at once: nothing heavy is imported for it."""
    code = (
        "import sys; from spine.app import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(bool({'boto3', 'botocore', 'ministack', 'localcloud'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0


def test_up_says_where_the_cloud_is(cloud: fakes.Cloud, spine: Spine) -> None:
    """The address and how to use it from other tools."""
    shown = spine("up").stdout
    assert cloud.endpoint_url in shown
    assert "spine env" in shown


def test_up_starts_the_cloud_under_the_conditions_asked_for(
    cloud: fakes.Cloud, spine: Spine
) -> None:
    """Quotas, throttling, lag and delays reach the cloud, and status shows what is switched on."""
    spine("down")
    asked = ("--quota=ml.m5.large/endpoint=0", "--delay=training=2", "--throttle=3")
    others = ("--concurrent-jobs=1", "--allow-origin=http://localhost:3000")
    result = spine("up", *asked, *others)
    assert result.exit_code == 0
    assert cloud.conditions == (*asked, *others)
    shown = spine("status").stdout
    assert "with --quota=ml.m5.large/endpoint=0 --delay=training=2 --throttle=3" in shown
    assert json.loads(spine("status", "--json").stdout)["cloud"]["conditions"] == list(
        cloud.conditions
    )


@pytest.mark.process
def test_env_can_be_evaluated_by_a_shell(cloud: fakes.Cloud, spine: Spine) -> None:
    """The variables reach a shell as they are, and what leads to a real account is taken out."""
    script = f"AWS_PROFILE=mine\n{spine('env').stdout}\nenv"
    done = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert f"AWS_ENDPOINT_URL={cloud.endpoint_url}" in done.stdout.splitlines()
    assert "AWS_ACCESS_KEY_ID=it's a test" in done.stdout.splitlines()
    assert "AWS_PROFILE" not in done.stdout


def test_env_as_json_and_taken_back(cloud: fakes.Cloud, spine: Spine) -> None:
    """Programs get JSON; --unset works without a cloud."""
    assert json.loads(spine("env", "--json").stdout) == cloud.environment()
    spine("down")
    assert spine("env", "--unset").stdout.startswith("unset AWS_")


def test_debug_shows_the_traceback(
    cloud: fakes.Cloud, spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPINE_DEBUG=1 lets the error through as it is."""
    monkeypatch.setenv("SPINE_DEBUG", "1")
    spine("down")
    assert spine("env").exception.__class__.__name__ == "CloudNotRunningError"


@pytest.mark.process
def test_help_imports_nothing_that_takes_long() -> None:
    """What a person asks for first waits for none of the libraries that commands need."""
    ask = (
        "import sys\n"
        "from spine import main\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    print(*sys.modules, file=sys.stderr)\n"
    )
    asked = subprocess.run(
        [sys.executable, "-c", ask, "--help"], capture_output=True, text=True, check=True
    )
    assert "spine" in asked.stdout
    slow = {"boto3", "botocore", "ministack", "moto", "numpy", "pyarrow", "xgboost", "aws_cdk"}
    assert slow.isdisjoint(asked.stderr.split())
