"""The cloud and the app in it: brought up under conditions, deployed when sources changed."""

from pathlib import Path

import pytest

from localcloud import DeployError
from spine import session
from tests.spine import fakes
from tests.spine.conftest import Spine


def test_up_on_another_port_says_that_one_runs(cloud: fakes.Cloud, spine: Spine) -> None:
    """A running cloud does not move."""
    result = spine("up", "--port", "5000")
    assert result.exit_code == 1
    assert "spine down" in result.stderr


def test_a_running_cloud_does_not_change_its_conditions(cloud: fakes.Cloud, spine: Spine) -> None:
    """What it was not started with is refused with the remedy, what it was started with is not."""
    cloud.conditions = ("--throttle=3",)
    assert spine("up", "--throttle", "3").exit_code == 0
    result = spine("up", "--consistency-lag", "5")
    assert result.exit_code == 1
    assert "only with --throttle=3: not with --consistency-lag=5" in result.stderr
    assert "spine down" in result.stderr


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--quota", "ml.m5.large=2", "INSTANCE_TYPE/USE=COUNT"),
        ("--delay", "lunch=3600", "NAME=SECONDS"),
        ("--throttle", "0", "must be more than 0"),
        ("--consistency-lag", "inf", "must be more than 0"),
        ("--retry-delay", "0", "must be more than 0"),
        ("--allow-origin", "*", "http://localhost:3000"),
        ("--allow-origin", "null", "http://localhost:3000"),
        ("--allow-origin", "http://localhost:3000/", "http://localhost:3000"),
    ],
)
def test_a_malformed_condition_is_refused_before_the_start(
    cloud: fakes.Cloud, spine: Spine, option: str, value: str, said: str
) -> None:
    """The option, the value and its form are named, and nothing is started."""
    spine("down")
    result = spine("up", option, value)
    assert result.exit_code == 2
    assert option in result.stderr
    assert said in " ".join(result.stderr.split())
    assert "not running" in spine("status").stdout


def test_deploy_shows_every_state_machine_the_first_in_front(
    cloud: fakes.Cloud, spine: Spine
) -> None:
    """A line each, whatever the order of the stack's outputs."""

    def shown() -> list[str]:
        lines = spine("deploy").stdout.splitlines()
        return [line for line in lines if line.startswith("State machine")]

    assert shown() == [f"State machine  {fakes.MACHINE}"]
    cloud.formation.further = {"Preparing": fakes.PREPARING}
    assert shown() == [f"State machine  {arn}" for arn in (fakes.MACHINE, fakes.PREPARING)]


def test_deploy_always_deploys_and_destroy_removes(cloud: fakes.Cloud, spine: Spine) -> None:
    """`deploy` is asked for by name, so it never skips; `destroy` leaves no stack."""
    for _ in range(2):
        assert fakes.BUCKET in spine("deploy").stdout
    assert cloud.formation.deployed == 2
    assert spine("destroy").exit_code == 0
    assert cloud.formation.deployed == 0


def test_what_is_synthesized_already_is_deployed_as_it_is(
    cloud: fakes.Cloud, spine: Spine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`--app` names a cloud assembly, which must be there."""
    given = []

    def deploy(*_: object, assembly: Path | None, **__: object) -> None:
        given.append(assembly)
        cloud.formation.deployed += 1

    monkeypatch.setattr("localcloud.deploy", deploy)
    assert spine("deploy", "--app", str(tmp_path)).exit_code == 0
    assert spine("deploy").exit_code == 0
    assert given == [tmp_path, None]
    assert spine("deploy", "--app", str(tmp_path / "absent")).exit_code == 2


def test_a_failed_deployment_shows_the_last_lines(
    cloud: fakes.Cloud, spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the CDK command line said last is shown, then where all of it is."""

    def deploy(*_: object, **__: object) -> None:
        raise DeployError("cdk synth failed with code 1:\nSettingsError: stage: 'x' ...")

    monkeypatch.setattr("localcloud.deploy", deploy)
    result = spine("run")
    assert result.exit_code == 1
    assert "SettingsError: stage: 'x' ..." in result.stderr
    assert "spine logs deploy" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_missing_cdk_says_how_to_install_it(
    cloud: fakes.Cloud, spine: Spine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On a checkout without node_modules the remedy is one command."""
    monkeypatch.undo()
    monkeypatch.setenv("SPINE_HOME", str(tmp_path))
    monkeypatch.setattr("localcloud.running", lambda _: cloud)
    monkeypatch.setattr(session, "_CDK", tmp_path / "cdk")
    result = spine("deploy")
    assert result.exit_code == 1
    assert "make run" in result.stderr


def test_the_digest_follows_the_sources_and_nothing_else(tmp_path: Path) -> None:
    """A changed or renamed source changes it; compiled files and hidden caches do not."""
    (tmp_path / "lambda" / "plan").mkdir(parents=True)
    (tmp_path / "app.py").write_text("1")
    source = tmp_path / "lambda" / "plan" / "handler.py"
    source.write_text("2")
    first = session.sources_digest(tmp_path)
    for noise in ("lambda/__pycache__/x.pyc", "lambda/.ruff_cache/y", "other.py"):
        (tmp_path / noise).parent.mkdir(exist_ok=True)
        (tmp_path / noise).write_text("noise")
    assert session.sources_digest(tmp_path) == first
    renamed = source.rename(source.with_name("renamed.py"))
    assert session.sources_digest(tmp_path) != first
    renamed.rename(source)
    source.write_text("3")
    assert session.sources_digest(tmp_path) != first


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("spine-dev-storage |  3/12 | 10:00 | CREATE | AWS::S3::Bucket", "spine-dev-storage 3/12"),
        ("spine-dev-storage | 3 | 10:00 | CREATE | AWS::S3::Bucket", "spine-dev-storage 3"),
        ("spine-dev-triggers: deploying... [3/3]", "spine-dev-triggers"),
        (" ⏳  Bootstrapping environment aws://0/us-east-1...", "bootstrapping the account"),
        ("Stack ARN:", None),
    ],
)
def test_the_progress_of_a_deployment_is_read_from_what_the_cdk_prints(
    line: str, said: str | None
) -> None:
    """Stack and count of resources; other lines say nothing."""
    assert session.said(line) == said
