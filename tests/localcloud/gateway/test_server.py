"""What the local cloud listens on, and how it says where it is."""

import json
import os
import socket
from pathlib import Path

import pytest

from localcloud import process_identity
from localcloud.gateway import server


def record(state: Path, sagemaker_pid: int | None = None) -> None:
    """Write a state file."""
    server._record(
        state,
        port=4566,
        instance="0123abcd",
        uds=Path("/run/sagemaker.sock"),
        sagemaker_pid=sagemaker_pid,
        conditions=("--throttle=3",),
    )


def test_it_listens_on_the_loopback_address_only() -> None:
    """On a free port if none is given, and with the protocol named: it saves 40 ms an answer."""
    with server._listen(0) as listener:
        address, port = listener.getsockname()
        assert address == "127.0.0.1"
        assert port > 0
        assert listener.proto == socket.IPPROTO_TCP


def test_a_port_that_is_taken_is_said_with_what_to_do() -> None:
    """And nothing else is started."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SystemExit) as refused:
            server._listen(port)
    said = str(refused.value)
    assert said.startswith(f"The local cloud cannot listen on 127.0.0.1:{port}: Address already")
    assert "leave the port out to take a free one" in said


def test_the_state_file_says_where_the_cloud_is_and_who_it_is(tmp_path: Path) -> None:
    """Whoever reads it can tell the process from another that was given its id."""
    state = tmp_path / "state.json"
    record(state, sagemaker_pid=os.getpid())
    found = json.loads(state.read_text())
    mark = process_identity.start_mark(os.getpid())
    assert found["pid"] == found["sagemaker_pid"] == os.getpid()
    assert found["process_started"] == found["sagemaker_started"] == mark
    assert (found["port"], found["instance"]) == (4566, "0123abcd")
    assert found["conditions"] == ["--throttle=3"]
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_without_a_sagemaker_process_there_is_no_mark_of_one(tmp_path: Path) -> None:
    """It has not been started."""
    record(tmp_path / "state.json")
    found = json.loads((tmp_path / "state.json").read_text())
    assert found["sagemaker_pid"] is found["sagemaker_started"] is None


@pytest.mark.parametrize("content", ["{", "{}", '{"instance": "another"}'])
def test_only_its_own_state_file_is_removed_at_the_end(tmp_path: Path, content: str) -> None:
    """Another cloud may have started meanwhile, and written its own."""
    state = tmp_path / "state.json"
    assert not server._is_ours(state, "0123abcd")
    record(state)
    assert server._is_ours(state, "0123abcd")
    state.write_text(content)
    assert not server._is_ours(state, "0123abcd")
