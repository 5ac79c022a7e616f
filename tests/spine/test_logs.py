"""`spine logs`."""

from pathlib import Path

import pytest

from spine import logs
from tests.spine import fakes
from tests.spine.conftest import Spine
from tests.spine.stories import BEGIN, Story

JOB = "spine-dev-first-0-0"
START = int(BEGIN.timestamp() * 1000)


@pytest.fixture
def written(cloud: fakes.Cloud, home: Path) -> fakes.Cloud:
    """A cloud whose functions, jobs and own processes have written something."""
    for path, text in (
        ("logs/gateway.log", "gateway up\n"),
        (f"jobs/training-job/{JOB}/log", "[0] train-auc:0.9\n"),
        (f"jobs/transform-job/{JOB}/log", "transformed\n"),
        ("jobs/endpoint/spine-dev-first/AllTraffic/log", "serving\n"),
    ):
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_text(text)
    cloud.formation.deployed = 1
    cloud.logs.groups["own-group"] = [
        (START + 1500, "prepared the first run\n"),
        (START + 900_000, "prepared another run\n"),
        (START + 900_000, "prepared another run\n"),
    ]
    story = Story()
    story.task(
        "Prepare the data",
        parameters='{"FunctionName": "arn:aws:lambda:r:a:function:spine-dev-pipeline-Prepare1"}',
    )
    story.task(
        "Train the model",
        resource="sagemaker:createTrainingJob.sync",
        parameters=f'{{"TrainingJobName": "{JOB}"}}',
    )
    cloud.states.events = story.events
    cloud.states.started["first"] = {}
    return cloud


def test_without_a_name_everything_that_has_a_log_is_listed(
    written: fakes.Cloud, spine: Spine
) -> None:
    """The cloud's own, functions by step, runs and jobs: the way in to each."""
    shown = spine("logs").stdout
    for name in ("gateway", "prepare", "sweep", "first", JOB):
        assert name in shown
    assert "other" not in shown


def test_a_function_goes_by_its_step(written: fakes.Cloud, spine: Spine) -> None:
    """The log group a function was given is found; lines repeat as often as they were written."""
    shown = spine("logs", "prepare").stdout
    assert "prepared the first run" in shown
    assert shown.count("prepared another run") == 2


@pytest.mark.parametrize("name", ["first", "last"])
def test_a_run_shows_its_own_part_of_each_log_in_the_order_of_its_states(
    written: fakes.Cloud, spine: Spine, name: str
) -> None:
    """A function's lines of other runs and other jobs' logs stay out."""
    shown = spine("logs", name).stdout
    assert shown.index("prepared the first run") < shown.index("train-auc")
    assert "another run" not in shown
    assert "transformed" not in shown


def test_the_runs_of_every_pipeline_have_their_logs(written: fakes.Cloud, spine: Spine) -> None:
    """They are listed, found by name or a part of it, and the last of all is the last."""
    written.formation.further = {"Preparing": fakes.PREPARING}
    written.states.preparing["only-data"] = {}
    assert "only-data, first" in spine("logs").stdout
    for name in ("only-data", "only-d", "last"):
        assert "prepared the first run" in spine("logs", name).stdout
    everything = logs.known(written)  # type: ignore[arg-type]
    assert everything.executions[0].arn == fakes.execution_arn("only-data", fakes.PREPARING)


def test_a_name_in_two_pipelines_asks_which(written: fakes.Cloud, spine: Spine) -> None:
    """Each machine uses a name once, two may use the same: their ARNs tell them apart."""
    written.formation.further = {"Preparing": fakes.PREPARING}
    written.states.started["twin"] = written.states.preparing["twin"] = {}
    arns = [fakes.execution_arn("twin", machine) for machine in (fakes.MACHINE, fakes.PREPARING)]
    for name in ("twin", "twi"):
        result = spine("logs", name)
        assert result.exit_code == 2
        assert all(arn in "".join(result.stderr.split()) for arn in arns)
    for name in (*arns, "last"):
        assert "prepared the first run" in spine("logs", name).stdout


def test_a_job_s_name_shows_its_log(written: fakes.Cloud, spine: Spine) -> None:
    """Training and transform of a run share a name; both are shown, each under its kind."""
    shown = spine("logs", JOB).stdout
    assert f"training-job/{JOB}" in shown
    assert "transformed" in shown


def test_an_endpoint_s_servers_have_their_logs(written: fakes.Cloud, spine: Spine) -> None:
    """The log of a model server is found below its endpoint."""
    assert "serving" in spine("logs", "spine-dev-first").stdout


def test_files_are_there_without_a_cloud(written: fakes.Cloud, spine: Spine) -> None:
    """After `down` the logs of the cloud and its jobs can still be read."""
    spine("down")
    assert "gateway up" in spine("logs", "gateway").stdout
    result = spine("logs", "prepare")
    assert result.exit_code == 2
    assert "spine up" in result.stderr


def test_a_name_that_is_not_there_brings_the_closest(written: fakes.Cloud, spine: Spine) -> None:
    """A slip of the finger is answered with what may have been meant."""
    result = spine("logs", "prepaer")
    assert result.exit_code == 2
    assert "prepare" in result.stderr


def test_only_the_last_lines_unless_asked(written: fakes.Cloud, spine: Spine, home: Path) -> None:
    """Long logs are cut at the front, which is said; --lines 0 shows all."""
    (home / "logs/gateway.log").write_text("".join(f"line {number}\n" for number in range(300)))
    shown = spine("logs", "gateway", "--lines", "2").stdout
    assert shown.splitlines() == ["... 298 earlier lines (--lines 0: all)", "line 298", "line 299"]
    assert len(spine("logs", "gateway", "-n", "0").stdout.splitlines()) == 300


def test_following_shows_only_what_is_new(tmp_path: Path) -> None:
    """Whole lines as they come, an unfinished one when it stays so, a new file from its start."""
    file = tmp_path / "log"
    file.write_text("one\n")
    log = logs.FileLog("log", file)
    assert log.new() == ["one"]
    with file.open("a") as more:
        more.write("two\nthree")
    assert log.new() == ["two"]
    with file.open("a") as more:
        more.write(" and four\n")
    assert log.new() == ["three and four"]
    with file.open("a") as more:
        more.write("cut off")
    assert log.new() == []
    assert log.new() == ["cut off"]
    file.write_text("new\n")
    assert log.new() == ["new"]
