"""Running tests on a mutant: in a process forked from one that has imported what does not change.

A mutant costs what its tests cost, and the import of the project's own modules. The file itself is
never touched: the loader of Python's modules is given the mutant's text in its place.
"""

import contextlib
import dataclasses
import importlib
import importlib.machinery
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

ROOT = Path(__file__).resolve().parents[2]

Outcome = Literal["killed", "survived", "too slow"]

_OWN = ("lambda", "data_prep", "spine", "stacks", "gates", "localcloud", "app", "tests")
UNIT = "unit and not slow"
_OPTIONS = ("-x", "-q", "-n0", "-p", "no:cacheprovider")
# Beside what the tests take unchanged: a mutant that only makes them slower is not called a loop.
_SPARE_SECONDS = 20.0
_TIMES = 6


class BaselineError(Exception):
    """The tests fail on the code as it is."""


@dataclasses.dataclass(frozen=True)
class Job:
    """What is tried in a process of its own.

    Attributes:
        key: Names it in the answer.
        run: Called in the process; gives 0 if nothing was noticed.
    """

    key: str
    run: Callable[[], int]


def run_tests(files: Iterable[str], tier: str = UNIT) -> int:
    """Run the tests of files that belong to a tier; 0 if all pass."""
    # The process that ends what tests start: they may not fork another for each mutant.
    leftovers: Any = importlib.import_module("tests.process_leftovers")
    leftovers.watch = lambda: None
    os.chdir(ROOT)
    return int(pytest.main([*_OPTIONS, "-m", tier, *files]))


def in_place_of(path: str, source: str) -> Callable[[], None]:
    """What has a process load a text as the module of a file."""

    def put() -> None:
        loader: Any = importlib.machinery.SourceFileLoader
        original = loader.get_code
        place = str(ROOT / path)

        def get_code(self: Any, name: str) -> Any:
            if self.path == place:
                return compile(source, place, "exec")
            return original(self, name)

        loader.get_code = get_code

    return put


def warm_up(run: Callable[[], int]) -> float:
    """Import what a run imports and the project does not hold; return the seconds it takes.

    Raises:
        BaselineError: It fails on the code as it is.
    """
    reading, writing = os.pipe()
    started = time.monotonic()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        status = run()
        names = (name for name in sorted(sys.modules) if name.partition(".")[0] not in _OWN)
        with os.fdopen(writing, "w") as file:
            file.write("\n".join(names))
        os._exit(status)
    os.close(writing)
    with os.fdopen(reading) as file:
        imported = file.read().split()
    _, status = os.waitpid(pid, 0)
    if status:
        raise BaselineError("the tests fail on the code as it is")
    seconds = time.monotonic() - started
    for name in imported:
        # What only its own parent can import comes with the parent.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    return seconds


def outcomes(jobs: Iterable[Job], processes: int, seconds: float) -> Iterator[tuple[str, Outcome]]:
    """Run each job, several at a time; yield the outcomes as they come.

    Args:
        jobs: What to run.
        processes: How many at a time.
        seconds: What the tests take on the code as it is.
    """
    limit = seconds * _TIMES + _SPARE_SECONDS
    waiting = iter(jobs)
    running: dict[int, tuple[str, float]] = {}
    while True:
        while len(running) < processes and (job := next(waiting, None)):
            running[_started(job)] = (job.key, time.monotonic() + limit)
        if not running:
            return
        for pid, (key, deadline) in list(running.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del running[pid]
                yield key, "survived" if status == 0 else "killed"
            elif time.monotonic() > deadline:
                os.killpg(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                del running[pid]
                yield key, "too slow"
        time.sleep(0.01)


def _started(job: Job) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nothing, number)
        os._exit(job.run())
    finally:
        os._exit(70)
