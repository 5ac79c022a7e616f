"""The command line of the process, and what it listens on."""

import json
import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from localcloud.sagemaker import __main__ as command
from localcloud.sagemaker.settings import one_a_core


def parsed(*arguments: str) -> Any:
    """A command line, read."""
    return command._parser().parse_args(["--jobs=jobs", *arguments])


def test_by_default_nothing_is_limited_or_slowed_down() -> None:
    """But for the cores of the machine."""
    found = parsed()
    assert (found.delay, found.quota, found.throttle, found.consistency_lag) == ([], [], None, 0.0)
    assert found.concurrent_jobs == one_a_core()
    assert found.stop_grace == 120
    assert not found.assume_roles
    assert not found.detach


def test_delays_and_quotas_may_be_given_several_times() -> None:
    """By the names that the settings know."""
    found = parsed("--delay=training=2", "--delay=transform=0.5", "--quota=ml.m5.large/endpoint=0")
    assert dict(found.delay) == {"training": 2.0, "transform": 0.5}
    assert dict(found.quota) == {"ml.m5.large for endpoint usage": 0}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("--delay=lunch=3600", "NAME=SECONDS"),
        ("--quota=ml.m5.large=2", "INSTANCE_TYPE/USE=COUNT"),
        ("--throttle=0", "0 must be more than 0"),
        ("--throttle=inf", "inf must be more than 0"),
        ("--consistency-lag=-1", "-1 must be more than 0"),
        ("--concurrent-jobs=0", "0 must be 1 or more"),
        ("--credentials=absent.json", "absent.json holds no credentials"),
    ],
)
def test_a_wrong_value_is_refused_by_its_option(
    capsys: pytest.CaptureFixture[str], wrong: str, said: str
) -> None:
    """With the form that it takes."""
    with pytest.raises(SystemExit) as refused:
        parsed(wrong)
    assert refused.value.code == 2
    shown = capsys.readouterr().err
    assert f"argument {wrong.partition('=')[0]}" in shown
    assert said in shown


def test_credentials_are_read_from_a_file(tmp_path: Path) -> None:
    """A command line is seen by others; further members of the file are not taken along."""
    file = tmp_path / "credentials.json"
    given = {"access_key_id": "AKIA", "secret_access_key": "s"}
    file.write_text(json.dumps({**given, "made": 1}))
    assert parsed(f"--credentials={file}").credentials == given


@pytest.mark.parametrize("content", ["{", "[]", '{"access_key_id": "AKIA"}', "5"])
def test_a_file_without_credentials_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    """Rather than going on with those of the person."""
    file = tmp_path / "credentials.json"
    file.write_text(content)
    with pytest.raises(SystemExit):
        parsed(f"--credentials={file}")
    assert "holds no credentials" in capsys.readouterr().err


def test_a_process_that_nobody_could_reach_does_not_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """It says what to give, and leaves no folder."""
    monkeypatch.setattr("sys.argv", ["sagemaker", f"--jobs={tmp_path / 'jobs'}"])
    assert command.main() == 2
    assert "--uds PATH, --port PORT" in capsys.readouterr().err
    assert not (tmp_path / "jobs").exists()


def test_only_its_user_may_connect_to_the_socket(tmp_path: Path) -> None:
    """One that was left behind by a process that was killed is replaced."""
    path = tmp_path / "s"
    path.write_text("left behind")
    with command._unix_socket(path) as listening:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            listening.accept()[0].close()


def test_the_port_is_of_the_loopback_address() -> None:
    """With the protocol named: it saves 40 ms an answer."""
    with command._tcp_socket(0) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"
        assert listening.proto == socket.IPPROTO_TCP
