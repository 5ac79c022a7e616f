"""Starting, finding and stopping the local cloud."""

import concurrent.futures
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

import localcloud
from localcloud import CloudError, Conditions, process_identity
from tests.localcloud.conftest import STUB

pytestmark = pytest.mark.process


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A state directory whose cloud is stopped afterwards."""
    yield tmp_path / "home"
    localcloud.stop(tmp_path / "home")


def gone(pid: int) -> bool:
    """Tell whether a process ended (a zombie of another parent counts as ended)."""
    return process_identity.start_mark(pid) is None


def record(home: Path) -> dict[str, object]:
    """What the state file holds."""
    found: dict[str, object] = json.loads((home / "cloud.json").read_text())
    return found


def test_start_is_found_and_stop_leaves_no_process(home: Path) -> None:
    """A second start finds the running cloud, and a stop ends the gateway and SageMaker."""
    assert localcloud.running(home) is None
    said: list[str] = []
    first = localcloud.start(home, on_progress=said.append, sagemaker=STUB)
    assert "Starting the local cloud" in said
    assert localcloud.running(home) == first
    assert localcloud.start(home, sagemaker=STUB) == first
    sagemaker = record(home)["sagemaker_pid"]
    assert isinstance(sagemaker, int)
    assert localcloud.stop(home) is True
    assert localcloud.running(home) is None
    assert gone(first.pid)
    assert gone(sagemaker)
    assert not (home / "cloud.json").exists()
    assert localcloud.stop(home) is False


def test_stop_ends_the_functions_processes(home: Path) -> None:
    """The warm process of a function, even one that is busy, ends with the cloud."""
    from tests.localcloud.stepfunctions.machines import ROLE, bundle

    running = localcloud.start(home, sagemaker=STUB)
    functions = running.client("lambda")
    source = "import os, time\ndef handler(event, context):\n    return os.getpid()\n"
    functions.create_function(
        FunctionName="warm",
        Runtime="python3.13",
        Role=ROLE,
        Handler="index.handler",
        Code={"ZipFile": bundle(source)},
    )
    pid = json.load(functions.invoke(FunctionName="warm")["Payload"])
    assert not gone(pid)
    localcloud.stop(home)
    assert gone(pid)


def test_conditions_reach_sagemaker_and_are_kept(home: Path) -> None:
    """A quota given at the start is in force, and whoever finds the cloud sees it."""
    wanted = Conditions(quotas=("ml.m5.large/training-job=0",), consistency_lag=0.5)
    running = localcloud.start(home, conditions=wanted)
    assert localcloud.running(home) == running
    assert running.conditions == ("--quota=ml.m5.large/training-job=0", "--consistency-lag=0.5")
    with pytest.raises(ClientError, match=r"ResourceLimitExceeded.*training job usage' is 0"):
        running.client("sagemaker").create_training_job(
            TrainingJobName="beyond",
            RoleArn="arn:aws:iam::000000000000:role/any",
            AlgorithmSpecification={"TrainingImage": "any", "TrainingInputMode": "File"},
            OutputDataConfig={"S3OutputPath": "s3://any/"},
            ResourceConfig={
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
            },
            StoppingCondition={"MaxRuntimeInSeconds": 60},
        )


def test_starts_at_once_give_one_cloud(home: Path) -> None:
    """Several starts at the same time start one gateway."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: localcloud.start(home, sagemaker=STUB), range(4)))
    assert len({each.pid for each in found}) == 1


def test_only_its_owner_can_read_the_state_directory(home: Path) -> None:
    """It is made so, closed when it is open, and what the cloud writes is its owner's as well."""
    home.mkdir(mode=0o755)
    home.chmod(0o755)
    localcloud.start(home, sagemaker=STUB)
    assert home.stat().st_mode & 0o777 == 0o700
    for name in ("cloud.json", "credentials.json", "tmp", "jobs", "logs/sagemaker.log"):
        assert (home / name).stat().st_mode & 0o077 == 0, name
    localcloud.stop(home)
    shutil.rmtree(home)
    localcloud.start(home, sagemaker=STUB)
    assert home.stat().st_mode & 0o777 == 0o700


def folders_of(running: localcloud.Cloud, home: Path) -> list[Path]:
    """The folders of a function's code once it was called."""
    from tests.localcloud.stepfunctions.machines import ROLE, bundle

    source = "import os, tempfile\ndef handler(event, context):\n"
    source += "    return [tempfile.gettempdir(), os.getcwd()]\n"
    functions = running.client("lambda")
    functions.create_function(
        FunctionName="told",
        Runtime="python3.13",
        Role=ROLE,
        Handler="index.handler",
        Code={"ZipFile": bundle(source)},
    )
    temporary, code = json.load(functions.invoke(FunctionName="told")["Payload"])
    assert Path(temporary) == home / "tmp"
    found = list((home / "tmp").glob("ministack-lambda-told-*"))
    assert Path(code).parent in found
    return found


