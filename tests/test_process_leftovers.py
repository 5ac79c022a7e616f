"""A test run that is terminated or killed leaves no process behind."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import process_leftovers
from tests.localcloud.sagemaker.cloud import alive, descendants, until
from tests.support import ROOT

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.platform != "linux", reason="marks are read in Linux's /proc"),
]

# What tests start: a cloud with a SageMaker and a function in the middle of a call, a process that
# is waited for, and one that leads a session of its own.
_TESTS = """
import json
import subprocess
from pathlib import Path

import pytest

import localcloud
from tests.localcloud.conftest import STUB
from tests.localcloud.stepfunctions.machines import PROBE, ROLE, bundle


@pytest.mark.process
def test_until_the_end(tmp_path):
    functions = localcloud.start(tmp_path / "home", sagemaker=STUB).client("lambda")
    functions.create_function(
        FunctionName="probe",
        Runtime="python3.13",
        Role=ROLE,
        Handler="index.handler",
        Code={"ZipFile": bundle(PROBE)},
        Timeout=600,
    )
    functions.invoke(FunctionName="probe", Payload=b"{}")
    sleeping = json.dumps({"mode": "sleep", "seconds": 300})
    functions.invoke(FunctionName="probe", InvocationType="Event", Payload=sleeping)
    subprocess.Popen(["sleep", "300"], start_new_session=True)
    Path(__file__).with_suffix(".ready").touch()
    subprocess.run(["sleep", "300"], check=False)
"""


@pytest.fixture
def run(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A run of two tests in two processes, in the middle of both."""
    for name in ("test_one.py", "test_two.py"):
        (tmp_path / name).write_text(_TESTS)
    # This file only for the conftest.py that its folder has.
    ours = "tests/test_process_leftovers.py"
    command = [sys.executable, "-m", "pytest", "-c", "pyproject.toml", "-n", "2"]
    command += ["-p", "no:cacheprovider", "--basetemp", str(tmp_path / "base")]
    command += [str(tmp_path), ours, "--deselect", ours]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        until(lambda: process.poll() is not None or len(list(tmp_path.glob("*.ready"))) == 2, 90)
        assert process.poll() is None, (tmp_path / "log").read_text()
        yield process
    finally:
        process.kill()
        process.wait()
        process_leftovers.end(process.pid)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_ended_leaves_no_process(
    run: subprocess.Popen[bytes], number: signal.Signals
) -> None:
    """Neither the workers nor a cloud, a function, or whatever else a test has started."""
    before = descendants(run.pid)
    commands = [Path(f"/proc/{pid}/cmdline").read_text() for pid in before]
    for started, times in (("localcloud.gateway", 2), ("sagemaker_stub", 2), ("sleep\0", 4)):
        assert sum(started in command for command in commands) >= times, (started, commands)
    run.send_signal(number)
    run.wait(60)
    until(lambda: not process_leftovers.marked(run.pid), 60)
    until(lambda: [pid for pid in before if alive(pid)] == [], 10)
