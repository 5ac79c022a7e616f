"""The SageMaker process as the gateway's child: watched, and gone with all that it started."""

import asyncio
import contextlib
import os
import sys
from pathlib import Path

import pytest

from localcloud.gateway import sagemaker_process
from localcloud.gateway.sagemaker_process import SageMakerProcess
from tests.localcloud.sagemaker.cloud import alive

pytestmark = pytest.mark.process

# Listens where it is told, and leaves a process of its own behind.
SERVES = """
import os, socket, subprocess, sys, time
print(sys.argv[1:], sorted(os.environ), flush=True)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open("child", "w").write(str(child.pid))
listening = socket.socket(socket.AF_UNIX)
listening.bind(sys.argv[sys.argv.index("--uds") + 1])
listening.listen()
time.sleep(600)
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVES


def made(folder: Path, source: str) -> SageMakerProcess:
    """A process that runs a source in a folder."""
    there = f"import os; os.chdir({str(folder)!r})\n"
    return SageMakerProcess(
        command=(sys.executable, "-c", there + source),
        uds=folder / "s",
        jobs=folder / "jobs",
        log=folder / "log",
        endpoint_url="http://127.0.0.1:1",
        environment={"PATH": os.environ["PATH"], "KEPT": "1"},
    )


async def gone(pid: int) -> bool:
    """Whether a process ends within seconds."""
    for _ in range(200):
        if not alive(pid):
            return True
        await asyncio.sleep(0.05)
    return False


@pytest.mark.parametrize("source", [SERVES, STUBBORN])
def test_it_serves_from_start_to_stop_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    """One that does not heed SIGTERM is killed, and what it started goes with it."""
    monkeypatch.setattr(sagemaker_process, "_STOP_SECONDS", 1.0)
    (tmp_path / "s").write_text("left behind by one that was killed")
    process = made(tmp_path, source)

    async def live() -> None:
        lives = [process.alive]
        await process.start()
        lives.append(process.alive)
        try:
            assert (tmp_path / "jobs").is_dir()
            child = int((tmp_path / "child").read_text())
            assert alive(child)
        finally:
            await process.stop()
        assert [*lives, process.alive] == [False, True, False]
        assert await gone(child)
        assert not (tmp_path / "s").exists()

    asyncio.run(live())
    told = (tmp_path / "log").read_text()
    for word in ("--uds", "--jobs", "--aws-endpoint', 'http://127.0.0.1:1'", "'KEPT'"):
        assert word in told
    assert "HOME" not in told


def test_one_that_ends_before_it_listens_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    """That says why."""
    process = made(tmp_path, "raise SystemExit('no module named xgboost')")
    with pytest.raises(RuntimeError, match=r"did not start\. The end of .*log:\n.*no module named"):
        asyncio.run(process.start())
    assert not process.alive


def test_one_that_never_listens_is_given_up_and_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No process stays that nobody can reach."""
    monkeypatch.setattr(sagemaker_process, "_START_SECONDS", 0.5)
    process = made(tmp_path, "import time; time.sleep(600)")
    with pytest.raises(RuntimeError, match="did not start"):
        asyncio.run(process.start())
    assert process.pid is not None
    assert not alive(process.pid)


def test_an_end_that_nobody_asked_for_is_in_the_gateways_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is not started again: its records would be gone, and every later answer wrong."""
    process = made(tmp_path, SERVES)

    async def live() -> None:
        await process.start()
        assert process.pid is not None
        os.kill(process.pid, 9)
        assert process._watch is not None
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait_for(process._watch, 20)
        assert not process.alive
        await process.stop()

    asyncio.run(live())
    (told,) = [each for each in caplog.records if each.levelname == "ERROR"]
    assert "ended with code -9" in told.getMessage()
    assert str(tmp_path / "log") in told.getMessage()


def test_stopping_what_never_started_does_nothing(tmp_path: Path) -> None:
    """As when the port was taken."""
    asyncio.run(made(tmp_path, SERVES).stop())
    assert not (tmp_path / "log").exists()
