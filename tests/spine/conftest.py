"""A cloud for the commands, and a home of their own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from localcloud import Conditions
from spine import session
from spine.app import app
from tests.spine import fakes

Spine = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state directory of this test."""
    place = tmp_path / "home"
    place.mkdir()
    monkeypatch.setenv("SPINE_HOME", str(place))
    monkeypatch.delenv("SPINE_DEBUG", raising=False)
    return place


@pytest.fixture
def cloud(home: Path, monkeypatch: pytest.MonkeyPatch) -> fakes.Cloud:
    """A running cloud with nothing deployed; `localcloud` finds, stops and deploys to it."""
    fake = fakes.Cloud()
    running = [fake]

    def deploy(target: object, *, on_output: Callable[[str], None], **_: Any) -> None:
        assert target is fake
        on_output("spine-dev-storage | 3/9 | 10:00:00 | CREATE_COMPLETE | AWS::S3::Bucket | Data")
        fake.formation.deployed += 1

    def destroy(target: object, **_: Any) -> None:
        assert target is fake
        fake.formation.deployed = 0

    def stop(_: Path) -> bool:
        found = bool(running)
        running.clear()
        return found

    def start(_: Path, *, conditions: Conditions | None = None, **__: Any) -> fakes.Cloud:
        fake.conditions = conditions.shown() if conditions else ()
        running[:] = [fake]
        return fake

    monkeypatch.setattr("localcloud.running", lambda _: running[0] if running else None)
    monkeypatch.setattr("localcloud.start", start)
    monkeypatch.setattr("localcloud.stop", stop)
    monkeypatch.setattr("localcloud.deploy", deploy)
    monkeypatch.setattr("localcloud.destroy", destroy)
    monkeypatch.setattr(session, "_need_cdk", lambda: None)
    monkeypatch.setattr("spine.run._POLL_SECONDS", 0.001)
    return fake


@pytest.fixture
def spine(home: Path, monkeypatch: pytest.MonkeyPatch) -> Spine:
    """Call the command line; the result has `stdout`, `stderr` and `exit_code`."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERMINAL_WIDTH", "100")
    runner = CliRunner()

    def call(*arguments: str, stdin: str | None = None) -> Result:
        return runner.invoke(app, list(arguments), input=stdin)

    return call
