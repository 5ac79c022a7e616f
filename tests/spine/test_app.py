"""The other commands, and how errors are told."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.exceptions import EndpointConnectionError

from localcloud import CloudError, DeployError
from spine import session
from spine.app import app
from spine.shipped import load
from tests.spine import fakes
from tests.spine.conftest import Spine
from tests.support import ROOT


def test_help_teaches_every_command(spine: Spine) -> None:
    """Each command is listed, and each has a help of its own."""
    shown = spine("--help").stdout
    for command in app.registered_commands:
        assert command.callback is not None
        name = command.callback.__name__
        assert f" {name} " in shown
        assert spine(name, "--help").exit_code == 0
    assert "Examples" in spine("run", "--help").stdout


def test_the_help_of_run_lists_every_field_of_the_execution_input(spine: Spine) -> None:
    """Each with what it takes and its default, from the model that checks it."""
    lines = [line.split() for line in spine("run", "--help").stdout.splitlines()]
    named = [words[0] for words in lines if words]
    sections = load("plan.sections").SECTIONS
    for section, model in sections.items():
        assert section in named
        assert {field.alias or name for name, field in model.model_fields.items()} - set(named) <= {
            "format",
            "minimum",
            "maximum",
        }
    assert [
        "train",
        "a",
        "number",
        "between",
        "0",
        "and",
        "1,",
        "both",
        "excluded",
        "(0.8)",
    ] in lines
    assert {"format.kind", "minimum.auc", "maximum.mae"} <= set(named)


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


def test_up_on_another_port_says_that_one_runs(cloud: fakes.Cloud, spine: Spine) -> None:
    """A running cloud does not move."""
    result = spine("up", "--port", "5000")
    assert result.exit_code == 1
    assert "spine down" in result.stderr


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


def test_a_running_cloud_does_not_change_its_conditions(cloud: fakes.Cloud, spine: Spine) -> None:
    """What it was not started with is refused with the remedy, what it was started with is not."""
    cloud.conditions = ("--throttle=3",)
    assert spine("up", "--throttle", "3").exit_code == 0
    result = spine("up", "--consistency-lag", "5")
    assert result.exit_code == 1
    assert "only with --throttle=3: not with --consistency-lag=5" in result.stderr
    assert "spine down" in result.stderr


@pytest.mark.parametrize(
    "command", ["up", "deploy", "run", "env", "destroy", "predict --row=1,2,3"]
)
def test_a_cloud_that_lost_its_sagemaker_process_says_how_to_go_on(
    cloud: fakes.Cloud, spine: Spine, command: str
) -> None:
    """Every command that would need it fails at once, with the log and the way out."""
    cloud.sagemaker_runs = False
    result = spine(*command.split())
    assert result.exit_code == 1
    assert "SageMaker process has ended" in result.stderr
    assert "spine down && spine up" in result.stderr
    shown = spine("status")
    assert shown.exit_code == 0
    assert "spine logs sagemaker" in shown.stdout
    assert spine("down").exit_code == 0


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--quota", "ml.m5.large=2", "INSTANCE_TYPE/USE=COUNT"),
        ("--delay", "lunch=3600", "NAME=SECONDS"),
        ("--throttle", "0", "must be more than 0"),
        ("--consistency-lag", "inf", "must be more than 0"),
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


@pytest.mark.parametrize("command", [["env"], ["predict", "--row", "1"], ["destroy"]])
def test_what_needs_the_cloud_says_so(cloud: fakes.Cloud, spine: Spine, command: list[str]) -> None:
    """Without a cloud: what is missing and how to start it, no traceback."""
    spine("down")
    result = spine(*command)
    assert result.exit_code == 1
    assert "not running" in result.stderr
    assert "spine up" in result.stderr


def test_status_of_nothing(cloud: fakes.Cloud, spine: Spine) -> None:
    """Without a cloud there is nothing else to say."""
    spine("down")
    assert "not running" in spine("status").stdout
    assert json.loads(spine("status", "--json").stdout)["cloud"] is None


def test_status_shows_runs_and_endpoints(cloud: fakes.Cloud, spine: Spine) -> None:
    """Runs newest first with status and duration, endpoints with the end of their time."""
    cloud.formation.deployed = 1
    cloud.states.started = {"first": {}, "second": {}}
    cloud.sagemaker.endpoints = {fakes.ENDPOINT: "InService"}
    cloud.sagemaker.tags = {"spine:keep-until": "2099-01-01T00:00:00Z"}
    shown = spine("status").stdout
    assert shown.index("second") < shown.index("first")
    assert "8.0 s" in shown
    assert fakes.ENDPOINT in shown
    assert "2099" in shown
    document = json.loads(spine("status", "--json", "--limit", "1").stdout)
    assert [run["name"] for run in document["executions"]] == ["second"]
    assert document["endpoints"][0]["until"] == "2099-01-01T00:00:00+00:00"


def test_status_tells_the_runs_of_several_pipelines_apart(cloud: fakes.Cloud, spine: Spine) -> None:
    """Those of all machines by time, each with its label, and no more than were asked for."""
    cloud.formation.deployed = 1
    cloud.formation.further = {"Preparing": fakes.PREPARING}
    cloud.states.started = {"first": {}, "second": {}}
    cloud.states.preparing = {"between": {}}
    title, header, *lines = [
        line for line in spine("status").stdout.partition("Latest")[2].splitlines() if line.strip()
    ]
    assert title.strip() == "runs"
    assert header.split() == ["name", "pipeline", "status", "started", "took"]
    runs = [line.split()[:2] for line in lines if "SUCCEEDED" in line]
    assert runs == [["second", "SUCCEEDED"], ["between", "Preparing"], ["first", "SUCCEEDED"]]
    document = json.loads(spine("status", "--json", "--limit", "2").stdout)
    assert [(run["name"], run["pipeline"]) for run in document["executions"]] == [
        ("second", ""),
        ("between", "Preparing"),
    ]


def test_status_of_one_pipeline_says_nothing_of_pipelines(cloud: fakes.Cloud, spine: Spine) -> None:
    """Neither as a column nor in the JSON."""
    cloud.formation.deployed = 1
    cloud.states.started = {"first": {}}
    assert "pipeline " not in spine("status").stdout.partition("Latest")[2]
    (run,) = json.loads(spine("status", "--json").stdout)["executions"]
    assert run.keys() == {"name", "arn", "status", "started", "seconds", "synthetic"}


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


def test_an_endpoint_past_its_time_is_said_to_be(cloud: fakes.Cloud, spine: Spine) -> None:
    """Between the end of its time and the sweeper an endpoint is shown as due."""
    cloud.sagemaker.endpoints = {fakes.ENDPOINT: "InService"}
    cloud.sagemaker.tags = {"spine:keep-until": "2020-01-01T00:00:00Z"}
    assert "about to be deleted" in spine("status").stdout


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


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            lambda: CloudError("The local cloud did not start. The end of x:\nport in use"),
            "port in use",
        ),
        (
            lambda: CloudError(
                "The local cloud did not start. The end of x:\n"
                "The local cloud cannot listen on 127.0.0.1:80: Address already in use. Stop ..."
            ),
            "127.0.0.1:80: Address already in use.\n  Leave --port out",
        ),
        (lambda: EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), "stopped answering"),
        (fakes.refused, "refused StartExecution: Name is too long."),
        (lambda: PermissionError(13, "Permission denied", "/x"), "Permission denied: /x"),
        (lambda: ZeroDivisionError("oh"), "SPINE_DEBUG=1"),
    ],
)
def test_errors_are_told_without_a_traceback(
    cloud: fakes.Cloud,
    spine: Spine,
    monkeypatch: pytest.MonkeyPatch,
    error: Callable[[], Exception],
    words: str,
) -> None:
    """Known errors become a message and a remedy; unknown ones say how to see more."""

    def fail(_: Path) -> None:
        raise error()

    monkeypatch.setattr("localcloud.running", fail)
    result = spine("status")
    assert result.exit_code == 1
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_debug_shows_the_traceback(
    cloud: fakes.Cloud, spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SPINE_DEBUG=1 lets the error through as it is."""
    monkeypatch.setenv("SPINE_DEBUG", "1")
    spine("down")
    assert spine("env").exception.__class__.__name__ == "CloudNotRunningError"


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
