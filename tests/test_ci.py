"""`.ci/run` on a project of stubs: what it runs, how it tells a failure, what it leaves."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import ROOT

pytestmark = pytest.mark.process

Run = Callable[..., "subprocess.CompletedProcess[str]"]

# Each part says what it is, twice with a pause, and ends as the environment says.
_MAKEFILE = """\
setup format lint types gates test:
\t@echo $@ begins; sleep 0.2; echo $@ ends; exit $${FAILS_$@:-0}
"""
_TOOLS = (
    *("awk", "bash", "cat", "column", "dirname", "id", "make", "mktemp", "paste", "renice"),
    *("rm", "sh", "sleep", "tail", "timeout"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project whose parts are stubs."""
    project = tmp_path / "project"
    (project / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", project / ".ci" / "run")
    (project / "Makefile").write_text(_MAKEFILE)
    return project


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A folder with the programs that the script may count on, a browser among them."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in _TOOLS:
        if found := shutil.which(name):
            (programs / name).symlink_to(found)
    _program(programs / "chromium", "true")
    return programs


def _program(place: Path, script: str) -> None:
    place.write_text(f"#!/bin/sh\n{script}\n")
    place.chmod(0o755)


@pytest.fixture
def run(folder: Path, path: Path) -> Run:
    """Run the script with nothing of this machine but what it may count on."""

    def start(**variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["bash", str(folder / ".ci" / "run")],
            env={"PATH": str(path), "CI": "true", **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return start


def test_every_part_runs_and_is_shown_whole(run: Run) -> None:
    """What each part prints stays together, and the verdict says that all passed."""
    done = run()
    assert done.returncode == 0, done.stdout + done.stderr
    for part in ("setup", "format", "lint", "types", "gates", "test"):
        assert f"{part} begins\n{part} ends\n" in done.stdout
    assert done.stdout.endswith("CI passed\n")
    assert "WARNING" not in done.stdout


@pytest.mark.parametrize("part", ["format", "lint", "types", "gates", "test"])
def test_a_part_that_fails_is_named(run: Run, part: str) -> None:
    """CI fails, names the part, and has run the others all the same."""
    done = run(**{f"FAILS_{part}": "1"})
    assert done.returncode == 1
    assert done.stdout.endswith(f"CI FAILED: {part}\n")
    assert "test ends" in done.stdout
    assert "gates ends" in done.stdout


def test_several_failures_are_all_named(run: Run) -> None:
    """Whoever repairs one knows of the other."""
    done = run(FAILS_types="1", FAILS_test="2")
    assert done.returncode == 1
    verdict = done.stdout.splitlines()[-1]
    assert set(verdict.removeprefix("CI FAILED: ").split()) == {"types", "test"}


def test_without_its_tools_nothing_is_run(run: Run) -> None:
    """An installation that fails is the verdict, rather than what comes of it."""
    done = run(FAILS_setup="1")
    assert done.returncode == 1
    assert "CI FAILED: the installation" in done.stdout
    assert "test begins" not in done.stdout


def test_a_missing_browser_is_said_loudly(run: Run, path: Path) -> None:
    """Where it cannot be installed CI goes on, and says at its end what was skipped."""
    (path / "chromium").unlink()
    done = run()
    assert done.returncode == 0
    assert done.stdout.count("WARNING: no browser") == 2
    assert "SKIPPED" in done.stdout.splitlines()[-2]


@pytest.mark.skipif(os.getuid() != 0, reason="only root installs packages")
def test_a_missing_browser_is_installed(run: Run, path: Path) -> None:
    """Root asks apt-get for it before the tests begin."""
    (path / "chromium").unlink()
    _program(path / "apt-get", f'[ "$1" = update ] || cp {path}/awk {path}/chromium')
    (path / "cp").symlink_to(str(shutil.which("cp")))
    done = run()
    assert done.returncode == 0
    assert "WARNING" not in done.stdout


@pytest.mark.parametrize("waiting", ["setup", "types test"])
def test_a_terminated_run_leaves_nothing(
    folder: Path, path: Path, tmp_path: Path, waiting: str
) -> None:
    """What is at work ends with the script, beside the tests as well, and its files are gone."""
    marker, temporary = tmp_path / "marker", tmp_path / "temporary"
    temporary.mkdir()
    others = {"setup", "format", "lint", "types", "gates", "test"} - set(waiting.split())
    (folder / "Makefile").write_text(
        f"{waiting}:\n\t@echo $$$$ >> {marker}; sleep 60\n{' '.join(others)}:\n\t@:\n"
    )
    process = subprocess.Popen(
        ["bash", str(folder / ".ci" / "run")],
        env={"PATH": str(path), "TMPDIR": str(temporary)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        _until(lambda: marker.exists() and len(marker.read_text().split()) == len(waiting.split()))
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert process.returncode == 143
    _until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in marker.read_text().split()))
    assert list(temporary.iterdir()) == []


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)
