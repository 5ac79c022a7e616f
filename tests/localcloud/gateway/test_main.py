"""The gateway's command line."""

import sys
from pathlib import Path

import pytest

from localcloud import Conditions
from localcloud.gateway import __main__ as command
from localcloud.gateway import server
from localcloud.gateway.server import Options


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Options]:
    """What the server is run with."""
    found: list[Options] = []
    monkeypatch.setattr(server, "run", found.append)
    return found


def test_by_default_a_plain_cloud_runs_on_a_free_port(
    started: list[Options], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the project's own SageMaker; a relative folder is the one that was meant."""
    monkeypatch.chdir(tmp_path)
    command.main(["--home", "state"])
    assert started == [
        Options(
            home=tmp_path.resolve() / "state",
            port=0,
            sagemaker=(sys.executable, "-m", "localcloud.sagemaker"),
            conditions=Conditions(),
        )
    ]


def test_everything_can_be_said(started: list[Options], tmp_path: Path) -> None:
    """Conditions as they are written down."""
    conditions = Conditions(throttle=3, quotas=("ml.m5.large/endpoint=0",))
    command.main(
        [
            f"--home={tmp_path}",
            "--port=4566",
            '--sagemaker=["python", "-m", "stub"]',
            f"--conditions={conditions.text()}",
        ]
    )
    (options,) = started
    assert (options.port, options.sagemaker) == (4566, ("python", "-m", "stub"))
    assert options.conditions == conditions


@pytest.mark.parametrize("wrong", [[], ["--home=x", "--port=http"], ["--home=x", "--sagemaker={"]])
def test_a_wrong_command_line_starts_nothing(started: list[Options], wrong: list[str]) -> None:
    """It is a mistake in what was typed."""
    with pytest.raises(SystemExit) as refused:
        command.main(wrong)
    assert refused.value.code == 2
    assert started == []