@pytest.mark.parametrize("way", ["stop", "start", "SIGTERM"])
def test_the_folders_of_functions_go_with_the_cloud(home: Path, way: str) -> None:
    """A stop removes them; the next stop or start does after the cloud was killed."""
    running = localcloud.start(home, sagemaker=STUB)
    folders = folders_of(running, home)
    assert folders
    os.kill(running.pid, signal.SIGTERM if way == "SIGTERM" else signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(running.pid, 0)
    if way == "start":
        localcloud.start(home, sagemaker=STUB)
    elif way == "stop":
        localcloud.stop(home)
    assert not [folder for folder in folders if folder.exists()]
    assert (home / "tmp").exists() == (way == "start")


def test_a_long_path_leaves_no_socket_behind(tmp_path: Path) -> None:
    """Sockets are elsewhere then, under a random name, which goes even after a kill."""
    home = tmp_path / ("long" * 30)
    running = localcloud.start(home, sagemaker=STUB)
    try:
        folder = (home / "sockets").readlink()
        assert folder.stat().st_mode & 0o777 == 0o700
        assert str(record(home)["sagemaker_socket"]).startswith(f"{folder}/")
        assert running.client("sagemaker").list_models() is not None
        os.kill(running.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(running.pid, 0)
    finally:
        localcloud.stop(home)
    assert not folder.exists()
    assert not (home / "sockets").is_symlink()


def test_a_cloud_whose_credentials_are_gone_starts_anew(home: Path) -> None:
    """Nobody could call it any more."""
    first = localcloud.start(home, sagemaker=STUB)
    (home / "credentials.json").unlink()
    assert localcloud.running(home) is None
    second = localcloud.start(home, sagemaker=STUB)
    assert second.pid != first.pid
    assert second.client("sts").get_caller_identity()["Account"] == second.account


def test_a_given_port_is_used(home: Path) -> None:
    """The port asked for is the one listened on, on the loopback address only."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = localcloud.start(home, port=port, sagemaker=STUB)
    assert started.endpoint_url == f"http://127.0.0.1:{port}"
    listeners = Path("/proc/net/tcp")
    if listeners.exists():
        local = [line.split()[1] for line in listeners.read_text().splitlines()[1:]]
        assert f"0100007F:{port:04X}" in local
        assert f"00000000:{port:04X}" not in local


def test_a_port_in_use_is_said(home: Path) -> None:
    """A taken port fails the start with the port and the remedy."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CloudError, match=f"cannot listen on 127.0.0.1:{port}"):
            localcloud.start(home, port=port, sagemaker=STUB)
    assert localcloud.running(home) is None


def test_a_sagemaker_that_does_not_start_is_said(home: Path) -> None:
    """The start fails with the end of the SageMaker process's log, and nothing is left."""
    broken = [sys.executable, "-c", "raise SystemExit('no model engine here')"]
    with pytest.raises(CloudError, match="no model engine here"):
        localcloud.start(home, sagemaker=broken)
    assert localcloud.running(home) is None
    assert localcloud.start(home, sagemaker=STUB).port


@pytest.mark.parametrize("content", ["", "{", '{"pid": 1}', "null"])
def test_a_spoilt_state_file_counts_as_none(home: Path, content: str) -> None:
    """A state file that cannot be read does not keep the cloud from starting or stopping."""
    home.mkdir(parents=True)
    (home / "cloud.json").write_text(content)
    assert localcloud.running(home) is None
    assert localcloud.stop(home) is False


def test_a_pid_given_to_another_process_is_left_alone(home: Path) -> None:
    """A record whose process number now belongs to somebody else is stale: nothing is killed."""
    home.mkdir(parents=True)
    other = subprocess.Popen(["sleep", "30"], start_new_session=True)
    try:
        (home / "cloud.json").write_text(
            json.dumps(
                {
                    "pid": other.pid,
                    "process_started": "long ago",
                    "port": 1,
                    "instance": "x",
                    "sagemaker_pid": other.pid,
                    "sagemaker_started": "long ago",
                }
            )
        )
        assert localcloud.running(home) is None
        assert localcloud.stop(home) is False
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_killed_gateway_is_replaced(home: Path) -> None:
    """After a kill the cloud is not running; the next start ends what was left and starts anew."""
    first = localcloud.start(home, sagemaker=STUB)
    orphan = record(home)["sagemaker_pid"]
    assert isinstance(orphan, int)
    os.kill(first.pid, signal.SIGKILL)
    os.waitpid(first.pid, 0)
    assert localcloud.running(home) is None
    second = localcloud.start(home, sagemaker=STUB)
    assert second.pid != first.pid
    deadline = time.monotonic() + 3
    while not gone(orphan):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_deep_home_gets_a_short_socket(tmp_path: Path) -> None:
    """A state directory too deep for a Unix socket's path works, the socket being elsewhere."""
    home = tmp_path / ("deep-" * 20) / "home"
    try:
        running = localcloud.start(home, sagemaker=STUB)
        path = str(record(home)["sagemaker_socket"])
        assert len(path) < 104
        assert not path.startswith(str(home))
        assert running.client("sagemaker").list_models()["ResponseMetadata"]
    finally:
        localcloud.stop(home)
    assert not Path(path).parent.exists()
